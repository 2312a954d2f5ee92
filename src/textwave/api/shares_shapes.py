"""What a campaign leaves out, holds out and divides, as the API takes and shows it.

Shares are fractions of 1, to the thousandth.
"""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from textwave.api.entry import Name
from textwave.campaigns.shares import (
    LARGEST_CONTROL,
    MOST_EXCLUSIONS,
    MOST_VARIANTS,
    WHOLE,
    ChosenBy,
    Control,
    Shares,
    Variant,
    WinnerRule,
)
from textwave.plans.draw import HIGHEST_SEED

Share = Annotated[float, Field(ge=0.001, le=1)]


class _Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ControlGroup(_Shown):
    """Who would get a message and does not: a share of them, or exactly so many."""

    share: Share | None = None
    size: Annotated[int, Field(ge=1, le=LARGEST_CONTROL)] | None = None


class NewVariant(BaseModel):
    """One of several texts."""

    name: Name
    template: Name
    share: Share | None = Field(None, description="Left out for all of them: equal shares.")


class NewWinner(BaseModel):
    """How many try the variants, and who says which of them all others get."""

    test_share: Share
    by: ChosenBy = ChosenBy.CLICKS
    after_minutes: int = Field(120, description="Counted from the last message of the tests.")


class NewShares(BaseModel):
    """The part of a new campaign that says who gets which text, and who none."""

    exclude: Annotated[list[Name], Field(max_length=MOST_EXCLUSIONS)] = Field(
        [], description="Audiences whose members get nothing."
    )
    control: ControlGroup | None = None
    variants: Annotated[list[NewVariant], Field(max_length=MOST_VARIANTS)] = []
    winner: NewWinner | None = None
    seed: Annotated[int, Field(ge=0, le=HIGHEST_SEED)] | None = Field(
        None, description="The same seed draws the same numbers; none: one is drawn."
    )

    def shares(self) -> Shares:
        """Return it as the product takes it."""
        control, winner = self.control, self.winner
        return Shares(
            exclude=tuple(self.exclude),
            control=control and Control(milli(control.share), control.size or 0),
            variants=tuple(
                Variant(one.name, one.template, milli(one.share)) for one in self.variants
            ),
            winner=winner and WinnerRule(milli(winner.test_share), winner.by, winner.after_minutes),
            seed=self.seed,
        )


class ShownVariant(_Shown):
    """A variant and whether it goes to all."""

    name: str
    template: str
    share: float


class ShownWinner(_Shown):
    """The rule, and what was chosen by it so far."""

    test_share: float
    by: str
    after_minutes: int
    chosen: str | None = None
    chosen_at: datetime | None = None
    reason: str = ""


def milli(share: float | None) -> int:
    """Return a share in thousandths; none is 0."""
    return 0 if share is None else round(share * WHOLE)
