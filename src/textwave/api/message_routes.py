"""Single messages over HTTP: one notification to one number, under an idempotency key."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Path
from pydantic import BaseModel, Field

from textwave.api.entry import After, Limit, Name, RowId, Rt, Text, Who
from textwave.api.shapes import Page, Shape, page_of
from textwave.kit.ids import SingleMessageId
from textwave.kit.mobile import Mobile, masked
from textwave.singles import operations, store
from textwave.singles.message import KEY_MAX, VALUE_MAX, AskedMessage, SingleMessage
from textwave.wiring import links_url

routes = APIRouter(tags=["messages"])
Value = Annotated[Text, Field(max_length=VALUE_MAX)]
Key = Annotated[
    Text,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=KEY_MAX,
        description="Of your choice, one for each message. The same key and body give the same "
        "message; nothing is sent twice.",
    ),
]


class MessageToSend(BaseModel):
    """A notification to one number, out of an approved template."""

    to: Annotated[Text, Field(min_length=4, max_length=40)] = Field(
        description="The number, as +8615412345678 or in the workspace's own way."
    )
    signature: Name
    template: Name
    variables: Annotated[dict[Name, Value], Field(max_length=100)] = Field(
        default_factory=dict, description="A value for each of the template's variables."
    )
    platform: Name | None = Field(default=None, description="Null: the template's.")


class Message(Shape):
    """A single message and what became of it."""

    id: int
    idempotency_key: str
    platform: str
    signature: str
    template: str
    mobile: str = Field(description="masked to the last four digits")
    parts: int = Field(description="billed parts")
    state: str = Field(
        description="waiting, refused, dropped, planned, prepared, in doubt, retrying, submitted, "
        "delivered, failed, or moved (to the warehouse)"
    )
    cause: str = Field(description="Why it was refused, dropped or failed.")
    created_by: str
    created_at: datetime
    sent_at: datetime | None = Field(description="When it left for the platform.")
    answered_at: datetime | None = Field(description="When the platform took it.")
    finished_at: datetime | None = Field(description="When it was delivered or had failed.")


@routes.post("/messages", status_code=202, summary="Send one notification.")
async def send_message(runtime: Rt, caller: Who, key: Key, new: MessageToSend) -> Message:
    """Write the message down; it leaves within about a second. Read it again to see its state."""
    asked = AskedMessage(new.to, new.signature, new.template, new.variables, new.platform)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        kept = await operations.ask_for_message(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            key=key,
            asked=asked,
            links_url=links_url(runtime.settings),
            now=runtime.clock.now(),
        )
    return _shape(kept)


@routes.get("/messages", summary="List the single messages.")
async def list_messages(
    runtime: Rt, caller: Who, after: After = None, limit: Limit = 100
) -> Page[Message]:
    """Return single messages, newest first."""
    most = min(limit, store.LONGEST_PAGE)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.messages(connection, caller.workspace_id, before=after, limit=most)
    return page_of(found, most, _shape, lambda one: one.id)


@routes.get("/messages/{message_id}", summary="Read a single message.")
async def read_message(runtime: Rt, caller: Who, message_id: Annotated[RowId, Path()]) -> Message:
    """Return a single message and what became of it."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        kept = await operations.single_message(
            connection, caller.workspace_id, SingleMessageId(message_id)
        )
    return _shape(kept)


def _shape(kept: SingleMessage) -> Message:
    return Message(
        id=kept.id,
        idempotency_key=kept.idempotency_key,
        platform=kept.platform,
        signature=kept.signature,
        template=kept.template,
        mobile=masked(Mobile(kept.mobile)),
        parts=kept.parts,
        state=kept.state,
        cause=kept.cause,
        created_by=kept.created_by,
        created_at=kept.created_at,
        sent_at=kept.sent_at,
        answered_at=kept.answered_at,
        finished_at=kept.finished_at,
    )
