"""How sending grows with worker processes: 1, 2 and 4 over a platform that answers in 50 ms.

Each worker has eight requests open at most, so that one cannot fill the machine. The value is what
the most workers send, the baseline what one does: near linear until the cores are full.
"""

import asyncio
from typing import Final

from tests.bench.measurement import Measurement, Place
from tests.bench.processes import completed, slow_sink, workers
from tests.bench.theatre import VARIABLES, big_stage
from tests.stage import Stage
from textwave.storage.ledger import open_ledger, value

DEFAULT_ROWS: Final = 200_000
ANSWER_MILLISECONDS: Final = 50
COUNTS: Final = (1, 2, 4)
FEW_AT_ONCE: Final = {"TEXTWAVE_SERVING_CONCURRENCY": "2", "TEXTWAVE_SEND_CONCURRENCY": "4"}


def measure(place: Place, rows: int | None) -> Measurement:
    """Send a notification campaign of so many messages with each number of workers."""
    count = rows or DEFAULT_ROWS
    with slow_sink(ANSWER_MILLISECONDS) as url:
        rates = asyncio.run(_rates(place, url, count))
    most, one = rates[COUNTS[-1]], rates[COUNTS[0]]
    detail = {f"messages_per_second_{number}": float(round(rates[number])) for number in COUNTS}
    return Measurement(
        "workers", round(most), "messages/s", round(one), round(most / one, 3), count, detail
    )


async def _rates(place: Place, url: str, count: int) -> dict[int, float]:
    rates: dict[int, float] = {}
    async with big_stage(place, count, platform_url=url, message_type="notification") as stage:
        for number in COUNTS:
            rates[number] = count / await _seconds(place, stage, f"With {number}", number)
    return rates


async def _seconds(place: Place, stage: Stage, name: str, number: int) -> float:
    """Return the seconds from the end of planning to the last message."""
    await stage.campaign(name, message_type="notification", variables=VARIABLES)
    with workers(place, number, FEW_AT_ONCE) as running:
        await stage.start(name)
        await asyncio.to_thread(completed, place, running)
    async with open_ledger(place.urls.owner) as ledger, ledger.transaction() as connection:
        seconds: float = await value(
            connection,
            """SELECT extract(epoch FROM completed_at - planned_at)::float8
               FROM campaign WHERE name = %s""",
            [name],
        )
    return seconds
