"""One workspace cannot read or change another's rows, whatever the API's code forgets."""

from typing import LiteralString, cast

import psycopg
import pytest

from tests.stage import Stage, people
from textwave.accounts.store import add_workspace
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger, execute, value
from textwave.storage.queue import Job, defer

TABLES_OF_WORKSPACES = """
    SELECT c.relname FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id'
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition
"""


async def names(ledger: Ledger, query: LiteralString) -> set[str]:
    async with ledger.transaction() as connection:
        cursor = await connection.execute(query)
        return {row[0] for row in await cursor.fetchall()}


async def other_workspace(stage: Stage) -> WorkspaceId:
    async with stage.ledger.transaction() as connection:
        return await add_workspace(
            connection,
            organization_id=stage.founding.organization_id,
            name="other",
            time_zone="UTC",
            default_region="CN",
        )


async def test_every_table_of_a_workspace_has_a_policy_for_the_web_login(ledger: Ledger) -> None:
    tables = await names(ledger, TABLES_OF_WORKSPACES)
    guarded = await names(
        ledger,
        "SELECT tablename FROM pg_policies p JOIN pg_class c ON c.relname = p.tablename "
        "WHERE c.relrowsecurity AND 'textwave_web' = ANY (roles)",
    )
    assert len(tables) > 20
    assert tables - guarded == set()


async def test_the_web_login_owns_nothing_and_bypasses_nothing(ledger: Ledger) -> None:
    owned = await names(
        ledger, "SELECT relname FROM pg_class WHERE relowner = 'textwave_web'::regrole"
    )
    async with ledger.transaction() as connection:
        special = await value(
            connection,
            "SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = 'textwave_web'",
        )
    assert (owned, special) == (set(), False)


async def test_another_workspace_sees_no_row_of_any_table(stage: Stage, web_ledger: Ledger) -> None:
    await stage.set(people(5))
    campaign_id = await stage.campaign()
    await stage.start()
    await stage.plan(campaign_id)
    await stage.opt_out(8615400000000)
    other = await other_workspace(stage)
    readable = await names(
        web_ledger,
        """SELECT DISTINCT table_name::text FROM information_schema.role_table_grants
           WHERE grantee = 'textwave_web' AND privilege_type = 'SELECT'
             AND table_name NOT IN ('installation', 'token_key', 'workspace', 'organization')""",
    )
    filled: set[str] = set()
    for table in sorted(readable):
        counted = cast("LiteralString", f"SELECT count(*) FROM {table}")
        async with web_ledger.transaction(stage.founding.workspace_id) as connection:
            if await value(connection, counted):
                filled.add(table)
        if table != "platform":  # the organization's: its other workspaces may come to use it
            async with web_ledger.transaction(other) as connection:
                assert await value(connection, counted) == 0, table
        async with web_ledger.transaction() as connection:
            assert await value(connection, counted) == 0, f"{table} without a workspace"
    assert {"campaign", "message", "message_state", "batch", "opt_out", "template"} <= filled


async def test_another_workspace_changes_no_row(stage: Stage, web_ledger: Ledger) -> None:
    await stage.set(people(1))
    await stage.campaign()
    other = await other_workspace(stage)
    async with web_ledger.transaction(other) as connection:
        assert await execute(connection, "UPDATE campaign SET reason = 'mine'") == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with web_ledger.transaction(other) as connection:
            await execute(
                connection,
                "INSERT INTO opt_out (workspace_id, signature_id, mobile, source) "
                "VALUES (%s, %s, 1, 'by hand')",
                [stage.founding.workspace_id, stage.ids["signature"]],
            )


async def test_the_web_login_defers_no_job_of_another_workspace(
    stage: Stage, web_ledger: Ledger
) -> None:
    other = await other_workspace(stage)
    job = Job("campaigns.plan", "campaigns", {"workspace_id": stage.founding.workspace_id})
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with web_ledger.transaction(other) as connection:
            await defer(connection, job)
    async with web_ledger.transaction(stage.founding.workspace_id) as connection:
        assert await defer(connection, job) == 1
