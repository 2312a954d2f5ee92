from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from textwave.accounts.operations import Founding
from textwave.accounts.store import Caller
from textwave.shortlinks.links import ShortLink
from textwave.shortlinks.operations import create_link
from textwave.storage.ledger import Ledger

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINKS_URL = "https://d.example.cn"


@dataclass(frozen=True)
class Place:
    """What tests act with: the web role for people, the owner for looking."""

    people: Ledger
    jobs: Ledger
    caller: Caller

    async def link(self, name: str = "sale", **more: object) -> ShortLink:
        """Make a short link as a person does."""
        arguments = {"long_url": "https://shop.example/sale", "days": 30} | more
        async with self.people.transaction(self.caller.workspace_id) as connection:
            return await create_link(
                connection,
                workspace_id=self.caller.workspace_id,
                actor=self.caller.name,
                name=name,
                links_url=LINKS_URL,
                now=NOW,
                **arguments,  # pyright: ignore[reportArgumentType] - the test's choice
            )

    async def actions(self) -> list[str]:
        """Return what the audit log says was done, in order."""
        async with self.jobs.transaction() as connection:
            cursor = await connection.execute("SELECT action FROM audit_event ORDER BY id")
            return [row[0] for row in await cursor.fetchall()]


@pytest.fixture
def place(web_ledger: Ledger, ledger: Ledger, founding: Founding) -> Place:
    caller = Caller(founding.workspace_id, founding.organization_id, 1, "wang")
    return Place(web_ledger, ledger, caller)
