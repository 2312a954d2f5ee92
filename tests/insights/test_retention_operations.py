"""Old months move to the warehouse whole, once, and only when nothing in them is open."""

import inspect
from datetime import UTC, date, datetime, timedelta
from typing import Any, LiteralString

import psycopg
import pytest

from tests.insights.finished import Finished
from tests.stage import SHANGHAI, Stage
from textwave.campaigns.moved_store import MessagesMoved
from textwave.insights import history_store, retention_operations
from textwave.insights.history import DROPS, MESSAGES, number_key
from textwave.insights.outcome_operations import export_outcomes
from textwave.insights.retention import HeldUp, RetentionRunning
from textwave.insights.retention_operations import MovedMonth, Retaining, move_old_months
from textwave.insights.store import recount
from textwave.insights.why_operations import why
from textwave.kit.mobile import Mobile
from textwave.storage.ledger import Ledger
from textwave.storage.warehouse import Lake

Rows = list[dict[str, Any]]
MONTH = datetime.now(UTC).date().replace(day=1)
LATER = MONTH + timedelta(days=200)


@pytest.fixture
async def finished(stage: Stage) -> Finished:
    """A campaign of which everything came back, and all messages are final."""
    finished = Finished(stage)
    await finished.everything()
    return finished


async def end(finished: Finished) -> None:
    """Bring all outcomes into the lake."""
    await export_outcomes(
        finished.stage.ledger, finished.stage.warehouse, workspace_id=finished.workspace_id
    )


def retaining(stage: Stage, *, months: int = 3) -> Retaining:
    return Retaining(stage.ledger, stage.warehouse, stage.vault, months, pause_seconds=0)


async def move(finished: Finished, *, today: date = LATER, months: int = 3) -> list[MovedMonth]:
    return await move_old_months(retaining(finished.stage, months=months), today=today)


async def asked(ledger: Ledger, statement: LiteralString) -> list[tuple[Any, ...]]:
    async with ledger.transaction() as connection:
        return await (await connection.execute(statement)).fetchall()


async def here(finished: Finished) -> tuple[Rows, Rows]:
    """Return what the ledger has of messages and drops, as the history should have it."""
    messages = await asked(
        finished.stage.ledger,
        """SELECT id, campaign_id, customer, mobile % 10000, parts, state, cause,
                  finished_at AT TIME ZONE 'UTC', clicked_at AT TIME ZONE 'UTC'
           FROM message_state ORDER BY id""",
    )
    drops = await asked(
        finished.stage.ledger,
        """SELECT id, campaign_id, customer, mobile % 10000, reason, dropped_at AT TIME ZONE 'UTC'
           FROM message_drop ORDER BY id""",
    )
    names = ("message_id", "campaign_id", "customer", "last_digits", "parts", "state", "cause",
             "finished_at", "clicked_at")  # fmt: skip
    of_drops = ("drop_id", "campaign_id", "customer", "last_digits", "reason", "dropped_at")
    return (
        [dict(zip(names, row, strict=True)) for row in messages],
        [dict(zip(of_drops, row, strict=True)) for row in drops],
    )


async def there(finished: Finished) -> tuple[Rows, Rows]:
    """Return what the lake has of messages and drops, but for month and hash."""

    def read(lake: Lake) -> tuple[Rows, Rows]:
        found: list[Rows] = []
        for table in (MESSAGES, DROPS):
            rows = lake.table(table.name).drop("month", "number_hash").to_pyarrow()
            found.append(rows.sort_by(next(iter(rows.column_names))).to_pylist())
        return found[0], found[1]

    return await finished.stage.warehouse.run(finished.workspace_id, read)


async def test_what_left_the_ledger_is_in_the_warehouse_row_by_row(finished: Finished) -> None:
    await end(finished)
    before, report = await here(finished), await finished.report()
    done = await move(finished)
    assert done == [MovedMonth(MONTH, report.messages, sum(report.drops.values()))]
    assert await there(finished) == before
    assert await here(finished) == ([], [])


async def test_the_report_stays_as_it_was(finished: Finished) -> None:
    await end(finished)
    before = await finished.report()
    await move(finished)
    assert await finished.report() == before
    left = (
        "SELECT (SELECT count(*) FROM request), (SELECT count(*) FROM batch), count(*) FROM click"
    )
    assert await asked(finished.stage.ledger, left) == [(0, 0, 0)]


async def test_what_needs_the_rows_says_that_they_were_moved(finished: Finished) -> None:
    await end(finished)
    await move(finished)
    async with finished.stage.ledger.transaction() as connection:
        with pytest.raises(MessagesMoved, match=f"{MONTH:%Y-%m}"):
            await recount(connection, finished.campaign_id)
        asked_why = await why(
            connection,
            workspace_id=finished.workspace_id,
            mobile=Mobile(SHANGHAI + 70),
            now=datetime.now(UTC),
        )
    assert (asked_why.moved_until, asked_why.sent) == (MONTH, ())


async def test_a_month_with_open_messages_stays_and_says_so(stage: Stage) -> None:
    finished = Finished(stage)
    await finished.plan()
    await finished.send()
    before = await here(finished)
    assert await move(finished) == [MovedMonth(MONTH, held_up=HeldUp.MESSAGES)]
    assert await here(finished) == before
    async with finished.stage.ledger.transaction() as connection:
        shown = await history_store.shown(connection, finished.workspace_id)
    assert (shown[0].held_up, list(shown[0].waits_for)) == (HeldUp.MESSAGES, ["Spring"])


async def test_a_month_waits_until_its_outcomes_are_exported(finished: Finished) -> None:
    assert await move(finished) == [MovedMonth(MONTH, held_up=HeldUp.OUTCOMES)]


async def test_a_month_with_a_campaign_under_way_stays(finished: Finished) -> None:
    await end(finished)
    async with finished.stage.ledger.transaction() as connection:
        await connection.execute("UPDATE campaign SET state = 'paused'")
    assert await move(finished) == [MovedMonth(MONTH, held_up=HeldUp.CAMPAIGNS)]


async def test_numbers_can_be_found_but_not_read(finished: Finished) -> None:
    await end(finished)
    (found,) = await asked(finished.stage.ledger, "SELECT id, mobile FROM message LIMIT 1")
    message_id, mobile = found
    await move(finished)
    key = number_key(finished.stage.vault.key, finished.workspace_id)

    def search(lake: Lake) -> list[Any]:
        columns = lake.duckdb.sql(f"SELECT * FROM {lake.qualified(MESSAGES.name)}").columns
        assert not {"mobile", "variables"} & set(columns)
        return lake.duckdb.execute(
            f"SELECT message_id FROM {lake.qualified(MESSAGES.name)} WHERE number_hash = "
            "('0x' || substr(sha256($key || $mobile), 1, 15))::BIGINT",
            {"key": key, "mobile": str(mobile)},
        ).fetchall()

    found_ids = await finished.stage.warehouse.run(finished.workspace_id, search)
    assert found_ids == [(message_id,)]


class Died(BaseException):
    """What kill -9 looks like from inside: nothing after it happens."""


STEPS = (
    (history_store, "seal"),
    (retention_operations, "copy_history"),
    (history_store, "add_history"),
    (history_store, "drop_month"),
    (history_store, "clear"),
    (history_store, "note_cleared"),
)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_run_that_dies_at_any_step_loses_nothing_and_writes_nothing_twice(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    await end(finished)
    before, report = await here(finished), await finished.report()
    for place, name in STEPS:
        with monkeypatch.context() as patch:
            patch.setattr(place, name, _dying(getattr(place, name), moment))
            with pytest.raises(Died):
                await move(finished)
    await move(finished)
    assert await there(finished) == before
    assert await here(finished) == ([], [])
    assert await finished.report() == report
    known = "SELECT count(*) FROM message_month WHERE cleared_at IS NOT NULL"
    assert await asked(finished.stage.ledger, known) == [(1,)]


def _dying(step: Any, moment: str) -> Any:
    """Return the step, which dies before it begins, or after it has ended."""

    async def die_async(*given: Any, **named: Any) -> Any:
        if moment == "after":
            await step(*given, **named)
        raise Died

    def die(*given: Any, **named: Any) -> Any:
        if moment == "after":
            step(*given, **named)
        raise Died

    return die_async if inspect.iscoroutinefunction(step) else die


async def test_a_copy_that_differs_is_found_and_made_again_before_anything_is_dropped(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    await end(finished)
    before = await here(finished)
    with monkeypatch.context() as patch:
        patch.setattr(history_store, "add_history", _dying(history_store.add_history, "before"))
        with pytest.raises(Died):
            await move(finished)

    def spoil(lake: Lake) -> None:
        name = lake.qualified(MESSAGES.name)
        lake.duckdb.execute(f"UPDATE {name} SET cause = 'x' WHERE last_digits = 21")

    await finished.stage.warehouse.run(finished.workspace_id, spoil)
    await move(finished)
    assert await there(finished) == before


async def test_a_row_that_belongs_to_no_campaign_keeps_its_month(finished: Finished) -> None:
    await end(finished)
    async with finished.stage.ledger.transaction() as connection:
        await connection.execute(
            """INSERT INTO message (id, workspace_id, campaign_id, mobile, customer, parts,
                                    variables, state)
               SELECT last_message_id + 1, workspace_id, id, 1, 'x', 1, '{}', 'failed'
               FROM campaign"""
        )
    assert await move(finished) == [MovedMonth(MONTH, held_up=HeldUp.DIFFERENT)]
    assert len((await here(finished))[0]) > 1


async def test_a_receipt_that_comes_while_a_month_moves_changes_nothing(
    finished: Finished,
) -> None:
    await end(finished)
    before = await here(finished)
    async with finished.stage.ledger.transaction() as connection:
        await history_store.note(connection, MONTH, None)
        await history_store.seal(connection, MONTH)
        cursor = await connection.execute("SELECT id FROM message_state WHERE cause = 'no receipt'")
        silent = [row[0] for row in await cursor.fetchall()]
    report = await finished.report()
    await finished.receive(silent, "DELIVERED")
    assert silent
    assert await finished.report() == report
    await move(finished)
    assert await there(finished) == before


async def test_a_month_that_may_stay_after_all_can_change_again(finished: Finished) -> None:
    await end(finished)
    async with finished.stage.ledger.transaction() as connection:
        await history_store.note(connection, MONTH, None)
        await history_store.seal(connection, MONTH)
    assert await move(finished, months=0) == []
    async with finished.stage.ledger.transaction() as connection:
        changed = await connection.execute("UPDATE message SET customer = 'y'")
        assert changed.rowcount > 0
    before = await here(finished)
    await move(finished)
    assert await there(finished) == before


async def test_tables_in_use_are_not_waited_for(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    await end(finished)
    monkeypatch.setattr(retention_operations, "_TRIES", 2)
    async with await psycopg.AsyncConnection.connect(finished.stage.ledger.url) as busy:
        await busy.execute("SELECT count(*) FROM message")
        assert await move(finished) == [MovedMonth(MONTH, held_up=HeldUp.BUSY)]
    assert [one.held_up for one in await move(finished)] == [None]


async def test_one_run_at_a_time(finished: Finished) -> None:
    async with history_store.only_run(finished.stage.ledger.url):
        with pytest.raises(RetentionRunning):
            await move(finished)


async def test_a_workspace_sees_its_own_months_only(finished: Finished, web_ledger: Ledger) -> None:
    await end(finished)
    await move(finished)
    async with web_ledger.transaction(finished.workspace_id) as connection:
        (mine,) = await history_store.shown(connection, finished.workspace_id)
    assert mine.exported == mine.messages + mine.drops > 0
    assert mine.dropped_at is not None
    async with web_ledger.transaction(finished.workspace_id) as connection:
        cursor = await connection.execute("SELECT set_config('textwave.workspace', '99', true)")
        await cursor.fetchone()
        assert await history_store.shown(connection, finished.workspace_id) == []
