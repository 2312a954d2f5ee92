"""Two workspaces of one organization, one account at a platform, and who changes it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import LiteralString, TypeVar

from aiohttp import web

from textwave.accounts import store as account_store
from textwave.accounts.operations import Founding
from textwave.accounts.store import Caller
from textwave.connections.accounts import NewPlatform
from textwave.connections.operations import add_platform
from textwave.kit.ids import PlatformId, WorkspaceId
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.secrets import Vault

ResultT = TypeVar("ResultT")
NAME = "gate"
KEY = "the first key"
GOOD = NewPlatform(NAME, "http://127.0.0.1:9", KEY)


@dataclass(frozen=True)
class Place:
    """What tests of accounts act with; `people` is the web role."""

    people: Ledger
    owner: Ledger
    vault: Vault
    caller: Caller
    second: WorkspaceId

    @property
    def marketer(self) -> Caller:
        return replace(self.caller, is_administrator=False)

    async def do(
        self,
        operation: Callable[[Connection], Awaitable[ResultT]],
        *,
        of: WorkspaceId | None = None,
    ) -> ResultT:
        """Do something in one transaction of the first workspace, or of another."""
        async with self.people.transaction(of or self.caller.workspace_id) as connection:
            return await operation(connection)

    async def add(self, new: NewPlatform = GOOD) -> PlatformId:
        """Add an account."""
        made = await self.do(
            lambda connection: add_platform(connection, self.vault, caller=self.caller, new=new)
        )
        return made.id

    async def actions(self) -> list[str]:
        """Return what the audit log says was done, in order."""
        async with self.owner.transaction() as connection:
            cursor = await connection.execute("SELECT action FROM audit_event ORDER BY id")
            return [row[0] for row in await cursor.fetchall()]

    async def campaign(self, platform: PlatformId, workspace_id: WorkspaceId, state: str) -> None:
        """Write a campaign in a state that uses the account, with what it needs."""
        async with self.owner.transaction() as connection:
            for statement in _CAMPAIGN:
                await connection.execute(
                    statement, {"platform": platform, "workspace": workspace_id, "state": state}
                )


@asynccontextmanager
async def served(application: web.Application) -> AsyncGenerator[str]:
    """Serve on a free port of the loopback."""
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def second_workspace(ledger: Ledger, founding: Founding) -> WorkspaceId:
    """Add a workspace called second to the organization."""
    async with ledger.transaction() as connection:
        return await account_store.add_workspace(
            connection,
            organization_id=founding.organization_id,
            name="second",
            time_zone="UTC",
            default_region="CN",
        )


_CAMPAIGN: tuple[LiteralString, ...] = (
    """INSERT INTO signature (workspace_id, platform_id, name, state)
       VALUES (%(workspace)s, %(platform)s, 'Textwave', 'approved') ON CONFLICT DO NOTHING""",
    """INSERT INTO template (workspace_id, platform_id, name, type, content, remark, state)
       VALUES (%(workspace)s, %(platform)s, 'hello', 'notification', 'hi', 'x', 'approved')
       ON CONFLICT DO NOTHING""",
    """INSERT INTO audience (workspace_id, name, table_name, rule, created_by)
       VALUES (%(workspace)s, 'all', 'customers', '{}', 'test') ON CONFLICT DO NOTHING""",
    """INSERT INTO campaign (workspace_id, platform_id, name, type, signature_id, template_id,
           audience_id, state, due_at, created_by)
       SELECT %(workspace)s, %(platform)s, 'Spring', 'notification', s.id, t.id, a.id, %(state)s,
           now(), 'test'
       FROM signature s, template t, audience a
       WHERE s.workspace_id = %(workspace)s AND t.workspace_id = %(workspace)s
         AND a.workspace_id = %(workspace)s""",
)
