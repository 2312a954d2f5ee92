import pytest
from tests.audiences import stores

from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger
from textwave.storage.warehouse import Warehouse


@pytest.fixture
async def described(ledger: Ledger, workspace_id: WorkspaceId) -> None:
    """The tables, in the ledger only."""
    async with ledger.transaction() as connection:
        await stores.describe(connection, workspace_id)


@pytest.fixture
async def shop(described: None, warehouse: Warehouse, workspace_id: WorkspaceId) -> Warehouse:  # noqa: ARG001 - made first
    """Ten customers; C0 to C4 have two orders each."""
    await warehouse.run(workspace_id, stores.fill)
    return warehouse
