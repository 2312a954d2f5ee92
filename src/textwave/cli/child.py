"""One child process of the supervisor: started, watched, started again when it dies.

The delay before a new start doubles with each early death up to half a minute. The child's
standard input is a pipe that only the supervisor holds: when that dies, the child ends.
"""

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import structlog

from textwave.kit.refusal import Refusal

FIRST_DELAY_SECONDS, LONGEST_DELAY_SECONDS = 0.5, 30.0
LIVED_SECONDS = 60.0
LOG_BYTES_MAX = 50_000_000
_LOG_END_CHARACTERS = 1_500
_LOOK_SECONDS = 0.05
log = structlog.get_logger(__name__)


@dataclass(eq=False)
class ChildDidNotStart(Refusal):
    """A process of the installation ended, or was not ready in time, at the start."""

    code: ClassVar[str] = "child_did_not_start"
    name: str
    problem: str
    log_end: str

    @property
    def sentence(self) -> str:
        said = f" Its log ends: {self.log_end}" if self.log_end else ""
        return f"The process {self.name} {self.problem}.{said}"


@dataclass(slots=True)
class Child:
    """A process to keep alive; `ready` tells whether it does its work yet."""

    name: str
    arguments: Sequence[str]
    ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str]
    log_file: Path | None
    process: asyncio.subprocess.Process | None = None
    stopping: bool = False
    early_deaths: int = field(default=0)

    async def start(self) -> None:
        """Start the process in a session of its own; signals from the terminal stay with us."""
        with contextlib.ExitStack() as files:
            output = None
            if self.log_file:
                keep_short(self.log_file)
                output = files.enter_context(self.log_file.open("ab"))
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "textwave.cli", *self.arguments, "--supervised",
                stdin=asyncio.subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=dict(self.environment),
                start_new_session=True,
            )  # fmt: skip

    async def until_ready(self, *, deadline: float) -> None:
        """Wait until it works.

        Raises:
            ChildDidNotStart: it ended, or the deadline (monotonic seconds) passed.
        """
        while not await self.ready():
            if self.process is None or self.process.returncode is not None:
                status = self.process.returncode if self.process else "none"
                raise ChildDidNotStart(self.name, f"ended with status {status}", self._log_end())
            if time.monotonic() > deadline:
                raise ChildDidNotStart(self.name, "was not ready in time", self._log_end())
            await asyncio.sleep(_LOOK_SECONDS)

    async def keep_alive(self, restarted: Callable[[], None]) -> None:
        """Start it again whenever it dies, until it is stopped; `restarted` is told each time."""
        while self.process is not None:
            began = time.monotonic()
            status = await self.process.wait()
            if self.stopping:
                return
            self.early_deaths = 0 if time.monotonic() - began > LIVED_SECONDS else self.early_deaths
            delay = min(FIRST_DELAY_SECONDS * 2**self.early_deaths, LONGEST_DELAY_SECONDS)
            self.early_deaths += 1
            log.warning("process died", process=self.name, status=status, restart_in_seconds=delay)
            await asyncio.sleep(delay)
            await self.start()
            restarted()

    async def stop(self, *, seconds: float) -> None:
        """Ask it to stop; kill it when it has not after so many seconds."""
        self.stopping = True
        if self.process is None:
            return
        self._send(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), seconds)
        except TimeoutError:
            log.warning("process killed", process=self.name, after_seconds=seconds)
            self._send(signal.SIGKILL)
            await self.process.wait()

    def _send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self.process and self.process.returncode is None:
                self.process.send_signal(number)

    def _log_end(self) -> str:
        if self.log_file is None or not self.log_file.exists():
            return ""
        text = self.log_file.read_text(encoding="utf-8", errors="replace")
        return text[-_LOG_END_CHARACTERS:].strip()


def keep_short(log_file: Path) -> None:
    """Move a log that has grown long out of the way; one older log is kept."""
    log_file.parent.mkdir(exist_ok=True)
    if log_file.exists() and log_file.stat().st_size > LOG_BYTES_MAX:
        log_file.replace(log_file.with_suffix(".log.1"))
