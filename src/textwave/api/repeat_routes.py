"""Campaigns made from others over HTTP: copies, retries of who failed, and test sends."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from textwave.api.entry import Name, Rt, Text, Who, viewer_of
from textwave.api.operation_routes import begun
from textwave.api.shapes import Campaign, Operation, Page, Shape
from textwave.api.suppression_routes import typed_number
from textwave.campaigns import dropped_operations, repeat_operations, trial_operations
from textwave.campaigns.dropped_operations import AskedText
from textwave.campaigns.trial_operations import MOST_NUMBERS, AskedTest
from textwave.kit.mobile import Mobile, masked
from textwave.wiring import links_url

routes = APIRouter(tags=["campaigns"])
Named = Annotated[Name, Path()]


class NewName(BaseModel):
    """What the copy is named."""

    name: Name


class NewRetry(BaseModel):
    """What the retry is named, and who is tried again."""

    name: Name
    causes: Annotated[list[Name], Field(min_length=1, max_length=100)] | None = Field(
        None,
        description="Causes of failure, as the report has them. Default: all with which a message "
        "was surely not delivered and nobody said no.",
    )


class NewText(BaseModel):
    """The text for the dropped; what is left out is as in the digital campaign."""

    name: Name
    template: Annotated[Text, Field(max_length=200, description="A text template …")] = ""
    content: Annotated[Text, Field(max_length=2_000, description="… or a text of its own.")] = ""
    type: Literal["promotional", "notification"] = "promotional"
    platform: Annotated[Text, Field(max_length=200)] = ""
    signature: Annotated[Text, Field(max_length=200)] = ""
    variables: Annotated[
        dict[Name, dict[Name, Annotated[Text, Field(max_length=500)]]], Field(max_length=50)
    ] = {}
    causes: list[Name] = Field(
        default_factory=list[str],
        max_length=100,
        description="Who failed with one of these causes gets the text as well.",
    )


class NewTest(BaseModel):
    """To whom the text is sent, and with what in its variables."""

    mobiles: Annotated[
        list[Annotated[Text, Field(min_length=4, max_length=40)]],
        Field(min_length=1, max_length=MOST_NUMBERS),
    ]
    values: Annotated[dict[Name, Annotated[Text, Field(max_length=500)]], Field(max_length=50)] = {}
    customer: Name | None = Field(None, description="Whose values are taken; typed ones win.")
    variant: Name | None = Field(None, description="Of several texts this one; else the first.")


class SentTestMessage(Shape):
    """What became of a message of a test send."""

    mobile: str = Field(description="masked to the last four digits")
    state: str = Field(description="as of any message, or dropped")
    cause: str
    outcome: str = Field(description="The platform's answer.")
    prepared_at: datetime | None
    answered_at: datetime | None
    finished_at: datetime | None


class SentTest(BaseModel):
    """A test send; it is counted nowhere."""

    name: str
    state: str
    reason: str
    created_by: str
    created_at: datetime
    messages: list[SentTestMessage]


@routes.post("/campaigns/{name:path}/copy", status_code=201, summary="Copy a campaign.")
async def copy_campaign(runtime: Rt, caller: Who, name: Named, new: NewName) -> Campaign:
    """Write a draft under a new name with everything that the campaign says."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await repeat_operations.copy_campaign(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            new_name=new.name,
            links_url=links_url(runtime.settings),
            now=runtime.clock.now(),
            viewer=viewer_of(caller),
        )
    return Campaign.model_validate(made)


@routes.post(
    "/campaigns/{name:path}/retry-failed", status_code=202, summary="Try those who failed again."
)
async def retry_failed(
    runtime: Rt, caller: Who, response: Response, name: Named, new: NewRetry
) -> Operation:
    """Begin to make a draft whose audience are those who failed and were not reached since."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await repeat_operations.start_retry(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            new_name=new.name,
            causes=new.causes,
            now=runtime.clock.now(),
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.post(
    "/campaigns/{name:path}/text-from-dropped",
    status_code=202,
    summary="Send a text to those whose carriers have not approved.",
)
async def text_from_dropped(
    runtime: Rt, caller: Who, response: Response, name: Named, new: NewText
) -> Operation:
    """Begin to make a draft of a text for the numbers that a digital campaign dropped."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await dropped_operations.start_text(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            asked=AskedText(**new.model_dump()),
            now=runtime.clock.now(),
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.post(
    "/campaigns/{name:path}/test-send", status_code=202, summary="Send it to typed numbers first."
)
async def send_test(
    runtime: Rt, caller: Who, response: Response, name: Named, new: NewTest
) -> Operation:
    """Begin to send the text to at most ten numbers; `test-sends` says what came of it."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        workspace_id = caller.workspace_id
        mobiles = [int(await typed_number(connection, workspace_id, one)) for one in new.mobiles]
        operation_id = await trial_operations.start_test(
            connection,
            workspace_id=workspace_id,
            actor=caller.name,
            name=name,
            request=AskedTest(mobiles, dict(new.values), new.customer, new.variant),
        )
        return await begun(connection, response, workspace_id, operation_id)


@routes.get("/campaigns/{name:path}/test-sends", summary="List the test sends of a campaign.")
async def list_test_sends(runtime: Rt, caller: Who, name: Named) -> Page[SentTest]:
    """Return the newest test sends with what became of their messages."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await trial_operations.sent_tests(connection, caller.workspace_id, name)
    items = [
        SentTest(
            name=test.name,
            state=test.state,
            reason=test.reason,
            created_by=test.created_by,
            created_at=test.created_at,
            messages=[
                SentTestMessage(
                    mobile=masked(Mobile(message.mobile)),
                    state=message.state,
                    cause=message.cause,
                    outcome=message.outcome,
                    prepared_at=message.prepared_at,
                    answered_at=message.answered_at,
                    finished_at=message.finished_at,
                )
                for message in messages
            ],
        )
        for test, messages in found
    ]
    return Page(items=items)
