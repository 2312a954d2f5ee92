"""When a campaign starts and when its messages may leave, as the API takes and shows it.

Times of day and weekdays are the workspace's; a time comes with its offset.
"""

from datetime import datetime, time
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from textwave.api.entry import Text
from textwave.campaigns.timing import (
    EVERY_DAY,
    LATE_MINUTES,
    LONGEST_LATE_MINUTES,
    LONGEST_SPREAD_MINUTES,
    LateRule,
    Timing,
    check_window,
)

CLOCK_TIME: Final = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
ClockTime = Annotated[str, Field(pattern=CLOCK_TIME)]
Weekday = Annotated[int, Field(ge=1, le=7)]
_LONGEST_TIME: Final = 40


class NewSchedule(BaseModel):
    """When a campaign starts, and what happens when it would be late."""

    at: Annotated[Text, Field(max_length=_LONGEST_TIME)] | None = Field(
        default=None,
        description="2026-12-01T09:00 is the workspace's local time; with an offset it is any. "
        "None: whenever it is started. A local time that a clock change skips or repeats is "
        "refused.",
    )
    late_minutes: int = Field(default=LATE_MINUTES, ge=0, le=LONGEST_LATE_MINUTES)
    late_rule: LateRule = Field(
        default=LateRule.WINDOW,
        description="Later than that: go all the same, wait for the next opening of the sending "
        "window (without one: for the same time of day), or cancel.",
    )


class CampaignWindow(BaseModel):
    """When messages may leave, in the workspace's time; it may cross midnight."""

    model_config = ConfigDict(populate_by_name=True)

    opens: ClockTime | None = Field(default=None, alias="from")
    closes: ClockTime | None = Field(default=None, alias="until")
    days: Annotated[list[Weekday], Field(max_length=7)] = Field(
        default=list(EVERY_DAY), description="Of its opening: 1 is Monday, 7 is Sunday."
    )


class NewTiming(BaseModel):
    """The part of a new campaign that says when."""

    schedule: NewSchedule = Field(default_factory=NewSchedule)
    window: CampaignWindow | None = None
    spread_minutes: int = Field(
        default=0,
        ge=0,
        le=LONGEST_SPREAD_MINUTES,
        description="Spread the messages evenly over so many minutes of open window; 0: do not.",
    )

    def timing(self) -> Timing:
        """Return it as the product takes it.

        Raises:
            InvalidValue: the window never opens.
        """
        window = self.window or CampaignWindow.model_validate({})
        opens, closes = (_clock(text) for text in (window.opens, window.closes))
        return Timing(
            at=self.schedule.at,
            late_minutes=self.schedule.late_minutes,
            late_rule=self.schedule.late_rule,
            window=check_window(opens, closes, window.days),
            spread_minutes=self.spread_minutes,
        )


def _clock(text: str | None) -> time | None:
    return None if text is None else time.fromisoformat(text)


class CampaignSchedule(BaseModel):
    """The time that a campaign was given, and when it starts."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime | None = Field(description="As it was asked for, in the workspace's zone.")
    starts_at: datetime | None = Field(
        description="Of a scheduled campaign; later than `at` when it was postponed."
    )
    time_zone: str
    late_minutes: int
    late_rule: LateRule
