"""What every adapter must do alike, asked of each on a simulated platform of its own kind."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hostile import BAD_ANSWERS, hostile
from stands import STANDS, Stand, nowhere, pulled

from textwave.platforms.contract import (
    MessageType,
    NotOffered,
    OutgoingMessage,
    Platform,
    PlatformAnsweredNonsense,
    PlatformRefused,
    PlatformUnreachable,
    Question,
    ReceiptState,
    Review,
    ReviewState,
    TemplateSubmission,
    Trace,
)
from textwave.platforms.outcomes import DISPOSITIONS, Outcome, Scope

Start = Callable[..., Any]
NAMED = (PlatformAnsweredNonsense, PlatformRefused, PlatformUnreachable)
DAY = timedelta(days=1)


@pytest.fixture(params=list(STANDS))
async def start(request: pytest.FixtureRequest) -> AsyncGenerator[Start]:
    """Return a function that starts a stand of one kind."""
    async with AsyncExitStack() as stack:

        async def begin(**settings: Any) -> Stand:
            return await stack.enter_async_context(STANDS[request.param](**settings))

        yield begin


async def reviewed(platform: Platform, code: str) -> Review:
    """Ask until the review of a template has ended."""
    async with asyncio.timeout(10):
        while True:
            review = await platform.template_review(code)
            if review.state is not ReviewState.reviewing:
                return review
            await asyncio.sleep(0.01)


def submission(stand: Stand, content: str = "您的订单已发货") -> TemplateSubmission:
    return TemplateSubmission("t", content, MessageType.notification, "订单通知", stand.signature)


async def test_every_message_of_a_request_is_taken_once(start: Start) -> None:
    stand: Stand = await start()
    answer = await stand.platform.send(stand.request("k1", 100))
    counts = await stand.counts()
    assert (answer.outcome, dict(answer.refused)) == (Outcome.accepted, {})
    assert (counts["distinct"], counts["twice"]) == (100, 0)


async def test_a_request_that_comes_again_is_sent_once_just_where_keys_are_honoured(
    start: Start,
) -> None:
    stand: Stand = await start()
    first = await stand.platform.send(stand.request("k1", 10))
    again = await stand.platform.send(stand.request("k1", 10))
    counts = await stand.counts()
    claims = "idempotency" in (await stand.platform.account()).capabilities
    assert claims == stand.key_is_honoured
    assert (counts["twice"] == 0) == stand.key_is_honoured
    if stand.key_is_honoured:
        assert again == first


async def test_a_number_that_is_none_is_refused_and_the_others_are_taken(start: Start) -> None:
    stand: Stand = await start()
    whole = stand.request("k1", 10)
    bad = OutgoingMessage(11, 12_345, "您的订单已发货", {})
    answer = await stand.platform.send(stand.request("k1", 0, messages=[*whole.messages, bad]))
    counts = await stand.counts()
    assert answer.outcome is Outcome.accepted
    assert {one: why.outcome for one, why in answer.refused.items()} == {11: Outcome.bad_number}
    assert answer.refused[11].code or answer.refused[11].sentence
    assert (counts["twice"], len(await pulled(stand.platform.receipts, 10))) == (0, 10)


async def test_what_was_throttled_was_not_taken_and_may_come_again(start: Start) -> None:
    stand: Stand = await start(throttled=1.0)
    answer = await stand.platform.send(stand.request("k1", 3))
    disposition = DISPOSITIONS[answer.outcome]
    assert answer.outcome is Outcome.throttled
    assert disposition.retryable
    assert disposition.certain
    assert (await stand.counts())["distinct"] == 0


async def test_a_busy_platform_may_be_asked_again(start: Start) -> None:
    stand: Stand = await start(busy=1.0)
    answer = await stand.platform.send(stand.request("k1", 3))
    # Where no keys are honoured it must have promised that nothing was taken, or is in doubt.
    assert answer.outcome in {Outcome.busy, Outcome.unknown}
    assert DISPOSITIONS[answer.outcome].retryable
    assert (await stand.counts())["distinct"] == 0


@pytest.mark.parametrize(("trouble", "taken"), [("error_500", 0), ("unknown_after_accept", 3)])
async def test_what_may_have_been_taken_is_in_doubt(start: Start, trouble: str, taken: int) -> None:
    stand: Stand = await start(**{trouble: 1.0})
    answer = await stand.platform.send(stand.request("k1", 3))
    assert answer.outcome is Outcome.unknown
    assert answer.detail
    assert (await stand.counts())["distinct"] == taken


async def test_a_throttled_request_says_when_to_come_again(start: Start) -> None:
    stand: Stand = await start(throttled=1.0, throttle_milliseconds=700.0)
    answer = await stand.platform.send(stand.request("k1", 3))
    assert answer.retry_after_seconds is not None
    assert 0.5 <= answer.retry_after_seconds <= 60


async def test_where_nobody_answers_nothing_was_taken(start: Start) -> None:
    stand: Stand = await start()
    lost = stand.at(nowhere())
    assert (await lost.send(stand.request("k1", 3))).outcome is Outcome.unreachable
    for call in (lost.account(), lost.template_review("T"), lost.receipts("")):
        with pytest.raises(PlatformUnreachable) as caught:
            await call
        assert caught.value.sentence


async def test_a_wrong_key_is_forbidden_and_says_so(start: Start) -> None:
    stand: Stand = await start()
    answer = await stand.stranger.send(stand.request("k1", 3))
    with pytest.raises(PlatformRefused) as caught:
        await stand.stranger.account()
    assert (answer.outcome, caught.value.outcome) == (Outcome.forbidden, Outcome.forbidden)
    assert "key" in caught.value.sentence


async def test_an_unknown_template_stops_the_campaign_and_not_the_account(start: Start) -> None:
    stand: Stand = await start()
    answer = await stand.platform.send(stand.request("k1", 3, template_code="SMS_404404404"))
    assert answer.outcome is Outcome.template_not_approved
    assert DISPOSITIONS[answer.outcome].scope is Scope.campaign
    assert answer.detail


async def test_every_taken_message_has_one_receipt_that_names_it(start: Start) -> None:
    stand: Stand = await start()
    sent = stand.request("k1", 40)
    await stand.platform.send(sent)
    receipts = await pulled(stand.platform.receipts, 40)
    by_id = {one.message_id for one in receipts} == {one.message_id for one in sent.messages}
    by_key = {one.request_key for one in receipts} == {"k1"}
    assert by_id or by_key
    assert {one.mobile for one in receipts} == {one.mobile for one in sent.messages}
    assert {one.state for one in receipts} == {ReceiptState.delivered}
    now = datetime.now(UTC)
    assert all(now - DAY / 24 < one.reported_at <= now + DAY / 24 for one in receipts)


async def test_a_failed_message_says_the_carrier_s_code(start: Start) -> None:
    stand: Stand = await start(delivered=0.0, failed=1.0)
    await stand.platform.send(stand.request("k1", 5))
    receipts = await pulled(stand.platform.receipts, 5)
    assert ReceiptState.delivered not in {one.state for one in receipts}
    assert all(one.error_code for one in receipts)


async def test_a_reply_comes_with_its_number_and_where_it_was_sent_to(start: Start) -> None:
    stand: Stand = await start()
    await stand.platform.send(stand.request("k1", 2))
    await stand.reply("15400000002", "退订😀")
    (reply,) = await pulled(stand.platform.replies, 1)
    assert (reply.mobile, reply.content) == (86_154_0000_0002, "退订😀")
    assert reply.signature or reply.extend_code
    assert reply.reply_id


async def test_a_template_is_reviewed_under_its_code_until_it_is_deleted(start: Start) -> None:
    stand: Stand = await start()
    code = await stand.platform.submit_template(submission(stand))
    review = await reviewed(stand.platform, code)
    answer = await stand.platform.send(stand.request("k1", 2, template_code=code))
    await stand.platform.delete_template(code)
    gone = await stand.platform.template_review(code)
    assert (review.state, answer.outcome) == (ReviewState.approved, Outcome.accepted)
    assert gone.state is ReviewState.missing


async def test_a_rejected_template_says_why(start: Start) -> None:
    stand: Stand = await start()
    code = await stand.platform.submit_template(submission(stand, "赌博"))
    review = await reviewed(stand.platform, code)
    assert review.state is ReviewState.rejected
    assert review.reason


async def test_a_signature_says_how_it_stands(start: Start) -> None:
    stand: Stand = await start()
    assert (await stand.platform.signature_review(stand.signature)).state is ReviewState.approved


async def test_a_request_is_looked_up_or_that_is_not_offered(start: Start) -> None:
    stand: Stand = await start()
    sent = stand.request("k1", 3)
    await stand.platform.send(sent)
    mobiles = {one.message_id: one.mobile for one in sent.messages}
    known, other = await asyncio.gather(
        *[
            stand.platform.look_up(Question(key, mobiles, datetime.now(UTC)))
            for key in ("k1", "k2")
        ],
        return_exceptions=True,
    )
    if isinstance(known, Trace) and isinstance(other, Trace):
        assert (known.taken, other.taken) == (True, False)
    else:
        assert isinstance(known, NotOffered)
        assert "k1" in known.sentence


@pytest.mark.parametrize("what", BAD_ANSWERS)
async def test_a_bad_answer_leaves_a_send_in_doubt_and_says_why(start: Start, what: str) -> None:
    stand: Stand = await start()
    async with hostile(*BAD_ANSWERS[what]) as bad:
        sent = await stand.at(bad.url).send(stand.request("k1", 3))
    assert sent.outcome is Outcome.unknown, sent
    assert sent.detail
    assert len(bad.requests) == 1


@pytest.mark.parametrize("what", BAD_ANSWERS)
async def test_a_bad_answer_to_another_call_is_a_refusal_with_a_sentence(
    start: Start, what: str
) -> None:
    stand: Stand = await start()
    async with hostile(*BAD_ANSWERS[what]) as bad:
        platform = stand.at(bad.url)
        calls = (
            platform.account(),
            platform.receipts(""),
            platform.replies(""),
            platform.template_review("T"),
            platform.signature_review("甲"),
            platform.submit_template(submission(stand)),
        )
        ends = await asyncio.gather(*calls, return_exceptions=True)
    assert [end for end in ends if not isinstance(end, NAMED)] == []
    assert all(end.sentence for end in ends if isinstance(end, NAMED))
