import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from platform_stage import Stage, messages, request

from textwave.platforms.contract import MessageType, ReviewState, TemplateSubmission
from textwave.platforms.outcomes import DISPOSITIONS, Outcome

Start = Callable[..., Any]
FOREVER = {"review_seconds": 3600.0}


def submission(content: str = "您有一张优惠券") -> TemplateSubmission:
    return TemplateSubmission("春季", content, MessageType.promotional, "for members")


async def test_messages_are_taken_and_witnessed(stage: Start) -> None:
    scene: Stage = await stage()
    assert (await scene.platform.send(request("b1", 1, 2, 3))).outcome is Outcome.accepted
    counts = await scene.counts()
    assert (counts["messages"], counts["distinct"], counts["twice"]) == (3, 3, 0)
    async with scene.session.get(f"{scene.url}/sandbox/messages?after=1&limit=1") as response:
        listed = await response.json()
    assert listed["next"] == "2"
    assert listed["items"] == [
        {
            "messageId": "2",
            "phoneNumber": "15412000002",
            "content": "您有一张优惠券",
            "signName": "测试",
            "timesSeen": 1,
            "fate": "delivered",
        }
    ]


async def test_the_same_batch_gets_the_same_answer_and_sends_nothing_twice(stage: Start) -> None:
    scene: Stage = await stage(bad_number=0.5)
    first = await scene.platform.send(request("b1", *range(1, 20)))
    assert await scene.platform.send(request("b1", *range(1, 20))) == first
    counts = await scene.counts()
    assert (counts["messages"], counts["twice"], counts["replayed_requests"]) == (19, 0, 1)


async def test_a_message_under_two_batches_is_witnessed_as_twice(stage: Start) -> None:
    scene: Stage = await stage()
    for key in ("b1", "b2", "b3"):
        await scene.platform.send(request(key, 1))
    counts = await scene.counts()
    assert (counts["messages"], counts["distinct"], counts["twice"]) == (3, 1, 1)


async def test_a_gateway_that_honours_no_keys_sends_again_and_is_witnessed(stage: Start) -> None:
    scene: Stage = await stage(idempotency=False)
    assert "idempotency" not in (await scene.platform.account()).capabilities
    for _ in range(2):
        assert (await scene.platform.send(request("b1", 1, 2))).outcome is Outcome.accepted
    counts = await scene.counts()
    assert (counts["messages"], counts["twice"], counts["replayed_requests"]) == (4, 2, 0)


async def test_a_request_cut_after_it_was_accepted_is_answered_when_it_comes_again(
    stage: Start,
) -> None:
    scene: Stage = await stage(unknown_after_accept=1.0)
    assert (await scene.platform.send(request("b1", 1, 2))).outcome is Outcome.unknown
    assert (await scene.platform.send(request("b1", 1, 2))).outcome is Outcome.accepted
    counts = await scene.counts()
    assert (counts["messages"], counts["twice"]) == (2, 0)


@pytest.mark.parametrize(
    ("setting", "outcome"),
    [
        ("throttled", Outcome.throttled),
        ("busy", Outcome.busy),
        ("error_500", Outcome.unknown),
    ],
)
async def test_a_request_that_is_put_off_may_come_again_under_its_key(
    stage: Start, setting: str, outcome: Outcome
) -> None:
    scene: Stage = await stage(**{setting: 1.0})
    answer = await scene.platform.send(request("b1", 1))
    assert answer.outcome is outcome
    assert (answer.retry_after_seconds is not None) == (outcome is Outcome.throttled)
    assert (await scene.counts())["messages"] == 0
    await scene.post("/sandbox/settings", {setting: 0})
    assert (await scene.platform.send(request("b1", 1))).outcome is Outcome.accepted


async def test_a_put_off_request_gets_through_by_coming_again(stage: Start) -> None:
    scene: Stage = await stage(busy=0.7)
    for _ in range(200):
        if (await scene.platform.send(request("b1", 1))).outcome is Outcome.accepted:
            break
    assert (await scene.counts())["messages"] == 1


async def test_the_rate_of_the_account_is_kept(stage: Start) -> None:
    scene: Stage = await stage(rate_per_second=1)
    assert (await scene.platform.send(request("b1", 1))).outcome is Outcome.accepted
    answer = await scene.platform.send(request("b2", 2))
    assert answer.outcome is Outcome.throttled
    assert answer.retry_after_seconds is not None
    assert 0 < answer.retry_after_seconds <= 1


async def test_the_same_seed_refuses_the_same_numbers_whatever_the_batches(stage: Start) -> None:
    whole: Stage = await stage(bad_number=0.2, blacklisted=0.2, seed=7)
    single: Stage = await stage(bad_number=0.2, blacklisted=0.2, seed=7)
    refused = (await whole.platform.send(request("b", *range(1, 41)))).refused
    again: dict[int, Any] = {}
    for number in range(40, 0, -1):
        again |= (await single.platform.send(request(f"b{number}", number))).refused
    assert again == refused
    assert {why.outcome for why in refused.values()} == {Outcome.bad_number, Outcome.blacklisted}


async def test_a_signature_that_says_so_is_rejected(stage: Start) -> None:
    scene: Stage = await stage()
    assert (await scene.platform.signature_review("测试")).state is ReviewState.approved
    assert (await scene.platform.signature_review("拒绝我")).state is ReviewState.rejected
    answer = await scene.platform.send(request("b", 1, signature="Reject me"))
    assert answer.outcome is Outcome.signature_not_approved


async def test_an_unknown_or_unreviewed_template_cannot_be_sent_with(stage: Start) -> None:
    scene: Stage = await stage(**FOREVER)
    code = await scene.platform.submit_template(submission())
    for template_code in (code, "nothing"):
        answer = await scene.platform.send(request("b", 1, template_code=template_code))
        assert answer.outcome is Outcome.template_not_approved


async def test_a_template_is_reviewed_changed_and_deleted(stage: Start) -> None:
    scene: Stage = await stage()
    platform = scene.platform
    code = await platform.submit_template(submission())
    assert (await platform.template_review(code)).state is ReviewState.approved
    assert await platform.change_template(code, submission("来赌博吧")) == code
    review = await platform.template_review(code)
    assert review.state is ReviewState.rejected
    assert "赌博" in review.reason
    await platform.delete_template(code)
    assert (await platform.template_review(code)).state is ReviewState.missing


async def test_templates_outlive_the_sandbox_if_it_has_a_file(stage: Start, tmp_path: Any) -> None:
    file = str(tmp_path / "templates.json")
    code = await (await stage(templates_file=file)).platform.submit_template(submission())
    second: Stage = await stage(templates_file=file)
    assert (await second.platform.template_review(code)).state is ReviewState.approved


async def test_a_full_sandbox_is_busy(stage: Start) -> None:
    scene: Stage = await stage(max_messages=2)
    assert (await scene.platform.send(request("b1", 1, 2))).outcome is Outcome.accepted
    assert (await scene.platform.send(request("b2", 3))).outcome is Outcome.busy


async def test_a_replayed_request_is_refused(stage: Start) -> None:
    scene: Stage = await stage()
    gathered: list[aiohttp.TraceRequestStartParams] = []
    trace = aiohttp.TraceConfig()

    async def remember(_: Any, __: Any, params: aiohttp.TraceRequestStartParams) -> None:
        gathered.append(params)

    trace.on_request_start.append(remember)
    async with aiohttp.ClientSession(trace_configs=[trace]) as session:
        platform = type(scene.platform)(session, url=scene.url, name="sandbox", key="123456789")
        await platform.account()
    first = gathered[0]
    async with scene.session.get(first.url, headers=first.headers) as response:
        assert response.status == 401


async def test_settings_can_be_changed_but_not_all_and_not_to_nonsense(stage: Start) -> None:
    scene: Stage = await stage()
    status, shown = await scene.post(
        "/sandbox/settings", {"failed": 0.5, "receipt_seconds": [1, 2]}
    )
    assert (status, shown["failed"], shown["receipt_seconds"]) == (200, 0.5, [1.0, 2.0])
    assert "key" not in shown
    for change in ({"failed": 2}, {"port": 1}, {"colour": 1}, {"failed": "much"}, [1]):
        status, problem = await scene.post("/sandbox/settings", change)
        assert (status, problem["code"]) == (400, "BAD_PARAMS")
    assert scene.sandbox.settings.failed == 0.5


async def test_trouble_of_every_kind_loses_nothing_and_sends_nothing_twice(stage: Start) -> None:
    scene: Stage = await stage(
        throttled=0.2, busy=0.2, error_500=0.1, unknown_after_accept=0.3, throttle_milliseconds=1
    )

    async def persist(batch: int) -> None:
        sent = request(f"b{batch}", *range(batch * 10 + 1, batch * 10 + 11))
        for _ in range(200):
            answer = await scene.platform.send(sent)
            if answer.outcome is Outcome.accepted:
                return
            assert DISPOSITIONS[answer.outcome].retryable

    await asyncio.gather(*(persist(batch) for batch in range(40)))
    counts = await scene.counts()
    assert (counts["messages"], counts["distinct"], counts["twice"]) == (400, 400, 0)
    assert counts["cut_after_accept"] > 0
    assert min(counts["refused"][code] for code in ("THROTTLED", "BUSY", "INTERNAL")) > 0


async def test_a_reply_is_answered_by_one_message_to_its_own_number(stage: Start) -> None:
    scene: Stage = await stage()
    await scene.platform.send(request("b1", 1, 2))
    _, made = await scene.post("/sandbox/reply", {"phoneNumber": "15412000001", "content": "?"})
    reply_id = made["replyId"]
    right = await scene.platform.send(request("b2", messages=messages(1), reply_to=reply_id))
    wrong = [
        await scene.platform.send(request("b3", messages=messages(2), reply_to=reply_id)),
        await scene.platform.send(request("b4", messages=messages(1), reply_to="another")),
        await scene.platform.send(request("b5", messages=messages(1, 2), reply_to=reply_id)),
    ]
    counts = await scene.counts()
    assert right.outcome is Outcome.accepted
    assert [answer.outcome for answer in wrong] == [Outcome.bad_params] * 3
    assert counts["answers_to_replies"] == 1
