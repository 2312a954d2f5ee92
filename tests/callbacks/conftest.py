"""The door for platforms, served for real, and a platform's way in."""

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, LiteralString

import aiohttp
import pytest
from fastapi import FastAPI
from granian.constants import Interfaces
from granian.server.embed import Server

from textwave.callbacks.routes import router
from textwave.kit.clock import FixedClock
from textwave.kit.ids import WorkspaceId
from textwave.platforms.signing import signature_headers
from textwave.storage.ledger import Ledger, value
from textwave.storage.secrets import Vault

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
KEY = "shared key"
RECEIPT = {"messageId": 5, "status": "DELIVERED", "reportedAt": NOW.isoformat()}


@dataclass(frozen=True)
class Answer:
    """What the door answered."""

    status_code: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Door:
    """A platform's way in."""

    client: aiohttp.ClientSession
    ledger: Ledger

    async def post(
        self, body: Any = None, *, kind: str = "receipts", platform: str = "gateway",
        at: datetime = NOW, nonce: str | None = None, key: str = KEY, drop: str = "",
        signed_body: bytes | None = None,
    ) -> Answer:  # fmt: skip
        content = body if isinstance(body, bytes) else json.dumps(body or [RECEIPT]).encode()
        path, timestamp = f"/callbacks/{platform}/{kind}", str(int(at.timestamp()))
        nonce = nonce or secrets.token_hex(16)
        headers = signature_headers(
            key, method="POST", path=path, timestamp=timestamp, nonce=nonce,
            body=content if signed_body is None else signed_body,
        )  # fmt: skip
        headers.pop(drop, None)
        address = f"{path}?timestamp={timestamp}&nonce={nonce}"
        async with self.client.post(address, data=BytesIO(content), headers=headers) as answer:
            return Answer(answer.status, await answer.read())

    async def push(
        self, report: str, body: Any, *, secret: str = "", platform: str = "gateway"
    ) -> Answer:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        address = f"/callbacks/{platform}/aliyun/{secret or 'gateway-1'}/{report}"
        async with self.client.post(address, data=BytesIO(content)) as answer:
            return Answer(answer.status, await answer.read())

    async def execute(self, statement: LiteralString) -> None:
        async with self.ledger.transaction() as connection:
            await connection.execute(statement)

    async def stored(self) -> int:
        async with self.ledger.transaction() as connection:
            count: int = await value(connection, "SELECT count(*) FROM callback_inbox")
            return count


@pytest.fixture
async def door(
    ledger: Ledger, web_ledger: Ledger, workspace_id: WorkspaceId, vault: Vault
) -> AsyncIterator[Door]:
    async with ledger.transaction() as connection:
        await connection.execute(
            "INSERT INTO platform (organization_id, name, kind, base_url, sealed_key,"
            " rate_per_second, max_batch, counting) SELECT organization_id, 'gateway',"
            " 'thirdparty', '', %s, 1, 1, 'mainland' FROM workspace WHERE id = %s",
            [vault.seal(KEY, "test"), workspace_id],
        )
    app = FastAPI()
    routes = router(
        ledger=web_ledger,
        clock=FixedClock(NOW),
        open_key=lambda _name, sealed: vault.open(sealed, "test"),
        secret_of=lambda account, version: f"{'gateway' if account else 'nobody'}-{version}",
    )
    app.include_router(routes)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    server = Server(
        app, "127.0.0.1", port, interface=Interfaces.ASGI, websockets=False, log_enabled=False
    )
    serving = asyncio.create_task(server.serve())
    await answering(port)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        yield Door(client, ledger)
    server.stop()
    await serving


async def answering(port: int) -> None:
    """Wait at most 10 seconds until the port takes connections."""
    async with asyncio.timeout(10):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.01)
            else:
                writer.close()
                return await writer.wait_closed()
