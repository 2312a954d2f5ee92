"""Platform accounts over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, SecretStr

from textwave.api.entry import Name, Rt, Text, Who
from textwave.api.shapes import Page, Platform
from textwave.connections import store
from textwave.connections.accounts import (
    KNOWN_CAPABILITIES,
    CallbackSigning,
    NewPlatform,
    ReceiptsBy,
)
from textwave.connections.operations import add_platform, connect_platform
from textwave.kit.text import Counting

routes = APIRouter()
Named = Annotated[Name, Path()]


class PlatformToAdd(BaseModel):
    """A platform account; connecting replaces rate, batch and capabilities by what it says."""

    name: Name
    base_url: Annotated[Text, Field(max_length=500)]
    key: SecretStr
    capabilities: Annotated[list[Name], Field(max_length=50)] | None = None
    rate_per_second: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    max_batch: Annotated[int, Field(ge=1, le=1_000)] = 100
    opt_out_text: Annotated[Text, Field(max_length=100)] = ""
    counting: Counting = Counting.MAINLAND
    price_milli: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    currency: Annotated[Text, Field(max_length=3)] = "CNY"
    callback_signing: CallbackSigning = CallbackSigning.STRICT
    receipts: ReceiptsBy = ReceiptsBy.PUSH


@routes.get("/platforms", tags=["platforms"], summary="List the platforms.")
async def list_platforms(runtime: Rt, caller: Who) -> Page[Platform]:
    """Return the platform accounts that the workspace may use."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.platforms(connection, workspace_id=caller.workspace_id)
    return Page(items=[Platform.model_validate(account) for account in found])


@routes.post("/platforms", tags=["platforms"], status_code=201, summary="Add a platform.")
async def create_platform(runtime: Rt, caller: Who, new: PlatformToAdd) -> Platform:
    """Add a platform account for the workspace. Its key is kept sealed."""
    given = new.model_dump(exclude={"key", "capabilities"})
    capabilities = KNOWN_CAPABILITIES if new.capabilities is None else frozenset(new.capabilities)
    account = NewPlatform(**given, key=new.key.get_secret_value(), capabilities=capabilities)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await add_platform(connection, runtime.vault, caller=caller, new=account)
    return Platform.model_validate(made)


@routes.post(
    "/platforms/{name}/connect", tags=["platforms"], summary="Ask the platform about the account."
)
async def connect(runtime: Rt, caller: Who, name: Named) -> Platform:
    """Keep the rate, batch size and capabilities that the platform says."""
    connected = await connect_platform(
        runtime.ledger,
        runtime.open_platform,
        workspace_id=caller.workspace_id,
        actor=caller.name,
        name=name,
    )
    return Platform.model_validate(connected.account)
