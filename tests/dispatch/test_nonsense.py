"""A platform whose answers make no sense, in the middle of a campaign: no message is lost."""

import asyncio
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import pytest

from tests.dispatch.conftest import StartShow
from tests.dispatch.doubtful import SURE, added_up
from tests.dispatch.show import Show
from tests.platforms.hostile import BAD_ANSWERS, read_request, tcp_server

SEND: Final = b"POST /sms/send"
PEOPLE_A_REQUEST: Final = 4
ANSWERS: Final = len(BAD_ANSWERS)
PEOPLE: Final = ANSWERS * PEOPLE_A_REQUEST


async def ask(url: str, request: bytes) -> bytes:
    """Hand a request on and return the answer, as bytes."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port, limit=2**20)
    try:
        writer.write(request)
        return await read_request(reader)
    finally:
        writer.close()
        await writer.wait_closed()


class Between:
    """Stands before the sandbox; spoils the first answers, one by each of the bad ones.

    `lost` has how many requests never reached the sandbox before their answer was spoiled.
    """

    def __init__(self, sandbox_url: str, seed: int) -> None:
        self._sandbox_url = sandbox_url
        self._chance = random.Random(seed)
        self._bad = self._chance.sample([*BAD_ANSWERS], ANSWERS)
        self.spoiled = self.lost = 0

    async def handle(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        if not (request.startswith(SEND) and self._bad):
            writer.write(await ask(self._sandbox_url, request))
            return
        (script,) = BAD_ANSWERS[self._bad.pop()]
        self.spoiled += 1
        if self._chance.random() < 0.5:
            self.lost += 1
        else:
            await ask(self._sandbox_url, request)
        await script(writer)


@asynccontextmanager
async def spoilt(playing: Show, seed: int) -> AsyncGenerator[Between]:
    playing.timeout_seconds = 0.5
    between = Between(playing.stage.platform_url, seed)
    async with tcp_server(between.handle) as url:
        playing.stage.platform_url, right = url, playing.stage.platform_url
        yield between
        playing.stage.platform_url = right


@pytest.mark.parametrize("seed", range(2))
async def test_after_every_bad_answer_each_message_was_sent_once_where_keys_are_honoured(
    show: StartShow, seed: int
) -> None:
    playing = await show(**SURE)
    async with spoilt(playing, seed) as between:
        campaign_id = await playing.planned(PEOPLE, max_batch=PEOPLE_A_REQUEST)
        await playing.send(rounds=3 * ANSWERS)
    report, counts = await added_up(playing, campaign_id), await playing.counts()
    assert between.spoiled == ANSWERS
    assert (counts["distinct"], counts["twice"]) == (PEOPLE, 0)
    assert (report.state, report.submitted, report.in_doubt) == ("completed", PEOPLE, 0)


@pytest.mark.parametrize("seed", range(2))
async def test_after_every_bad_answer_just_those_requests_are_in_doubt_where_no_keys_are_honoured(
    show: StartShow, seed: int
) -> None:
    playing = await show(idempotency=False, **SURE)
    async with spoilt(playing, seed) as between:
        campaign_id = await playing.planned(2 * PEOPLE, max_batch=PEOPLE_A_REQUEST)
        await playing.execute("UPDATE platform SET capabilities = '{variables,click_tokens}'")
        await playing.send(rounds=3 * ANSWERS)
    report, counts = await added_up(playing, campaign_id), await playing.counts()
    assert between.spoiled == ANSWERS
    assert report.in_doubt == PEOPLE
    assert counts["twice"] == 0
    assert counts["distinct"] == 2 * PEOPLE - between.lost * PEOPLE_A_REQUEST
