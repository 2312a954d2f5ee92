from datetime import UTC, datetime

import pytest

from textwave.platforms.aliyun.errors import (
    NUMBER_LIMIT,
    OUTCOMES,
    Level,
    Meaning,
    level_of,
    meaning_of,
    outcome_of,
)
from textwave.platforms.outcomes import DISPOSITIONS, Outcome, Scope

NOW = datetime(2026, 11, 22, 11, 59, 42, 500_000, tzinfo=UTC)


def meaning(
    code: str, message: str = "", status: int = 200, headers: dict[str, str] | None = None
) -> Meaning:
    return meaning_of(code, message, status=status, headers=headers or {}, now=NOW)


@pytest.mark.parametrize(
    ("code", "status", "outcome"),
    [
        ("isv.BRAND_NEW", 200, Outcome.refused),
        ("isp.BRAND_NEW", 200, Outcome.unknown),
        ("isp.BRAND_NEW", 400, Outcome.unknown),
        ("BrandNew", 200, Outcome.unknown),
        ("BrandNew", 400, Outcome.refused),
        ("BrandNew", 500, Outcome.unknown),
        ("Throttling.BrandNew", 400, Outcome.throttled),
        ("InvalidAccessKeyId.BrandNew", 404, Outcome.forbidden),
        ("OK", 500, Outcome.unknown),
        ("", 200, Outcome.unknown),
        ("", 302, Outcome.unknown),
        ("", 408, Outcome.unknown),
        ("", 418, Outcome.refused),
        ("", 429, Outcome.throttled),
        ("", 403, Outcome.forbidden),
        ("", 502, Outcome.unknown),
    ],
)
def test_what_nobody_knows_is_certain_only_where_nothing_can_have_been_done(
    code: str, status: int, outcome: Outcome
) -> None:
    assert outcome_of(code, status) is outcome


def test_a_failure_inside_the_service_is_never_certain() -> None:
    inside = {code for code in OUTCOMES if code.startswith("isp.")} - {"isp.RAM_PERMISSION_DENY"}
    inside |= {"InternalError", "ServiceUnavailable", "SignatureNonceUsed"}
    assert not any(DISPOSITIONS[OUTCOMES[code]].certain for code in inside)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("isv.MOBILE_NUMBER_ILLEGAL", Outcome.bad_number),
        ("isv.CUSTOMER_REFUSED", Outcome.unsubscribed),
        ("isv.BLACK_KEY_CONTROL_LIMIT", Outcome.blacklisted),
        ("isv.SMS_SIGNATURE_ILLEGAL", Outcome.signature_not_approved),
        ("isv.SMS_TEMPLATE_ILLEGAL", Outcome.template_not_approved),
        ("isv.UNSUPPORTED_CONTENT", Outcome.content_refused),
        ("isv.AMOUNT_NOT_ENOUGH", Outcome.no_balance),
        ("isp.RAM_PERMISSION_DENY", Outcome.forbidden),
        ("InvalidTimeStamp.Expired", Outcome.forbidden),
        ("isv.DAY_LIMIT_CONTROL", Outcome.refused),
    ],
)
def test_a_code_of_each_class_means_what_the_class_does(code: str, outcome: Outcome) -> None:
    assert meaning(code).outcome is outcome


def test_only_what_is_about_numbers_or_values_concerns_some_messages_of_a_call() -> None:
    for code, outcome in OUTCOMES.items():
        is_of_messages = DISPOSITIONS[outcome].scope is Scope.message
        assert meaning(code).is_of_messages is is_of_messages, code


@pytest.mark.parametrize(
    ("message", "level"),
    [
        ("触发天级流控Permits:10", Level.day),
        ("触发小时级流控Permits:5", Level.hour),
        ("触发分钟级流控Permits:1", Level.minute),
        ("day limit reached", Level.day),
        ("something else", Level.minute),
    ],
)
def test_the_text_says_which_limit_of_a_number_was_reached(message: str, level: Level) -> None:
    assert level_of(message) is level


def test_a_limit_of_a_minute_is_waited_for_until_the_minute_is_over() -> None:
    assert meaning(NUMBER_LIMIT, "触发分钟级流控Permits:1") == Meaning(
        Outcome.throttled, is_of_messages=False, retry_after_seconds=17.5
    )


def test_longer_limits_are_the_numbers_own_and_hold_up_nobody_else() -> None:
    hour, day = meaning(NUMBER_LIMIT, "触发小时级流控"), meaning(NUMBER_LIMIT, "触发天级流控")
    assert (hour.outcome, hour.is_of_messages) == (Outcome.throttled, True)
    assert (day.outcome, day.is_of_messages) == (Outcome.refused, True)
    assert hour.retry_after_seconds is day.retry_after_seconds is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("1500", 1.5), ("99999999", 3600.0), ("0", None), ("-5", None), ("soon", None), ("", None)],
)
def test_the_gateway_says_in_milliseconds_how_long_to_wait(
    header: str, seconds: float | None
) -> None:
    throttled = meaning("Throttling.User", status=429, headers={"x-acs-retry-after": header})
    assert throttled.retry_after_seconds == seconds
