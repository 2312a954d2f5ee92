"""Which audiences are computed from which: what follows from an import, and in which order.

Refused is an audience that is, directly or over others, computed from itself.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any, ClassVar

from textwave.kit.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Uses:
    """What the rule of an audience names."""

    name: str
    table: str
    tables: frozenset[str] = field(default_factory=frozenset[str])
    audiences: frozenset[str] = field(default_factory=frozenset[str])
    models: frozenset[str] = field(default_factory=frozenset[str])


@dataclass(eq=False)
class AudienceNamesItself(Refusal):
    """The members of the audience would be computed from its own members."""

    code: ClassVar[str] = "audience_names_itself"
    audience: str
    chain: list[str]

    @property
    def sentence(self) -> str:
        chain = " → ".join(f"“{name}”" for name in self.chain)
        return (
            f"The rule of “{self.audience}” comes back to itself: {chain} (each uses the next). "
            "Take one of these steps out of the rules."
        )


def check_not_circular(name: str, known: Mapping[str, Uses]) -> None:
    """Refuse an audience whose rule comes back to itself.

    Raises:
        AudienceNamesItself: with the chain from the audience to itself.
    """
    came_from: dict[str, str] = {}
    waiting = [name]
    while waiting:
        user = waiting.pop()
        for used in sorted(known[user].audiences) if user in known else ():
            if used == name:
                raise AudienceNamesItself(name, [*_way(user, came_from), name])
            if used not in came_from:
                came_from[used] = user
                waiting.append(used)


def _way(end: str, came_from: Mapping[str, str]) -> list[str]:
    way = [end]
    while way[-1] in came_from:
        way.append(came_from[way[-1]])
    return way[::-1]


def depending(known: Mapping[str, Uses], *, table: str, models: Collection[str]) -> set[str]:
    """Return the audiences that are computed from a table or a model, directly or over others."""
    direct = {
        name
        for name, uses in known.items()
        if table == uses.table or table in uses.tables or not uses.models.isdisjoint(models)
    }
    users = _users(known)
    found, waiting = set(direct), list(direct)
    while waiting:
        new = users.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return found


def in_order(names: Collection[str], known: Mapping[str, Uses]) -> list[str]:
    """Return the audiences so that each comes after those that it is computed from."""
    graph = {name: sorted(uses.audiences & known.keys()) for name, uses in sorted(known.items())}
    return [name for name in TopologicalSorter(graph).static_order() if name in names]


def renamed(rule: Any, old: str, new: str) -> Any:
    """Return a written rule that names an audience by its new name."""
    if isinstance(rule, dict):
        changed = {key: renamed(value, old, new) for key, value in rule.items()}
        if changed.get("kind") == "audience" and changed.get("audience") == old:
            changed["audience"] = new
        return changed
    if isinstance(rule, list):
        return [renamed(item, old, new) for item in rule]
    return rule


def _users(known: Mapping[str, Uses]) -> dict[str, set[str]]:
    pairs: Iterable[tuple[str, str]] = (
        (used, name) for name, uses in known.items() for used in uses.audiences
    )
    users: dict[str, set[str]] = {}
    for used, name in pairs:
        users.setdefault(used, set()).add(name)
    return users
