"""The demo's platform: a sandbox in a process of its own, found again by the next run.

It keeps its port and its approved templates, so that what was set up against it goes on working.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.request import Request, urlopen

import psutil

from textwave.cli.installation import Addresses, is_same_process
from textwave.kit.refusal import Refusal

NAME = "sandbox"
_START_SECONDS = 30.0


@dataclass(eq=False)
class SandboxDidNotStart(Refusal):
    """The simulated platform does not answer."""

    code: ClassVar[str] = "sandbox_did_not_start"
    url: str
    log: str

    @property
    def sentence(self) -> str:
        return f"The sandbox does not answer at {self.url}. Its log is {self.log}."


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """A running sandbox: who it is, where it answers, and its shared key."""

    pid: int
    started_at: float
    port: int
    key: str

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Tell whether it is still that very process."""
        return is_same_process(self.pid, self.started_at)

    def counts(self) -> dict[str, Any]:
        """Ask what it really received: the witness."""
        return _ask(f"{self.url}/sandbox/counts")

    def stop(self) -> None:
        """End it, if it still runs."""
        if self.alive:
            process = psutil.Process(self.pid)
            process.terminate()
            process.wait(10)


def start_sandbox(folder: Path, addresses: Addresses, *, seed: int) -> SandboxProcess:
    """Return the sandbox of this data folder, started if it does not run.

    Raises:
        SandboxDidNotStart: it does not answer within half a minute.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "sandbox.json"
    known = SandboxProcess(**json.loads(kept.read_text("utf-8"))) if kept.exists() else None
    if known and known.alive:
        _ask(f"{known.url}/sandbox/settings", {"textwave_url": addresses.web})
        return known
    port = _port(known.port if known else 0)
    key = known.key if known else secrets.token_urlsafe(18)
    log = folder / "sandbox.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            _command(folder, addresses, port=port, key=key, seed=seed),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    started = SandboxProcess(process.pid, psutil.Process(process.pid).create_time(), port, key)
    _until_it_answers(started, log)
    descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(started), file)
    return started


def stop_sandbox(folder: Path) -> bool:
    """End the sandbox of a data folder; tell whether one ran."""
    kept = folder / "sandbox.json"
    if not kept.exists():
        return False
    known = SandboxProcess(**json.loads(kept.read_text("utf-8")))
    ran = known.alive
    known.stop()
    return ran


def _command(
    folder: Path, addresses: Addresses, *, port: int, key: str, seed: int
) -> list[str | Path]:
    options = {
        "name": NAME,
        "port": port,
        "key": key,
        "push-key": key,
        "textwave-url": addresses.web,
        "links-url": addresses.links,
        "templates-file": folder / "sandbox-templates.json",
        "seed": seed,
        "throttled": 0.01,
        "rate-per-second": 50_000,
        "max-batch": 100,
    }
    written = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    return [sys.executable, "-P", "-m", "textwave.cli", "sandbox", *written]


def _until_it_answers(sandbox: SandboxProcess, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and sandbox.alive:
        try:
            sandbox.counts()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SandboxDidNotStart(sandbox.url, str(log))


def _ask(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = json.dumps(body).encode() if body is not None else None
    request = Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - loopback
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        found: dict[str, Any] = json.loads(answer.read())
    return found


def _port(wanted: int) -> int:
    from textwave.cli.serving import PortTaken, free_port

    try:
        return free_port("127.0.0.1", wanted)
    except PortTaken:
        return free_port("127.0.0.1", 0)
