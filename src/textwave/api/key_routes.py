"""API keys over HTTP, for administrators."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from textwave.accounts import key_operations
from textwave.api.entry import Name, Rt, Who
from textwave.api.shapes import Page, Shape

routes = APIRouter(tags=["keys"])
Named = Annotated[Name, Path()]


class KeyToMake(BaseModel):
    """A key to be made."""

    name: Name
    is_administrator: bool = True


class MadeKey(BaseModel):
    """A key that was made; it is shown here and never again."""

    name: str
    is_administrator: bool
    key: str = Field(description="Send it as “Authorization: Bearer …”.")


class ApiKey(Shape):
    """A key in use."""

    id: int
    name: str
    is_administrator: bool
    created_at: datetime


@routes.get("/keys", summary="List the API keys.")
async def list_keys(runtime: Rt, caller: Who) -> Page[ApiKey]:
    """Return the keys in use; the keys themselves are not kept."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await key_operations.api_keys(connection, caller=caller)
    return Page(items=[ApiKey.model_validate(one) for one in found])


@routes.post("/keys", status_code=201, summary="Make an API key.")
async def create_key(runtime: Rt, caller: Who, new: KeyToMake) -> MadeKey:
    """Make a key and show it, once."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        key = await key_operations.create_api_key(
            connection, caller=caller, name=new.name, is_administrator=new.is_administrator
        )
    return MadeKey(name=new.name.strip(), is_administrator=new.is_administrator, key=key)


@routes.delete("/keys/{name}", status_code=204, summary="Revoke an API key.")
async def revoke_key(runtime: Rt, caller: Who, name: Named) -> None:
    """End the use of a key, at once and for good."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await key_operations.revoke_api_key(connection, caller=caller, name=name)
