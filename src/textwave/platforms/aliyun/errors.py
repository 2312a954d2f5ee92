"""Every code that Alibaba Cloud's SMS service answers with, and what each means; pure.

Of a code that nobody knows only its prefix speaks: `isv.` is the caller's fault and permanent,
anything else may have been processed. Nothing is called certain that may have been.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from textwave.platforms.outcomes import DISPOSITIONS, Outcome, Scope

OK: Final = "OK"
NUMBER_LIMIT: Final = "isv.BUSINESS_LIMIT_CONTROL"
"""A number has had its messages of a minute, an hour or a day; the text says which."""
SERVER_ERROR: Final = 500
CLIENT_ERROR: Final = 400
RETRY_AFTER_SECONDS_MAX: Final = 3600.0
RETRY_AFTER: Final = "x-acs-retry-after"

_GROUPS: Final[dict[Outcome, tuple[str, ...]]] = {
    Outcome.accepted: (OK,),
    Outcome.throttled: (
        "Throttling",
        "Throttling.User",
        "Throttling.Api",
        "isv.FLOW_LIMIT",
    ),
    Outcome.unknown: (
        "isp.SYSTEM_ERROR",
        "isp.GATEWAY_ERROR",
        "InternalError",
        "ServiceUnavailable",
        # Our nonces are never the same: the same call came twice, and the first may have been done.
        "SignatureNonceUsed",
    ),
    Outcome.bad_number: (
        "isv.MOBILE_NUMBER_ILLEGAL",
        "isv.DOMESTIC_NUMBER_NOT_SUPPORTED",
        "isv.SMS_TEST_NUMBER_LIMIT",
    ),
    Outcome.unsubscribed: ("isv.CUSTOMER_REFUSED",),
    Outcome.blacklisted: ("isv.BLACK_KEY_CONTROL_LIMIT",),
    Outcome.bad_params: (
        "isv.TEMPLATE_MISSING_PARAMETERS",
        "isv.TEMPLATE_PARAMS_ILLEGAL",
        "isv.INVALID_JSON_PARAM",
        "isv.PARAM_LENGTH_LIMIT",
        "isv.PARAM_NOT_SUPPORT_URL",
        "isv.SMS_TEST_TEMPLATE_PARAMS_ILLEGAL",
    ),
    Outcome.signature_not_approved: (
        "isv.SMS_SIGNATURE_ILLEGAL",
        "isv.SMS_SIGN_ILLEGAL",
        "isv.SIGN_STATE_ILLEGAL",
        "isv.SIGN_NAME_ILLEGAL",
        "isv.SIGNATURE_BLACKLIST",
        "isv.SMS_SIGNATURE_SCENE_ILLEGAL",
        "isv.EXTEND_CODE_ERROR",
        "isv.ONE_CODE_MULTIPLE_SIGN",
        "isv.CODE_ERROR",
        "isv.CODE_EXCEED_LIMIT",
    ),
    Outcome.template_not_approved: (
        "isv.SMS_TEMPLATE_ILLEGAL",
        "isv.SMS_TEST_SIGN_TEMPLATE_LIMIT",
    ),
    Outcome.content_refused: (
        "isv.SMS_CONTENT_ILLEGAL",
        "isv.UNSUPPORTED_CONTENT",
        "isv.SMS_CONTENT_MISMATCH_TEMPLATE_TYPE",
    ),
    Outcome.no_balance: ("isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE"),
    Outcome.forbidden: (
        "isv.PRODUCT_UN_SUBSCRIPT",
        "isv.PRODUCT_UNSUBSCRIBE",
        "isv.ACCOUNT_NOT_EXISTS",
        "isv.ACCOUNT_ABNORMAL",
        "isv.SECURITY_FROZEN_ACCOUNT",
        "isp.RAM_PERMISSION_DENY",
        "isv.DENY_IP_RANGE",
        "InvalidAccessKeyId.NotFound",
        "InvalidAccessKeyId.Inactive",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "InvalidTimeStamp.Expired",
        "InvalidVersion",
        "InvalidAction.NotFound",
        "NoPermission",
    ),
    Outcome.refused: (
        # Quotas that the account's owner has set for a day or a month.
        "isv.DAY_LIMIT_CONTROL",
        "isv.MONTH_LIMIT_CONTROL",
        "isv.MOBILE_COUNT_OVER_LIMIT",
        "isv.INVALID_PARAMETERS",
        "isv.SIGN_COUNT_OVER_LIMIT",
        "isv.SIGN_OVER_LIMIT",
        "isv.SIGN_FILE_LIMIT",
        "isv.SIGN_SOURCE_ILLEGAL",
        "isv.SMS_SIGN_EMOJI_ILLEGAL",
        "isv.ERROR_SIGN_NOT_DELETE",
        "isv.ERROR_SIGN_NOT_MODIFY",
        "isv.TEMPLATE_COUNT_OVER_LIMIT",
        "isv.TEMPLATE_OVER_LIMIT",
        "isv.ERROR_TEMPLATE_NOT_DELETE",
        "isv.ERROR_TEMPLATE_NOT_MODIFY",
        "isv.SMS_OVER_LIMIT",
    ),
}

OUTCOMES: Final[dict[str, Outcome]] = {
    code: outcome for outcome, codes in _GROUPS.items() for code in codes
}
"""What each code means, where its text does not matter."""

_FAMILIES: Final[dict[str, Outcome]] = {
    "Throttling.": Outcome.throttled,
    "InvalidAccessKeyId": Outcome.forbidden,
    "Forbidden": Outcome.forbidden,
    "InvalidTimeStamp": Outcome.forbidden,
    "isv.": Outcome.refused,
}
"""What codes mean that are not listed, by how they begin; the first that fits."""

NO_SUCH_SIGNATURE: Final = frozenset({"isv.SMS_SIGNATURE_ILLEGAL", "isv.SMS_SIGN_ILLEGAL"})
NO_SUCH_TEMPLATE: Final = frozenset({"isv.SMS_TEMPLATE_ILLEGAL"})


class Level(StrEnum):
    """The time over which the messages of a number are counted."""

    minute = "minute"
    hour = "hour"
    day = "day"


_LEVELS: Final = (
    (re.compile(r"天级|日级|day", re.IGNORECASE), Level.day),
    (re.compile(r"小时|hour", re.IGNORECASE), Level.hour),
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal means; `is_of_messages`: of some messages of a call, not of all of it."""

    outcome: Outcome
    is_of_messages: bool = False
    retry_after_seconds: float | None = None


def meaning_of(
    code: str, message: str, *, status: int, headers: Mapping[str, str], now: datetime
) -> Meaning:
    """Return what an answer with this code means; `message` is the text that came with it."""
    if code == NUMBER_LIMIT:
        return _limited(message, now)
    outcome = outcome_of(code, status)
    return Meaning(
        outcome,
        is_of_messages=DISPOSITIONS[outcome].scope is Scope.message,
        retry_after_seconds=asked_to_wait_seconds(headers),
    )


def outcome_of(code: str, status: int = 200) -> Outcome:
    """Return what a code means by itself; without a code, what the HTTP status means."""
    if not code:
        return status_outcome(status)
    known = OUTCOMES.get(code)
    if known is Outcome.accepted and status >= CLIENT_ERROR:
        return Outcome.unknown
    if known is not None:
        return known
    for beginning, outcome in _FAMILIES.items():
        if code.startswith(beginning):
            return outcome
    is_refusal = CLIENT_ERROR <= status < SERVER_ERROR and not code.startswith("isp.")
    return Outcome.refused if is_refusal else Outcome.unknown


def status_outcome(status: int) -> Outcome:
    """Return what an HTTP status means without a readable body; never `accepted`."""
    if status in {401, 403, 404, 405}:
        return Outcome.forbidden
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        return Outcome.throttled
    is_refusal = CLIENT_ERROR <= status < SERVER_ERROR and status != 408  # noqa: PLR2004 - Timeout
    return Outcome.refused if is_refusal else Outcome.unknown


def asked_to_wait_seconds(headers: Mapping[str, str]) -> float | None:
    """Return how long the gateway asks to wait; its header counts milliseconds."""
    said = headers.get(RETRY_AFTER, "").strip()
    if not (said.isascii() and said.isdigit()):
        return None
    return min(float(said[:9]) / 1000, RETRY_AFTER_SECONDS_MAX) or None


def level_of(message: str) -> Level:
    """Return which limit of a number was reached, by the text of the refusal."""
    return next((level for found, level in _LEVELS if found.search(message)), Level.minute)


def _limited(message: str, now: datetime) -> Meaning:
    """Say what is to be done about numbers that have had enough.

    A minute's limit is waited for; it is counted by the clock, so it ends with the minute. Longer
    ones concern the numbers that have reached them: an hour's may be tried again, a day's not.
    """
    level = level_of(message)
    if level is Level.minute:
        rest = timedelta(minutes=1) - timedelta(seconds=now.second, microseconds=now.microsecond)
        return Meaning(Outcome.throttled, retry_after_seconds=rest.total_seconds())
    outcome = Outcome.throttled if level is Level.hour else Outcome.refused
    return Meaning(outcome, is_of_messages=True)
