"""Whole installations on this machine: started, killed in parts, healed, stopped."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil
import pytest

from textwave.cli.installation import Running, read_running
from textwave.storage.embedded import embedded_postgres

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 120.0


class Place:
    """A data folder and the command line over it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"

    def textwave(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "textwave.cli", *arguments],
            env={**os.environ, "TEXTWAVE_DATA": str(self.data), "TEXTWAVE_WEB_PORT": "0",
                 "TEXTWAVE_LINKS_PORT": "0"},
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )  # fmt: skip

    def running(self) -> Running:
        found = read_running(self.data)
        assert found is not None
        return found


@pytest.fixture
def places() -> Iterator[tuple[Place, Place]]:
    folders = [Path(tempfile.mkdtemp(prefix="tw-up-")) for _ in range(2)]
    for folder in folders:
        folder.chmod(0o755)
    made = Place(folders[0]), Place(folders[1])
    yield made
    for place in made:
        place.textwave("down")
        if place.data.exists():
            embedded_postgres(place.data).stop()
        shutil.rmtree(place.folder, ignore_errors=True)


def test_two_installations_live_side_by_side_and_heal(places: tuple[Place, Place]) -> None:
    one, other = places
    for place in places:
        done = place.textwave("up", "--detach", "--workers", "1")
        assert done.returncode == 0, done.stderr
    first, second = one.running(), other.running()
    assert first.addresses != second.addresses
    assert healthy(first) and healthy(second)  # noqa: PT018 - one claim about both

    again = one.textwave("up", "--detach")
    assert again.returncode == 1
    assert first.addresses.web in again.stderr

    key = one.textwave("key", "show").stdout.strip()
    assert key.startswith("tw_")
    assert (one.data / "api-key").stat().st_mode & 0o077 == 0
    assert json.loads(one.textwave("table", "list", "--json").stdout) == []

    os.kill(first.children["web"], signal.SIGKILL)
    until(lambda: one.running().children["web"] != first.children["web"])
    until(lambda: healthy(one.running()))

    database = embedded_postgres(one.data)
    postmaster = postmaster_of(database.cluster)
    os.kill(int(postmaster), signal.SIGKILL)
    until(lambda: postmaster_of(database.cluster) not in ("", postmaster))
    until(lambda: healthy(one.running()))

    os.kill(first.pid, signal.SIGKILL)
    children = [psutil.Process(pid) for pid in other.running().children.values()]
    until(lambda: not any(psutil.pid_exists(p) for p in one_children(first, one)))
    assert one.textwave("up", "--detach", "--workers", "1").returncode == 0
    assert one.textwave("key", "show").stdout.strip() == key

    for place in places:
        assert place.textwave("down").returncode == 0
    until(lambda: not any(child.is_running() for child in children))
    assert not embedded_postgres(other.data).is_running()
    assert read_running(other.data) is None


def postmaster_of(cluster: Path) -> str:
    """Return the process number of the database server, empty while there is none."""
    try:
        return (cluster / "postmaster.pid").read_text().partition("\n")[0]
    except FileNotFoundError:
        return ""


def one_children(before: Running, place: Place) -> list[int]:
    stored = read_running(place.data)
    return list((stored or before).children.values())


def healthy(running: Running) -> bool:
    try:
        with urlopen(running.addresses.web + "/healthz", timeout=5) as answer:
            found: Any = json.load(answer)
    except OSError:
        return False
    return found == {"status": "ok"}


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
