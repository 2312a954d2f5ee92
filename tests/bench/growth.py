"""What a message costs, planned and sent, in campaigns of 10,000, 100,000, 1 million (5 with N).

The cost is CPU of the worker and of PostgreSQL together, which other work on the machine disturbs
less than time; seconds are in the detail. The ratio is that of the biggest campaign to the cheapest
smaller one: 1 is flat. Each has a fresh installation, and a small campaign before it.
"""

import asyncio
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from tests.bench.measurement import Measurement, Place
from tests.bench.processes import Cost, completed, slow_sink, workers
from tests.bench.theatre import VARIABLES, big_stage
from tests.stage import Stage
from textwave.storage.embedded import embedded_postgres
from textwave.storage.ledger import execute, open_ledger, value
from textwave.storage.migrate import migrate
from textwave.storage.warehouse import Lake

DEFAULT_ROWS: Final = 1_000_000
SMALLER: Final = (10_000, 100_000, 1_000_000)
FEW: Final = 1_000
_MICROSECONDS: Final = 1_000_000


def measure(place: Place, rows: int | None) -> Measurement:
    """Measure campaigns of growing sizes up to so many; less is better."""
    count = rows or DEFAULT_ROWS
    sizes = [*(size for size in SMALLER if size < count), count]
    detail: dict[str, float] = {}
    costs: dict[int, float] = {}
    for size in sizes:
        with _fresh(place, size) as fresh:
            cost = _cost(fresh, size)
        costs[size] = cost.cpu_seconds / size * _MICROSECONDS
        detail |= {
            f"cpu_microseconds_{size}": round(costs[size], 2),
            f"worker_cpu_microseconds_{size}": round(
                cost.worker_cpu_seconds / size * _MICROSECONDS, 2
            ),
            f"messages_per_second_{size}": round(size / cost.seconds),
        }
    smaller = min((costs[size] for size in sizes[:-1]), default=costs[count])
    return Measurement(
        "growth",
        round(costs[count], 2),
        "µs of CPU/message",
        round(smaller, 2),
        round(costs[count] / smaller, 3),
        count,
        detail,
    )


@contextmanager
def _fresh(place: Place, size: int) -> Generator[Place, None, None]:
    """Give an installation of its own."""
    folder = place.folder.parent / f"of-{size}"
    folder.mkdir()
    cluster = embedded_postgres(folder)
    try:
        urls = cluster.start()
        migrate(urls.owner)
        yield replace(place, urls=urls, folder=folder)
    finally:
        cluster.stop()
        shutil.rmtree(cluster.cluster, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


def _cost(place: Place, size: int) -> Cost:
    with slow_sink() as url:
        asyncio.run(_prepare(place, url, size))
        with workers(place, 1) as running:
            asyncio.run(start(place, "Few"))
            completed(place, running)
            asyncio.run(start(place, "Spring"))
            cost = completed(place, running)
    asyncio.run(_check(place, FEW + size))
    return cost


async def _prepare(place: Place, url: str, size: int) -> None:
    async with big_stage(place, size, platform_url=url) as stage:
        await stage.warehouse.run(stage.founding.workspace_id, _add_few)
        await stage.campaign("Few", variables=VARIABLES)
        await stage.campaign("Spring", variables=VARIABLES)
        await _choose_few(stage)
        stage.warehouse.close()


def _add_few(lake: Lake) -> None:
    members = lake.qualified("audience_member")
    lake.duckdb.execute(f"INSERT INTO {members} SELECT 2, customer FROM {members} LIMIT {FEW}")


async def _choose_few(stage: Stage) -> None:
    """Let the small campaign go to a few of the same customers."""
    async with stage.ledger.transaction() as connection:
        audience = await value(
            connection,
            """INSERT INTO audience (workspace_id, name, table_name, rule, created_by)
               SELECT workspace_id, 'few', table_name, rule, created_by FROM audience
               RETURNING id""",
        )
        snapshot = await value(
            connection,
            """INSERT INTO snapshot (workspace_id, audience_id, size, lake_version, milliseconds)
               SELECT workspace_id, %s, %s, lake_version, 1 FROM snapshot RETURNING id""",
            [audience, FEW],
        )
        if snapshot != 2:
            raise AssertionError(snapshot)
        await execute(
            connection, "UPDATE campaign SET audience_id = %s WHERE name = 'Few'", [audience]
        )


async def start(place: Place, name: str) -> None:
    """Start a campaign as a person does."""
    from textwave.campaigns.operations import start_campaign
    from textwave.kit.clock import SystemClock
    from textwave.kit.ids import WorkspaceId

    async with open_ledger(place.urls.owner) as ledger, ledger.transaction() as connection:
        await start_campaign(
            connection,
            workspace_id=WorkspaceId(1),
            actor="bench",
            name=name,
            links_url="http://d.example.cn",
            now=SystemClock().now(),
        )


async def _check(place: Place, count: int) -> None:
    async with open_ledger(place.urls.owner) as ledger, ledger.transaction() as connection:
        submitted = await value(connection, "SELECT sum(submitted) FROM campaign_tally")
    if submitted != count:
        raise AssertionError(f"{submitted} of {count} were submitted")
