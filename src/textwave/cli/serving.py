"""Serving one ASGI application with Granian in this process until a signal says stop.

Granian lets several listeners share a port, so a port that is taken is refused here: a second
installation would otherwise answer some of the first one's requests.
"""

import asyncio
import atexit
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import structlog
from granian.constants import Interfaces
from granian.server.embed import Server

from textwave.kit.refusal import Refusal

STOP_SECONDS = 15.0
log = structlog.get_logger(__name__)


@dataclass(eq=False)
class PortTaken(Refusal):
    """Another program listens there."""

    code: ClassVar[str] = "port_taken"
    host: str
    port: int
    problem: str

    @property
    def sentence(self) -> str:
        return (
            f"Nothing can listen on {self.host}:{self.port} ({self.problem}). "
            "Choose another port, or 0 for a free one."
        )


def free_port(host: str, wanted: int) -> int:
    """Return the wanted port if it can be listened on, for 0 any free one.

    Raises:
        PortTaken: it cannot.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, wanted))
            probe.listen(1)
        except OSError as error:
            raise PortTaken(host, wanted, error.strerror or str(error)) from None
        port: int = probe.getsockname()[1]
    return port


def claim_port(host: str, wanted: int) -> int:
    """Return a port that nobody else listens on from now until this process ends; 0: any free one.

    A socket is bound to it alone and never listens. Only then it agrees to share the port, so
    that this user's own listener, here or in a child, can join it; whoever looks for a free port
    in the meantime, the system included, is given another one.

    Raises:
        PortTaken: the wanted port is listened on or claimed.
    """
    claim = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # closed connections may linger
    try:
        claim.bind((host, wanted))
    except OSError as error:
        claim.close()
        raise PortTaken(host, wanted, error.strerror or str(error)) from None
    claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    atexit.register(claim.close)
    port: int = claim.getsockname()[1]
    return port


def address_of(host: str, port: int) -> str:
    """Return the URL under which this machine reaches the listener."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not listened on
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104 - compared
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(application: Any, *, host: str, port: int, lifespan: bool = False) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are finished first."""
    interface = Interfaces.ASGI if lifespan else Interfaces.ASGINL
    server = Server(
        application, address=host, port=port, interface=interface, log_enabled=False,
        backlog=1024, websockets=False,
    )  # fmt: skip
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    log.info("listening", address=address_of(host, port))
    await server.serve()


async def until_stopped(work: Callable[[], Awaitable[None]]) -> None:
    """Run work until it ends, or cancel it at SIGTERM or SIGINT."""
    task = asyncio.ensure_future(work())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


def end_with_parent() -> None:
    """Stop this process when its standard input ends, which its supervisor holds open.

    So no child outlives a supervisor that was killed, on any Unix.
    """

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True, name="end with parent").start()
