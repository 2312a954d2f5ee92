"""Rows that would only grow have an end."""

from datetime import timedelta
from pathlib import Path

import pytest

from textwave.accounts.operations import Founding
from textwave.responses.operations import PAYLOADS_KEPT, PROBLEMS_KEPT, forget_payloads
from textwave.settings import Settings
from textwave.storage.embedded import DatabaseUrls
from textwave.storage.ledger import Ledger, execute, value
from textwave.wiring import open_runtime
from textwave.worker.retention_tasks import forget_old_rows


async def days(ledger: Ledger, table: str, column: str) -> list[int]:
    """Return how many days old the rows are."""
    statement = f"SELECT round(extract(epoch FROM now() - {column}) / 86400)::int FROM {table}"
    async with ledger.transaction() as connection:
        cursor = await connection.execute(f"{statement} ORDER BY 1".encode())
        return [row[0] for row in await cursor.fetchall()]


@pytest.mark.parametrize(("audit_months", "kept"), [(36, [1, 1000]), (0, [1, 1000, 2000])])
async def test_old_operations_and_events_of_the_audit_log_go(
    ledger: Ledger,
    urls: DatabaseUrls,
    founding: Founding,
    tmp_path: Path,
    audit_months: int,
    kept: list[int],
) -> None:
    assert founding.workspace_id
    async with ledger.transaction() as connection:
        await execute(
            connection,
            """INSERT INTO audit_event (workspace_id, actor, action, object, at)
               SELECT 1, 'x', 'y', 'z', now() - make_interval(days => d)
               FROM unnest('{1,1000,2000}'::int[]) d""",
        )
        await execute(
            connection,
            """WITH old AS (
                   INSERT INTO operation (workspace_id, kind, state, finished_at)
                   SELECT 1, 'x', CASE WHEN d = 0 THEN 'running' ELSE 'succeeded' END,
                          CASE WHEN d > 0 THEN now() - make_interval(days => d) END
                   FROM unnest('{0,80,100}'::int[]) d RETURNING id)
               INSERT INTO import (workspace_id, table_name, file_name, file_sha256, mode,
                                   operation_id, rows_read, rows_kept, rows_rejected, lake_version)
               SELECT 1, 't', 'f', '', 'append', id, 1, 1, 0, 1 FROM old""",
        )
        await execute(
            connection,
            """INSERT INTO rejected_line (workspace_id, operation_id, line, reason, content)
               SELECT 1, id, 7, 'no number', '?' FROM operation""",
        )
        await execute(
            connection,
            """INSERT INTO operation (workspace_id, kind, state, finished_at)
               SELECT 1, 'x', 'succeeded', now() - interval '29 days' RETURNING id""",
        )
        await execute(
            connection,
            """INSERT INTO rejected_line (workspace_id, operation_id, line, reason, content)
               SELECT 1, max(id), 8, 'no number', '?' FROM operation""",
        )
    settings = Settings(data=tmp_path, audit_months=audit_months)
    async with open_runtime(settings, urls, role="owner") as runtime:
        await forget_old_rows(runtime)
    assert await days(ledger, "audit_event", "at") == kept
    assert await days(ledger, "operation WHERE finished_at IS NOT NULL", "finished_at") == [29, 80]
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM operation") == 3
        statement = "SELECT array_agg(line ORDER BY line) FROM rejected_line"
        assert await value(connection, statement) == [7, 8]  # of the one that runs, and 29 days ago
        assert await value(connection, "SELECT count(*) FROM import") == 3


async def test_merged_payloads_and_strays_go_those_with_a_problem_later(
    ledger: Ledger, founding: Founding
) -> None:
    assert founding.workspace_id
    async with ledger.transaction() as connection:
        now = await value(connection, "SELECT now()")
        await execute(
            connection,
            """WITH platform AS (
                   INSERT INTO platform (organization_id, name, kind, base_url, sealed_key,
                                         rate_per_second, max_batch, counting)
                   VALUES (1, 'p', 'thirdparty', '', '', 1, 1, 'mainland') RETURNING id
               ), strays AS (
                   INSERT INTO stray_receipt (platform_id, message_id, status, received_at)
                   SELECT id, 1, 'delivered', now() - make_interval(days => d)
                   FROM platform, unnest('{80,100}'::int[]) d)
               INSERT INTO callback_inbox (platform_id, kind, body, merged_at, problem)
               SELECT id, 'receipts', '', now() - make_interval(days => d), problem
               FROM platform, unnest('{1,10,80,100}'::int[],
                                     ARRAY[NULL, NULL, 'x', 'x']) AS p (d, problem)""",
        )
    assert timedelta(days=10) > PAYLOADS_KEPT
    assert timedelta(days=100) > PROBLEMS_KEPT > timedelta(days=80)
    assert await forget_payloads(ledger, now=now) == 3
    assert await days(ledger, "callback_inbox", "merged_at") == [1, 80]
    assert await days(ledger, "stray_receipt", "received_at") == [80]
