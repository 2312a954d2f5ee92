"""Who is left out of a campaign, who is held out, and who gets which of several texts. Pure.

Refuses shares that are no division of the audience, variants that nobody could tell apart, and a
winner that nothing could choose. Shares are in thousandths.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import ClassVar, Final

from textwave.content.variables import TemplateText
from textwave.kit.refusal import InvalidValue, Refusal
from textwave.plans.draw import HIGHEST_SEED, LOTS, draw_for
from textwave.plans.parts import united
from textwave.plans.plan import Division

WHOLE: Final = 1000
MOST_VARIANTS: Final = 5
MOST_EXCLUSIONS: Final = 20
LARGEST_CONTROL: Final = 1_000_000
REST: Final = "rest"
REST_NUMBER: Final = 0
"""The variant that is written for those who wait for the winner; it has no text until then."""

FEWEST_CLICKERS: Final = 10
_LONGEST_NAME: Final = 20
_LARGEST_CONTROL_SHARE: Final = 900
_TEST_SHARES: Final = range(10, 901)
_WAITS: Final = range(1, 7 * 24 * 60 + 1)


class ChosenBy(StrEnum):
    """Who says which variant the rest gets."""

    HAND = "hand"
    CLICKS = "clicks"


@dataclass(frozen=True, slots=True)
class Control:
    """The group that gets nothing: a share of those who would get a message, or so many exactly."""

    share_milli: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Variant:
    """One of several texts, and whose it is; a share of 0 is an equal one."""

    name: str
    template: str
    share_milli: int = 0


@dataclass(frozen=True, slots=True)
class WinnerRule:
    """How many try the variants, and how the text of all others is chosen after that."""

    test_share_milli: int
    by: str
    after_minutes: int = 120


@dataclass(frozen=True, slots=True)
class Shares:
    """All of it, as the marketer gives it; without a seed one is drawn."""

    exclude: tuple[str, ...] = ()
    control: Control | None = None
    variants: tuple[Variant, ...] = ()
    winner: WinnerRule | None = None
    seed: int | None = None


@dataclass(eq=False)
class SharesDoNotAddUp(Refusal):
    """The variants' shares are not the whole audience."""

    code: ClassVar[str] = "shares_do_not_add_up"
    percent: float

    @property
    def sentence(self) -> str:
        return (
            f"The variants' shares are {self.percent:g} % together. Make them 100 %, or leave all "
            "of them out for equal ones."
        )


@dataclass(eq=False)
class ClicksNotCounted(Refusal):
    """Clicks are to choose the winner, and a variant has no link that counts them."""

    code: ClassVar[str] = "clicks_not_counted"
    variant: str

    @property
    def sentence(self) -> str:
        return (
            f"The winner is chosen by clicks, and the template of variant “{self.variant}” has no "
            "link with a click token (${sp_…}). Add one, or choose the winner by hand."
        )


@dataclass(eq=False)
class OtherTable(Refusal):
    """The excluded audience has people of another table than the campaign's."""

    code: ClassVar[str] = "other_table"
    audience: str
    table: str
    expected: str

    @property
    def sentence(self) -> str:
        return (
            f"The audience “{self.audience}” is over the table “{self.table}”, the campaign's is "
            f"over “{self.expected}”. Exclude an audience over “{self.expected}”."
        )


@dataclass(eq=False)
class ControlTakesAll(Refusal):
    """The control group is as large as what it is taken from."""

    code: ClassVar[str] = "control_takes_all"
    size: int
    found: int

    @property
    def sentence(self) -> str:
        return (
            f"The control group of {self.size:,} would hold out all {self.found:,} people who "
            "would get a message. Make it smaller, or the audience larger."
        )


@dataclass(eq=False)
class NoWinnerOpen(Refusal):
    """There is nothing that waits for a winner."""

    code: ClassVar[str] = "no_winner_open"
    campaign: str
    why: str

    @property
    def sentence(self) -> str:
        return f"“{self.campaign}” {self.why}"


def check_shares(given: Shares) -> Shares:
    """Return the shares with every share filled in.

    Raises:
        InvalidValue, SharesDoNotAddUp.
    """
    _check_exclusions(given.exclude)
    if given.control is not None:
        _check_control(given.control)
    if given.seed is not None and not 0 <= given.seed <= HIGHEST_SEED:
        raise InvalidValue("seed", f"use a whole number from 0 to {HIGHEST_SEED}.")
    if given.winner is not None:
        _check_winner(given.winner, given.variants)
    return replace(given, variants=_check_variants(given.variants))


def _check_exclusions(names: Sequence[str]) -> None:
    if len(names) > MOST_EXCLUSIONS:
        raise InvalidValue("exclude", f"names more than {MOST_EXCLUSIONS} audiences.")
    twice = _first_twice(names)
    if twice is not None:
        raise InvalidValue("exclude", f"names “{twice}” twice.")


def _check_control(control: Control) -> None:
    if bool(control.share_milli) == bool(control.size):
        raise InvalidValue("control", "give a share or a size, one of the two.")
    if control.share_milli and not 1 <= control.share_milli <= _LARGEST_CONTROL_SHARE:
        raise InvalidValue("control.share", "use a share from 0.001 to 0.9.")
    if control.size and not 1 <= control.size <= LARGEST_CONTROL:
        raise InvalidValue("control.size", f"use 1 to {LARGEST_CONTROL:,} people.")


def _check_winner(winner: WinnerRule, variants: Sequence[Variant]) -> None:
    if not variants:
        raise InvalidValue("winner", "there are no variants to choose from. Give two or more.")
    if winner.by not in list(ChosenBy):
        raise InvalidValue("winner.by", f"“{winner.by}” is none of: {', '.join(ChosenBy)}.")
    if winner.test_share_milli not in _TEST_SHARES:
        raise InvalidValue("winner.test_share", "use a share from 0.01 to 0.9.")
    if winner.after_minutes not in _WAITS:
        raise InvalidValue("winner.after_minutes", f"use 1 to {_WAITS[-1]} minutes.")


def _check_variants(variants: Sequence[Variant]) -> tuple[Variant, ...]:
    if not variants:
        return ()
    if not 2 <= len(variants) <= MOST_VARIANTS:  # noqa: PLR2004 - one text is no variant
        raise InvalidValue("variants", f"give 2 to {MOST_VARIANTS} variants, or none.")
    for variant in variants:
        _check_name(variant.name)
    twice = _first_twice([variant.name for variant in variants])
    if twice is not None:
        raise InvalidValue("variants", f"two variants are named “{twice}”.")
    shares = [variant.share_milli for variant in variants]
    if not any(shares):
        shares = _equal(len(variants))
    elif not all(share > 0 for share in shares) or sum(shares) != WHOLE:
        raise SharesDoNotAddUp(sum(shares) / 10)
    return tuple(
        replace(variant, share_milli=share) for variant, share in zip(variants, shares, strict=True)
    )


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        problem = f"use 1-{_LONGEST_NAME} printable characters on one line."
        raise InvalidValue("variants.name", problem)
    if name == REST:
        raise InvalidValue("variants.name", f"“{REST}” is the name of those who wait.")


def _equal(count: int) -> list[int]:
    ends = [WHOLE * number // count for number in range(count + 1)]
    return [end - start for start, end in pairwise(ends)]


def _first_twice(names: Sequence[str]) -> str | None:
    return next((name for place, name in enumerate(names) if name in names[:place]), None)


def check_clicks_count(templates: Mapping[str, TemplateText]) -> None:
    """Accept variants, by name, whose clicks can be told apart.

    Raises:
        ClicksNotCounted: one has no link with a click token.
    """
    for name, template in templates.items():
        if not template.has_token:
            raise ClicksNotCounted(name)


def division(
    seed: int,
    names: Sequence[tuple[str, ...]],
    shares_milli: Sequence[int],
    test_share_milli: int | None,
) -> Division:
    """Return who gets which variant; with a test share the rest comes last, with all variables."""
    tested = WHOLE if test_share_milli is None else test_share_milli
    limits = [LOTS * share * tested // WHOLE**2 for share in accumulate(shares_milli)]
    if test_share_milli is not None:
        return Division(draw_for(seed, "variant"), [*names, united(names)], [*limits, LOTS])
    return Division(draw_for(seed, "variant"), names, limits)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a variant's test: messages taken by the platform, people who clicked."""

    number: int
    name: str
    submitted: int
    clickers: int

    @property
    def rate(self) -> Fraction:
        """Clickers among those to whom it was submitted."""
        return Fraction(self.clickers, self.submitted) if self.submitted else Fraction(0)


@dataclass(frozen=True, slots=True)
class Choice:
    """The winner, and why."""

    number: int
    reason: str


def choose(results: Sequence[Result]) -> Choice:
    """Choose by click rate; of equal rates the one with more clickers, then the first.

    Where fewer than 10 people clicked at all, nothing can be told and the first is chosen.
    """
    figures = ", ".join(
        f"“{one.name}” {float(one.rate * 100):.1f} % ({one.clickers:,} of {one.submitted:,})"
        for one in results
    )
    if sum(one.clickers for one in results) < FEWEST_CLICKERS:
        first = results[0]
        why = f"fewer than {FEWEST_CLICKERS} people clicked, too few to tell, and it is the first"
        return Choice(first.number, f"“{first.name}” goes to the rest: {why}. Clicked: {figures}.")
    best = max(results, key=lambda one: (one.rate, one.clickers, -one.number))
    tied = sum(one.rate == best.rate for one in results) > 1
    why = "of equal rates it has more clicks, or is the first" if tied else "most of its people did"
    return Choice(best.number, f"“{best.name}” goes to the rest: {why}. Clicked: {figures}.")
