"""A big campaign for benchmarks: a customer table of N rows in the lake, ready to be planned."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress

from procrastinate import App

from tests.bench.measurement import Place
from tests.stage import SHANGHAI, Stage
from textwave.accounts.operations import found
from textwave.storage.ledger import Ledger, execute, open_ledger, value
from textwave.storage.secrets import open_vault
from textwave.storage.warehouse import Lake, Warehouse
from textwave.worker.process import collect_rarely

TEXT = (
    "Dear ${name}, as a level ${level} member in ${city} you get 20 % off until Sunday: "
    "http://d.example.cn/abc123/${sp_link} 拒收请回复R"
)
VARIABLES = {
    "name": {"column": "first_name"},
    "level": {"column": "level"},
    "city": {"column": "city", "missing": "default", "default": "town"},
}


@asynccontextmanager
async def big_stage(
    place: Place, rows: int, *, platform_url: str, message_type: str = "promotional"
) -> AsyncGenerator[Stage, None]:
    """Open a stage with so many customers, all in the audience, each with a number."""
    warehouse = Warehouse(
        place.urls.owner, f"{place.folder}/lake/", place.folder / "spill", 2000, 0
    )
    async with open_ledger(place.urls.owner) as ledger:
        vault = open_vault(place.folder)
        stage = Stage(ledger, warehouse, vault, await found(ledger, vault), platform_url)
        content = TEXT if message_type == "promotional" else TEXT.replace(" 拒收请回复R", "")
        await stage.set([], content=content, message_type=message_type)
        await warehouse.run(stage.founding.workspace_id, lambda lake: _fill(lake, rows))
        async with ledger.transaction() as connection:
            await execute(connection, "UPDATE snapshot SET size = %s", [rows])
            await execute(
                connection,
                "UPDATE customer_table SET columns = columns || %s::jsonb",
                ['[{"name": "city", "type": "text"}]'],
            )
        yield stage


async def work_until_completed(app: App, ledger: Ledger, concurrency: int) -> None:
    """Run jobs of campaigns and dispatch, as a worker does, until the only one is completed."""
    collect_rarely()
    working = asyncio.create_task(
        app.run_worker_async(
            queues=["campaigns", "dispatch"],
            concurrency=concurrency,
            install_signal_handlers=False,
            delete_jobs="successful",
        )
    )
    state = ""
    while state != "completed":
        await asyncio.wait([working], timeout=0.05)
        if working.done():
            raise AssertionError(f"the worker ended while the campaign was {state}")
        async with ledger.transaction() as connection:
            state = await value(connection, "SELECT state FROM campaign")
    working.cancel()
    with suppress(asyncio.CancelledError):
        await working


def _fill(lake: Lake, rows: int) -> None:
    table, members = lake.qualified("customers"), lake.qualified("audience_member")
    lake.duckdb.execute(f"DROP TABLE {table}")
    # numbers in no order: a multiplicative walk over 9 digits
    lake.duckdb.execute(
        f"""CREATE TABLE {table} AS SELECT 'c' || i AS customer_id, '' AS mobile,
            ['Li', '王小明', 'Zhang', 'Anna'][1 + i % 4] AS first_name,
            (1 + i % 5)::DOUBLE AS level, ['Shanghai', 'Hangzhou', NULL][1 + i % 3] AS city,
            {SHANGHAI} + (i * 7919) % 999999937 AS textwave_mobile, false AS textwave_bad_mobile
        FROM range({rows}) t(i)"""
    )
    lake.duckdb.execute(f"INSERT INTO {members} SELECT 1, customer_id FROM {table}")


async def add_opt_outs(stage: Stage, rows: int) -> None:
    """Two lists: one number in a hundred for the campaign's signature, as many for another."""
    async with stage.ledger.transaction() as connection:
        await execute(
            connection,
            """INSERT INTO signature (workspace_id, platform_id, name, state)
               SELECT workspace_id, platform_id, 'Other', 'approved' FROM signature""",
        )
        await execute(
            connection,
            """INSERT INTO opt_out (workspace_id, signature_id, mobile, source)
               SELECT s.workspace_id, s.id, %s + (i::bigint * 7919) %% 999999937, 'import'
               FROM signature s, generate_series(0, %s, 100) AS i""",
            [SHANGHAI, rows],
        )
