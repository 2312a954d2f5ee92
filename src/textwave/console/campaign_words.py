"""Words of campaigns: states of reviews, what a campaign says, how old something is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from babel.dates import format_timedelta, get_day_names

from textwave.console.language import catalog


def _(message: str) -> str:
    return message


WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "review": {
        "draft": _("not submitted"),
        "reviewing": _("in review"),
        "approved": _("approved"),
        "rejected": _("rejected"),
        "deleted": _("deleted"),
    },
    "first step": {
        "account": _("Add an account at an SMS platform"),
        "signature": _("Add a signature that the platform has approved"),
        "template": _("Write a template and have it approved"),
        "customers": _("Bring in the customers"),
        "audience": _("Say who shall be reached"),
        "campaign": _("Create the campaign, try it dry, start it"),
    },
    "numbers": {
        "first": _("A customer's first number"),
        "latest": _("The one given last"),
        "all": _("All of them"),
    },
    "missing": {
        "drop": _("without a value: no message"),
        "default": _("without a value: “%(text)s”"),
        "empty": _("without a value: nothing"),
    },
    "quiet": {"wait": _("messages wait"), "drop": _("messages are dropped")},
    "priority": {"low": _("low"), "normal": _("normal"), "high": _("high")},
    "late": {
        "window": _("wait for the window, or the same time of day"),
        "go": _("go all the same"),
        "cancel": _("cancel it"),
    },
    "signature source": {
        "enterprise": _("the enterprise's own name"),
        "trademark": _("a trademark"),
        "app": _("an app"),
    },
    "carrier": {
        "mobile": _("China Mobile"),
        "unicom": _("China Unicom"),
        "telecom": _("China Telecom"),
        "broadnet": _("China Broadnet"),
    },
    "registration": {
        "reviewing": _("being registered"),
        "approved": _("registered"),
        "unverified": _("registered, to be tried"),
        "rejected": _("refused"),
        "lapsed": _("lapsed"),
        "missing": _("not registered"),
    },
    "judged": {
        "link preview": _("a link preview"),
        "security scanner": _("a security scanner"),
        "crawler": _("a crawler"),
        "program": _("a program"),
        "again within a second": _("again within a second"),
        "head request": _("only asked for the headers"),
        "no user agent": _("did not say what it is"),
    },
    "test": {
        "planned": _("waits to be sent"),
        "prepared": _("on its way"),
        "retrying": _("is tried again soon"),
        "held": _("waits for quiet hours to end"),
        "submitted": _("accepted by the platform"),
        "delivered": _("delivered"),
        "failed": _("failed"),
        "in doubt": _("in doubt"),
        "dropped": _("not sent"),
        "cancelled": _("cancelled"),
    },
}


def age(at: datetime | None, now: datetime, *, chosen: str) -> str:
    """Say how long ago something was."""
    if at is None:
        return ""
    return str(format_timedelta(at - now, add_direction=True, locale=chosen))


def days_in_words(days: list[int], chosen: str) -> str:
    """Name days of the week (Monday is 1), in their order; all of them are every day."""
    if len(days) == 7:  # noqa: PLR2004 - a week
        return catalog(chosen).gettext(_("every day"))
    names = get_day_names("abbreviated", locale=chosen)
    return ", ".join(str(names[day - 1]) for day in days)


def weekday_names(chosen: str) -> list[tuple[int, str]]:
    """Return the days of the week with short names, Monday (1) first."""
    names = get_day_names("abbreviated", locale=chosen)
    return [(day + 1, str(names[day])) for day in range(7)]


def window_in_words(window: Mapping[str, Any], chosen: str) -> str:
    """Say when messages may leave."""
    days = days_in_words(list(window["days"]), chosen)
    if window["from"] is None:
        return days
    return f"{window['from']}-{window['until']}, {days}"
