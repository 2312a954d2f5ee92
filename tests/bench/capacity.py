"""What a million messages take: rows and bytes by table and index, CPU, PostgreSQL's log, the lake.

A promotional campaign is planned and sent by a worker, a receipt for each message is merged, the
outcomes go to the lake, and then the month moves there. All figures of the detail are for a million
messages, so that a capacity page can be written from one line.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psutil
import psycopg

from tests.bench.growth import start
from tests.bench.measurement import Measurement, Place
from tests.bench.processes import Cost, metered, slow_sink, until, workers
from tests.bench.theatre import VARIABLES, big_stage
from textwave.insights.retention_operations import Retaining, move_old_months
from textwave.storage.ledger import open_ledger
from textwave.storage.secrets import open_vault
from textwave.storage.warehouse import Warehouse

DEFAULT_ROWS: Final = 200_000
RECEIPTS_A_CALLBACK: Final = 500
MILLION: Final = 1_000_000
_RELATIONS: Final = b"""
    SELECT regexp_replace(coalesce(t.relname, c.relname), '(_[0-9]+)+(?=_|$)', ''),
           CASE WHEN t.relname IS NOT NULL
                THEN regexp_replace(c.relname, '(_[0-9]+)+(?=_|$)', '') END,
           CASE WHEN t.relname IS NULL THEN pg_table_size(c.oid) ELSE pg_relation_size(c.oid) END
    FROM pg_class c
    LEFT JOIN pg_index i ON i.indexrelid = c.oid
    LEFT JOIN pg_class t ON t.oid = i.indrelid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'i')
      AND c.relname !~ '^(procrastinate|_yoyo|yoyo)'
"""


def measure(place: Place, rows: int | None) -> Measurement:
    """Measure so many messages; the value is the bytes that one takes in the ledger."""
    count = rows or DEFAULT_ROWS
    with slow_sink() as url:
        asyncio.run(_prepare(place, url, count))
        empty = _sizes(place)
        lake_before = _bytes_of(place.folder / "lake")
        with workers(place, 1) as running:
            costs = _lead_through(place, running)
            lake_events = _bytes_of(place.folder / "lake") - lake_before
    full = _sizes(place)
    with metered(place, [psutil.Process()]) as moving:
        asyncio.run(_move(place))
    lake_history = _bytes_of(place.folder / "lake") - lake_before - lake_events
    sizes = {name: size - empty.get(name, 0) for name, size in full.items()}
    detail = {f"bytes {name}": float(size) for name, size in sizes.items() if size > count}
    detail |= {"bytes lake message_event": lake_events, "bytes lake history": lake_history}
    for name, cost in (costs | {"move": moving[0]}).items():
        detail |= {
            f"seconds {name}": cost.seconds,
            f"worker CPU seconds {name}": cost.worker_cpu_seconds,
            f"PostgreSQL CPU seconds {name}": cost.postgres_cpu_seconds,
            f"bytes WAL {name}": cost.wal_bytes,
        }
    total = sum(size for name, size in sizes.items() if not name.startswith("callback_inbox"))
    per_million = {name: round(value * MILLION / count, 2) for name, value in detail.items()}
    return Measurement(
        "capacity", round(total / count, 1), "bytes/message", None, None, count, per_million
    )


async def _prepare(place: Place, url: str, count: int) -> None:
    async with big_stage(place, count, platform_url=url) as stage:
        await stage.campaign(variables=VARIABLES)
        stage.warehouse.close()


def _lead_through(place: Place, running: list[psutil.Process]) -> dict[str, Cost]:
    """Plan, send, take receipts and export; return what each cost."""
    costs: dict[str, Cost] = {}
    with metered(place, running) as cost:
        asyncio.run(start(place, "Spring"))
        until(place, "SELECT EXISTS (SELECT FROM campaign WHERE planned_at IS NOT NULL)")
    costs["plan"] = cost[0]
    with metered(place, running) as cost:
        until(place, "SELECT EXISTS (SELECT FROM campaign WHERE state = 'completed')")
        until(place, "SELECT NOT EXISTS (SELECT FROM outcome)")
    costs["send and export"] = cost[0]
    with metered(place, running) as cost:
        _report_all(place)
        until(place, "SELECT NOT EXISTS (SELECT FROM callback_inbox WHERE merged_at IS NULL)")
        until(place, "SELECT NOT EXISTS (SELECT FROM outcome)")
    costs["receipts and export"] = cost[0]
    return costs


def _report_all(place: Place) -> None:
    """Store a receipt for every message, as the web process does."""
    with psycopg.connect(place.urls.owner, autocommit=True) as connection:
        for body in _receipts(connection):
            connection.execute("SELECT store_callback(1, 'receipts', %s)", [body])
        connection.execute(
            "SELECT defer_jobs(%s::jsonb)",
            [
                json.dumps(
                    [
                        {
                            "task": "responses.merge_receipts",
                            "queue": "responses",
                            "args": {},
                            "queueing_lock": "responses.merge_receipts",
                            "priority": 0,
                        }
                    ]
                )
            ],
        )


def _receipts(connection: psycopg.Connection) -> Iterator[bytes]:
    reported = datetime.now(UTC).isoformat()
    with connection.transaction(), connection.cursor("ids") as cursor:
        cursor.execute("SELECT id, mobile FROM message ORDER BY id")
        while rows := cursor.fetchmany(RECEIPTS_A_CALLBACK):
            yield json.dumps(
                [
                    {
                        "messageId": str(message_id),
                        "phoneNumber": str(mobile)[2:],
                        "status": "DELIVERED",
                        "errorCode": "",
                        "parts": 1,
                        "reportedAt": reported,
                    }
                    for message_id, mobile in rows
                ]
            ).encode()


async def _move(place: Place) -> None:
    """Move the month to the warehouse, as a worker does two years later."""
    today = (datetime.now(UTC) + timedelta(days=700)).date()
    folder = place.folder
    warehouse = Warehouse(place.urls.owner, f"{folder}/lake/", folder / "spill", 2000, 0)
    try:
        async with open_ledger(place.urls.owner) as ledger:
            vault = open_vault(folder)
            (moved,) = await move_old_months(Retaining(ledger, warehouse, vault, 13), today=today)
        if moved.held_up:
            raise AssertionError(moved)
    finally:
        warehouse.close()


def _sizes(place: Place) -> dict[str, int]:
    """Return the bytes of each table and index; partitions under the name of their table."""
    with psycopg.connect(place.urls.owner, autocommit=True) as connection:
        found = connection.execute(_RELATIONS).fetchall()
    return {table if index is None else f"{table}.{index}": size for table, index, size in found}


def _bytes_of(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
