"""A web server over real HTTP on a free port of the loopback, and keys of two workspaces."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from fastapi import FastAPI
from granian.constants import Interfaces
from granian.server.embed import Server

from textwave.accounts import store as accounts
from textwave.accounts.operations import Founding, digest_of
from textwave.api.app import create_app
from textwave.cli.serving import address_of, claim_port
from textwave.settings import Settings
from textwave.storage.embedded import DatabaseUrls
from textwave.storage.ledger import Ledger
from textwave.wiring import open_runtime


@dataclass(frozen=True)
class Web:
    """A running server and how to ask it."""

    url: str
    app: FastAPI
    key: str
    http: aiohttp.ClientSession

    async def ask(
        self, method: str, path: str, *, key: str | None = None, **more: Any
    ) -> tuple[int, Any]:
        """Ask with the first workspace's key, or the one that is given; return status and JSON."""
        chosen = self.key if key is None else key
        headers = {"Authorization": f"Bearer {chosen}"} if chosen else {}
        async with self.http.request(method, self.url + path, headers=headers, **more) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def web(urls: DatabaseUrls, founding: Founding, tmp_path: Path) -> AsyncIterator[Web]:
    settings = Settings(data=tmp_path, upload_limit_megabytes=1)
    async with open_runtime(settings, urls, role="web") as runtime:
        app = create_app(runtime)
        port = claim_port("127.0.0.1", 0)
        server = Server(
            app, address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False
        )
        serving = asyncio.create_task(server.serve())
        async with aiohttp.ClientSession() as http:
            found = Web(address_of("127.0.0.1", port), app, founding.api_key, http)
            await _until_it_answers(found)
            yield found
        server.stop()
        await serving


@pytest.fixture
async def other_key(ledger: Ledger, founding: Founding) -> str:
    """The key of a workspace of another organization."""
    async with ledger.transaction() as connection:
        organization_id = await accounts.add_organization(connection, name="Others")
        workspace_id = await accounts.add_workspace(
            connection,
            organization_id=organization_id,
            name="theirs",
            time_zone="UTC",
            default_region="CN",
        )
        assert workspace_id != founding.workspace_id
        await accounts.add_api_key(
            connection, workspace_id=workspace_id, name="their key", digest=digest_of("their key")
        )
    return "their key"


async def _until_it_answers(web: Web) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await web.ask("GET", "/healthz")
            except aiohttp.ClientError:
                await asyncio.sleep(0.02)
            else:
                return
