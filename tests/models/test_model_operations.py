"""Named models over a small shop: made by the web role, computed by a worker, named by rules."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from textwave.audiences.operations import create_audience
from textwave.audiences.rule import read_rule
from textwave.kit.clock import FixedClock
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.models import aipl_operations, operations, store
from textwave.models.aipl import read_aipl
from textwave.models.definition import read_definition
from textwave.models.operations import Days, DaysUnfit, ModelInUse, Refreshing, RefreshOvertaken
from textwave.models.refresh_operations import defer_due_models, refresh_models_after_import
from textwave.models.rfm_store import RFM_SCORES
from textwave.storage import progress
from textwave.storage.ledger import Ledger
from textwave.storage.warehouse import Lake, Warehouse

NOW = datetime(2026, 3, 10, 4, 30, tzinfo=UTC)
TODAY = date(2026, 3, 10)
RFM = read_definition({"table": "orders", "quantiles": 2})
BOUGHT = {"kind": "orders", "table": "orders"}
NOBODY = {"kind": "not", "of": {"kind": "all", "of": []}}
AIPL = read_aipl(
    {
        "table": "customers",
        "stages": {
            "aware": {"kind": "all", "of": []},
            "interested": NOBODY,
            "purchased": BOUGHT,
            "loyal": BOUGHT | {"operator": "at_least", "value": 2},
        },
    }
)


@pytest.fixture
async def refreshing(ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId) -> Refreshing:
    """A shop of three customers: a bought twice, b once, c never."""
    described: dict[str, tuple[str, dict[str, str], str, str | None, str | None]] = {
        "customers": ("customers", {"id": "text"}, "id", None, None),
        "orders": (
            "orders",
            {"buyer": "text", "paid_at": "time", "amount": "number"},
            "buyer",
            "paid_at",
            "amount",
        ),
    }
    async with ledger.transaction() as connection:
        for name, (kind, columns, customer, time, amount) in described.items():
            await connection.execute(
                "INSERT INTO customer_table (workspace_id, name, kind, columns, customer_column,"
                " time_column, amount_column) VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [
                    workspace_id,
                    name,
                    kind,
                    Jsonb([{"name": column, "type": of} for column, of in columns.items()]),
                    customer,
                    time,
                    amount,
                ],
            )
    await warehouse.run(workspace_id, _fill)
    return Refreshing(ledger, warehouse, FixedClock(NOW), workspace_id)


def _fill(lake: Lake) -> None:
    lake.duckdb.execute(
        f"CREATE TABLE {lake.qualified('customers')} AS SELECT unnest(['a', 'b', 'c']) AS id"
    )
    lake.duckdb.execute(
        f"CREATE TABLE {lake.qualified('orders')} AS "
        "SELECT * FROM (VALUES ('a', TIMESTAMP '2026-03-01 02:00', 10.0::DOUBLE), "
        "('a', TIMESTAMP '2026-03-09 02:00', 20.0), ('b', TIMESTAMP '2026-03-05 02:00', 5.0)) "
        "t(buyer, paid_at, amount)"
    )


async def make(
    ledger: Ledger, workspace_id: WorkspaceId, name: str, definition: Any, refresh: str = ""
) -> store.Model:
    async with ledger.transaction(workspace_id) as connection:
        return await operations.create_model(
            connection,
            workspace_id=workspace_id,
            actor="tests",
            name=name,
            definition=definition,
            now=NOW,
            refresh=refresh,
        )


async def read(refreshing: Refreshing, name: str) -> store.Model:
    async with refreshing.ledger.transaction(refreshing.workspace_id) as connection:
        return await store.model(connection, refreshing.workspace_id, name)


async def runs_in_lake(refreshing: Refreshing) -> Sequence[int]:
    def work(lake: Lake) -> Sequence[int]:
        runs: Any = lake.table(RFM_SCORES).select("run_id").distinct().to_pyarrow()
        return sorted(runs["run_id"].to_pylist())

    return await refreshing.warehouse.run(refreshing.workspace_id, work)


async def test_a_model_made_by_the_web_role_is_scored_by_a_worker(
    refreshing: Refreshing, web_ledger: Ledger
) -> None:
    await make(web_ledger, refreshing.workspace_id, "worth", RFM)

    result = await operations.refresh_model(refreshing, "worth")

    model = await read(refreshing, "worth")
    assert (model.day, model.refresh_problem) == (TODAY, None)
    assert model.result is not None
    assert model.result["types"] == result["types"]
    assert (result["users"], result["orders"], result["amount"]) == (2, 3, 35.0)


async def test_only_rows_of_the_two_newest_runs_stay_in_the_lake(refreshing: Refreshing) -> None:
    await make(refreshing.ledger, refreshing.workspace_id, "worth", RFM)
    runs: list[int | None] = []
    for _ in range(3):
        await operations.refresh_model(refreshing, "worth")
        runs.append((await read(refreshing, "worth")).run_id)

    assert await runs_in_lake(refreshing) == runs[1:]


async def test_rows_of_a_run_that_crashed_are_removed_and_those_under_way_are_not(
    refreshing: Refreshing,
) -> None:
    workspace_id = refreshing.workspace_id
    crashed = await make(refreshing.ledger, workspace_id, "crashed", RFM)
    under_way = await make(refreshing.ledger, workspace_id, "under way", RFM)
    async with refreshing.ledger.transaction(workspace_id) as connection:
        running = await store.begin_run(connection, workspace_id, under_way.id)
    await operations.refresh_model(refreshing, "crashed")
    kept = (await read(refreshing, "crashed")).run_id
    insert = "INSERT INTO {} SELECT {}, 'a', 1, 1, 1.0, 1, 1, 1, 'HHH'"

    def work(lake: Lake) -> None:
        for run in (running, 1_000_000):
            lake.duckdb.execute(insert.format(lake.qualified(RFM_SCORES), run))

    await refreshing.warehouse.run(workspace_id, work)
    await operations.sweep(refreshing.ledger, refreshing.warehouse, workspace_id, crashed.kind)

    assert await runs_in_lake(refreshing) == sorted(filter(None, [running, kept]))


async def test_a_refresh_that_another_one_overtook_leaves_no_run(refreshing: Refreshing) -> None:
    workspace_id = refreshing.workspace_id
    model = await make(refreshing.ledger, workspace_id, "worth", RFM)
    async with refreshing.ledger.transaction(workspace_id) as connection:
        first = await store.begin_run(connection, workspace_id, model.id)
        second = await store.begin_run(connection, workspace_id, model.id)
        assert first is not None
        assert second is not None
        finished = [
            store.Finished(run, model.id, TODAY, 1, {"at": "2026-03-10"}, 1)
            for run in (first, second)
        ]
        assert not await store.add_run(connection, workspace_id, finished[0])
        assert await store.add_run(connection, workspace_id, finished[1])

    assert "Nothing has to be done" in RefreshOvertaken("worth").sentence
    assert (await read(refreshing, "worth")).run_id == second


async def test_a_model_that_a_rule_names_is_not_deleted(
    refreshing: Refreshing, web_ledger: Ledger
) -> None:
    workspace_id = refreshing.workspace_id
    await make(web_ledger, workspace_id, "worth", RFM)
    await operations.refresh_model(refreshing, "worth")
    async with web_ledger.transaction(workspace_id) as connection:
        rule = read_rule({"kind": "rfm", "model": "worth", "types": ["HHH"]})
        await create_audience(
            connection,
            workspace_id=workspace_id,
            actor="tests",
            name="best",
            table="customers",
            rule=rule,
        )
        with pytest.raises(ModelInUse) as refused:
            await operations.delete_model(
                connection, workspace_id=workspace_id, actor="tests", name="worth"
            )

    assert "“best”" in refused.value.sentence


async def test_a_deleted_model_takes_its_runs_and_its_rows_with_it(
    refreshing: Refreshing, web_ledger: Ledger
) -> None:
    workspace_id = refreshing.workspace_id
    await make(web_ledger, workspace_id, "worth", RFM)
    await operations.refresh_model(refreshing, "worth")
    async with web_ledger.transaction(workspace_id) as connection:
        await operations.delete_model(
            connection, workspace_id=workspace_id, actor="tests", name="worth"
        )
        assert await store.models(connection, workspace_id) == []

    await operations.sweep(refreshing.ledger, refreshing.warehouse, workspace_id, "rfm")
    assert await runs_in_lake(refreshing) == []


async def test_days_that_have_passed_are_labelled_as_they_were(refreshing: Refreshing) -> None:
    workspace_id = refreshing.workspace_id
    await make(refreshing.ledger, workspace_id, "way", AIPL)

    await operations.refresh_model(refreshing, "way", Days(first=TODAY - timedelta(days=9)))

    async with refreshing.ledger.transaction(workspace_id) as connection:
        shown = await aipl_operations.stages_at(connection, workspace_id=workspace_id, name="way")
    of_days = {day["day"]: (day["aware"], day["purchased"], day["loyal"]) for day in shown["trend"]}
    assert of_days["2026-03-01"] == (2, 1, 0)
    assert of_days["2026-03-05"] == (1, 2, 0)
    assert of_days["2026-03-09"] == of_days["2026-03-10"] == (1, 1, 1)
    assert (shown["day"], shown["previous_day"]) == ("2026-03-10", "2026-03-09")
    assert set(shown["difference"].values()) == {0}


async def test_a_flow_between_two_days_tells_who_became_what(
    refreshing: Refreshing, web_ledger: Ledger
) -> None:
    workspace_id = refreshing.workspace_id
    await make(web_ledger, workspace_id, "way", AIPL)
    for day in (date(2026, 3, 2), TODAY):
        await operations.refresh_model(refreshing, "way", Days(last=day))

    async with web_ledger.transaction(workspace_id) as connection:
        operation_id = await aipl_operations.start_flow(
            connection, workspace_id=workspace_id, name="way", first=date(2026, 3, 2), last=TODAY
        )
    await aipl_operations.run_flow(
        ledger=refreshing.ledger,
        warehouse=refreshing.warehouse,
        workspace_id=workspace_id,
        operation_id=operation_id,
    )

    result = await result_of(refreshing, operation_id)
    assert result["matrix"]["purchased"]["loyal"] == 1
    assert result["matrix"]["aware"] == {
        "aware": 1, "interested": 0, "purchased": 1, "loyal": 0, "none": 0
    }  # fmt: skip


async def result_of(refreshing: Refreshing, operation_id: OperationId) -> dict[str, Any]:
    async with refreshing.ledger.transaction(refreshing.workspace_id) as connection:
        operation = await progress.read(
            connection, workspace_id=refreshing.workspace_id, operation_id=operation_id
        )
    assert operation.result is not None, operation.problem
    return operation.result


async def test_labels_older_than_they_are_kept_are_forgotten(refreshing: Refreshing) -> None:
    workspace_id = refreshing.workspace_id
    stages = dict.fromkeys(("aware", "interested", "purchased", "loyal"), NOBODY)
    kept = read_aipl({"table": "customers", "stages": stages, "keep_days": 2})
    await make(refreshing.ledger, workspace_id, "way", kept)

    await operations.refresh_model(refreshing, "way", Days(first=TODAY - timedelta(days=4)))

    model = await read(refreshing, "way")
    async with refreshing.ledger.transaction(workspace_id) as connection:
        runs = await store.runs(connection, workspace_id, model.id, limit=10)
    assert [run.day.day for run in runs] == [10, 9]


@pytest.mark.parametrize(
    ("kind", "days"),
    [
        ("rfm", Days(last=TODAY - timedelta(days=1))),
        ("aipl", Days(last=TODAY + timedelta(days=1))),
        ("aipl", Days(last=TODAY - timedelta(days=1), first=TODAY)),
        ("aipl", Days(first=TODAY - timedelta(days=366))),
    ],
)
def test_days_that_cannot_be_computed_are_refused(kind: str, days: Days) -> None:
    with pytest.raises(DaysUnfit):
        days.of(TODAY, kind)


async def test_models_follow_an_import_of_what_they_are_computed_from(
    refreshing: Refreshing,
) -> None:
    workspace_id = refreshing.workspace_id
    await make(refreshing.ledger, workspace_id, "way", AIPL, "after_import")
    await make(refreshing.ledger, workspace_id, "worth", RFM, "after_import")
    await make(refreshing.ledger, workspace_id, "by hand", RFM)

    refreshed = await refresh_models_after_import(
        ledger=refreshing.ledger,
        warehouse=refreshing.warehouse,
        clock=refreshing.clock,
        workspace_id=workspace_id,
        table="orders",
    )

    assert refreshed == ["worth", "way"]
    assert (await read(refreshing, "by hand")).run_id is None


async def test_a_refresh_that_fails_says_so_on_the_model_until_one_succeeds(
    refreshing: Refreshing,
) -> None:
    workspace_id = refreshing.workspace_id
    await make(refreshing.ledger, workspace_id, "worth", RFM, "after_import")
    rename = "UPDATE customer_table SET name = %s WHERE name = %s"
    async with refreshing.ledger.transaction() as connection:
        await connection.execute(rename, ["gone", "orders"])

    assert (
        await refresh_models_after_import(
            ledger=refreshing.ledger,
            warehouse=refreshing.warehouse,
            clock=refreshing.clock,
            workspace_id=workspace_id,
            table="orders",
        )
        == []
    )
    failed = await read(refreshing, "worth")
    assert failed.refresh_problem is not None
    assert failed.refresh_problem["code"] == "rule_table_unknown"

    async with refreshing.ledger.transaction() as connection:
        await connection.execute(rename, ["orders", "gone"])
    await operations.refresh_model(refreshing, "worth")
    assert (await read(refreshing, "worth")).refresh_failed_at is None


async def test_a_model_is_refreshed_by_the_clock_once_when_it_is_due(
    refreshing: Refreshing,
) -> None:
    made = await make(refreshing.ledger, refreshing.workspace_id, "worth", RFM, "0 6 * * *")
    due = made.next_refresh_at
    assert due is not None

    assert await defer_due_models(refreshing.ledger, now=due - timedelta(seconds=1)) == 0
    assert await defer_due_models(refreshing.ledger, now=due) == 1
    assert await defer_due_models(refreshing.ledger, now=due) == 0
    assert (await read(refreshing, "worth")).next_refresh_at == due + timedelta(days=1)
