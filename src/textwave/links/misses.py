"""How often a client asked for codes that nobody knows: who walks the codes is slowed down.

Each client has a few misses, which come back with time; while it has none left, it is answered
nothing at all. Bounded: when the table is full, it forgets who was there first. Clients inside a
private network are not told apart and not slowed down: a proxy there speaks for everybody, unless
the header is known in which it names its client.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from textwave.kit.clock import Clock

MISSES_AT_ONCE: Final = 30
SECONDS_A_MISS: Final = 10.0
CLIENTS: Final = 10_000
_V6_SITE_BITS: Final = 64


class Misses:
    """Counts the misses of clients."""

    def __init__(
        self,
        clock: Clock,
        *,
        at_once: int = MISSES_AT_ONCE,
        seconds_a_miss: float = SECONDS_A_MISS,
        clients: int = CLIENTS,
    ) -> None:
        self._clock = clock
        self._at_once = at_once
        self._seconds = seconds_a_miss
        self._clients = clients
        self._spent: dict[str, tuple[float, float]] = {}

    def wait_seconds(self, client: str) -> int:
        """Return how long the client has to wait for its next answer; 0: not at all."""
        if client not in self._spent:
            return 0
        over = self._now_spent(client) - self._at_once + 1
        return int(over * self._seconds) + 1 if over > 0 else 0

    def note(self, client: str) -> None:
        """Count a miss of the client."""
        if not client:
            return
        spent = self._now_spent(client) + 1
        self._spent.pop(client, None)
        while len(self._spent) >= self._clients:
            del self._spent[next(iter(self._spent))]
        self._spent[client] = (spent, self._clock.monotonic())

    def _now_spent(self, client: str) -> float:
        spent, since = self._spent.get(client, (0.0, 0.0))
        return max(0.0, spent - (self._clock.monotonic() - since) / self._seconds)


def client_of(address: str) -> str:
    """Return whose misses count together: an IPv4 address or an IPv6 site; empty: nobody's."""
    try:
        found = ip_address(address.strip().strip("[]").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found
    if not found.is_global:
        return ""
    if isinstance(found, IPv4Address):
        return str(found)
    return str(IPv6Network((found, _V6_SITE_BITS), strict=False))
