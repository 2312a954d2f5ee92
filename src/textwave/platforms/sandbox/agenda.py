"""What will happen later, in small time slots: receipts as bare row numbers, the rest as events.

A million waiting receipts are eight megabytes here. Events beyond the limit are turned away.
"""

import heapq
from array import array
from dataclasses import dataclass, field

from textwave.platforms.sandbox.chance import Visit

SLOT_SECONDS = 0.05
EVENTS_MAX = 200_000


@dataclass(frozen=True, slots=True)
class ReplyDue:
    """A person answers the message of a row."""

    row: int
    text: str


@dataclass(frozen=True, slots=True)
class VisitDue:
    """A link is opened."""

    link: str
    visit: Visit


@dataclass(frozen=True, slots=True)
class ReviewDue:
    """The review of a template ends."""

    template_code: str
    reviewed_at: float


@dataclass(frozen=True, slots=True)
class SignatureReviewDue:
    """The review of a signature ends."""

    name: str


Event = ReplyDue | VisitDue | ReviewDue | SignatureReviewDue


@dataclass(slots=True)
class Slot:
    """What happens in one slot of time; a negative row is the duplicate of its complement."""

    rows: "array[int]" = field(default_factory=lambda: array("q"))
    events: list[Event] = field(default_factory=list[Event])


class Agenda:
    """Slots by time."""

    def __init__(self) -> None:
        self._slots: dict[int, Slot] = {}
        self._order: list[int] = []
        self._events = 0

    def add_row(self, at: float, row: int) -> None:
        """Let the receipt of a row become due; `~row` for its duplicate."""
        self._slot(at).rows.append(row)

    def add(self, at: float, event: Event) -> bool:
        """Let something happen; False if too much is waiting already."""
        if self._events >= EVENTS_MAX:
            return False
        self._events += 1
        self._slot(at).events.append(event)
        return True

    def take(self, now: float) -> Slot:
        """Return and forget all that is due."""
        due = Slot()
        while self._order and self._order[0] * SLOT_SECONDS <= now:
            slot = self._slots.pop(heapq.heappop(self._order))
            due.rows.extend(slot.rows)
            due.events.extend(slot.events)
        self._events -= len(due.events)
        return due

    def _slot(self, at: float) -> Slot:
        # Rounded up: nothing may be reported before it happened.
        number = -int(-at // SLOT_SECONDS)
        slot = self._slots.get(number)
        if slot is None:
            slot = self._slots[number] = Slot()
            heapq.heappush(self._order, number)
        return slot
