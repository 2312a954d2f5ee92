import hashlib
import hmac
import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

import aiohttp
import pytest
from aiohttp import web
from alibaba_stage import KEY, KEY_ID, NOON, Asked, alibaba, is_signed

from textwave.platforms.aliyun import AliyunPlatform
from textwave.platforms.contract import (
    PlatformAnsweredNonsense,
    PlatformRefused,
    ReceiptState,
    ReviewState,
)
from textwave.platforms.outcomes import Outcome

SPACE = "http://mns.aliyuncs.com/doc/v1/"
TOKEN = {
    "AccessKeyId": "STS.id",
    "AccessKeySecret": "queue secret",
    "SecurityToken": "token",
    "ExpireTime": "2027-01-15 17:00:00",  # an hour after the tests' noon, in China
}
NAMES = {
    "report_queue": "reports",
    "reply_queue": "replies",
    "signature_queue": "signatures",
    "template_queue": "templates",
}


def receipt(number: int) -> bytes:
    return json.dumps(
        {
            "phone_number": str(154_0000_0000 + number),
            "success": True,
            "err_code": "DELIVERED",
            "report_time": "2027-01-15 16:00:00",
            "sms_size": "1",
            "out_id": "key-1",
        }
    ).encode()


@dataclass
class Queue:
    """A queue as the service has it: what is received is hidden, and gone once it is deleted."""

    waiting: list[bytes] = field(default_factory=list[bytes])
    hidden: dict[str, bytes] = field(default_factory=dict[str, bytes])
    made: int = 0

    def answer(self, asked: Asked) -> web.Response:
        if not _is_queue_call_signed(asked):
            return _xml(403, _error("SignatureDoesNotMatch"))
        return self._deleted(asked) if asked.method == "DELETE" else self._received(asked)

    def _received(self, asked: Asked) -> web.Response:
        most = int(asked.query["numOfMessages"])
        if not self.waiting:
            return _xml(404, _error("MessageNotExist"))
        root = Element("Messages", xmlns=SPACE)
        for body in self.waiting[:most]:
            self.made += 1
            self.hidden[f"handle-{self.made}"] = body
            message = SubElement(root, "Message")
            SubElement(message, "ReceiptHandle").text = f"handle-{self.made}"
            SubElement(message, "MessageBody").text = b64encode(body).decode()
        del self.waiting[:most]
        return _xml(200, root)

    def _deleted(self, asked: Asked) -> web.Response:
        for handle in fromstring(asked.body):  # noqa: S314 - our own adapter's
            self.hidden.pop(handle.text or "", None)
        return web.Response(status=204)


def _error(code: str) -> Element:
    root = Element("Error", xmlns=SPACE)
    SubElement(root, "Code").text = code
    return root


def _xml(status: int, root: Element) -> web.Response:
    return web.Response(status=status, body=tostring(root), content_type="text/xml")


def _is_queue_call_signed(asked: Asked) -> bool:
    """Tell, by the vendor's description, whether a call is signed with the token's secret."""
    query = "&".join(f"{name}={value}" for name, value in asked.query.items())
    lines = [
        asked.method,
        asked.headers.get("Content-MD5", ""),
        asked.headers.get("Content-Type", ""),
        asked.headers["Date"],
        f"x-mns-version:{asked.headers['x-mns-version']}",
        asked.path + (f"?{query}" if query else ""),
    ]
    secret = TOKEN["AccessKeySecret"].encode()
    signature = b64encode(hmac.digest(secret, "\n".join(lines).encode(), hashlib.sha1)).decode()
    return (
        asked.headers["Authorization"] == f"MNS STS.id:{signature}"
        and asked.headers["security-token"] == "token"
    )


def on(**queues: Queue) -> dict[str, Any]:
    answers: dict[str, Any] = {
        f"/queues/{name}/messages": queue.answer for name, queue in queues.items()
    }
    return answers | {"QueryTokenForMnsQueue": {"MessageTokenDTO": TOKEN}}


async def test_receipts_are_taken_and_stay_until_they_are_acknowledged() -> None:
    queue = Queue([receipt(1), receipt(2)])
    async with alibaba(on(reports=queue), options=NAMES) as (platform, server):
        page = await platform.receipts("")
        assert [(r.mobile, r.request_key, r.state) for r in page.items] == [
            (86_154_0000_0001, "key-1", ReceiptState.delivered),
            (86_154_0000_0002, "key-1", ReceiptState.delivered),
        ]
        assert len(queue.hidden) == 2
        assert page.acknowledge is not None
        await page.acknowledge()
        assert not queue.hidden
    assert page.next
    first = server.asked[0]
    assert is_signed(first)
    assert first.query == {"MessageType": "SmsReport", "QueueName": "reports"}


async def test_many_receipts_are_taken_at_once_and_about_as_many_as_asked_for() -> None:
    queue = Queue([receipt(number) for number in range(2000)])
    async with alibaba(on(reports=queue), options=NAMES) as (platform, _):
        page = await platform.receipts("", limit=1000)
        assert 1000 <= len(page.items) < 1016
        assert page.acknowledge is not None
        await page.acknowledge()
    assert not queue.hidden
    assert len({r.mobile for r in page.items}) == len(page.items)


async def test_a_token_is_asked_for_once_while_it_lasts_and_again_before_it_ends() -> None:
    moments = [NOON]
    answers = on(reports=Queue())
    async with alibaba(answers, options=NAMES, clock=lambda: moments[-1]) as (platform, server):
        for later in (0, 3000, 3590):
            moments.append(NOON + later)
            await platform.receipts("")
    asked = [one.action for one in server.asked if one.action]
    assert asked == ["QueryTokenForMnsQueue"] * 2


async def test_a_token_outlives_the_adapter_but_not_the_key_it_was_asked_for_with() -> None:
    async with (
        alibaba(on(reports=Queue()), options=NAMES) as (_, server),
        aiohttp.ClientSession() as session,
    ):
        for key in (KEY, KEY, "the next key", "the next key", KEY):
            platform = AliyunPlatform(
                session,
                name="p",
                endpoint=server.url,
                key_id=KEY_ID,
                key=key,
                options=NAMES | {"token_endpoint": server.url, "queue_endpoint": server.url},
                clock=lambda: NOON,
            )
            await platform.receipts("")
    asked = [one.action for one in server.asked if one.action]
    assert asked == ["QueryTokenForMnsQueue"] * 3


async def test_what_cannot_be_read_stays_in_the_queue_and_holds_up_nobody() -> None:
    queue = Queue([b"nonsense", receipt(1), b'{"phone_number": "1"}'])
    async with alibaba(on(reports=queue), options=NAMES) as (platform, _):
        page = await platform.receipts("")
        assert len(page.items) == 1
        assert page.acknowledge is not None
        await page.acknowledge()
    assert sorted(queue.hidden.values()) == [b"nonsense", b'{"phone_number": "1"}']


async def test_replies_and_reviews_come_from_queues_of_their_own() -> None:
    reply = {
        "phone_number": "15400000001",
        "content": "R",
        "send_time": "2027-01-15 16:00:00",
        "dest_code": "12",
        "sequence_id": 7,
    }
    sign = {"sign_name": "阿里云", "sign_status": "approved", "order_id": "1"}
    template = {"template_code": "SMS_1", "template_status": "rejected", "reason": "no"}
    queues = {
        "replies": Queue([json.dumps(reply).encode()]),
        "signatures": Queue([json.dumps(sign).encode()]),
        "templates": Queue([json.dumps(template).encode()]),
    }
    async with alibaba(on(**queues), options=NAMES) as (platform, _):
        replies, reviews = await platform.replies(""), await platform.reviews("")
        assert reviews.acknowledge is not None
        await reviews.acknowledge()
    assert [r.content for r in replies.items] == ["R"]
    assert [(n.name, n.review.state) for n in reviews.items] == [
        ("阿里云", ReviewState.approved),
        ("SMS_1", ReviewState.rejected),
    ]
    assert [len(queue.hidden) for queue in queues.values()] == [1, 0, 0]


async def test_a_queue_that_is_not_there_is_a_refusal_that_names_it() -> None:
    answers = on() | {"/queues/reports/messages": _xml(404, _error("QueueNotExist"))}
    async with alibaba(answers, options=NAMES) as (platform, _):
        with pytest.raises(PlatformRefused, match=r"QueueNotExist queue reports") as refused:
            await platform.receipts("")
    assert refused.value.outcome is Outcome.forbidden


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"\xff\xfe",
        b'<!DOCTYPE a [<!ENTITY b "bbbb">]><Messages>&b;</Messages>',
    ],
)
async def test_answers_of_a_queue_that_are_none_are_nonsense(body: bytes) -> None:
    answer = web.Response(body=body, content_type="text/xml")
    async with alibaba(on() | {"/queues/reports/messages": answer}, options=NAMES) as (platform, _):
        with pytest.raises(PlatformAnsweredNonsense):
            await platform.receipts("")
