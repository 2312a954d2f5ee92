"""What comes of messages is in the lake exactly once, whatever crashes, and equals the report."""

import asyncio
import inspect
from collections import Counter
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import pytest

from tests.insights.finished import SIZE, Finished
from tests.stage import Stage
from textwave.campaigns.operations import cancel_campaign, settle_cancelled
from textwave.insights import outcome_operations, outcome_store
from textwave.insights.operations import EffectReport
from textwave.insights.outcome_operations import defer_exports, export_outcomes
from textwave.insights.outcomes import TABLE
from textwave.storage.ledger import Ledger, value
from textwave.storage.warehouse import Lake

Events = list[dict[str, Any]]


@pytest.fixture
def finished(stage: Stage) -> Finished:
    return Finished(stage)


async def export(finished: Finished) -> int:
    stage = finished.stage
    return await export_outcomes(stage.ledger, stage.warehouse, workspace_id=finished.workspace_id)


async def events(finished: Finished, kind: str | None = None) -> Events:
    def read(lake: Lake) -> Events:
        return lake.table(TABLE).to_pyarrow().to_pylist() if lake.has_table(TABLE) else []

    found = await finished.stage.warehouse.run(finished.workspace_id, read)
    return [event for event in found if kind in (None, event["type"])]


async def asked(finished: Finished, statement: bytes) -> Any:
    async with finished.stage.ledger.transaction() as connection:
        cursor = await connection.execute(statement)
        row = await cursor.fetchone()
        return None if row is None else row[0]


def check_against(report: EffectReport, found: Events) -> None:
    """Hold the events against the report; no event is there twice."""
    once = [(e["type"], e["message_id"], e["result"]) for e in found if e["type"] != "clicked"]
    assert len(set(once)) == len(once)
    counted = Counter(event["type"] for event in found)
    final = [e for e in found if e["type"] in ("delivered", "failed")]
    final.sort(key=lambda event: event["result"] != "no receipt")  # silence ends with a receipt
    results = Counter({e["message_id"]: e["result"] for e in final}.values())
    delivered = results.pop(None, 0)
    clickers = {e["message_id"] for e in found if (e["type"], e["result"]) == ("clicked", "human")}
    assert (counted["sent"], delivered) == (report.submitted, report.delivered)
    assert results == report.failures
    assert Counter(e["result"] for e in found if e["type"] == "dropped") == report.drops
    assert (counted["clicked"], len(clickers)) == (report.clicks, report.clickers)
    assert (counted["replied"], counted["opted_out"]) == (report.replies, report.opt_outs)


async def test_the_events_equal_the_effect_report(finished: Finished) -> None:
    await finished.everything()
    await export(finished)
    report = await finished.report()
    assert set(report.drops) == {
        "no number", "bad number", "duplicate number", "opted out", "missing variable",
    }  # fmt: skip
    assert report.submitted < SIZE
    assert len(report.failures) >= 4
    assert report.clickers > 0 < report.opt_outs < report.replies
    check_against(report, await events(finished))


class Died(BaseException):
    """What kill -9 looks like from inside: nothing after it happens."""


STEPS = (
    (outcome_store, "begin_export"),
    (outcome_store, "hold_export"),
    (outcome_store, "events"),
    (outcome_operations, "write_events"),
    (outcome_store, "end_export"),
)


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_exporter_that_dies_at_any_step_loses_nothing_and_writes_nothing_twice(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    await finished.everything()
    monkeypatch.setattr(outcome_operations, "MESSAGES_A_ROUND", 50)
    for place, name in STEPS:
        with monkeypatch.context() as patch:
            patch.setattr(place, name, _dying(getattr(place, name), moment))
            with pytest.raises(Died):
                await export(finished)
    await export(finished)
    check_against(await finished.report(), await events(finished))
    assert await asked(finished, b"SELECT count(*) FROM outcome") == 0


def _dying(step: Any, moment: str) -> Any:
    """Return the step, which dies before it begins or after it ended, the second time it runs."""
    calls: list[int] = []

    async def die_async(*given: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 2 and moment == "before":
            raise Died
        result = await step(*given, **named)
        if len(calls) == 2:
            raise Died
        return result

    def die(*given: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 2 and moment == "before":
            raise Died
        result = step(*given, **named)
        if len(calls) == 2:
            raise Died
        return result

    return die_async if inspect.iscoroutinefunction(step) else die


async def test_an_export_that_dies_before_the_lake_commits_is_not_half_there(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    await finished.plan()

    @contextmanager
    def torn(lake: Lake) -> Any:
        lake.duckdb.execute("BEGIN TRANSACTION")
        yield
        lake.duckdb.execute("ROLLBACK")
        raise Died

    with monkeypatch.context() as patch:
        patch.setattr(Lake, "transaction", torn)
        with pytest.raises(Died):
            await export(finished)
    assert await events(finished) == []
    await export(finished)
    check_against(await finished.report(), await events(finished))


async def test_exporters_at_once_and_merges_under_way_give_each_event_once(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome_operations, "MESSAGES_A_ROUND", 50)
    await finished.plan()
    over = asyncio.Event()

    async def keep_exporting() -> None:
        while not over.is_set():
            await export(finished)
            await asyncio.sleep(0)

    exporters = [asyncio.create_task(keep_exporting()) for _ in range(2)]
    await finished.send()
    await finished.come_back()
    over.set()
    await asyncio.gather(*exporters)
    await export(finished)
    check_against(await finished.report(), await events(finished))


async def test_a_late_receipt_leaves_the_failure_before_it(finished: Finished) -> None:
    await finished.plan()
    await finished.send()
    late = (await finished.submitted())[0]
    await finished.give_up()
    await export(finished)
    await finished.receive([late], "DELIVERED")
    await export(finished)
    found = [e for e in await events(finished) if e["message_id"] == late]
    told = sorted((e["happened_at"], e["type"], e["result"]) for e in found)
    assert [row[1:] for row in told] == [
        ("sent", None), ("failed", "no receipt"), ("delivered", None),
    ]  # fmt: skip


async def test_an_event_says_who_when_and_in_which_words(finished: Finished) -> None:
    await finished.plan()
    await finished.send(bad_number=0.0, blacklisted=0.0, busy=0.0, throttled=0.0)
    waiting = await finished.submitted()
    await finished.receive(waiting[:1], "DELIVERED", reported_at=datetime(2099, 1, 1, tzinfo=UTC))
    await finished.click(waiting[:1])
    await export(finished)
    sent, delivered, *clicks = sorted(
        (e for e in await events(finished) if e["message_id"] == waiting[0]),
        key=lambda event: ["sent", "delivered", "clicked"].index(event["type"]),
    )
    answered = await asked(finished, b"SELECT answered_at AT TIME ZONE 'UTC' FROM request")
    assert sent["happened_at"] == answered
    assert delivered["happened_at"] < datetime.now(UTC).replace(tzinfo=None)
    assert {e["link"] for e in clicks} == {"sale"}
    assert {name: sent[name] for name in ("customer", "campaign", "platform", "parts")} == {
        "customer": "c0000000", "campaign": "Spring", "platform": "sandbox", "parts": 1,
    }  # fmt: skip
    assert (sent["signature"], sent["template"], sent["message_type"], sent["result"]) == (
        "Textwave", "welcome", "promotional", None,
    )  # fmt: skip


async def test_what_a_cancelled_campaign_does_not_send_has_failed(finished: Finished) -> None:
    await finished.plan()
    async with finished.stage.ledger.transaction() as connection:
        await cancel_campaign(
            connection, workspace_id=finished.workspace_id, actor="test", name="Spring"
        )
        await settle_cancelled(
            connection, workspace_id=finished.workspace_id, campaign_id=finished.campaign_id
        )
    await export(finished)
    report = await finished.report()
    failed = await events(finished, "failed")
    assert Counter(event["result"] for event in failed) == report.failures
    assert report.failures["cancelled"] == report.messages


async def test_the_table_of_events_is_one_of_behaviours_that_textwave_keeps(
    finished: Finished,
) -> None:
    await finished.plan()
    await export(finished)
    await finished.send()
    await export(finished)
    async with finished.stage.ledger.transaction() as connection:
        cursor = await connection.execute(
            "SELECT kind, customer_column, time_column, is_system, row_count FROM customer_table"
            " WHERE name = 'message_event'"
        )
        described = await cursor.fetchone()
    count = len(await events(finished))
    assert described == ("behaviours", "customer", "happened_at", True, count)


async def test_the_many_small_files_of_exports_become_few(
    finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outcome_operations, "MESSAGES_A_ROUND", 1)
    monkeypatch.setattr(outcome_operations, "EXPORTS_A_MERGE", 4)
    await finished.everything()
    before = await asked(finished, b"SELECT count(*) FROM outcome")
    await export(finished)

    def count_files(lake: Lake) -> int:
        listed = f"ducklake_list_files('lake', '{TABLE}', schema => '{lake.schema}')"
        found = lake.duckdb.execute(f"SELECT count(*) FROM {listed}").fetchone()
        return found[0] if found else 0

    files_left = await finished.stage.warehouse.run(finished.workspace_id, count_files)
    assert files_left <= 4 < before
    check_against(await finished.report(), await events(finished))


async def test_only_workspaces_with_outcomes_get_a_job_and_at_most_one(
    finished: Finished,
) -> None:
    assert await defer_exports(finished.stage.ledger) == 0
    await finished.plan()
    await defer_exports(finished.stage.ledger)
    await defer_exports(finished.stage.ledger)
    jobs = b"SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'insights.export_outcomes'"
    assert await asked(finished, jobs) == 1
    await export(finished)
    assert await defer_exports(finished.stage.ledger) == 0


async def test_the_web_login_reads_how_far_the_warehouse_is_behind(
    finished: Finished, web_ledger: Ledger
) -> None:
    await finished.plan()
    async with finished.stage.ledger.transaction() as connection:
        await connection.execute("UPDATE outcome SET noted_at = now() - interval '90 seconds'")
    async with web_ledger.transaction() as connection:
        behind = await value(connection, "SELECT seconds_behind_outcomes()")
    await export(finished)
    async with web_ledger.transaction() as connection:
        after = await value(connection, "SELECT seconds_behind_outcomes()")
    assert 90 <= behind < 120
    assert after == 0


async def test_an_upgrade_brings_what_came_of_earlier_campaigns(finished: Finished) -> None:
    await finished.everything()
    migration = files("textwave.storage.migrations").joinpath("0014.outcomes.sql").read_text()
    _, fill = migration.split("-- What is there already")
    async with finished.stage.ledger.transaction() as connection:
        await connection.execute("DELETE FROM outcome")
        await connection.execute(f"--{fill}".encode())
    await export(finished)
    check_against(await finished.report(), await events(finished))
