"""What tests of limits and their neighbours share: a form sent as a browser does, a stranger."""

import re
from datetime import UTC, datetime

import aiohttp

from textwave.accounts.operations import Founding
from textwave.accounts.store import add_workspace
from textwave.console.session import console_secret, new_session, seal_session
from textwave.console.visit import SESSION_COOKIE
from textwave.storage.ledger import Ledger
from textwave.storage.secrets import Vault


async def text_of(client: aiohttp.ClientSession, address: str, status: int = 200) -> str:
    async with client.get(address) as answer:
        assert answer.status == status, address
        return await answer.text()


async def send(
    client: aiohttp.ClientSession, shown_at: str, address: str = "", **form: str
) -> tuple[int, str, str]:
    """Send a form of a page; return the status, where it led, and the page there."""
    form["token"] = token_of(await text_of(client, shown_at))
    async with client.post(address or shown_at, data=form) as answer:
        return answer.status, answer.url.path_qs, await answer.text()


def token_of(page: str) -> str:
    found = re.search(r'name="token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def become_stranger(
    client: aiohttp.ClientSession, ledger: Ledger, vault: Vault, founding: Founding
) -> None:
    """Give the browser a session of another workspace of the organization."""
    async with ledger.transaction() as connection:
        other = await add_workspace(
            connection,
            organization_id=founding.organization_id,
            name="other",
            time_zone="UTC",
            default_region="CN",
        )
    sealed = seal_session(console_secret(vault.key), new_session(other, datetime.now(UTC)))
    client.cookie_jar.clear()
    client.cookie_jar.update_cookies({SESSION_COOKIE: sealed})
