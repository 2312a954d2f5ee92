from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from platform_stage import Inbox, Stage, messages, request

from textwave.platforms.contract import (
    MessageType,
    ReceiptState,
    ReviewState,
    ReviewSubject,
    TemplateSubmission,
)
from textwave.platforms.sandbox.gate import signed_request
from textwave.platforms.signing import TEXTWAVE_HEADER, SignatureMode, verify
from textwave.platforms.thirdparty import parse_receipts, parse_replies, parse_reviews

Start = Callable[..., Any]


def receipts(inbox: Inbox) -> list[int]:
    return [
        receipt.message_id
        for taken, body in inbox.received
        if taken.path.endswith("/receipts")
        for receipt in parse_receipts(body)
    ]


async def test_receipts_are_pushed_signed(stage: Start, inbox: Inbox) -> None:
    scene: Stage = await stage(textwave_url=inbox.url)
    await scene.platform.send(request("b", *range(1, 11)))
    await inbox.until(lambda: len(receipts(inbox)) >= 10)
    assert sorted(receipts(inbox)) == list(range(1, 11))
    taken, body = inbox.received[0]
    assert taken.path == "/callbacks/sandbox/receipts"
    signed = signed_request(taken, body)
    verify(signed, key="push-key", now=datetime.now(UTC), mode=SignatureMode.strict)


async def test_a_push_that_is_not_acknowledged_comes_again(stage: Start, inbox: Inbox) -> None:
    inbox.answers = [500]
    scene: Stage = await stage(textwave_url=inbox.url)
    await scene.platform.send(request("b", 1))
    await inbox.until(lambda: len(receipts(inbox)) >= 2)
    assert receipts(inbox) == [1, 1]


async def test_duplicates_are_pushed_and_counted_apart(stage: Start, inbox: Inbox) -> None:
    scene: Stage = await stage(textwave_url=inbox.url, duplicate_receipts=1.0)
    await scene.platform.send(request("b", 1, 2))
    await inbox.until(lambda: len(receipts(inbox)) >= 4)
    counts = await scene.counts()
    assert counts["duplicate_receipts"] == 2
    assert counts["statuses"]["DELIVERED"] == 2


async def test_receipts_and_replies_are_pulled_with_cursors(stage: Start) -> None:
    scene: Stage = await stage(reply_rate=1.0)
    await scene.platform.send(request("b", *range(1, 6)))
    scene.sandbox.clock = lambda: datetime.now(UTC).timestamp() + 60
    scene.sandbox.pass_time()
    first = await scene.platform.receipts("", 3)
    second = await scene.platform.receipts(first.next, 3)
    last = await scene.platform.receipts(second.next, 3)
    assert (len(first.items), len(second.items), list(last.items)) == (3, 2, [])
    assert last.next == second.next
    assert {item.message_id for item in (*first.items, *second.items)} == set(range(1, 6))
    replies = await scene.platform.replies("")
    assert {reply.mobile for reply in replies.items} == {8615412000000 + n for n in range(1, 6)}


async def test_fates_follow_their_weights(stage: Start) -> None:
    scene: Stage = await stage(delivered=0.5, failed=0.2, expired=0.2, no_receipt=0.1)
    await scene.platform.send(request("b", *range(1, 501)))
    scene.sandbox.clock = lambda: datetime.now(UTC).timestamp() + 60
    scene.sandbox.pass_time()
    items = (await scene.platform.receipts("")).items
    share = {
        state: sum(item.state is state for item in items) / 500
        for state in (ReceiptState.delivered, ReceiptState.failed, ReceiptState.expired)
    }
    assert 0.4 < share[ReceiptState.delivered] < 0.6
    assert 0.1 < share[ReceiptState.failed] < 0.3
    assert 0.1 < share[ReceiptState.expired] < 0.3
    assert len(items) < 500
    assert all(item.error_code for item in items if item.state is not ReceiptState.delivered)


async def test_people_opt_out_in_words_that_mean_it(stage: Start, inbox: Inbox) -> None:
    scene: Stage = await stage(textwave_url=inbox.url, opt_out_reply_rate=1.0)
    await scene.platform.send(request("b", *range(1, 51)))
    await inbox.until(lambda: (inbox.paths().count("/callbacks/sandbox/replies")) > 0)
    texts = {reply.content for reply in parse_replies(_first(inbox, "replies"))}
    assert texts & {"T", "TD", "退订"}


async def test_one_phone_replies_now(stage: Start, inbox: Inbox) -> None:
    scene: Stage = await stage(textwave_url=inbox.url)
    await scene.platform.send(request("b", 1))
    wanted = {"phoneNumber": "15412000001", "content": "T"}
    status, said = await scene.post("/sandbox/reply", wanted)
    assert status == 200
    await inbox.until(lambda: "/callbacks/sandbox/replies" in inbox.paths())
    reply = parse_replies(_first(inbox, "replies"))[0]
    assert (reply.reply_id, reply.content, reply.signature) == (said["replyId"], "T", "测试")
    status, _ = await scene.post("/sandbox/reply", wanted | {"phoneNumber": "15412999999"})
    assert status == 400


async def test_the_end_of_a_review_is_pushed(stage: Start, inbox: Inbox) -> None:
    scene: Stage = await stage(textwave_url=inbox.url)
    submission = TemplateSubmission("n", "a casino", MessageType.promotional, "r")
    code = await scene.platform.submit_template(submission)
    await inbox.until(lambda: "/callbacks/sandbox/reviews" in inbox.paths())
    notice = parse_reviews(_first(inbox, "reviews"))[0]
    assert (notice.name, notice.review.state) == (code, ReviewState.rejected)
    assert "casino" in notice.review.reason


async def test_links_are_opened_by_phones_and_by_machines(stage: Start, inbox: Inbox) -> None:
    scene: Stage = await stage(push=False, click_rate=1.0, bot_click_rate=0.5)
    content = f"看 {inbox.url}/abc123/xyz?a=1。退订回T"
    sent = messages(*range(1, 41), content=content)
    await scene.platform.send(request("b", messages=sent))
    await inbox.until(lambda: len(inbox.received) >= 40)
    assert {taken.raw_path for taken, _ in inbox.received} == {"/abc123/xyz?a=1"}
    agents = [taken.headers["User-Agent"] for taken, _ in inbox.received]
    assert any("Mobile" in agent for agent in agents)
    assert any("bot" in agent.lower() for agent in agents)
    assert {taken.method for taken, _ in inbox.received} == {"GET", "HEAD"}


async def test_a_link_of_another_host_is_opened_at_textwave_or_not_at_all(
    stage: Start, inbox: Inbox
) -> None:
    scene: Stage = await stage(push=False, click_rate=1.0, links_url=inbox.url)
    sent = messages(1, content="go https://d.example/abc123")
    await scene.platform.send(request("b", messages=sent))
    await inbox.until(lambda: len(inbox.received) == 1)
    taken, _ = inbox.received[0]
    assert (taken.path, taken.headers["Host"]) == ("/abc123", "d.example")


def _first(inbox: Inbox, kind: str) -> bytes:
    return next(body for taken, body in inbox.received if taken.path.endswith(f"/{kind}"))


async def test_a_signature_that_takes_a_moment_is_announced_when_it_is_approved(
    stage: Start, inbox: Inbox
) -> None:
    scene: Stage = await stage(textwave_url=inbox.url, review_seconds=0.1)
    assert (await scene.platform.signature_review("待审")).state is ReviewState.reviewing
    await inbox.until(lambda: len(inbox.received) == 1)
    (notice,) = parse_reviews(inbox.received[0][1])
    assert (notice.subject, notice.name) == (ReviewSubject.signature, "待审")
    assert notice.review.state is ReviewState.approved
    assert (await scene.platform.signature_review("待审")).state is ReviewState.approved


async def test_an_old_gateway_signs_its_pushes_with_the_qa_signature_alone(
    stage: Start, inbox: Inbox
) -> None:
    scene: Stage = await stage(textwave_url=inbox.url, qa_only=True)
    await scene.platform.send(request("b", 1))
    await inbox.until(lambda: len(receipts(inbox)) == 1)
    taken, body = inbox.received[0]
    assert TEXTWAVE_HEADER not in taken.headers
    signed = signed_request(taken, body)
    verify(signed, key="push-key", now=datetime.now(UTC), mode=SignatureMode.qa_only)
