"""Every rule of the battery catches the platform that was made wrong for it, and no other does."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp.test_utils import TestServer, unused_port
from platform_stage import APPROVED, KEY
from wrong_platforms import WRONG, Wrong

from textwave.platforms.conformance import RULES, Finding, check
from textwave.platforms.sandbox.application import build_application

SHORT: dict[str, Any] = {
    "wait_seconds": 0.5,
    "receipt_wait_seconds": 3.0,
    "push_wait_seconds": 1.0,
}


@asynccontextmanager
async def running(wrong: Wrong, **settings: Any) -> AsyncGenerator[str]:
    world = wrong.world(**settings)
    application = build_application(world.settings, world)
    if wrong.middleware is not None:
        application.middlewares.insert(0, wrong.middleware)
    async with TestServer(application) as server:
        yield str(server.make_url("/"))


async def found(wrong: Wrong) -> list[Finding]:
    place = f"127.0.0.1:{unused_port()}" if wrong.pushing else ""
    settings = {"push_key": KEY, "textwave_url": f"http://{place}"} if place else {}
    given = {"template_code": APPROVED} if wrong.given else {}
    async with running(wrong, **(settings | wrong.settings)) as url:
        return await check(url, KEY, name="sandbox", listen=place, **given, **SHORT)


def test_there_is_a_wrong_platform_for_every_rule() -> None:
    assert list(WRONG) == [rule.__name__ for rule in RULES]


@pytest.mark.parametrize("rule", WRONG)
async def test_a_rule_catches_the_platform_that_breaks_it(rule: str) -> None:
    wrong = WRONG[rule]()
    findings = await found(wrong)
    broken = {finding.rule for finding in findings if not finding.passed}
    assert broken == {rule} | wrong.also
    assert all(finding.why for finding in findings)


async def test_a_right_platform_keeps_every_rule_and_none_is_left_out() -> None:
    right = Wrong(
        settings={"reply_rate": 1.0, "throttled": 0.5, "throttle_milliseconds": 1.0}, pushing=True
    )
    findings = await found(right)
    assert [finding for finding in findings if not (finding.passed and finding.checked)] == []
