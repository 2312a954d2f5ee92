"""Long-running operations end once, well or with the refusal that stopped them."""

from typing import Any

from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import InvalidValue
from textwave.storage import progress
from textwave.storage.ledger import Ledger, value


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
