"""What lies in a data folder about the installation that runs from it.

`running.json` says who runs and at which addresses, `api-key` holds the first key, `up.lock` is
held for as long as `textwave up` runs. A process is only believed to be ours when its start time
fits too: numbers of processes are used again.
"""

import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar

import psutil

from textwave.kit.refusal import Refusal

_START_TIMES_DIFFER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where an installation answers."""

    web: str
    links: str


@dataclass(frozen=True, slots=True)
class Running:
    """What `running.json` says: the supervisor, its addresses and its children's process ids."""

    pid: int
    started_at: float
    addresses: Addresses
    children: dict[str, int] = field(default_factory=dict[str, int])
    owns_database: bool = False

    @property
    def alive(self) -> bool:
        """Tell whether the supervisor is still that very process."""
        return is_same_process(self.pid, self.started_at)


@dataclass(eq=False)
class AlreadyRunning(Refusal):
    """Another `textwave up` runs on this data folder."""

    code: ClassVar[str] = "already_running"
    data: str
    web: str
    links: str

    @property
    def sentence(self) -> str:
        where = f" at {self.web} (links: {self.links})" if self.web else ""
        return (
            f"Textwave runs already from {self.data}{where}. Stop it with `textwave down`, or name "
            "another folder in TEXTWAVE_DATA."
        )


@dataclass(eq=False)
class NoApiKey(Refusal):
    """The data folder holds no API key."""

    code: ClassVar[str] = "no_api_key"
    data: str

    @property
    def sentence(self) -> str:
        return (
            f"There is no API key in {self.data}. The first `textwave up` writes it there; else "
            "name the folder in TEXTWAVE_DATA or give the key in TEXTWAVE_API_KEY."
        )


def is_same_process(pid: int, started_at: float) -> bool:
    """Tell whether the process with that number lives and was started at that time."""
    try:
        process = psutil.Process(pid)
        ended = process.status() == psutil.STATUS_ZOMBIE
        return not ended and (abs(process.create_time() - started_at) < _START_TIMES_DIFFER_SECONDS)
    except psutil.Error:
        return False


def read_running(data: Path) -> Running | None:
    """Return what the file says, whether or not it is still true; None without one."""
    try:
        stored = json.loads((data / "running.json").read_text(encoding="utf-8"))
        return Running(
            pid=int(stored["pid"]),
            started_at=float(stored["started_at"]),
            addresses=Addresses(**stored["addresses"]),
            children=dict(stored["children"]),
            owns_database=bool(stored["owns_database"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_running(data: Path, running: Running) -> None:
    """Replace the file in one step."""
    unfinished = data / "running.json.new"
    unfinished.write_text(json.dumps(asdict(running), indent=2) + "\n", encoding="utf-8")
    unfinished.replace(data / "running.json")


def forget_running(data: Path) -> None:
    """Remove the file."""
    (data / "running.json").unlink(missing_ok=True)


def read_api_key(data: Path) -> str:
    """Return the key that the first start wrote.

    Raises:
        NoApiKey: there is none.
    """
    try:
        return (data / "api-key").read_text(encoding="ascii").strip()
    except OSError:
        raise NoApiKey(str(data)) from None


def write_api_key(data: Path, api_key: str) -> None:
    """Write the key for its owner's eyes only."""
    descriptor = os.open(data / "api-key", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(api_key + "\n")


@contextmanager
def hold_lock(data: Path) -> Generator[None, None, None]:
    """Be the only `textwave up` of the data folder; the lock ends with the process.

    Raises:
        AlreadyRunning: another one holds it.
    """
    descriptor = os.open(data / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            running = read_running(data)
            known = running.addresses if running else Addresses("", "")
            raise AlreadyRunning(str(data), known.web, known.links) from None
        yield
    finally:
        os.close(descriptor)
