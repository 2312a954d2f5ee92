"""The rhythm of a recurring campaign as a sentence in the reader's language."""

from collections.abc import Mapping
from typing import Final

from textwave.console.language import catalog
from textwave.console.refreshing import weekdays
from textwave.recurrences.recurrence import LAST, Every, Rhythm

_LONGEST_MONTH: Final = 31


def _(message: str) -> str:
    """Mark a message for extraction; it is translated below."""
    return message


_DAILY: Final = _("every day at %(time)s")
_WEEKLY: Final = _("every week on %(days)s at %(time)s")
_MONTHLY: Final = _("on day %(day)s of each month at %(time)s")
_LAST_DAY: Final = _("on the last day of each month at %(time)s")
_NTH: Final[Mapping[int, str]] = {
    1: _("on the first %(days)s of each month at %(time)s"),
    2: _("on the second %(days)s of each month at %(time)s"),
    3: _("on the third %(days)s of each month at %(time)s"),
    4: _("on the fourth %(days)s of each month at %(time)s"),
    LAST: _("on the last %(days)s of each month at %(time)s"),
}


def rhythm_in_words(rhythm: Rhythm, chosen: str) -> str:
    """Say when a campaign recurs."""
    said = catalog(chosen).gettext
    names = list(weekdays(chosen).values())
    comma = "、" if chosen.startswith("zh") else ", "
    given = {
        "time": f"{rhythm.at:%H:%M}",
        "day": rhythm.day,
        "days": comma.join(names[day - 1] for day in rhythm.weekdays),
    }
    return said(_sentence(rhythm)) % given


def _sentence(rhythm: Rhythm) -> str:
    if rhythm.every is Every.DAY:
        return _DAILY
    if rhythm.every is Every.WEEK:
        return _WEEKLY
    if rhythm.nth is not None:
        return _NTH[rhythm.nth]
    return _LAST_DAY if rhythm.day == _LONGEST_MONTH else _MONTHLY
