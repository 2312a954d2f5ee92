"""Words of limits, opt-outs, doubts and recurrences as a person reads them; see `language`."""

from collections.abc import Mapping
from typing import Final


def _(message: str) -> str:
    """Mark a message for extraction; it is translated where it is shown."""
    return message


WINDOWS: Final[Mapping[str, str]] = {
    "per_minute": _("1 minute"),
    "per_hour": _("1 hour"),
    "per_day": _("24 hours"),
    "per_week": _("7 days"),
    "per_month": _("30 days"),
}
SOURCES: Final[Mapping[str, str]] = {
    "reply": _("A reply"),
    "by hand": _("By hand"),
    "platform": _("The platform"),
    "import": _("A file"),
}
RULES: Final[Mapping[str, str]] = {
    "opted out": _("Opt-out"),
    "deny list": _("Deny list"),
    "quiet hours": _("Quiet hours"),
    "fatigue": _("Fatigue"),
}
MESSAGE_STATES: Final[Mapping[str, str]] = {
    "waiting": _("Waits to be sent"),
    "refused": _("Refused"),
    "dropped": _("Not sent"),
    "moved": _("In the warehouse by now"),
    "planned": _("Not sent yet"),
    "prepared": _("Leaving now"),
    "held": _("Waits for the end of quiet hours"),
    "retrying": _("Tried again soon"),
    "submitted": _("Taken by the platform"),
    "in doubt": _("In doubt"),
    "delivered": _("Delivered"),
    "failed": _("Failed"),
}
SETTLEMENTS: Final[Mapping[str, str]] = {
    "sent": _("It was sent"),
    "not sent": _("It was not sent"),
    "send again": _("Send it again"),
}
DOUBT_ANSWERS: Final[Mapping[str, str]] = {
    answer: answer
    for answer in (
        _("it did not know the request"),
        _("it had the request"),
        _("it cannot be asked for requests"),
    )
}
RUN_STATES: Final[Mapping[str, str]] = {
    "planned": _("To come"),
    "refreshing": _("Refreshing the audience"),
    "started": _("Started"),
    "skipped": _("Skipped"),
}
RECURRENCE_STATES: Final[Mapping[str, str]] = {
    "active": _("Active"),
    "paused": _("Paused"),
    "ended": _("Ended"),
}
SAID: Final[Mapping[str, str]] = {
    said: said
    for said in (
        _("The customer had no number."),
        _("The customer's number was none that a text could reach."),
        _("Another recipient of the campaign had the same number and got it."),
        _("A value that the template needs was missing."),
        _("It was quiet for the recipient, and the campaign drops who must be left alone."),
        _("The number's carrier has not approved the template."),
        _("The number was not on the allowlist."),
        _("The rows that decided it are not kept any more."),
        _("Quiet hours or a holiday, by the clock of the workspace."),
        _("Quiet hours or a holiday, by the clock of the recipient."),
    )
}
WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "window": WINDOWS,
    "source": SOURCES,
    "obstacle": RULES,
    "message state": MESSAGE_STATES,
    "settlement": SETTLEMENTS,
    "doubt answer": DOUBT_ANSWERS,
    "run state": RUN_STATES,
    "recurrence state": RECURRENCE_STATES,
    "said": SAID,
}
