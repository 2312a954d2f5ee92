"""Long-running operations end once, well or with the refusal that stopped them."""

import asyncio
import threading
from typing import Any

from textwave.kit.ids import OperationId, WorkspaceId
from textwave.kit.refusal import InvalidValue
from textwave.storage import progress
from textwave.storage.ledger import Ledger, value
from textwave.storage.warehouse import Lake, Warehouse


async def begun(ledger: Ledger, workspace_id: WorkspaceId) -> Any:
    async with ledger.transaction() as connection:
        return await progress.begin(
            connection, workspace_id=workspace_id, kind="test.work", request={"n": 2}
        )


async def performed(ledger: Ledger, workspace_id: WorkspaceId, work: Any) -> progress.Operation:
    operation_id = await begun(ledger, workspace_id)
    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)
    return await progress.wait(
        ledger, workspace_id=workspace_id, operation_id=operation_id, seconds=0
    )


async def test_beginning_defers_the_job_that_performs_it(
    ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    operation_id = await begun(ledger, workspace_id)
    async with ledger.transaction() as connection:
        args = await value(
            connection, "SELECT args FROM procrastinate_jobs WHERE task_name = 'test.work'"
        )
    assert args == {"workspace_id": workspace_id, "operation_id": operation_id}


async def test_work_is_given_its_request_and_its_result_is_kept(
    ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    async def work(request: dict[str, Any]) -> dict[str, Any]:
        return {"doubled": request["n"] * 2}

    operation = await performed(ledger, workspace_id, work)
    assert operation.state == "succeeded"
    assert operation.result is not None
    assert operation.result["doubled"] == 4


async def test_a_refusal_is_kept_as_code_sentence_and_fields(
    ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    async def work(_: dict[str, Any]) -> dict[str, Any]:
        raise InvalidValue("column", "is not there")

    operation = await performed(ledger, workspace_id, work)
    assert operation.state == "failed"
    assert operation.problem == {
        "code": "invalid_value",
        "sentence": "column: is not there",
        "fields": {"place": "column", "problem": "is not there"},
    }


async def test_an_operation_that_has_ended_is_not_done_again(
    ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    times = 0

    async def work(_: dict[str, Any]) -> dict[str, Any]:
        nonlocal times
        times += 1
        return {}

    operation = await performed(ledger, workspace_id, work)
    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation.id, work=work)
    assert times == 1


async def test_an_operation_that_has_not_begun_is_cancelled_at_once(
    ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    operation_id = await begun(ledger, workspace_id)
    async with ledger.transaction() as connection:
        await progress.cancel(connection, workspace_id=workspace_id, operation_id=operation_id)

    async def work(_: dict[str, Any]) -> dict[str, Any]:
        raise AssertionError("it was cancelled before")

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)
    assert (await ended(ledger, workspace_id, operation_id)).state == "cancelled"


async def test_a_long_query_tells_its_percentage_and_ends_when_it_is_cancelled(
    ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId
) -> None:
    operation_id = await begun(ledger, workspace_id)
    seen: list[dict[str, Any]] = []

    async def cancel_when_it_tells() -> None:
        while not any("percent" in known for known in seen):
            await asyncio.sleep(0.05)
            operation = await ended(ledger, workspace_id, operation_id)
            assert not operation.finished
            seen.append(operation.progress)
        async with ledger.transaction() as connection:
            await progress.cancel(connection, workspace_id=workspace_id, operation_id=operation_id)

    async def work(_: dict[str, Any]) -> dict[str, Any]:
        await warehouse.run(workspace_id, count_for_minutes)
        return {}

    watcher = asyncio.create_task(cancel_when_it_tells())
    async with asyncio.timeout(30):
        await progress.perform(
            ledger, workspace_id=workspace_id, operation_id=operation_id, work=work
        )
        await watcher
    assert (await ended(ledger, workspace_id, operation_id)).state == "cancelled"
    assert await warehouse.run(
        workspace_id, lambda lake: lake.duckdb.execute("SELECT 7").fetchone()
    ) == (7,)


async def test_work_that_was_done_when_the_cancel_came_stands(
    ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId
) -> None:
    operation_id = await begun(ledger, workspace_id)
    began, asked = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def outlast_the_wish(_: Lake) -> int:
        loop.call_soon_threadsafe(began.set)
        assert asked.wait(20)
        return 5

    async def work(_: dict[str, Any]) -> dict[str, Any]:
        return {"kept": await warehouse.run(workspace_id, outlast_the_wish)}

    performing = asyncio.create_task(
        progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)
    )
    await began.wait()
    async with ledger.transaction() as connection:
        await progress.cancel(connection, workspace_id=workspace_id, operation_id=operation_id)
    await asyncio.sleep(1.2)  # the wish is looked for twice a second
    asked.set()
    await performing
    operation = await ended(ledger, workspace_id, operation_id)
    assert (operation.state, (operation.result or {})["kept"]) == ("succeeded", 5)


def count_for_minutes(lake: Lake) -> None:
    lake.duckdb.execute("CREATE TEMP TABLE much AS SELECT hash(range) AS h FROM range(3000000)")
    lake.duckdb.execute(
        "SELECT count(*) FROM much a JOIN much b ON a.h % 1000 = b.h % 999"
    ).fetchall()


async def ended(
    ledger: Ledger, workspace_id: WorkspaceId, operation_id: OperationId
) -> progress.Operation:
    return await progress.wait(
        ledger, workspace_id=workspace_id, operation_id=operation_id, seconds=0
    )
