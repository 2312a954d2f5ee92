"""What goes on inside a long-running operation: probes that tell how far it is.

Work of an operation adds probes while it runs; whoever performs the operation asks them. Outside an
operation a probe is simply never asked.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Probe = Callable[[], Mapping[str, Any]]
"""Tells how far the work is, from any thread; called now and then."""

_probes: ContextVar[list[Probe] | None] = ContextVar("probes", default=None)


@contextmanager
def probes_of_operation() -> Generator[list[Probe], None, None]:
    """Collect the probes of the work that is begun inside."""
    probes: list[Probe] = []
    token = _probes.set(probes)
    try:
        yield probes
    finally:
        _probes.reset(token)


@contextmanager
def probing(probe: Probe) -> Generator[None, None, None]:
    """Let the probe be asked while the work inside goes on."""
    probes = _probes.get()
    if probes is None:
        yield
        return
    probes.append(probe)
    try:
        yield
    finally:
        probes.remove(probe)


def told(probes: list[Probe]) -> dict[str, Any]:
    """Ask all probes; what a later one tells wins."""
    return {name: value for probe in list(probes) for name, value in probe().items()}
