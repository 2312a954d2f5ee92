"""A lifecycle as one literal table of moves, from which the diagram and the SQL come too.

The first state of the table is where the lifecycle starts. A move that is not in the table is
refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Generic, TypeVar

from textwave.kit.refusal import Refusal

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


@dataclass(eq=False)
class MoveNotAllowed(Refusal):
    """The thing is in a state in which this cannot happen to it."""

    code: ClassVar[str] = "move_not_allowed"
    kind: str
    state: str
    event: str
    allowed: tuple[str, ...]

    @property
    def sentence(self) -> str:
        way_out = f"It can: {', '.join(self.allowed)}." if self.allowed else "This state is final."
        return f"A {self.kind} that is {self.state} cannot {self.event}. {way_out}"


class StateTable(Generic[S, E]):
    """The moves of one kind of thing: `{(state, event): next state}`."""

    def __init__(self, kind: str, moves: Mapping[tuple[S, E], S]) -> None:
        self.kind = kind
        self._moves = dict(moves)
        named = [state for (source, _), target in moves.items() for state in (source, target)]
        self.states: tuple[S, ...] = tuple(dict.fromkeys(named))

    def after(self, state: S, event: E) -> S:
        """Return the state that `event` leads to.

        Raises:
            MoveNotAllowed: the table has no such move; names the events that it has.
        """
        try:
            return self._moves[state, event]
        except KeyError:
            allowed = tuple(str(event) for event in self.events(state))
            raise MoveNotAllowed(self.kind, state, event, allowed) from None

    def events(self, state: S) -> tuple[E, ...]:
        """Return what can happen in `state`, in the order of the table."""
        return tuple(event for source, event in self._moves if source == state)

    def sources(self, event: E) -> tuple[S, ...]:
        """Return the states in which `event` can happen, for `WHERE state = ANY (…)`."""
        return tuple(source for source, possible in self._moves if possible == event)

    def is_final(self, state: S) -> bool:
        """Tell whether nothing leads out of `state`."""
        return not self.events(state)

    def mermaid(self) -> str:
        """Return the lifecycle as a Mermaid state diagram."""
        lines = ["stateDiagram-v2"]
        lines += [f'    state "{name}" as {_node(name)}' for name in self.states if " " in name]
        lines.append(f"    [*] --> {_node(self.states[0])}")
        lines += [
            f"    {_node(source)} --> {_node(target)}: {event}"
            for (source, event), target in self._moves.items()
        ]
        lines += [f"    {_node(state)} --> [*]" for state in self.states if self.is_final(state)]
        return "\n".join(lines) + "\n"

    def check_sql(self, column: str) -> str:
        """Return the condition of a SQL CHECK: `column` holds a state of this table."""
        names = ", ".join(f"'{state}'" for state in self.states)
        return f"{column} IN ({names})"


def _node(state: str) -> str:
    return state.replace(" ", "_")
