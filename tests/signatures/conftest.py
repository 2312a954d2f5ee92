"""Signatures are tested at the place where templates are, and at Alibaba Cloud's stand-in."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from tests.aliyun_stage import KEY_ID, KEY_SECRET, AliyunStage, aliyun_stage
from tests.content.conftest import Place, caller, gateway, opener, place, write
from textwave.accounts.store import Caller
from textwave.connections.accounts import KNOWN_CAPABILITIES, NewPlatform, PlatformKind
from textwave.connections.operations import add_platform
from textwave.storage.secrets import Vault

__all__ = ["caller", "gateway", "opener", "place", "write"]


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
