"""A connection test of an account at Alibaba Cloud, over the stand-in that checks signatures."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import aiohttp
import pytest

from tests.connections.place import GOOD, NAME, Place, served
from textwave.connections.accounts import Capability, PlatformKind, open_platform
from textwave.connections.testing import About, ConnectionTest, Verdict
from textwave.connections.testing_operations import check_connection
from textwave.platforms.aliyun_sandbox import StandInSettings, build_application
from textwave.settings import Settings

SETTINGS = StandInSettings()


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with served(build_application(SETTINGS)) as found:
        yield found


async def look(place: Place, url: str, key: str) -> ConnectionTest:
    capabilities = frozenset({Capability.SHORT_LINKS})
    await place.add(
        replace(
            GOOD,
            kind=PlatformKind.ALIYUN,
            base_url=url,
            key_id=SETTINGS.key_id,
            key=key,
            capabilities=capabilities,
        )
    )
    async with aiohttp.ClientSession() as http:
        opener = partial(open_platform, vault=place.vault, session=http, settings=Settings())
        return await check_connection(
            place.people,
            opener,
            http,
            place.vault,
            caller=place.caller,
            name=NAME,
            public_url="https://sms.example.com",
            now=datetime.now(UTC),
        )


async def test_a_good_account_passes_and_is_told_its_secret_addresses(
    place: Place, url: str
) -> None:
    found = await look(place, url, SETTINGS.key_secret)
    assert found.passed, found.checks
    addresses = set(found.addresses)
    assert addresses == {"SmsReport", "SmsUp", "SignSmsReport", "TemplateSmsReport"}


async def test_a_wrong_secret_is_said_to_be_one(place: Place, url: str) -> None:
    found = await look(place, url, "another secret")
    failed = [check.about for check in found.checks if check.verdict is Verdict.FAILED]
    assert failed == [About.AUTHENTIC]
