import pytest

from tests.connections.place import Place, second_workspace
from textwave.accounts.operations import Founding
from textwave.accounts.store import Caller
from textwave.storage.ledger import Ledger
from textwave.storage.secrets import Vault


@pytest.fixture
async def place(ledger: Ledger, web_ledger: Ledger, vault: Vault, founding: Founding) -> Place:
    caller = Caller(founding.workspace_id, founding.organization_id, 1, "wang")
    return Place(web_ledger, ledger, vault, caller, await second_workspace(ledger, founding))
