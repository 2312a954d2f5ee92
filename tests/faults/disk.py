"""A small disk: a file system in memory, mounted for a test, to be filled and emptied."""

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory


def why_not() -> str:
    """Say why no file system can be mounted here; empty if it can."""
    with TemporaryDirectory() as folder:
        try:
            _mount(Path(folder), 1)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            return f"no file system can be mounted here: {str(said).strip()}"
        _unmount(Path(folder))
    return ""


@dataclass(frozen=True, slots=True)
class SmallDisk:
    """The mounted folder."""

    folder: Path

    def leave(self, megabytes: float) -> None:
        """Fill it up to so much room."""
        self.empty()
        there = os.statvfs(self.folder)
        free = there.f_bavail * there.f_frsize
        with (self.folder / "ballast").open("wb") as ballast:
            os.posix_fallocate(ballast.fileno(), 0, max(1, free - int(megabytes * 1_000_000)))

    def empty(self) -> None:
        """Take away what filled it."""
        (self.folder / "ballast").unlink(missing_ok=True)

    def grow(self, megabytes: int) -> None:
        """Make it larger."""
        options = f"remount,size={megabytes}m"
        subprocess.run(["mount", "-o", options, self.folder], check=True)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Generator[SmallDisk, None, None]:
    """Mount it."""
    folder.mkdir()
    _mount(folder, megabytes)
    try:
        yield SmallDisk(folder)
    finally:
        _unmount(folder)


def _mount(folder: Path, megabytes: int) -> None:
    options = f"size={megabytes}m,mode=0755"
    command = ["mount", "-t", "tmpfs", "-o", options, "textwave-test", folder]
    subprocess.run(command, check=True, capture_output=True, text=True)


def _unmount(folder: Path) -> None:
    subprocess.run(["umount", "--lazy", folder], check=True)
