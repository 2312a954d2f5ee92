"""What is left when an import has ended, or was cut off: its file, its rows, the ledger."""

from pathlib import Path
from typing import Any

from tests.customers.conftest import Import

from textwave.customers.columns import TableKind
from textwave.customers.operations import imports, run_import, table
from textwave.customers.request import ImportMode
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger, execute
from textwave.storage.progress import read
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Warehouse

ORDERS: dict[str, Any] = {
    "table": "orders",
    "kind": TableKind.ORDERS,
    "mode": ImportMode.APPEND,
}


async def test_the_file_goes_when_the_import_has_ended(do_import: Import, tmp_path: Path) -> None:
    for content in ("id,city\na,Wuhan\n", "id,id\nrefused\n"):
        operation = await do_import(content)
        assert operation.finished
        assert list(tmp_path.glob("upload*")) == []


async def test_a_crash_before_the_ledger_knows_loses_and_doubles_nothing(
    do_import: Import,
    ledger: Ledger,
    warehouse: Warehouse,
    vault: Vault,
    workspace_id: WorkspaceId,
    tmp_path: Path,
) -> None:
    text = "customer_id,amount\na,1\nb,2\n,3\n"
    first = await do_import(text, **ORDERS)
    async with ledger.transaction() as connection:  # as it is when only the lake has heard of it
        await execute(connection, "DELETE FROM import")
        await execute(connection, "DELETE FROM customer_table")
        await execute(
            connection,
            "UPDATE operation SET state = 'running', result = NULL, finished_at = NULL",
        )
    (tmp_path / "upload").write_text(text)
    await run_import(
        ledger=ledger,
        warehouse=warehouse,
        vault=vault,
        workspace_id=workspace_id,
        operation_id=first.id,
    )
    async with ledger.transaction() as connection:
        again = await read(connection, workspace_id=workspace_id, operation_id=first.id)
        found = await table(connection, workspace_id, "orders")
        [import_] = await imports(connection, workspace_id=workspace_id, name="orders")
    assert again.result is not None
    assert first.result is not None
    told = ("import_id", "rows_kept", "rows_rejected", "row_count", "already_imported", "columns")
    assert [again.result[name] for name in told] == [first.result[name] for name in told]
    assert (found.row_count, import_.rows_kept, import_.rows_rejected) == (2, 2, 1)
