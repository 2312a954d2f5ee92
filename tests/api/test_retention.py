"""Retention over HTTP and from the command line."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from typer.testing import CliRunner

from tests.api.conftest import Web
from tests.stage import Stage, people
from textwave.accounts import store as accounts
from textwave.accounts.operations import digest_of
from textwave.cli.main import app
from textwave.insights.outcome_operations import export_outcomes
from textwave.insights.retention_operations import Retaining, run_retention
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.storage.ledger import Ledger

SIZE = 3


async def sent_campaign(stage: Stage) -> None:
    """Write a campaign that has ended, all delivered."""
    await stage.set(people(SIZE))
    campaign_id = await stage.campaign()
    await stage.start()
    await stage.plan(campaign_id)
    async with stage.ledger.transaction() as connection:
        for statement in (
            "UPDATE message SET state = 'delivered', finished_at = now()",
            "UPDATE campaign_tally SET delivered = messages",
            "UPDATE campaign SET state = 'completed', completed_at = now()",
            "UPDATE batch SET state = 'done'",
        ):
            await connection.execute(statement.encode())
    await export_outcomes(stage.ledger, stage.warehouse, workspace_id=stage.founding.workspace_id)


async def work(stage: Stage, operation: dict[str, Any]) -> None:
    """Do the operation as a worker does, two years later."""
    await run_retention(
        Retaining(stage.ledger, stage.warehouse, stage.vault, months=13),
        now=datetime.now(UTC) + timedelta(days=700),
        workspace_id=stage.founding.workspace_id,
        operation_id=OperationId(operation["id"]),
    )


async def test_months_are_shown_run_and_gone(web: Web, stage: Stage) -> None:
    await sent_campaign(stage)
    _, before = await web.ask("GET", "/api/retention")
    status, operation = await web.ask("POST", "/api/retention/run")
    assert status == 202
    await work(stage, operation)
    _, ended = await web.ask("GET", f"/api/operations/{operation['id']}")
    _, after = await web.ask("GET", "/api/retention")
    (here,), (gone,) = before["months"], after["months"]
    assert (here["messages"], here["exported"], here["dropped_at"]) == (SIZE, 0, None)
    assert here["bytes"] > 0 == gone["bytes"]
    assert ended["result"]["moved"] == [here["month"][:7]]
    assert (gone["messages"], gone["exported"]) == (SIZE, SIZE)
    assert gone["dropped_at"] is not None


async def test_another_workspace_sees_nothing_of_it(web: Web, stage: Stage, other_key: str) -> None:
    await sent_campaign(stage)
    _, found = await web.ask("GET", "/api/retention", key=other_key)
    assert found["months"] == []


async def test_only_an_administrator_moves_months(
    web: Web, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    async with ledger.transaction() as connection:
        await accounts.add_api_key(
            connection,
            workspace_id=workspace_id,
            name="analyst",
            digest=digest_of("a key"),
            is_administrator=False,
        )
    status, problem = await web.ask("POST", "/api/retention/run", key="a key")
    assert (status, problem["code"]) == (403, "administrator_needed")


async def test_the_command_shows_what_holds_a_month_up(web: Web, stage: Stage) -> None:
    await sent_campaign(stage)
    async with stage.ledger.transaction() as connection:
        await connection.execute("UPDATE campaign SET state = 'paused'")
    environment = {"TEXTWAVE_URL": web.url, "TEXTWAVE_API_KEY": web.key}

    async def command(*arguments: str) -> str:
        ran = await asyncio.to_thread(
            CliRunner(env=environment).invoke, app, ["retention", *arguments]
        )
        assert ran.exit_code == 0, ran.output
        return ran.output

    running = asyncio.create_task(command("run"))
    operation = await _first_operation(stage.ledger)
    await work(stage, operation)
    assert "campaigns not ended" in await running
    assert "Spring" in await command("show")


async def _first_operation(ledger: Ledger) -> dict[str, Any]:
    async with asyncio.timeout(20):
        while True:
            async with ledger.transaction() as connection:
                cursor = await connection.execute("SELECT id FROM operation")
                row = await cursor.fetchone()
            if row is not None:
                return {"id": row[0]}
            await asyncio.sleep(0.02)
