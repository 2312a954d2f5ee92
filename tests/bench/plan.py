"""How many recipients a second are planned: three variables, a token link, two opt-out lists.

The baseline is a COPY of the same message rows into an empty table by ADBC.
"""

import asyncio
import time

import adbc_driver_postgresql.dbapi as adbc
import psycopg
import pyarrow as pa

from tests.bench.measurement import Measurement, Place
from tests.bench.theatre import VARIABLES, add_opt_outs, big_stage

DEFAULT_ROWS = 1_000_000


def measure(place: Place, rows: int | None) -> Measurement:
    """Plan a campaign for so many customers; more is better."""
    count = rows or DEFAULT_ROWS
    seconds = asyncio.run(_plan(place, count))
    baseline_seconds, written = _copy(place)
    detail = {"seconds": round(seconds, 3), "messages": written}
    rate, baseline = count / seconds, written / baseline_seconds
    return Measurement(
        "plan",
        round(rate),
        "recipients/s",
        round(baseline),
        round(rate / baseline, 3),
        count,
        detail,
    )


async def _plan(place: Place, count: int) -> float:
    async with big_stage(place, count, platform_url="http://127.0.0.1:9") as stage:
        await add_opt_outs(stage, count)
        campaign_id = await stage.campaign(variables=VARIABLES)
        await stage.start()
        began = time.perf_counter()
        await stage.plan(campaign_id)
        return time.perf_counter() - began


def _copy(place: Place) -> tuple[float, int]:
    table = _messages(place)
    with psycopg.connect(place.urls.owner, autocommit=True) as connection:
        connection.execute("CREATE TABLE copied (LIKE message)")
    with adbc.connect(place.urls.owner) as connection, connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.adbc_ingest("copied", table.to_reader(), mode="append")
        connection.commit()
        return time.perf_counter() - began, len(table)


def _messages(place: Place) -> pa.Table:
    columns = "id, workspace_id, campaign_id, mobile, customer, variables, parts"
    with adbc.connect(place.urls.owner) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM message")
        return cursor.fetch_arrow_table()
