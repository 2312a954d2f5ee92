"""Whatever a third-party platform answers ends with a name; see also the battery of all."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from hostile import NAME, STATUSES_ALONE, answer, good, hang_up, hostile, raw, said
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from platform_stage import request

from textwave.platforms.aliyun import AliyunPlatform
from textwave.platforms.contract import (
    MessageType,
    PlatformAnsweredNonsense,
    PlatformRefused,
    PlatformUnreachable,
    SendAnswer,
    TemplateSubmission,
)
from textwave.platforms.outcomes import Outcome
from textwave.platforms.thirdparty import Limits, ThirdPartyPlatform

NAMED = (PlatformAnsweredNonsense, PlatformRefused, PlatformUnreachable)
LIMITS = Limits(total_seconds=0.4, connect_seconds=0.4)
ALIBABA_SAYS = {"Code": "OK", "Message": "OK", "RequestId": "r", "BizId": "b"}
TEMPLATE = TemplateSubmission("n", "c", MessageType.promotional, "r")


@asynccontextmanager
async def platform(url: str) -> AsyncGenerator[ThirdPartyPlatform]:
    async with aiohttp.ClientSession() as session:
        yield ThirdPartyPlatform(session, url=url, name=NAME, key="k", limits=LIMITS)


@asynccontextmanager
async def alibaba(url: str) -> AsyncGenerator[AliyunPlatform]:
    async with aiohttp.ClientSession() as session:
        yield AliyunPlatform(
            session, name=NAME, endpoint=url, key_id="id", key="k", options={}, limits=LIMITS
        )


async def every_other_call(adapter: ThirdPartyPlatform) -> list[BaseException | object]:
    """Return what each call but send ends with."""
    calls = (
        adapter.account(),
        adapter.receipts(""),
        adapter.replies("7"),
        adapter.signature_review("甲"),
        adapter.template_review("T"),
        adapter.submit_template(TEMPLATE),
        adapter.change_template("T", TEMPLATE),
        adapter.delete_template("T"),
    )
    return list(await asyncio.gather(*calls, return_exceptions=True))


@pytest.mark.parametrize("status", STATUSES_ALONE)
async def test_a_status_alone_says_what_it_means(status: int) -> None:
    async with (
        hostile(answer(b"<html>error</html>", status, "text/html")) as bad,
        platform(bad.url) as adapter,
    ):
        sent = await adapter.send(request("k", 1))
        ends = await every_other_call(adapter)
    assert sent.outcome == STATUSES_ALONE[status]
    assert [end for end in ends if not isinstance(end, NAMED)] == []


async def test_a_redirect_to_another_host_hears_nothing_of_the_messages() -> None:
    async with hostile(said(good(1))) as elsewhere:
        there = answer(b"", 308, "", f"Location: {elsewhere.url}/sms/send")
        async with hostile(there) as bad, platform(bad.url) as adapter:
            sent = await adapter.send(request("k", 1))
            await every_other_call(adapter)
    assert sent.outcome is Outcome.unknown
    assert "308" in sent.detail
    assert elsewhere.requests == []


async def test_a_connection_kept_open_and_then_broken_is_not_asked_a_second_time() -> None:
    async with hostile(said(good(1)), hang_up) as bad, platform(bad.url) as adapter:
        first = await adapter.send(request("k", 1))
        second = await adapter.send(request("l", 1))
    assert (first.outcome, second.outcome) == (Outcome.accepted, Outcome.unknown)
    assert len(bad.requests) == 2


async def test_what_a_platform_says_unasked_is_not_taken_for_the_next_answer() -> None:
    whole = json.dumps(good(1)).encode()
    twice = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
    twice += f"{len(whole)}\r\n\r\n".encode() + whole
    async with hostile(raw(twice + twice), answer(b"no")) as bad, platform(bad.url) as adapter:
        assert (await adapter.send(request("k", 1))).outcome is Outcome.accepted
        assert (await adapter.send(request("l", 1))).outcome is Outcome.unknown


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
FIELDS = st.sampled_from([*good(1), "retryAfterMs", "items", "next"])
STATUSES = st.sampled_from([200, 201, 202, 206, 400, 401, 403, 404, 429, 500, 503])


def told(sent: SendAnswer, *identities: int) -> bool:
    """Tell whether it is said of every message what became of it."""
    return sent.outcome in Outcome and set(sent.refused) <= set(identities)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(changes=st.dictionaries(FIELDS, JSON_VALUES, min_size=1, max_size=4), status=STATUSES)
async def test_fields_of_any_type_end_with_a_name(changes: dict[str, Any], status: int) -> None:
    body = good(1, 2) | changes
    intact = all(good(1, 2).get(name) == body[name] for name in ("platformName", "code", "results"))
    async with hostile(said(body, status)) as bad, platform(bad.url) as adapter:
        sent = await adapter.send(request("k", 1, 2))
        ends = await every_other_call(adapter)
    assert told(sent, 1, 2)
    if sent.outcome is Outcome.accepted and not sent.refused:
        assert intact
        assert status < 400
    unnamed = [end for end in ends if isinstance(end, BaseException) and not isinstance(end, NAMED)]
    assert unnamed == []


@pytest.mark.parametrize("kind", ["thirdparty", "aliyun"])
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
async def test_an_answer_with_some_bytes_changed_ends_with_a_name(
    kind: str, data: st.DataObject
) -> None:
    adapters = {"thirdparty": (platform, good(1, 2)), "aliyun": (alibaba, ALIBABA_SAYS)}
    open_adapter, says = adapters[kind]
    body = json.dumps(says).encode()
    whole = bytearray(
        f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        .encode() + body
    )  # fmt: skip
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    async with (
        hostile(raw(bytes(whole), closing=True)) as bad,
        open_adapter(bad.url) as adapter,
    ):
        sent = await adapter.send(request("k", 1, 2))
    assert told(sent, 1, 2)
    assert len(bad.requests) == 1
