"""How many notifications a second one worker process sends, 100 a request, through the job engine.

The platform is the leanest possible one, in a process of its own. The baseline is a bare aiohttp
loop that posts the same requests to it, written out before.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager

import aiohttp
import uvloop

from tests.bench.measurement import Measurement, Place
from tests.bench.theatre import VARIABLES, big_stage, work_until_completed
from tests.stage import Stage
from textwave.content.tokens import TokenKey
from textwave.content.variables import parse
from textwave.dispatch.requests import Recipient, Request, Text, click_tokens, compose
from textwave.platforms.contract import MessageType
from textwave.platforms.sandbox.sink import SinkSettings, serve_sink
from textwave.platforms.thirdparty.wire import encode_send
from textwave.settings import Settings
from textwave.storage.ledger import value
from textwave.wiring import open_runtime
from textwave.worker.process import job_app

DEFAULT_ROWS = 300_000
CONCURRENCY = 16


def measure(place: Place, rows: int | None) -> Measurement:
    """Send a notification campaign of so many messages; more is better."""
    return measured("dispatch-notify", place, rows or DEFAULT_ROWS, MessageType.notification)


async def nothing_more(stage: Stage, count: int) -> None:
    """Leave the stage as it is."""


def measured(
    name: str,
    place: Place,
    count: int,
    message_type: MessageType,
    prepare: Callable[[Stage, int], Awaitable[None]] = nothing_more,
) -> Measurement:
    """Send a campaign of so many messages; `prepare` furnishes the stage before it starts."""
    with sink() as url:
        seconds, bodies = uvloop.run(_send(place, url, count, message_type, prepare))
        baseline_seconds = uvloop.run(_post(url, bodies))
    rate, baseline = count / seconds, count / baseline_seconds
    return Measurement(
        name,
        round(rate),
        "messages/s",
        round(baseline),
        round(rate / baseline, 3),
        count,
        {"seconds": round(seconds, 3), "baseline_seconds": round(baseline_seconds, 3)},
    )


@contextmanager
def sink() -> Generator[str, None, None]:
    """Run the sink in a process of its own."""
    context = multiprocessing.get_context("spawn")
    addresses = context.Queue()
    process = context.Process(target=_serve, args=(addresses.put,), daemon=True)
    process.start()
    try:
        yield addresses.get(timeout=60)
    finally:
        process.terminate()
        process.join()


def _serve(ready: Callable[[str], None]) -> None:
    uvloop.run(serve_sink(SinkSettings(name="sandbox"), ready=ready))


async def _send(
    place: Place,
    url: str,
    count: int,
    message_type: MessageType,
    prepare: Callable[[Stage, int], Awaitable[None]],
) -> tuple[float, list[bytes]]:
    async with big_stage(place, count, platform_url=url, message_type=message_type) as stage:
        await prepare(stage, count)
        campaign_id = await stage.campaign(message_type=message_type, variables=VARIABLES)
        await stage.start()
        await stage.plan(campaign_id)
        settings = Settings(data=place.folder)
        async with open_runtime(settings, place.urls, role="owner", connections=16) as runtime:
            app = job_app(runtime, place.urls)
            async with app.open_async():
                began = time.perf_counter()
                await work_until_completed(app, stage.ledger, settings.serving_concurrency)
                seconds = time.perf_counter() - began
        async with stage.ledger.transaction() as connection:
            submitted = await value(connection, "SELECT submitted FROM campaign_tally")
            if submitted != count:
                raise AssertionError(f"{submitted} of {count} were submitted")
            cursor = await connection.execute(
                "SELECT id, mobile, variables FROM message ORDER BY id", binary=True
            )
            recipients = [Recipient(*row) for row in await cursor.fetchall()]
            content = await value(connection, "SELECT content FROM campaign")
    text = Text(
        "bench",
        1,
        "Textwave",
        "T1",
        message_type,
        parse(content),
        TokenKey(1, b"0" * 32),
    )
    token_of = click_tokens(text, recipients)
    bodies = [
        encode_send(
            compose(text, Request(i, 0, 0, 0, None, 100), recipients[i : i + 100], token_of)
        )
        for i in range(0, len(recipients), 100)
    ]
    return seconds, bodies


async def _post(url: str, bodies: list[bytes]) -> float:
    waiting = iter(bodies)
    async with aiohttp.ClientSession() as session:

        async def post() -> None:
            for body in waiting:
                headers = {"content-type": "application/json"}
                async with session.post(f"{url}/sms/send", data=body, headers=headers) as answer:
                    await answer.read()

        began = time.perf_counter()
        await asyncio.gather(*(post() for _ in range(CONCURRENCY)))
        return time.perf_counter() - began
