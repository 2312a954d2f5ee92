"""Network namespaces as separate machines: each with a cable to PostgreSQL and one to the platform.

A cut is silent, as a pulled plug far away is: packets leave and never arrive, nobody is told. Needs
the right to make namespaces; without it `why_not` says so.
"""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

NOWHERE = "02:00:00:00:00:ff"


def why_not() -> str:
    """Say why namespaces cannot be made here; empty if they can."""
    name = f"tw-try-{os.getpid()}"
    try:
        made = subprocess.run(
            ["ip", "netns", "add", name], capture_output=True, text=True, check=False
        )
    except OSError as error:
        return f"network namespaces cannot be made here: {error}"
    if made.returncode != 0:
        return f"network namespaces cannot be made here: {made.stderr.strip()}"
    _ip("netns", "delete", name)
    return ""


@dataclass(frozen=True, slots=True)
class Cable:
    """A pair of interfaces: `outer` on the main machine, `inner` in the namespace."""

    namespace: str
    name: str
    outer: str
    inner: str

    def plug(self, reaches: str) -> None:
        """Lay the cable; the namespace reaches one address over it."""
        near, far = f"{self.name}o", f"{self.name}i"
        _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", self.namespace)
        _ip("address", "add", f"{self.outer}/30", "dev", near)
        _ip("link", "set", near, "up")
        within = ("-n", self.namespace)
        _ip(*within, "address", "add", f"{self.inner}/30", "dev", far)
        _ip(*within, "link", "set", far, "up")
        _ip(*within, "route", "add", reaches, "via", self.outer)

    def cut(self) -> None:
        """Let packets in both directions go nowhere."""
        lost = ("lladdr", NOWHERE, "nud", "permanent", "dev")
        _ip("neighbour", "replace", self.inner, *lost, f"{self.name}o")
        _ip("-n", self.namespace, "neighbour", "replace", self.outer, *lost, f"{self.name}i")

    def heal(self) -> None:
        """Let them arrive again."""
        _ip("neighbour", "delete", self.inner, "dev", f"{self.name}o")
        _ip("-n", self.namespace, "neighbour", "delete", self.outer, "dev", f"{self.name}i")


@dataclass(frozen=True, slots=True)
class Machine:
    """A namespace with its two cables."""

    name: str
    database: Cable
    platform: Cable

    @contextmanager
    def worker(self, environment: Mapping[str, str], log: Path) -> Generator[int, None, None]:
        """Run a worker process in it; give its process id."""
        command = ["ip", "netns", "exec", self.name]
        command += [sys.executable, "-P", "-m", "textwave.cli", "worker"]
        with log.open("wb") as file:
            process = subprocess.Popen(
                command, env=os.environ | environment, stdout=file, stderr=file
            )
        try:
            yield process.pid
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(10)


@dataclass(frozen=True, slots=True)
class Network:
    """Addresses of the services on the main machine, and the machines that reach them."""

    database: str
    platform: str
    machines: list[Machine]


@contextmanager
def network(machines: int) -> Generator[Network, None, None]:
    """Lay it all; nothing of it is left at the end."""
    # several test runs may lay theirs at once
    octet = random.randrange(64, 128)
    prefix = f"tw{octet}"
    database, platform = f"10.{octet}.254.1", f"10.{octet}.254.2"
    with ExitStack() as undo:
        for address in (database, platform):
            _ip("address", "add", f"{address}/32", "dev", "lo")
            undo.callback(_ip, "address", "delete", f"{address}/32", "dev", "lo")
        laid: list[Machine] = []
        for number in range(machines):
            name = f"{prefix}-{number}"
            _ip("netns", "add", name)
            undo.callback(_ip, "netns", "delete", name)
            _ip("-n", name, "link", "set", "lo", "up")
            cables: list[Cable] = []
            for kind, reaches in enumerate((database, platform)):
                net = f"10.{octet}.{number * 2 + kind}"
                cable = Cable(name, f"{prefix}{number}{kind}", f"{net}.1", f"{net}.2")
                cable.plug(reaches)
                cables.append(cable)
            laid.append(Machine(name, *cables))
        yield Network(database, platform, laid)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
