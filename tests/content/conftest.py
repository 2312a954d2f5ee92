from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

import aiohttp
import pytest
from aiohttp import web

from tests.aliyun_stage import KEY_ID, KEY_SECRET, AliyunStage, aliyun_stage
from textwave.accounts.operations import Founding
from textwave.accounts.store import Caller
from textwave.connections.accounts import (
    KNOWN_CAPABILITIES,
    NewPlatform,
    OpenPlatform,
    PlatformAccount,
    PlatformKind,
    open_platform,
)
from textwave.connections.operations import add_platform
from textwave.content import operations
from textwave.content.operations import TemplateDraft
from textwave.content.store import Template
from textwave.kit.ids import WorkspaceId
from textwave.platforms.contract import MessageType
from textwave.settings import Settings
from textwave.storage.ledger import Ledger
from textwave.storage.secrets import Vault

from .gateway import NAME, Gateway

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINKS_URL = "https://d.example.cn"
KEY = "a shared key"


@dataclass(frozen=True)
class Place:
    """What tests act with: the web role for people, the owner for jobs, and the platform."""

    people: Ledger
    jobs: Ledger
    workspace_id: WorkspaceId
    gateway: Gateway
    open_platform: OpenPlatform
    account: PlatformAccount


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    told = Gateway()
    runner = web.AppRunner(told.application(), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    told.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield told
    await runner.cleanup()


@pytest.fixture
def caller(founding: Founding) -> Caller:
    return Caller(founding.workspace_id, founding.organization_id, 1, "wang")


@pytest.fixture
async def opener(vault: Vault) -> AsyncIterator[OpenPlatform]:
    async with aiohttp.ClientSession() as session:
        yield partial(open_platform, vault=vault, session=session, settings=Settings())


@pytest.fixture
async def place(
    ledger: Ledger,
    web_ledger: Ledger,
    vault: Vault,
    caller: Caller,
    gateway: Gateway,
    opener: OpenPlatform,
) -> Place:
    new = NewPlatform(NAME, gateway.url, KEY, opt_out_text=" 拒收请回复R")
    async with web_ledger.transaction(caller.workspace_id) as connection:
        account = await add_platform(connection, vault, caller=caller, new=new)
    return Place(web_ledger, ledger, caller.workspace_id, gateway, opener, account)


Write = Callable[..., Awaitable[Template]]


@pytest.fixture
def write(place: Place) -> Write:
    """Write a template as a person does."""

    async def written(
        name: str = "spring",
        content: str = "${name}你好，春季新品已到店",
        message_type: MessageType = MessageType.promotional,
    ) -> Template:
        draft = TemplateDraft(name, message_type, NAME, content, "spring sale for members")
        async with place.people.transaction(place.workspace_id) as connection:
            result = await operations.create_template(
                connection,
                workspace_id=place.workspace_id,
                actor="wang",
                draft=draft,
                links_url=LINKS_URL,
                now=NOW,
            )
        return result.template

    return written


async def actions(place: Place) -> list[str]:
    """Return what the audit log says was done, in order."""
    async with place.people.transaction(place.workspace_id) as connection:
        cursor = await connection.execute("SELECT action FROM audit_event ORDER BY id")
        return [row[0] for row in await cursor.fetchall()]


@pytest.fixture
async def stand_in() -> AsyncGenerator[AliyunStage]:
    """Reviews there end when the test says so."""
    async with aliyun_stage(review_seconds=3600.0) as stage:
        yield stage


@pytest.fixture
async def ali(place: Place, stand_in: AliyunStage, vault: Vault, caller: Caller) -> Place:
    """The place with an account at the stand-in, which is called ali."""
    new = NewPlatform(
        "ali",
        stand_in.url,
        KEY_SECRET,
        capabilities=KNOWN_CAPABILITIES - {"idempotency"},
        opt_out_text="拒收请回复R",
        kind=PlatformKind.ALIYUN,
        key_id=KEY_ID,
    )
    async with place.people.transaction(place.workspace_id) as connection:
        account = await add_platform(connection, vault, caller=caller, new=new)
    return replace(place, account=account)
