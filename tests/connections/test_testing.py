"""What a platform's refusal says of an account: the key, the clock, rights or balance."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from textwave.connections.accounts import (
    CallbackSigning,
    PlatformAccount,
    PlatformKind,
    ReceiptsBy,
)
from textwave.connections.testing import (
    About,
    Verdict,
    judge_callbacks,
    judge_certificate,
    judge_clock,
    judge_refusal,
    skipped,
)
from textwave.kit.ids import OrganizationId, PlatformId
from textwave.kit.text import Counting
from textwave.platforms.aliyun.errors import OUTCOMES
from textwave.platforms.contract import NotOffered, PlatformRefused, PlatformUnreachable
from textwave.platforms.outcomes import Outcome

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ACCOUNT = PlatformAccount(
    id=PlatformId(1),
    organization_id=OrganizationId(1),
    name="ali",
    kind=PlatformKind.ALIYUN,
    base_url="https://dysmsapi.aliyuncs.com",
    sealed_key=b"",
    capabilities=frozenset(),
    rate_per_second=1,
    max_batch=1,
    opt_out_text="",
    counting=Counting.MAINLAND,
    price_milli=0,
    currency="CNY",
    callback_signing=CallbackSigning.STRICT,
    receipts=ReceiptsBy.PUSH,
)


@pytest.mark.parametrize(
    ("code", "about"),
    [
        ("InvalidAccessKeyId.NotFound", About.AUTHENTIC),
        ("SignatureDoesNotMatch", About.AUTHENTIC),
        ("InvalidTimeStamp.Expired", About.CLOCK),
        ("isp.RAM_PERMISSION_DENY", About.RIGHTS),
        ("NoPermission", About.RIGHTS),
        ("isv.PRODUCT_UNSUBSCRIBE", About.RIGHTS),
        ("isv.OUT_OF_SERVICE", About.BALANCE),
        ("isv.AMOUNT_NOT_ENOUGH", About.BALANCE),
    ],
)
def test_a_code_of_alibaba_fails_the_check_that_it_is_about(code: str, about: About) -> None:
    refusal = PlatformRefused("ali", OUTCOMES[code], code, "denied")
    (check,) = judge_refusal(ACCOUNT, refusal)
    assert (check.about, check.verdict) == (about, Verdict.FAILED)
    assert code in check.finding
    assert check.remedy


@pytest.mark.parametrize("outcome", Outcome)
def test_whatever_a_platform_refuses_with_there_is_something_to_do(outcome: Outcome) -> None:
    (check,) = judge_refusal(ACCOUNT, PlatformRefused("ali", outcome, "CODE_X", ""))
    assert "CODE_X" in check.finding
    assert check.remedy


def test_no_answer_fails_and_a_call_that_is_not_offered_does_not() -> None:
    (none,) = judge_refusal(ACCOUNT, PlatformUnreachable("ali", "timed out"))
    assert none.verdict is Verdict.FAILED
    (not_offered,) = judge_refusal(ACCOUNT, NotOffered("ali", "the account"))
    assert not_offered.verdict is Verdict.SKIPPED


@pytest.mark.parametrize(
    ("kind", "seconds", "verdict"),
    [
        (PlatformKind.THIRDPARTY, 10, Verdict.OK),
        (PlatformKind.THIRDPARTY, -11, Verdict.WARNING),
        (PlatformKind.THIRDPARTY, 300, Verdict.WARNING),
        (PlatformKind.THIRDPARTY, 301, Verdict.FAILED),
        (PlatformKind.ALIYUN, 301, Verdict.WARNING),
        (PlatformKind.ALIYUN, -901, Verdict.FAILED),
    ],
)
def test_a_clock_is_judged_by_what_the_kind_tolerates(
    kind: PlatformKind, seconds: int, verdict: Verdict
) -> None:
    check = judge_clock(kind, NOW + timedelta(seconds=seconds), NOW)
    assert check.verdict is verdict
    if verdict is not Verdict.OK:
        assert ("ahead" if seconds > 0 else "behind") in check.finding


@pytest.mark.parametrize(("days", "verdict"), [(15, Verdict.OK), (13, Verdict.WARNING)])
def test_a_certificate_that_ends_soon_is_warned_of(days: int, verdict: Verdict) -> None:
    assert judge_certificate(NOW + timedelta(days=days), NOW).verdict is verdict


def test_a_callback_that_came_after_a_refused_one_shows_that_it_was_mended() -> None:
    account = replace(ACCOUNT, callback_refused_at=NOW, callback_problem="wrong key.")
    before, after = NOW - timedelta(minutes=1), NOW + timedelta(minutes=1)
    assert judge_callbacks(account, before, reachable=True).verdict is Verdict.FAILED
    assert judge_callbacks(account, after, reachable=True).verdict is Verdict.OK


def test_every_check_is_listed_once_and_in_order() -> None:
    late = judge_clock(PlatformKind.ALIYUN, NOW, NOW)
    assert [check.about for check in skipped([late])] == list(About)
