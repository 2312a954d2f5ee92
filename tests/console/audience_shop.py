"""A small shop for the tests of audiences' pages: people with cities, and their orders."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from textwave.customers.columns import TableKind
from textwave.customers.operations import start_import
from textwave.customers.request import ImportMode, ImportRequest
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger

Jobs = Callable[[], Awaitable[None]]
TODAY = datetime.now(UTC).date()
PEOPLE = "id,mobile,city,level\n" + "\n".join(
    f"C{n},{15400000000 + n},{('Shanghai', 'Hangzhou', 'Beijing')[n % 3]},{n % 5}"
    for n in range(12)
)
ORDERS = "customer_id,ordered_at,amount\n" + "\n".join(
    f"C{n},{TODAY - timedelta(days=2)},{100 * n}" for n in range(6)
)
IN_SHANGHAI = '{"kind":"attribute","column":"city","operator":"in","value":["Shanghai"]}'


async def import_shop(
    ledger: Ledger, workspace_id: WorkspaceId, folder: Path, do_jobs: Jobs
) -> None:
    """Import both tables and do what follows: statistics, refreshes."""
    for table, content in (("customers", PEOPLE), ("orders", ORDERS)):
        path = folder / f"{table}.csv"
        path.write_text(content)
        request = ImportRequest(str(path), path.name, table, TableKind(table), ImportMode.REPLACE)
        async with ledger.transaction(workspace_id) as connection:
            await start_import(connection, workspace_id=workspace_id, actor="test", request=request)
    await do_jobs()


async def get(client: aiohttp.ClientSession, address: str, status: int = 200) -> str:
    """Return a page."""
    async with client.get(address) as answer:
        assert answer.status == status, await answer.text()
        return await answer.text()


async def post(client: aiohttp.ClientSession, address: str, **form: str) -> tuple[int, str, str]:
    """Send a trusted form; return the status, the address that it led to, and what is there."""
    found = re.search('name="token" value="([^"]+)"', await get(client, "/console/audiences"))
    assert found is not None
    async with client.post(address, data={"token": found[1], **form}) as answer:
        return answer.status, answer.url.path, await answer.text()


async def make(client: aiohttp.ClientSession, name: str, rule: str = IN_SHANGHAI, **of: str) -> str:
    """Make an audience with the builder's form; return the page that it leads to."""
    given: dict[str, Any] = {"name": name, "table": "customers", "rule": rule, **of}
    status, _, page = await post(client, "/console/audiences/-/new", **given)
    assert status == 200, page
    return page
