"""Times of a rule as bounds in naive UTC, which is how the lake keeps time.

Dates and times without an offset are the workspace's local ones. A local time that a clock change
skips is the moment of the change; one that happens twice is the first of the two.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

FIRST_YEAR, LAST_YEAR = 1900, 2200
_match_time = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?"
).fullmatch


def read_time(text: str) -> datetime | None:
    """Read an ISO date or time; None if it is none or lies outside the years 1900 to 2200.

    The result is aware only if an offset was written; a date is its midnight.
    """
    if not _match_time(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if FIRST_YEAR <= moment.year <= LAST_YEAR else None


@dataclass(frozen=True, slots=True)
class Calendar:
    """The present, and the time zone in which days begin. `now` is aware.

    With `until` (aware), what happened at that time or later does not count: the past as it was.
    """

    now: datetime
    zone: ZoneInfo
    until: datetime | None = None

    def moment(self, text: str) -> datetime:
        """Return a written date or time as naive UTC; a date is the first moment of that day.

        Raises:
            ValueError: it is no ISO date or time; `check` refuses such a rule.
        """
        moment = read_time(text)
        if moment is None:
            raise ValueError(f"{text!r} is no ISO date or time")
        return _naive_utc(moment if moment.tzinfo else moment.replace(tzinfo=self.zone))

    def last_days(self, days: int) -> tuple[datetime, datetime]:
        """Return the bounds of today and so many days before it: from (included), until (not).

        Both are local midnights, so a rule selects the same customers all day long.
        """
        today = self.now.astimezone(self.zone).date()
        return (
            self._midnight(today - timedelta(days=days)),
            self._midnight(today + timedelta(days=1)),
        )

    def _midnight(self, day: date) -> datetime:
        return _naive_utc(datetime.combine(day, time(), tzinfo=self.zone))


def _naive_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
