import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer, unused_port
from platform_stage import KEY, QUIET

from textwave.kit.refusal import InvalidValue
from textwave.platforms.conformance import RULES, Finding, check
from textwave.platforms.sandbox.application import build_application
from textwave.platforms.sandbox.gate import Gate
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.world import Sandbox

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Change = Callable[[web.Request, dict[str, Any]], None]
ROOT = Path(__file__).parents[2]
SHORT: dict[str, Any] = {"wait_seconds": 1.0, "receipt_wait_seconds": 2.0}


def altering(change: Change) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Return a middleware that changes the JSON of every answer."""

    @web.middleware
    async def alter(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        assert isinstance(response, web.Response)
        assert isinstance(response.body, bytes)
        body = json.loads(response.body)
        change(request, body)
        return web.json_response(body, status=response.status)

    return alter


@asynccontextmanager
async def platform(
    sandbox: Sandbox, middleware: Callable[..., Any] | None = None
) -> AsyncGenerator[str]:
    application = build_application(sandbox.settings, sandbox)
    if middleware is not None:
        application.middlewares.insert(0, middleware)
    async with TestServer(application) as server:
        yield str(server.make_url("/"))


def sandbox(**changes: Any) -> Sandbox:
    return Sandbox(SandboxSettings(**(QUIET | changes)))


def broken(findings: list[Finding]) -> set[str]:
    return {finding.rule for finding in findings if not finding.passed}


async def found_in(change: Change) -> set[str]:
    async with platform(sandbox(), altering(change)) as url:
        return broken(await check(url, KEY, name="sandbox", **SHORT))


async def test_a_sandbox_that_is_often_busy_keeps_every_rule_too() -> None:
    world = sandbox(busy=0.2, throttled=0.2, duplicate_receipts=0.5, throttle_milliseconds=1)
    async with platform(world) as url:
        assert broken(await check(url, KEY, name="sandbox", **SHORT)) == set()


async def test_the_battery_leaves_no_template_behind_and_sends_to_nobody() -> None:
    world = sandbox()
    async with platform(world) as url:
        findings = await check(url, KEY, **SHORT)
    assert broken(findings) == set()
    assert len(world.templates) == 0
    mobiles = set(world.book.mobiles) - {0}
    assert all(str(mobile).startswith("86154") for mobile in mobiles)


async def test_a_platform_that_checks_nobody_is_caught() -> None:
    world = sandbox()
    world.gate = Gate("")
    async with platform(world) as url:
        caught = broken(await check(url, KEY, **SHORT))
    assert caught == {
        "unsigned_is_refused",
        "wrong_key_is_refused",
        "stale_is_refused",
        "replayed_is_refused",
        "altered_body_is_refused",
        "signature_of_another_request_is_refused",
    }


async def test_a_platform_need_not_honour_keys_if_it_does_not_claim_to() -> None:
    async with platform(sandbox(idempotency=False)) as url:
        assert broken(await check(url, KEY, **SHORT)) == set()


async def test_an_old_gateway_is_not_asked_for_what_the_qa_signature_does_not_sign() -> None:
    place = f"127.0.0.1:{unused_port()}"
    world = sandbox(qa_only=True, push_key=KEY, textwave_url=f"http://{place}")
    async with platform(world) as url:
        strictly = broken(await check(url, KEY, listen=place, **SHORT))
    async with platform(sandbox(qa_only=True, push_key=KEY, textwave_url=f"http://{place}")) as url:
        leniently = await check(url, KEY, qa_only=True, listen=place, **SHORT)
    assert strictly == {
        "altered_body_is_refused",
        "signature_of_another_request_is_refused",
        "pushes_are_signed",
    }
    assert broken(leniently) == set()


async def test_a_platform_that_only_pushes_keeps_every_rule() -> None:
    @web.middleware
    async def without_pull(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path in {"/sms/receipts", "/sms/replies"}:
            raise web.HTTPNotFound
        return await handler(request)

    place = f"127.0.0.1:{unused_port()}"
    world = sandbox(push_key=KEY, textwave_url=f"http://{place}")
    async with platform(world, without_pull) as url:
        findings = await check(url, KEY, listen=place, **SHORT)
        assert broken(await check(url, KEY, **SHORT)) == {"receipts_are_told", "replies_are_told"}
    assert broken(findings) == set()
    checked = {finding.rule for finding in findings if finding.checked}
    assert {"receipts_have_their_time", "pushes_are_signed"} <= checked


@pytest.mark.parametrize("listen", ["8090", "host:", "host:0", "host:99999", "host:x"])
async def test_a_place_to_listen_that_is_none_is_refused(listen: str) -> None:
    with pytest.raises(InvalidValue):
        await check("http://127.0.0.1:1", KEY, listen=listen)


async def test_another_name_is_caught() -> None:
    async with platform(sandbox(name="other")) as url:
        caught = broken(await check(url, KEY, name="sandbox", **SHORT))
    assert caught == {"platform_name_is_always_the_same"}


async def test_a_code_that_the_contract_does_not_know_is_caught() -> None:
    def change(_: web.Request, body: dict[str, Any]) -> None:
        for result in body.get("results", []):
            result["code"] = "isv.MOBILE_NUMBER_ILLEGAL" if result["code"] != "OK" else "SUCCESS"

    caught = await found_in(change)
    assert {"send_answers_every_message", "bad_number_is_refused_alone"} <= caught


async def test_without_an_approval_sending_is_said_to_be_unchecked() -> None:
    async with platform(sandbox(review_seconds=3600.0)) as url:
        findings = await check(url, KEY, wait_seconds=0.1, receipt_wait_seconds=0.1)
    assert "template_is_reviewed" in broken(findings)
    assert "send_answers_every_message" in broken(findings)


async def test_nobody_at_the_address_is_a_finding_for_every_rule() -> None:
    findings = await check(f"http://127.0.0.1:{unused_port()}", KEY, **SHORT)
    kept = [finding.rule for finding in findings if finding.passed and finding.checked]
    assert kept == []


@pytest.mark.parametrize("kind", ["text/html", "application/json"])
async def test_a_web_page_instead_of_a_platform_is_a_finding_for_every_rule(kind: str) -> None:
    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html></html>", content_type=kind)

    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", page)
    async with TestServer(application) as server:
        findings = await check(str(server.make_url("/")), KEY, **SHORT)
    assert [finding.rule for finding in findings if finding.passed and finding.checked] == []


async def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidValue):
        await check("http://[", KEY)


def test_the_page_for_gateway_developers_lists_every_rule_with_its_demand() -> None:
    page = (ROOT / "docs" / "how-to" / "connect-a-platform.md").read_text("utf-8")
    listed = [line for line in page.splitlines() if line.startswith("| `")]
    demands = [f"| `{rule.__name__}` | {(rule.__doc__ or '').splitlines()[0]} |" for rule in RULES]
    assert listed[-len(RULES) :] == demands
