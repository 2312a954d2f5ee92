"""Encryption keys over HTTP: they go in and never come out."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field, SecretStr

from textwave.api.entry import Rt, Who
from textwave.api.shapes import Page, Shape
from textwave.customers import key_operations

routes = APIRouter(tags=["encryption"])


class NewEncryptionKey(BaseModel):
    """A key to be kept."""

    key: Annotated[SecretStr, Field(max_length=100, description="16 ASCII characters.")]


class EncryptionKey(Shape):
    """What is known of a key; the key itself is never shown."""

    version: int
    created_by: str
    created_at: datetime
    tables: list[str] = Field(description="Tables whose mobile numbers it decrypts.")


@routes.get("/encryption-keys", summary="List the encryption keys.")
async def list_encryption_keys(runtime: Rt, caller: Who) -> Page[EncryptionKey]:
    """Return versions, newest first, and the tables that need them; never the keys."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await key_operations.keys(connection, caller.workspace_id)
    return Page(items=[EncryptionKey.model_validate(key) for key in found])


@routes.post("/encryption-keys", status_code=201, summary="Add an encryption key.")
async def add_encryption_key(runtime: Rt, caller: Who, new: NewEncryptionKey) -> EncryptionKey:
    """Keep a key, sealed, as the newest version; it cannot be read, changed or removed."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        added = await key_operations.add_key(
            connection,
            runtime.vault,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            secret=new.key.get_secret_value(),
        )
    return EncryptionKey.model_validate(added)
