"""Deleting a table: nothing of it is left, and nothing that uses it loses it."""

from typing import Any

import pytest
from psycopg.types.json import Jsonb
from tests.customers.conftest import Import
from tests.customers.test_import import result

from textwave.customers.operations import imports, read_rejected_rows, tables
from textwave.customers.store import delete_table
from textwave.customers.table_operations import TableInUse, run_deletion, start_deletion
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.storage.ledger import Ledger, execute, value
from textwave.storage.progress import Operation, read
from textwave.storage.warehouse import Warehouse

TEXT = "id,city\na,Wuhan\n,Xian\n"


async def delete(
    ledger: Ledger, web_ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId
) -> Operation:
    async with web_ledger.transaction(workspace_id) as connection:
        operation_id = await start_deletion(
            connection, workspace_id=workspace_id, actor="a test", name="customers"
        )
    await run_deletion(ledger, warehouse, workspace_id=workspace_id, operation_id=operation_id)
    async with ledger.transaction() as connection:
        return await read(connection, workspace_id=workspace_id, operation_id=operation_id)


async def use(ledger: Ledger, workspace_id: WorkspaceId, name: str, rule: dict[str, Any]) -> None:
    async with ledger.transaction() as connection:
        await execute(
            connection,
            "INSERT INTO audience (workspace_id, name, table_name, rule, created_by) "
            "VALUES (%s, %s, 'people', %s, 'a test')",
            [workspace_id, name, Jsonb(rule)],
        )


async def test_a_deleted_table_leaves_nothing(
    do_import: Import,
    ledger: Ledger,
    web_ledger: Ledger,
    warehouse: Warehouse,
    workspace_id: WorkspaceId,
) -> None:
    first = result(await do_import(TEXT))
    other = result(await do_import(TEXT, table="others"))
    assert (await delete(ledger, web_ledger, warehouse, workspace_id)).problem is None
    async with ledger.transaction() as connection:
        assert [one.name for one in await tables(connection, workspace_id)] == ["others"]
        assert await imports(connection, workspace_id=workspace_id, name="customers") == []
        audited = "SELECT count(*) FROM audit_event WHERE action = 'table.delete'"
        assert await value(connection, audited) == 1
    with warehouse.open(workspace_id) as lake:
        assert not lake.has_table("customers")
        assert read_rejected_rows(lake, first["import_id"]) == []
        assert len(read_rejected_rows(lake, other["import_id"])) == 1
    again = result(await do_import(TEXT))
    assert (again["already_imported"], again["row_count"]) == (False, 1)


async def test_a_table_in_use_stays_and_its_users_are_named(
    do_import: Import,
    ledger: Ledger,
    web_ledger: Ledger,
    warehouse: Warehouse,
    workspace_id: WorkspaceId,
) -> None:
    await do_import(TEXT)
    attribute = {"kind": "attribute", "column": "city", "table": "customers"}
    await use(ledger, workspace_id, "locals", {"kind": "not", "of": attribute})
    await use(ledger, workspace_id, "others", {"kind": "attribute", "column": "customers"})
    with pytest.raises(TableInUse) as refused:
        await delete(ledger, web_ledger, warehouse, workspace_id)
    assert [(one.kind, one.name) for one in refused.value.used_by] == [("audience", "locals")]
    with warehouse.open(workspace_id) as lake:
        assert lake.has_table("customers")


async def test_an_audience_that_came_meanwhile_keeps_the_table(
    do_import: Import,
    ledger: Ledger,
    web_ledger: Ledger,
    warehouse: Warehouse,
    workspace_id: WorkspaceId,
) -> None:
    await do_import(TEXT)
    async with web_ledger.transaction(workspace_id) as connection:
        operation_id = await start_deletion(
            connection, workspace_id=workspace_id, actor="a test", name="customers"
        )
    await use(ledger, workspace_id, "new", {"kind": "orders", "table": "customers"})
    await run_deletion(ledger, warehouse, workspace_id=workspace_id, operation_id=operation_id)
    async with ledger.transaction() as connection:
        ended = await read(connection, workspace_id=workspace_id, operation_id=operation_id)
    assert ended.problem is not None
    assert ended.problem["code"] == "table_in_use"


async def test_a_table_of_textwave_s_own_cannot_be_deleted(
    do_import: Import,
    ledger: Ledger,
    web_ledger: Ledger,
    warehouse: Warehouse,
    workspace_id: WorkspaceId,
) -> None:
    await do_import(TEXT)
    async with ledger.transaction() as connection:
        await execute(connection, "UPDATE customer_table SET is_system = true")
    with pytest.raises(InvalidValue, match="kept by Textwave"):
        await delete(ledger, web_ledger, warehouse, workspace_id)


async def test_only_tables_that_are_there_can_be_deleted(
    ledger: Ledger, web_ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId
) -> None:
    with pytest.raises(NotFound):
        await delete(ledger, web_ledger, warehouse, workspace_id)


async def test_the_ledger_forgets_only_the_workspace_s_table(
    do_import: Import, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await do_import(TEXT)
    async with ledger.transaction() as connection:
        other = WorkspaceId(workspace_id + 1)
        await delete_table(connection, workspace_id=other, name="customers")
        assert len(await tables(connection, workspace_id)) == 1
