"""Real processes to be killed: a sandbox, and workers forked from a warm parent."""

import asyncio
import json
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from pydantic import SecretStr

from tests.stage import KEY
from textwave.settings import Settings
from textwave.storage.embedded import DatabaseUrls

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["textwave.worker.process", "uvloop"])


class SandboxProcess:
    """The witness, in a process that nobody kills."""

    def __init__(self, process: "subprocess.Popen[bytes]", url: str) -> None:
        self.process = process
        self.url = url

    def counts(self) -> dict[str, Any]:
        with urlopen(f"{self.url}/sandbox/counts", timeout=10) as answer:
            counted: dict[str, Any] = json.loads(answer.read())
            return counted


@contextmanager
def sandbox(folder: Path, **options: Any) -> Generator[SandboxProcess, None, None]:
    """Start a sandbox that knows the template T1."""
    host = options.pop("host", "127.0.0.1")
    with socket.socket() as probe:
        probe.bind((host, 0))
        port = probe.getsockname()[1]
    given = {"name": "sandbox", "host": host, "port": port, "key": KEY, **options}
    written = [part for name, value in given.items() for part in _option(name, value)]
    command = [sys.executable, "-P", "-m", "textwave.cli", "sandbox", *written]
    with (folder / "sandbox.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://{host}:{port}"
    try:
        _until_it_answers(process, f"{url}/sandbox/counts")
        yield SandboxProcess(process, url)
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def web(folder: Path, urls: DatabaseUrls) -> Generator[str, None, None]:
    """Serve API, console and callbacks from the data folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    given = {
        "TEXTWAVE_DATA": str(folder),
        "TEXTWAVE_DATABASE_URL": urls.owner,
        "TEXTWAVE_DATABASE_WEB_URL": urls.web,
        "TEXTWAVE_WEB_PORT": str(port),
    }
    command = [sys.executable, "-P", "-m", "textwave.cli", "web"]
    with (folder / "web.log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | given, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _until_it_answers(process, f"{url}/healthz")
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _option(name: str, value: Any) -> list[str]:
    option = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{option}" if value else f"--no-{option}"]
    values = value if isinstance(value, tuple) else (value,)
    return [f"--{option}", *map(str, values)]


def _until_it_answers(process: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"{url} does not answer")


def _work(data: str, owner: str, web: str, more: dict[str, Any]) -> None:
    import uvloop

    from textwave.worker.process import run_worker

    settings = Settings(
        data=Path(data),
        database_url=SecretStr(owner),
        database_web_url=SecretStr(web),
        heartbeat_seconds=0.2,
        stalled_seconds=0.6,
        warehouse_memory_megabytes=300,
        **more,
    )
    log = os.open(Path(data) / "worker.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    uvloop.run(run_worker(settings, DatabaseUrls(owner, web)))


class Workers:
    """One worker process at a time, and what happened to it."""

    def __init__(self, data: Path, urls: DatabaseUrls, seed: int = 0, **settings: Any) -> None:
        self._arguments = (str(data), urls.owner, urls.web, settings)
        self._process: Any = None
        self.random = random.Random(seed)
        self.kills = 0

    def start(self) -> None:
        self._process = _FORKS.Process(target=_work, args=self._arguments, daemon=True)
        self._process.start()

    @property
    def alive(self) -> bool:
        """Tell whether it runs."""
        return bool(self._process.is_alive())

    def kill(self) -> None:
        """Send it SIGKILL: nothing of it runs any more."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.join(10)
        self.kills += 1

    async def kill_until(
        self, done: Callable[[], Any], *, kills: int, pauses: tuple[float, float], limit: float
    ) -> bool:
        """Kill and start again at random moments; then let one worker finish in peace."""
        deadline = time.monotonic() + limit
        while self.kills < kills and not await done():
            self.start()
            await asyncio.sleep(self.random.uniform(*pauses))
            self.kill()
        self.start()
        try:
            while not await done():
                if time.monotonic() > deadline:
                    return False
                await asyncio.sleep(0.2)
            return True
        finally:
            self.kill()
