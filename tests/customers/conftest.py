"""Importing a text or a file as the API and a worker do, and looking at what came of it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from textwave.customers.columns import TableKind
from textwave.customers.operations import run_import, start_import
from textwave.customers.request import ImportRequest
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger
from textwave.storage.progress import Operation, read
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Warehouse

Import = Callable[..., Awaitable[Operation]]


@pytest.fixture
def do_import(
    ledger: Ledger,
    web_ledger: Ledger,
    warehouse: Warehouse,
    vault: Vault,
    workspace_id: WorkspaceId,
    tmp_path: Path,
) -> Import:
    """Import content (text, bytes or a path) and return how the operation ended."""

    async def run(content: str | bytes | Path, **options: Any) -> Operation:
        if isinstance(content, Path):
            path = content
        else:
            path = tmp_path / "upload"
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        values: dict[str, Any] = {"table": "customers", "kind": TableKind.CUSTOMERS} | options
        values.setdefault("file_name", path.name)
        request = ImportRequest(path=str(path), **values)
        async with web_ledger.transaction(workspace_id) as connection:
            operation_id = await start_import(
                connection, workspace_id=workspace_id, actor="a test", request=request
            )
        await run_import(
            ledger=ledger,
            warehouse=warehouse,
            vault=vault,
            workspace_id=workspace_id,
            operation_id=operation_id,
        )
        async with ledger.transaction() as connection:
            return await read(connection, workspace_id=workspace_id, operation_id=operation_id)

    return run


@pytest.fixture
def rows_of(warehouse: Warehouse, workspace_id: WorkspaceId) -> Callable[..., list[Any]]:
    """Read a table of the warehouse, ordered by its first column."""

    def rows(table: str = "customers", columns: str = "*") -> list[Any]:
        with warehouse.open(workspace_id) as lake:
            return lake.duckdb.execute(
                f"SELECT {columns} FROM {lake.qualified(table)} ORDER BY 1"
            ).fetchall()

    return rows
