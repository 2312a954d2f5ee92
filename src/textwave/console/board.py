"""What a board shows of a campaign, and the arithmetic behind it: shares, progress, the account.

Pure: given figures and texts, it returns values for the templates and the chart. It never hides a
sum that does not add up; the board says so instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

MOVING: Final = frozenset({"reviewing", "planning", "sending"})
"""States in which the figures change by the second."""
_LIVE_SECONDS, _CALM_SECONDS = 1, 5
_WHOLE = 100.0


@dataclass(frozen=True, slots=True)
class Heading:
    """A campaign in a list and at the head of its board."""

    id: int
    name: str
    type: str
    state: str
    platform: str
    audience: str
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Variant:
    """What came of one of several texts; the rest waits for the winner's."""

    name: str
    is_rest: bool
    template: str | None
    share: float
    messages: int
    submitted: int
    delivered: int
    failed: int
    clickers: int
    click_rate: float
    wins: bool


@dataclass(frozen=True, slots=True)
class Winner:
    """Who chooses the text of those who wait, and which was chosen why; "" while none is."""

    by: str
    after_minutes: int
    chosen: str
    reason: str


@dataclass(frozen=True, slots=True)
class Stall:
    """Since when and why a campaign stands still."""

    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class TextReview:
    """How the review of a campaign's text stands, and who can change the text where.

    `submitted_at` is when the platform got it; until then `turn_at` or `reason` say what it waits
    for. Once rejected, `reason` says why. An `own` text is edited with its campaign.
    """

    template: str
    type: str
    state: str
    reason: str
    submitted_at: datetime | None
    turn_at: datetime | None
    own: bool


@dataclass(frozen=True, slots=True)
class Lag:
    """Seconds from an opt-out to the last message prepared for the person, of so many."""

    measured: int
    largest: float
    p99: float


@dataclass(frozen=True, slots=True)
class Figures:
    """The counters of a campaign."""

    planned: bool = False
    audience: int = 0
    messages: int = 0
    submitted: int = 0
    delivered: int = 0
    failed: int = 0
    waiting: int = 0
    in_doubt: int = 0
    parts: int = 0
    clicks: int = 0
    human_clicks: int = 0
    clickers: int = 0
    replies: int = 0
    opt_outs: int = 0
    drops: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def dropped(self) -> int:
        """Return how many customers of the audience get no message."""
        return sum(self.drops.values())

    @property
    def finished(self) -> int:
        """Return how many messages are in a final state."""
        return self.delivered + self.failed


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply as it is shown: the number masked to its last four digits."""

    number: str
    content: str
    intent: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that the page of one campaign shows."""

    heading: Heading
    reason: str
    trouble: str
    signature: str
    template: str
    text: str
    price: str
    time_zone: str
    figures: Figures
    answers: Sequence[Answer]
    variants: Sequence[Variant] = ()
    winner: Winner | None = None
    stall: Stall | None = None
    lag: Lag | None = None
    copied_from: str = ""
    recurrence: str = ""
    review: TextReview | None = None

    @property
    def waiting_for_winner(self) -> int:
        """Return how many wait for the text of the winner."""
        return sum(variant.messages for variant in self.variants if variant.is_rest)

    @property
    def may_choose(self) -> bool:
        """Tell whether a winner can be chosen by hand."""
        open_ = self.winner is not None and not self.winner.chosen
        return open_ and self.waiting_for_winner > 0 and self.heading.state in ("sending", "paused")

    @property
    def control_group(self) -> int:
        """Return how many are held out, to compare."""
        return self.figures.drops.get("control group", 0)

    @property
    def poll_seconds(self) -> int:
        """Return how often the page should look again."""
        return _LIVE_SECONDS if self.heading.state in MOVING else _CALM_SECONDS


@dataclass(frozen=True, slots=True)
class Share:
    """One segment of a bar: where it begins and how wide it is, in percent of the bar."""

    name: str
    count: int
    start: float
    width: float


def shares(counts: Mapping[str, int], whole: int) -> list[Share]:
    """Lay the counts side by side on a bar that stands for `whole`; empty ones are left out."""
    laid: list[Share] = []
    start = 0.0
    for name, count in counts.items():
        if count > 0 and whole > 0:
            width = _WHOLE * count / whole
            laid.append(Share(name, count, round(start, 4), round(width, 4)))
            start += width
    return laid


def outcomes(figures: Figures) -> list[Share]:
    """Lay the four outcomes of a message side by side; together they are all messages."""
    counts = {
        "delivered": figures.delivered,
        "waiting": figures.waiting,
        "in doubt": figures.in_doubt,
        "failed": figures.failed,
    }
    return shares(counts, figures.messages)


def ranked(counts: Mapping[str, int]) -> list[Share]:
    """Put the largest count first; each bar is measured against the largest."""
    largest = max(counts.values(), default=0)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [
        Share(name, count, 0.0, round(_WHOLE * count / largest, 4))
        for name, count in ordered
        if count > 0
    ]


def part_of(count: int, whole: int) -> float:
    """Return a share of one, or 0 where there is no whole."""
    return count / whole if whole > 0 else 0.0


def messages_a_second(figures: Figures) -> int:
    """Return how fast messages were handed over, or 0 while that is not known."""
    seconds = figures.seconds.get("send", 0.0)
    return round(figures.submitted / seconds) if seconds > 0 else 0


def tenths_done(figures: Figures) -> int:
    """Return progress in whole tens of percent: a screen reader announces steps, not seconds."""
    return int(part_of(figures.submitted, figures.messages) * 10) * 10


@dataclass(frozen=True, slots=True)
class Account:
    """Whether every recipient is accounted for."""

    audience_is_right: bool
    messages_are_right: bool

    @property
    def is_right(self) -> bool:
        """Tell whether both sums add up."""
        return self.audience_is_right and self.messages_are_right


def account(figures: Figures) -> Account:
    """Check audience = messages + drops and messages = the sum of their outcomes."""
    outcome_sum = figures.finished + figures.waiting + figures.in_doubt
    return Account(
        audience_is_right=figures.audience == figures.messages + figures.dropped,
        messages_are_right=figures.messages == outcome_sum,
    )


def funnel(figures: Figures) -> dict[str, int]:
    """Return the steps from the audience to a reply, each a part of the one before."""
    return {
        "audience": figures.audience,
        "messages": figures.messages,
        "submitted": figures.submitted,
        "delivered": figures.delivered,
        "clicked": figures.clickers,
        "replied": figures.replies,
    }
