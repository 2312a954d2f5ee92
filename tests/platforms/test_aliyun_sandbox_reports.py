import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.aliyun_stage import (
    KEY_ID,
    KEY_SECRET,
    NOTIFICATION,
    SIGNATURE,
    AliyunStage,
    Caller,
    aliyun_stage,
    approved,
    until,
)

from textwave.platforms.aliyun import AliyunPlatform
from textwave.platforms.aliyun_sandbox.numbers import write_number
from textwave.platforms.aliyun_sandbox.queues import Queue, Queues, Token
from textwave.platforms.aliyun_sandbox.signing import queue_signature

NUMBER = "15412345678"
OTHER = "16412345678"


@dataclass
class Inbox:
    """Takes pushes; answers as told, then with success."""

    url: str = ""
    answers: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    received: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])

    async def take(self, request: web.Request) -> web.Response:
        self.received.append((request.path, await request.json()))
        status, text = self.answers.pop(0) if self.answers else (200, '{"code":0,"msg":"OK"}')
        return web.Response(text=text, status=status)


@asynccontextmanager
async def inbox() -> AsyncGenerator[Inbox]:
    taken = Inbox()
    application = web.Application()
    application.router.add_post("/{tail:.*}", taken.take)
    async with TestServer(application) as server:
        taken.url = str(server.make_url("/push"))
        yield taken


def platform(stage: AliyunStage) -> AliyunPlatform:
    options = {
        "report_queue": stage.queue("SmsReport"),
        "reply_queue": stage.queue("SmsUp"),
        "signature_queue": stage.queue("SignSmsReport"),
        "template_queue": stage.queue("TemplateSmsReport"),
        "queue_endpoint": stage.url,
        "token_endpoint": stage.url,
    }
    return AliyunPlatform(
        stage.session,
        name="aliyun",
        endpoint=stage.url,
        key_id=KEY_ID,
        key=KEY_SECRET,
        options=options,
    )


async def test_receipts_are_pushed_as_an_array_with_the_key_of_their_call() -> None:
    async with inbox() as taken, aliyun_stage(push_url=taken.url) as stage:
        answer = await Caller(stage).send(NUMBER, OTHER)
        await until(lambda: bool(taken.received))
        path, receipts = taken.received[0]
        assert path == "/push/SmsReport"
        assert {one["phone_number"] for one in receipts} == {NUMBER, OTHER}
        first = receipts[0]
        assert (first["out_id"], first["biz_id"]) == ("k1", answer["BizId"])
        assert (first["success"], first["err_code"]) == (True, "DELIVERED")
        assert first["sms_size"] == "1"
        assert (await stage.counts())["queues"]["SmsReport"] == 0


async def test_a_receipt_says_why_a_message_failed_and_its_billed_parts() -> None:
    rates = {"delivered": 0.0, "failed": 1.0}
    async with inbox() as taken, aliyun_stage(push_url=taken.url, **rates) as stage:
        stage.stand_in.shelf.put(approved("SMS_9", "字" * 67, 1))
        await Caller(stage).send(NUMBER, template_code="SMS_9")
        await until(lambda: bool(taken.received))
        [receipt] = taken.received[0][1]
        assert receipt["success"] is False
        assert receipt["err_code"] not in {"", "DELIVERED"}
        assert receipt["sms_size"] == "2"  # 67 characters, the signature and its brackets


async def test_a_push_that_is_not_taken_comes_again_and_is_given_up_after_the_last_delay() -> None:
    async with inbox() as taken, aliyun_stage(push_url=taken.url) as stage:
        taken.answers = [(500, ""), (200, "thanks"), (200, '{"code":"0"}'), (302, '{"code":0}')]
        await Caller(stage).send(NUMBER)
        await until(lambda: stage.stand_in.counts["SmsReport_given_up"] == 1)
        assert [body[0]["phone_number"] for _, body in taken.received] == [NUMBER] * 4
        counts = await stage.counts()
        assert (counts["push_failures"], counts["SmsReport"]["acknowledged"]) == (4, 0)


async def test_a_push_that_comes_again_and_is_taken_is_not_pushed_any_more() -> None:
    async with inbox() as taken, aliyun_stage(push_url=taken.url) as stage:
        taken.answers = [(503, "")]
        await Caller(stage).send(NUMBER)
        await until(lambda: stage.stand_in.counts["SmsReport_acknowledged"] == 1)
        assert len(taken.received) == 2


async def test_a_reply_is_pushed_with_the_code_of_its_signature_and_not_its_name() -> None:
    async with inbox() as taken, aliyun_stage(push_url=taken.url) as stage:
        await Caller(stage).send(NUMBER)
        await stage.post("reply", phoneNumber=NUMBER, content="有货吗？")
        await stage.post("settings", sign_name_in_replies=True)
        await stage.post("reply", phoneNumber=NUMBER, content="T")
        await until(lambda: stage.stand_in.counts["SmsUp_acknowledged"] == 2)
        bodies = [body for path, body in taken.received if path.endswith("/SmsUp")]
        first, second = [one for body in bodies for one in body]
        assert (first["phone_number"], first["content"]) == (NUMBER, "有货吗？")
        assert first["dest_code"].isdigit()
        assert "sign_name" not in first
        assert second["sign_name"] == SIGNATURE
        assert first["sequence_id"] != second["sequence_id"]


async def test_people_reply_by_themselves_and_duplicates_come() -> None:
    rates = {"opt_out_reply_rate": 1.0, "duplicate_receipts": 1.0}
    async with aliyun_stage(**rates) as stage:
        await Caller(stage).send(NUMBER, OTHER)
        await until(lambda: stage.stand_in.counts["duplicate_receipts"] == 2)
        await until(lambda: stage.stand_in.counts["replies"] == 2)
        counts = await stage.counts()
        assert (counts["queues"]["SmsReport"], counts["queues"]["SmsUp"]) == (4, 2)


async def test_a_link_in_a_delivered_message_is_opened_on_this_machine_only() -> None:
    async with inbox() as taken, aliyun_stage(click_rate=1.0) as stage:
        taken.answers = [(302, "")] * 10
        opened = approved("SMS_9", f"看 {taken.url}/abc123 和 https://shop.example.com/x", 1)
        stage.stand_in.shelf.put(opened)
        await Caller(stage).send(NUMBER, template_code="SMS_9")
        counts = stage.stand_in.counts
        await until(lambda: counts["clicks_skipped"] == 1)
        await until(lambda: counts["clicks_made"] + counts["clicks_failed"] == 1)


async def test_what_is_not_pushed_waits_in_the_queue_until_it_is_deleted() -> None:
    async with aliyun_stage() as stage:
        await Caller(stage).send(NUMBER, OTHER)
        await until(lambda: stage.stand_in.counts["delivered"] == 2)
        page = await platform(stage).receipts("")
        assert {(one.request_key, one.mobile) for one in page.items} == {
            ("k1", 8615412345678),
            ("k1", 8616412345678),
        }
        assert (await stage.counts())["queues"]["SmsReport"] == 2
        assert page.acknowledge is not None
        await page.acknowledge()
        assert (await stage.counts())["queues"]["SmsReport"] == 0


async def test_what_was_not_deleted_shows_up_again() -> None:
    async with aliyun_stage(visibility_seconds=0.1) as stage:
        await Caller(stage).send(NUMBER)
        await until(lambda: stage.stand_in.counts["delivered"] == 1)
        reader = platform(stage)
        first = await reader.receipts("")
        second = await reader.receipts("")
        while not second.items:
            second = await reader.receipts("")
        assert [one.request_key for one in (*first.items, *second.items)] == ["k1", "k1"]


async def test_replies_and_reviews_wait_in_queues_of_their_own() -> None:
    async with aliyun_stage() as stage:
        await stage.post("reply", phoneNumber=NUMBER, content="T", signName=SIGNATURE)
        await stage.post("decide", signature=SIGNATURE, status=2, reason="no papers")
        await stage.post("decide", template=NOTIFICATION, status=1)
        reader = platform(stage)
        [reply] = (await reader.replies("")).items
        assert (reply.mobile, reply.content) == (8615412345678, "T")
        notices = (await reader.reviews("")).items
        assert {(one.name, one.review.state.value, one.review.reason) for one in notices} == {
            (SIGNATURE, "rejected", "no papers"),
            (NOTIFICATION, "approved", ""),
        }


async def asked(stage: AliyunStage, kind: str, token: Token, secret: str) -> tuple[int, str]:
    """Receive from a queue with some credentials; return the status and the error's code."""
    resource = f"/queues/{stage.queue(kind)}/messages?numOfMessages=16"
    headers = {"date": formatdate(usegmt=True), "x-mns-version": "2015-06-06"}
    signature = queue_signature(secret, "GET", headers, resource)
    headers |= {
        "authorization": f"MNS {token.key_id}:{signature}",
        "security-token": token.security_token,
    }
    async with stage.session.get(f"{stage.url}{resource}", headers=headers) as answer:
        return answer.status, "".join(re.findall("<Code>(.*)</Code>", await answer.text()))


async def test_a_queue_is_open_to_who_has_its_own_credentials_and_only_while_they_last() -> None:
    async with aliyun_stage() as stage:
        queues, now = stage.stand_in.queues, stage.stand_in.clock()
        name = stage.queue("SmsReport")
        token, expired = queues.grant(name, now, 60), queues.grant(name, now - 60, 60)
        assert await asked(stage, "SmsReport", token, token.secret) == (404, "MessageNotExist")
        refused = [
            await asked(stage, "SmsReport", token, "other"),
            await asked(stage, "SmsUp", token, token.secret),
            await asked(stage, "SmsReport", expired, expired.secret),
        ]
        assert refused == [
            (403, "SignatureDoesNotMatch"),
            (403, "AccessDenied"),
            (403, "SecurityTokenExpired"),
        ]
        async with stage.session.get(f"{stage.url}/queues/{name}/messages") as answer:
            assert answer.status == 403


def test_a_message_of_a_queue_is_one_readers_for_a_while() -> None:
    queue = Queue()
    for number in range(3):
        assert queue.put(number, 0.0)
    first = queue.receive(2, 1.0, 30.0)
    assert [one.held for one in first] == [0, 1]
    assert [one.held for one in queue.receive(5, 2.0, 30.0)] == [2]
    assert queue.delete(first[0].handle, 3.0)
    assert not queue.delete(first[0].handle, 3.0)
    again = queue.receive(5, 31.0, 30.0)
    assert [(one.held, one.times) for one in again] == [(1, 2)]
    assert not queue.delete(first[1].handle, 31.5)
    assert (len(queue), queue.deleted) == (2, 1)


def test_queues_are_found_by_the_account_and_the_type() -> None:
    queues = Queues("1234")
    assert queues.find("Alicom-Queue-1234-SmsUp") is not None
    assert queues.find("Alicom-Queue-9999-SmsUp") is None
    assert queues.find("SmsUp") is None


def test_a_foreign_number_is_written_without_a_plus() -> None:
    assert [write_number(mobile) for mobile in (8615412345678, 447700900123)] == [
        "15412345678",
        "447700900123",
    ]
