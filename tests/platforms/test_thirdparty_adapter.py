import asyncio
import codecs
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from platform_stage import request

from textwave.kit.refusal import InvalidValue
from textwave.platforms.contract import (
    MessageType,
    PlatformAnsweredNonsense,
    PlatformRefused,
    PlatformUnreachable,
    ReviewState,
    TemplateSubmission,
)
from textwave.platforms.outcomes import DISPOSITIONS, Outcome
from textwave.platforms.thirdparty import Limits, ThirdPartyPlatform

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LIMITS = Limits(total_seconds=0.3, connect_seconds=0.3, answer_bytes=100_000)


@asynccontextmanager
async def adapter_on(handler: Handler, limits: Limits = LIMITS) -> AsyncGenerator[Any]:
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", handler)
    async with TestServer(application) as server, aiohttp.ClientSession() as session:
        url = str(server.make_url("/gateway"))
        yield ThirdPartyPlatform(session, url=url, name="p", key="k", limits=limits)


def answer(**more: Any) -> web.Response:
    return web.json_response({"platformName": "p", "code": "OK", "requestId": "1"} | more)


async def test_a_send_goes_out_as_the_contract_says() -> None:
    seen: dict[str, Any] = {}

    async def handler(incoming: web.Request) -> web.Response:
        seen.update(await incoming.json(), path=incoming.path)
        return answer(results=[{"messageId": 1, "code": "OK"}])

    async with adapter_on(handler) as platform:
        sent = await platform.send(request("batch-1", 1))
    assert sent.outcome is Outcome.accepted
    assert seen == {
        "path": "/gateway/sms/send",
        "batchId": "batch-1",
        "signName": "测试",
        "templateCode": "SMS_approved",
        "smsType": 2,
        "messages": [
            {
                "messageId": "1",
                "phoneNumber": "15412000001",
                "content": "您有一张优惠券",
                "params": {"name": "张三"},
            }
        ],
    }


async def test_a_refused_connection_was_certainly_not_processed() -> None:
    async with aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{unused_port()}"
        platform = ThirdPartyPlatform(session, url=url, name="p", key="k")
        sent = await platform.send(request("k", 1))
        with pytest.raises(PlatformUnreachable):
            await platform.account()
    assert sent.outcome is Outcome.unreachable
    assert DISPOSITIONS[sent.outcome].certain


async def test_a_name_that_does_not_resolve_was_certainly_not_processed() -> None:
    async with aiohttp.ClientSession() as session:
        platform = ThirdPartyPlatform(session, url="http://gateway.invalid", name="p", key="k")
        assert (await platform.send(request("k", 1))).outcome is Outcome.unreachable


async def test_an_answer_that_does_not_come_in_time_is_in_doubt() -> None:
    never = asyncio.Event()

    async def handler(_: web.Request) -> web.Response:
        await never.wait()
        return answer()

    async with adapter_on(handler) as platform:
        sent = await platform.send(request("k", 1))
        never.set()
    assert sent.outcome is Outcome.unknown
    assert "0.3 s" in sent.detail


async def test_a_connection_cut_after_the_request_is_in_doubt() -> None:
    async def handler(incoming: web.Request) -> web.Response:
        assert incoming.transport is not None
        incoming.transport.abort()
        return answer()

    async with adapter_on(handler) as platform:
        assert (await platform.send(request("k", 1))).outcome is Outcome.unknown


async def test_an_endless_answer_is_not_read_to_its_end() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=b" " * 200_000, content_type="application/json")

    async with adapter_on(handler) as platform:
        sent = await platform.send(request("k", 1))
    assert sent.outcome is Outcome.unknown
    assert "100000 bytes" in sent.detail


async def test_a_redirect_is_not_followed() -> None:
    paths: list[str] = []

    async def handler(incoming: web.Request) -> web.Response:
        paths.append(incoming.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with adapter_on(handler) as platform:
        assert (await platform.send(request("k", 1))).outcome is Outcome.unknown
    assert paths == ["/gateway/sms/send"]


async def test_a_login_page_is_nonsense_for_every_other_call() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(text="<html>welcome</html>", content_type="text/html")

    async with adapter_on(handler) as platform:
        for call in (
            platform.account(),
            platform.receipts(""),
            platform.template_review("T"),
            platform.signature_review("s"),
        ):
            with pytest.raises(PlatformAnsweredNonsense) as caught:
                await call
            assert "text/html" in caught.value.sentence


async def test_a_refused_key_says_to_check_the_key() -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=401, text="no")

    async with adapter_on(handler) as platform:
        with pytest.raises(PlatformRefused) as caught:
            await platform.account()
        assert (await platform.send(request("k", 1))).outcome is Outcome.forbidden
    assert "Check the key" in caught.value.sentence


async def test_items_of_a_page_that_do_not_fit_come_as_they_are_beside_the_others() -> None:
    items: list[Any] = [
        {"messageId": place, "status": status, "reportedAt": 1700000000}
        for place, status in enumerate(["DELIVERED", "GONE", "FAILED"], start=1)
    ]

    async def handler(_: web.Request) -> web.Response:
        return answer(items=[*items, "nothing"], next="7")

    async with adapter_on(handler) as platform:
        page = await platform.receipts("")
    assert ([item.message_id for item in page.items], page.next) == ([1, 3], "7")
    assert [json.loads(piece) for piece in page.unread] == [items[1], "nothing"]


async def test_an_answer_may_begin_with_a_byte_order_mark() -> None:
    async def handler(_: web.Request) -> web.Response:
        said = {"platformName": "p", "code": "OK", "signStatus": "approved"}
        body = codecs.BOM_UTF8 + json.dumps(said).encode()
        return web.Response(body=body, content_type="application/json")

    async with adapter_on(handler) as platform:
        assert (await platform.signature_review("甲")).state is ReviewState.approved


async def test_names_are_escaped_in_paths() -> None:
    seen: list[str] = []

    async def handler(incoming: web.Request) -> web.Response:
        seen.append(incoming.raw_path.partition("?")[0])
        return answer(signStatus="approved")

    async with adapter_on(handler) as platform:
        assert (await platform.signature_review("甲/乙?")).state is ReviewState.approved
    assert seen == ["/gateway/sms/smsSign/%E7%94%B2%2F%E4%B9%99%3F"]


async def test_an_unknown_review_state_is_nonsense() -> None:
    async def handler(_: web.Request) -> web.Response:
        return answer(templateStatus="perhaps")

    async with adapter_on(handler) as platform:
        with pytest.raises(PlatformAnsweredNonsense):
            await platform.template_review("T")


async def test_a_refused_template_says_why() -> None:
    async def handler(_: web.Request) -> web.Response:
        body = {"platformName": "p", "code": "BAD_PARAMS", "message": "too long"}
        return web.Response(text=json.dumps(body), status=400, content_type="application/json")

    submission = TemplateSubmission("n", "c", MessageType.promotional, "r")
    async with adapter_on(handler) as platform:
        with pytest.raises(PlatformRefused) as caught:
            await platform.submit_template(submission)
    assert caught.value.outcome is Outcome.bad_params
    assert "too long" in caught.value.sentence


@pytest.mark.parametrize("url", ["", "gateway", "ftp://a", "http://", "http://a/?x=1", "http://["])
async def test_an_address_that_is_none_is_refused(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(InvalidValue):
            ThirdPartyPlatform(session, url=url, name="p", key="k")


async def test_a_digital_message_leaves_for_no_platform_whose_contract_has_none() -> None:
    asked: list[str] = []

    async def handler(incoming: web.Request) -> web.Response:
        asked.append(incoming.path)
        return answer(results=[])

    async with adapter_on(handler) as platform:
        sent = await platform.send(request("k", 1, message_type=MessageType.digital))
    assert sent.outcome is Outcome.content_refused
    assert "digital" in sent.detail
    assert asked == []
