"""The console's languages: choosing one, loading its catalog, and the display words of the domain.

The domain's own words (states, reasons, causes) stay English in code, SQL and API; here each has
the message that a person reads. A word without one is shown as it is, never hidden.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES: Final = {"en": "English", "zh_CN": "简体中文"}
"""Locale → its name in itself."""
DEFAULT: Final = "en"
CATALOGS: Final = Path(__file__).parent / "locale"
_LONGEST_HEADER = 400


def choose_language(chosen: str | None, accepted: str) -> str:
    """Take the reader's own choice, else the best of an Accept-Language header, else English."""
    if chosen in LANGUAGES:
        return str(chosen)
    for tag in _by_preference(accepted[:_LONGEST_HEADER]):
        for language in LANGUAGES:
            if tag.split("-")[0] == language.split("_")[0]:
                return language
    return DEFAULT


def _by_preference(accepted: str) -> Iterable[str]:
    weighted: list[tuple[float, str]] = []
    for entry in accepted.lower().split(","):
        tag, _, parameter = entry.strip().partition(";")
        quality = parameter.replace(" ", "").removeprefix("q=") or "1"
        try:
            weight = float(quality)
        except ValueError:
            continue
        if weight > 0:
            weighted.append((weight, tag))
    return [tag for _, tag in sorted(weighted, key=lambda pair: -pair[0])]


@cache
def catalog(language: str) -> NullTranslations:
    """Read the catalog of a language, straight from its text file: it can never be out of date."""
    path = CATALOGS / language / "LC_MESSAGES" / "messages.po"
    if not path.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)


def _(message: str) -> str:
    """Mark a message for extraction; it is translated where it is shown."""
    return message


STATES: Final[Mapping[str, str]] = {
    "draft": _("Draft"),
    "reviewing": _("In review"),
    "rejected": _("Rejected"),
    "scheduled": _("Scheduled"),
    "planning": _("Planning"),
    "sending": _("Sending"),
    "paused": _("Paused"),
    "completed": _("Completed"),
    "cancelled": _("Cancelled"),
    "failed": _("Failed"),
}
TYPES: Final[Mapping[str, str]] = {
    "promotional": _("Promotional"),
    "notification": _("Notification"),
    "digital": _("Digital"),
}
OUTCOMES: Final[Mapping[str, str]] = {
    "delivered": _("Delivered"),
    "waiting": _("Waiting"),
    "in doubt": _("In doubt"),
    "failed": _("Failed"),
}
DROPS: Final[Mapping[str, str]] = {
    "no number": _("No mobile number"),
    "bad number": _("Not a mobile number"),
    "duplicate number": _("Number occurs twice"),
    "opted out": _("Opted out"),
    "missing variable": _("A variable has no value"),
    "value too long": _("A value is too long for the platform"),
    "fatigue": _("Had enough messages (fatigue)"),
    "quiet hours": _("Quiet hours"),
    "excluded": _("Left out by an audience"),
    "control group": _("Control group"),
    "deny list": _("On the deny list"),
    "carrier not approved": _("Not approved by the carrier"),
    "not on allow list": _("Not on the allowlist"),
}
CAUSES: Final[Mapping[str, str]] = {
    "bad number": _("Not a mobile number"),
    "phone out of service": _("Phone out of service"),
    "phone refused": _("Phone refused it"),
    "blacklisted": _("On the platform's blacklist"),
    "unsubscribed": _("Opted out at the platform"),
    "over a limit": _("Over a limit of the platform"),
    "content refused": _("Content refused"),
    "signature not approved": _("Signature not approved"),
    "template not approved": _("Template not approved"),
    "no route": _("No route to the carrier"),
    "failed at the carrier": _("Failed at the carrier"),
    "rejected by the carrier": _("Rejected by the carrier"),
    "expired": _("Expired at the carrier"),
    "no receipt": _("No receipt in time"),
    "cancelled": _("Cancelled before it was sent"),
    "bad params": _("Refused: a value does not fit"),
    "no balance": _("The platform account has no balance"),
    "forbidden": _("The platform account may not send"),
    "refused": _("Refused by the platform"),
    "in doubt": _("In doubt until the end"),
    "not sent": _("Not sent, as somebody found out"),
}
INTENTS: Final[Mapping[str, str]] = {
    "opt out": _("Opt-out"),
    "leaning": _("May be an opt-out"),
    "other": _("Reply"),
}
STEPS: Final[Mapping[str, str]] = {
    "audience": _("Audience"),
    "messages": _("Messages"),
    "submitted": _("Submitted"),
    "delivered": _("Delivered"),
    "clicked": _("Clicked"),
    "replied": _("Replied"),
    "wait and plan": _("Waiting and planning"),
    "send": _("Sending"),
}
