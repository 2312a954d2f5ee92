"""A process that moves a month is killed as soon as each step can be seen from outside."""

import asyncio
import multiprocessing
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from tests.insights.finished import Finished
from tests.insights.test_retention_operations import end, here, move, there
from tests.stage import Stage
from textwave.insights.retention_operations import Retaining, move_old_months
from textwave.storage.ledger import open_ledger
from textwave.storage.secrets import open_vault
from textwave.storage.warehouse import Warehouse

PATIENCE_SECONDS = 60.0
LATER = datetime.now(UTC).date() + timedelta(days=200)
SEEN = (
    "SELECT EXISTS (SELECT FROM message_month WHERE sealed_at IS NOT NULL)",
    "SELECT EXISTS (SELECT FROM campaign_history)",
    "SELECT EXISTS (SELECT FROM message_month WHERE dropped_at IS NOT NULL)",
)


def _move(url: str, lake: str, folder: Path, today: date) -> None:
    async def move_all() -> None:
        warehouse = Warehouse(url, lake, folder / "spill", 300, 1)
        async with open_ledger(url) as ledger:
            await move_old_months(Retaining(ledger, warehouse, open_vault(folder), 3), today=today)

    asyncio.run(move_all())


@pytest.mark.slow
async def test_a_month_survives_kills_at_every_step(stage: Stage, tmp_path: Path) -> None:
    finished = Finished(stage)
    await finished.everything()
    await end(finished)
    before, report = await here(finished), await finished.report()
    lake = stage.warehouse.data_path
    for seen in SEEN:
        await asyncio.to_thread(_kill_when, seen, stage.ledger.url, lake, tmp_path)
    await move(finished)
    assert await there(finished) == before
    assert await here(finished) == ([], [])
    assert await finished.report() == report


def _kill_when(seen: str, url: str, lake: str, folder: Path) -> None:
    """Start the process, and kill it when the database says so, or when it has ended."""
    process = multiprocessing.get_context("spawn").Process(
        target=_move, args=(url, lake, folder, LATER)
    )
    process.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    with psycopg.connect(url, autocommit=True) as connection:
        while process.is_alive():
            row = connection.execute(seen.encode()).fetchone()
            if row and row[0]:
                break
            assert time.monotonic() < deadline
    process.kill()
    process.join()
