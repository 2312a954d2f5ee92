"""The door for platforms: authentic, readable and new callbacks become durable; no others."""

import asyncio
import json
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import aiohttp
import pytest
from fastapi import FastAPI
from granian.constants import Interfaces
from granian.server.embed import Server

from textwave.callbacks.operations import forget_nonces
from textwave.callbacks.routes import BODY_LIMIT_BYTES, router
from textwave.kit.clock import FixedClock
from textwave.kit.ids import WorkspaceId
from textwave.platforms.signing import QA_HEADER, TEXTWAVE_HEADER, signature_headers
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


async def test_a_callback_is_answered_when_it_and_its_merge_job_are_committed(door: Door) -> None:
    answer = await door.post()
    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "OK"})
    async with door.ledger.transaction() as connection:
        body = await value(connection, "SELECT body FROM callback_inbox WHERE kind = 'receipts'")
        task = await value(connection, "SELECT task_name FROM procrastinate_jobs")
    assert json.loads(body) == [RECEIPT]
    assert task == "responses.merge_receipts"


async def test_many_callbacks_leave_one_waiting_job_of_a_kind(door: Door) -> None:
    for _ in range(3):
        await door.post()
    reply = {
        "replyId": "1", "phoneNumber": "15412345678", "content": "T", "signName": "S",
        "receivedAt": NOW.isoformat(),
    }  # fmt: skip
    review = {"kind": "template", "templateCode": "T1", "status": "approved"}
    assert (await door.post([reply], kind="replies")).status_code == 200
    assert (await door.post([review], kind="reviews")).status_code == 200
    async with door.ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM procrastinate_jobs") == 3
    assert await door.stored() == 5


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "another key"},
        {"at": NOW - timedelta(seconds=301)},
        {"at": NOW + timedelta(seconds=301)},
        {"drop": QA_HEADER},
        {"drop": TEXTWAVE_HEADER},
        {"signed_body": b"[]"},
        {"nonce": "short"},
    ],
    ids=str,
)
async def test_a_wrong_stale_or_missing_signature_is_refused(
    door: Door, wrong: dict[str, Any]
) -> None:
    answer = await door.post(**wrong)
    assert answer.status_code == 401
    assert answer.json()["msg"]
    assert await door.stored() == 0


async def test_a_replayed_callback_is_refused(door: Door) -> None:
    nonce = secrets.token_hex(16)
    assert (await door.post(nonce=nonce)).status_code == 200
    answer = await door.post(nonce=nonce)
    assert (answer.status_code, answer.json()["code"]) == (401, "nonce_seen")
    assert await door.stored() == 1


async def test_an_old_gateway_may_leave_the_body_unsigned_where_that_is_set(door: Door) -> None:
    async with door.ledger.transaction() as connection:
        await connection.execute("UPDATE platform SET callback_signing = 'qa'")
    assert (await door.post(drop=TEXTWAVE_HEADER)).status_code == 200
    assert (await door.post(signed_body=b"[]")).status_code == 401


async def test_one_bad_item_refuses_the_whole_body_and_is_named(door: Door) -> None:
    answer = await door.post([RECEIPT, RECEIPT | {"status": "LOST"}])
    assert answer.status_code == 400
    assert (answer.json()["item"], answer.json()["field"]) == (1, "status")
    assert await door.stored() == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b"\xff\xfe", b"[" * 5000, b"null"])
async def test_a_body_that_is_no_list_of_items_is_refused(door: Door, body: bytes) -> None:
    assert (await door.post(body)).status_code == 400
    assert await door.stored() == 0


async def test_a_refused_body_may_be_sent_again_with_the_same_nonce(door: Door) -> None:
    nonce = secrets.token_hex(16)
    assert (await door.post(b"[]", nonce=nonce)).status_code == 400
    assert (await door.post(nonce=nonce)).status_code == 200


async def test_a_body_over_the_limit_is_refused(door: Door) -> None:
    answer = await door.post(b" " * (BODY_LIMIT_BYTES + 1))
    assert answer.status_code == 413
    assert await door.stored() == 0


async def test_an_unknown_platform_or_kind_is_not_found(door: Door) -> None:
    assert (await door.post(platform="nobody")).status_code == 404
    assert (await door.post(kind="rumours")).status_code in {404, 422}


async def test_old_nonces_are_forgotten(door: Door) -> None:
    await door.post()
    assert await forget_nonces(door.ledger, now=datetime.now(UTC)) == 0
    later = datetime.now(UTC) + timedelta(seconds=700)
    assert await forget_nonces(door.ledger, now=later) == 1
