import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.aliyun_stage import (
    KEY_ID,
    KEY_SECRET,
    NOTIFICATION,
    PERSONAL,
    SIGNATURE,
    AliyunStage,
    aliyun_stage,
)

from textwave.kit.carriers import Carrier
from textwave.platforms.aliyun import AliyunPlatform
from textwave.platforms.aliyun.errors import meaning_of
from textwave.platforms.aliyun_sandbox.errors import ERRORS
from textwave.platforms.contract import (
    CarrierState,
    DigitalPart,
    DigitalSubmission,
    MessageType,
    OutgoingMessage,
    Page,
    PlatformRefused,
    Question,
    ReceiptState,
    Review,
    ReviewState,
    SendRequest,
    SignatureSubmission,
    TemplateSubmission,
)
from textwave.platforms.exchange import Limits
from textwave.platforms.outcomes import DISPOSITIONS, Outcome


@asynccontextmanager
async def adapter(**changes: Any) -> AsyncGenerator[tuple[AliyunPlatform, AliyunStage]]:
    async with aliyun_stage(**changes) as stage:
        yield platform_on(stage, KEY_SECRET), stage


def platform_on(stage: AliyunStage, key: str) -> AliyunPlatform:
    queues = {
        "report_queue": "SmsReport",
        "reply_queue": "SmsUp",
        "signature_queue": "SignSmsReport",
        "template_queue": "TemplateSmsReport",
    }
    options = {option: stage.queue(kind) for option, kind in queues.items()}
    places = {"token_endpoint": stage.url, "queue_endpoint": stage.url}
    return AliyunPlatform(
        stage.session, name="ali", endpoint=stage.url, key_id=KEY_ID, key=key,
        options=options | places, limits=Limits(5, 2),
    )  # fmt: skip


def sending(key: str, template: str, *params: dict[str, str]) -> SendRequest:
    messages = [
        OutgoingMessage(number, 86_154_0000_0000 + number, "text", values)
        for number, values in enumerate(params, start=1)
    ]
    return SendRequest(key, SIGNATURE, template, MessageType.notification, messages)


async def pulled(pull: Any, count: int) -> Page[Any]:
    """Pull until so many items have come, and acknowledge none."""
    items: list[Any] = []
    async with asyncio.timeout(10):
        while len(items) < count:
            page = await pull("")
            items += page.items
            await asyncio.sleep(0.01)
    return Page(items, "end")


async def reviewed(ask: Callable[[], Awaitable[Review]]) -> Review:
    """Ask until a review has ended, at the platform and at all carriers."""
    async with asyncio.timeout(10):
        while True:
            review = await ask()
            carriers = {carrier.state for carrier in review.carriers.values()}
            if review.state is not ReviewState.reviewing and (
                CarrierState.reviewing not in carriers
            ):
                return review
            await asyncio.sleep(0.02)


async def test_a_thousand_messages_are_sent_once_and_each_has_its_receipt() -> None:
    async with adapter() as (platform, stage):
        answer = await platform.send(sending("k1", NOTIFICATION, *({} for _ in range(1000))))
        assert (answer.outcome, answer.refused) == (Outcome.accepted, {})
        receipts = (await pulled(platform.receipts, 1000)).items
        counts = await stage.counts()
    assert {r.request_key for r in receipts} == {"k1"}
    assert {r.mobile for r in receipts} == {86_154_0000_0000 + n for n in range(1, 1001)}
    assert {r.state for r in receipts} == {ReceiptState.delivered}
    assert (counts["messages"], counts["twice"]) == (1000, 0)


async def test_messages_of_their_own_are_taken_in_one_call() -> None:
    params = [{"name": f"n{number}", "code": "a b+c"} for number in range(100)]
    async with adapter() as (platform, stage):
        answer = await platform.send(sending("k1", PERSONAL, *params))
        counts = await stage.counts()
    assert (answer.outcome, counts["messages"]) == (Outcome.accepted, 100)


async def test_one_whose_values_are_wrong_does_not_hold_up_the_others() -> None:
    params = [{"name": "n", "code": str(number)} for number in range(20)]
    params[7] = {"name": "n"}
    async with adapter() as (platform, stage):
        answer = await platform.send(sending("k1", PERSONAL, *params))
        counts = await stage.counts()
    assert {n: r.outcome for n, r in answer.refused.items()} == {8: Outcome.bad_params}
    assert (counts["messages"], counts["twice"]) == (19, 0)


async def test_a_wrong_key_says_so() -> None:
    async with aliyun_stage() as stage:
        platform = platform_on(stage, "another")
        answer = await platform.send(sending("k1", NOTIFICATION, {}))
        with pytest.raises(PlatformRefused, match="SignatureDoesNotMatch"):
            await platform.account()
    assert answer.outcome is Outcome.forbidden


async def test_a_key_that_is_good_is_shown_to_be() -> None:
    async with adapter() as (platform, _):
        assert (await platform.account()).balance is None


async def test_every_documented_error_is_refused_as_its_class_and_nothing_is_taken() -> None:
    async with adapter() as (platform, stage):
        for code, error in ERRORS.items():
            await stage.post("settings", errors=f"SendSms:{code}=1")
            answer = await platform.send(sending("k1", NOTIFICATION, {}))
            said = [refusal.outcome for refusal in answer.refused.values()] or [answer.outcome]
            expected = meaning_of(
                code, error.message, status=error.status, headers={}, now=datetime.now(UTC)
            )
            assert said == [expected.outcome], code
            assert expected.outcome is not Outcome.accepted, code
        assert (await stage.counts())["messages"] == 0


async def test_a_lost_answer_leaves_a_request_in_doubt_until_it_is_looked_up() -> None:
    async with adapter(error_after_accept=1.0) as (platform, stage):
        sent = sending("k1", NOTIFICATION, {}, {}, {})
        answer = await platform.send(sent)
        assert not DISPOSITIONS[answer.outcome].certain
        mobiles = {message.message_id: message.mobile for message in sent.messages}
        known = await platform.look_up(Question("k1", mobiles, datetime.now(UTC)))
        other = await platform.look_up(Question("k2", mobiles, datetime.now(UTC)))
        counts = await stage.counts()
    assert known.taken
    assert not other.taken
    assert counts["messages"] == 3


async def test_a_signature_goes_through_review_and_is_registered_per_carrier() -> None:
    async with adapter() as (platform, _):
        assert (await platform.signature_review("新签名")).state is ReviewState.missing
        await platform.create_signature(SignatureSubmission("新签名", "enterprise", 2001, "why"))
        review = await reviewed(lambda: platform.signature_review("新签名"))
        notices = (await pulled(platform.reviews, 1)).items
    assert review.state is ReviewState.approved
    assert set(review.carriers) <= set(Carrier)
    assert "新签名" in {notice.name for notice in notices}


async def test_a_template_goes_through_review_and_is_deleted() -> None:
    submission = TemplateSubmission(
        "t", "您好${name}，订单已发货", MessageType.notification, "why", SIGNATURE
    )
    async with adapter() as (platform, _):
        code = await platform.submit_template(submission)
        await reviewed(lambda: platform.template_review(code))
        answer = await platform.send(sending("k1", code, {"name": "n"}))
        await platform.delete_template(code)
        gone = await platform.template_review(code)
    assert answer.outcome is Outcome.accepted
    assert gone.state is ReviewState.missing


async def test_a_digital_template_is_reviewed_by_each_carrier() -> None:
    picture = b"\x89PNG\r\n\x1a\n" + bytes(700_000)
    parts = [DigitalPart("a", "txt", "新品 拒收请回复R".encode()), DigitalPart("b", "png", picture)]
    async with adapter() as (platform, _):
        code = await platform.submit_digital(DigitalSubmission("d", SIGNATURE, "why", parts))
        review = await reviewed(lambda: platform.template_review(code))
    assert {Carrier.MOBILE, Carrier.UNICOM, Carrier.TELECOM} == set(review.carriers)


async def test_what_was_acknowledged_does_not_come_again_and_the_rest_does() -> None:
    async with adapter(visibility_seconds=0.2) as (platform, _):
        await platform.send(sending("k1", NOTIFICATION, {}, {}))
        first = await pulled(platform.receipts, 2)
        async with asyncio.timeout(10):
            while True:
                again = await platform.receipts("")
                if again.items and again.acknowledge:
                    await again.acknowledge()
                    break
                await asyncio.sleep(0.02)
    assert {r.mobile for r in again.items} <= {r.mobile for r in first.items}
