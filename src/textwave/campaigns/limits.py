"""When a campaign may send at all: its own window and the workspace's quiet hours together.

Pure. Refuses a window that lies within the quiet hours: such a campaign could never send.
"""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from textwave.campaigns import timing
from textwave.campaigns.timing import Window
from textwave.kit.refusal import InvalidValue
from textwave.limits.quiet import NEVER, QuietTimes, opening

_MOST_STEPS: Final = 1_000


def opens_at(
    window: Window | None, quiet: QuietTimes, zone: ZoneInfo, now: datetime
) -> datetime | None:
    """Return the first moment at which the window is open and it is not quiet; None: it is so now.

    `NEVER`, if there is no such moment.
    """
    moment = now
    for _ in range(_MOST_STEPS):
        later = timing.opens_at(window, zone, moment) or opening(quiet, (zone,), moment)
        if later is None:
            return moment if moment > now else None
        if later == NEVER:
            break
        moment = later
    return NEVER


def check_opens(window: Window | None, quiet: QuietTimes, zone: ZoneInfo, now: datetime) -> None:
    """Accept a window that is open at a time of day that is not quiet.

    Raises:
        InvalidValue: it never is.
    """
    every_day = QuietTimes(quiet.daily_from, quiet.daily_until)
    if opens_at(window, every_day, zone, now) == NEVER:
        problem = (
            f"lies within the quiet hours of the workspace, {quiet.daily_from:%H:%M} to "
            f"{quiet.daily_until:%H:%M}, so nothing could ever be sent. Change one of them."
        )
        raise InvalidValue("window", problem)
