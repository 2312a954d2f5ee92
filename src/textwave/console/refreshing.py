"""When something is refreshed, between the fields of a form, the written schedule and words.

Common schedules have fields of their own (every day, a weekday, a day of the month, at a time); any
other cron expression is shown as it is written.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from textwave.console.language import catalog

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_time = re.compile(r"([0-9]{1,2}):([0-9]{2})").fullmatch
_common = re.compile(
    r"([0-9]{1,2}) ([0-9]{1,2}) (\*|[0-9]{1,2}) \* (\*|[0-7]|mon|tue|wed|thu|fri|sat|sun)"
).fullmatch


def _(message: str) -> str:
    return message


_WEEKDAY_NAMES: Final[Mapping[str, str]] = {
    "mon": _("Monday"),
    "tue": _("Tuesday"),
    "wed": _("Wednesday"),
    "thu": _("Thursday"),
    "fri": _("Friday"),
    "sat": _("Saturday"),
    "sun": _("Sunday"),
}


@dataclass(frozen=True, slots=True)
class Refresh:
    """A schedule as a form shows it; `how`: hand, import, daily, weekly, monthly or cron."""

    how: str = "hand"
    time: str = "06:00"
    weekday: str = "mon"
    day: str = "1"
    cron: str = ""


def read_refresh(form: Mapping[str, str]) -> str:
    """Return the written schedule of a form's fields; whether it can be taken is checked later."""
    how = form.get("refresh", "hand")
    if how in ("hand", "import"):
        return "" if how == "hand" else "after_import"
    if how not in ("daily", "weekly", "monthly"):
        return form.get("refresh_cron", "")
    time = _time(form.get("refresh_time", "").strip())
    minute, hour = (int(time[2]), int(time[1])) if time else ("?", "?")
    day = form.get("refresh_day", "1") if how == "monthly" else "*"
    weekday = form.get("refresh_weekday", "mon") if how == "weekly" else "*"
    return f"{minute} {hour} {day} * {weekday}"


def shown_refresh(written: str) -> Refresh:
    """Return a written schedule as the fields of a form."""
    if written in ("", "after_import"):
        return Refresh("import" if written else "hand")
    found = _common(written)
    if found is None or (found[3] != "*" and found[4] != "*"):
        return Refresh("cron", cron=written)
    time = f"{int(found[2]):02}:{int(found[1]):02}"
    if found[4] != "*":
        weekday = WEEKDAYS[(int(found[4]) - 1) % 7] if found[4].isdecimal() else found[4]
        return Refresh("weekly", time, weekday=weekday)
    if found[3] != "*":
        return Refresh("monthly", time, day=found[3])
    return Refresh("daily", time)


def refresh_in_words(written: str, chosen: str) -> str:
    """Say in a language when something is refreshed."""
    said = catalog(chosen).gettext
    refresh = shown_refresh(written)
    weekday = said(_WEEKDAY_NAMES[refresh.weekday])
    given = {"time": refresh.time, "day": refresh.day, "weekday": weekday, "cron": refresh.cron}
    return said(_SENTENCES[refresh.how]) % given


_SENTENCES: Final[Mapping[str, str]] = {
    "hand": _("by hand"),
    "import": _("after each import"),
    "daily": _("every day at %(time)s"),
    "weekly": _("every %(weekday)s at %(time)s"),
    "monthly": _("on day %(day)s of each month at %(time)s"),
    "cron": _("on the schedule %(cron)s"),
}


def weekdays(chosen: str) -> dict[str, str]:
    """Return the days of the week with their names, Monday first."""
    return {day: catalog(chosen).gettext(name) for day, name in _WEEKDAY_NAMES.items()}
