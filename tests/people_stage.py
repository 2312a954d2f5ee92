"""A shop whose customers have keys, numbers and e-mail addresses, and uploads of lists into it."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from psycopg.types.json import Jsonb

from textwave.audiences import store as audience_store
from textwave.kit.clock import FixedClock
from textwave.kit.ids import SnapshotId, WorkspaceId
from textwave.lists.operations import Uploading, run_sweep, run_upload, start_upload
from textwave.lists.request import UploadRequest
from textwave.storage import progress
from textwave.storage.ledger import Ledger
from textwave.storage.progress import Operation
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Lake, Warehouse

Customer = tuple[str, int | None, str | None]
"""Key, number, e-mail address."""

LI: Customer = ("C1", 8615400000001, "Li@example.com ")
WANG: Customer = ("C2", 8615400000002, None)
ZHAO: Customer = ("C3", 8615400000002, "zhao@example.com")
COLUMNS = [{"name": name, "type": "text"} for name in ("id", "phone", "mail", "city")]


@dataclass
class PeopleStage:
    """Where lists are uploaded: as the web role begins it and the worker does it."""

    ledger: Ledger
    web_ledger: Ledger
    using: Uploading
    workspace_id: WorkspaceId
    folder: Path
    _names: Any = field(default_factory=lambda: itertools.count(1))

    async def upload(
        self,
        content: bytes | str,
        *,
        name: str = "vip",
        id_type: str = "mobile",
        file_name: str = "list.csv",
        **options: Any,
    ) -> Operation:
        """Upload a file and return the operation when it has ended."""
        path = self.folder / f"upload{next(self._names)}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        request = UploadRequest(
            path=str(path),
            file_name=file_name,
            list=name,
            table="customers",
            id_type=id_type,
            actor="marketer",
            **options,
        )
        async with self.web_ledger.transaction(self.workspace_id) as connection:
            operation_id = await start_upload(
                connection, workspace_id=self.workspace_id, request=request
            )
        key: dict[str, Any] = {"workspace_id": self.workspace_id, "operation_id": operation_id}
        await run_upload(self.using, **key)
        async with self.web_ledger.transaction(self.workspace_id) as connection:
            return await progress.read(connection, **key)

    async def uploaded(self, content: bytes | str, **options: Any) -> dict[str, Any]:
        """Upload a file that is taken; return the result."""
        operation = await self.upload(content, **options)
        assert operation.result is not None, operation.problem
        return operation.result

    async def refused(self, content: bytes | str, **options: Any) -> dict[str, Any]:
        """Upload a file that is refused; return the problem."""
        operation = await self.upload(content, **options)
        assert operation.problem is not None, operation.result
        return operation.problem

    async def members(self, name: str = "vip") -> list[str]:
        """Return the customers of the audience's newest snapshot."""
        async with self.ledger.transaction() as connection:
            found = await audience_store.audience(connection, self.workspace_id, name)
        assert found.snapshot is not None
        snapshot_id: SnapshotId = found.snapshot.id
        return await self.using.warehouse.run(
            self.workspace_id,
            lambda lake: sorted(
                audience_store.member_ids(lake, snapshot_id).to_pyarrow()["customer"].to_pylist()
            ),
        )

    async def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of a table of the lake."""
        return await self.using.warehouse.run(
            self.workspace_id, lambda lake: lake.table(table).to_pyarrow().to_pylist()
        )

    async def fill(self, customers: Sequence[Customer], *, city: str = "杭州") -> None:
        """Replace the customers; all live in the city."""
        await self.using.warehouse.run(self.workspace_id, lambda lake: _fill(lake, customers, city))

    async def sweep(self) -> None:
        """Do the job that removes what belongs to no list."""
        await run_sweep(
            ledger=self.ledger, warehouse=self.using.warehouse, workspace_id=self.workspace_id
        )


def _fill(lake: Lake, customers: Sequence[Customer], city: str) -> None:
    table = lake.qualified("customers")
    lake.duckdb.execute(
        f"CREATE OR REPLACE TABLE {table} (id VARCHAR, phone VARCHAR, mail VARCHAR, "
        "city VARCHAR, textwave_mobile BIGINT, textwave_bad_mobile BOOLEAN)"
    )
    values = ", ".join(
        f"('{key}', {_text(mobile)}, {_text(mail)}, '{city}', {mobile or 'NULL'}, false)"
        for key, mobile, mail in customers
    )
    if values:
        lake.duckdb.execute(f"INSERT INTO {table} VALUES {values}")


def _text(value: object) -> str:
    return "NULL" if value is None else f"'{value}'"


@pytest.fixture
async def shop(
    ledger: Ledger,
    web_ledger: Ledger,
    warehouse: Warehouse,
    vault: Vault,
    workspace_id: WorkspaceId,
    tmp_path: Path,
) -> PeopleStage:
    clock = FixedClock(datetime(2026, 3, 10, 4, 30, tzinfo=UTC))
    using = Uploading(ledger, warehouse, clock, vault)
    stage = PeopleStage(ledger, web_ledger, using, workspace_id, tmp_path)
    await stage.fill([LI, WANG, ZHAO])
    async with ledger.transaction() as connection:
        await connection.execute(
            "INSERT INTO customer_table (workspace_id, name, kind, columns, customer_column,"
            " mobile_column, ids) VALUES (%s, 'customers', 'customers', %s, 'id', 'phone', %s)",
            [workspace_id, Jsonb(COLUMNS), Jsonb([{"type": "email", "column": "mail"}])],
        )
    return stage
