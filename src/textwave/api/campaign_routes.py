"""Campaigns over HTTP: written, dry-run, started, paused, resumed, cancelled, and their effect."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from textwave.api.effort_shapes import NewEffort
from textwave.api.entry import After, Limit, Name, Rt, Text, Who, viewer_of
from textwave.api.operation_routes import begun
from textwave.api.shapes import Campaign, Operation, Page, page_of
from textwave.api.shares_shapes import NewShares
from textwave.api.timing_shapes import NewTiming
from textwave.campaigns import operations as campaigns
from textwave.campaigns.draft import CampaignDraft
from textwave.campaigns.numbers import NumberChoice
from textwave.campaigns.store import Campaign as KeptCampaign
from textwave.campaigns.winner_operations import choose_winner
from textwave.dispatch.stall_operations import stalls
from textwave.insights.operations import EffectReport, effect_report
from textwave.kit.ids import WorkspaceId
from textwave.limits.quiet import WhenQuiet
from textwave.storage.ledger import Connection
from textwave.wiring import links_url

routes = APIRouter(tags=["campaigns"])
Named = Annotated[Name, Path()]


class Source(BaseModel):
    """Where a variable's value comes from, and what happens to who has none."""

    column: Name
    missing: Literal["default", "empty", "drop"] = "drop"
    default: Annotated[Text, Field(max_length=100)] = ""


class NewCampaign(NewEffort, NewShares, NewTiming):
    """A campaign to be written; everything by name."""

    name: Name
    type: Literal["promotional", "notification", "digital"]
    platform: Name
    signature: Name
    template: Name | None = Field(None, description="Of variants that of the first; leave it out.")
    content: Annotated[Text, Field(max_length=500)] = Field(
        "",
        description="A text of its own. It becomes a template named after the campaign, is handed "
        "to review when the campaign is started, and the campaign goes when it is approved. Empty: "
        "the template's text.",
    )
    audience: Name
    variables: Annotated[dict[Name, Source], Field(max_length=50)] = Field({})
    numbers: NumberChoice = Field(
        NumberChoice.FIRST, description="Which of a customer's numbers get the text."
    )
    quiet: WhenQuiet = Field(
        WhenQuiet.WAIT,
        description="What becomes of messages whose recipients must be left alone: they wait until "
        "quiet hours and holidays are over, or are dropped.",
    )

    def draft(self) -> CampaignDraft:
        """Return it as the product takes it."""
        parts = (NewEffort, NewShares, NewTiming)
        nested = {field for part in parts for field in part.model_fields}
        given = self.model_dump(exclude={"variables", "template", *nested})
        sources = {name: source.model_dump() for name, source in self.variables.items()}
        shares = self.shares()
        first = next((variant.template for variant in shares.variants), "")
        template = self.template or first
        return CampaignDraft(
            **given,
            template=template,
            variables=sources,
            shares=shares,
            timing=self.timing(),
            effort=self.effort(),
        )


@routes.get("/campaigns", summary="List the campaigns.")
async def list_campaigns(
    runtime: Rt, caller: Who, after: After = None, limit: Limit = 100
) -> Page[Campaign]:
    """Return campaigns, newest first."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await campaigns.campaigns(
            connection, caller.workspace_id, before=after, limit=limit
        )
        shown = await with_stalls(connection, caller.workspace_id, found)
    return page_of(shown, limit, lambda one: one, lambda one: one.id)


@routes.post("/campaigns", status_code=201, summary="Write a campaign.")
async def create_campaign(runtime: Rt, caller: Who, new: NewCampaign) -> Campaign:
    """Write a draft after checking that what it names exists and fits together."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await campaigns.create_campaign(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            draft=new.draft(),
            links_url=links_url(runtime.settings),
            now=runtime.clock.now(),
            viewer=viewer_of(caller),
        )
    return Campaign.model_validate(made)


@routes.post("/campaigns/{name:path}/dry-run", status_code=202, summary="Plan without sending.")
async def dry_run(runtime: Rt, caller: Who, response: Response, name: Named) -> Operation:
    """Begin the plan; the operation's result has messages, drops, parts, price and samples.

    `expected_drops` and `expected_waiting` estimate what fatigue rules and quiet hours would do to
    these messages if they were sent now.
    """
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await campaigns.start_dry_run(
            connection, workspace_id=caller.workspace_id, name=name
        )
        return await begun(connection, response, caller.workspace_id, operation_id)


@routes.post("/campaigns/{name:path}/start", summary="Start a campaign.")
async def start(runtime: Rt, caller: Who, name: Named) -> Campaign:
    """Start at its time; without one now, or as soon as the template is approved."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        moved = await campaigns.start_campaign(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            links_url=links_url(runtime.settings),
            now=runtime.clock.now(),
        )
    return Campaign.model_validate(moved)


@routes.post("/campaigns/{name:path}/pause", summary="Pause a campaign.")
async def pause(runtime: Rt, caller: Who, name: Named) -> Campaign:
    """Stop preparing batches; what has left already will still be answered."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        moved = await campaigns.pause_campaign(
            connection, workspace_id=caller.workspace_id, actor=caller.name, name=name
        )
    return Campaign.model_validate(moved)


@routes.post("/campaigns/{name:path}/resume", summary="Resume a campaign.")
async def resume(runtime: Rt, caller: Who, name: Named) -> Campaign:
    """Go on with what has not been sent."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        moved = await campaigns.resume_campaign(
            connection, workspace_id=caller.workspace_id, actor=caller.name, name=name
        )
    return Campaign.model_validate(moved)


@routes.post("/campaigns/{name:path}/cancel", summary="Cancel a campaign.")
async def cancel(runtime: Rt, caller: Who, name: Named) -> Campaign:
    """End the campaign: nothing that has not been prepared leaves any more."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        moved = await campaigns.cancel_campaign(
            connection, workspace_id=caller.workspace_id, actor=caller.name, name=name
        )
    return Campaign.model_validate(moved)


class Winner(BaseModel):
    """The variant that all who wait get."""

    variant: Name


@routes.post("/campaigns/{name:path}/winner", summary="Choose the winner of a test.")
async def winner(runtime: Rt, caller: Who, name: Named, chosen: Winner) -> Campaign:
    """Give the text of a variant to all who wait for it; the tests need not have ended."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        moved = await choose_winner(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            variant=chosen.variant,
            now=runtime.clock.now(),
        )
    return Campaign.model_validate(moved)


@routes.get("/campaigns/{name:path}/report", summary="Read the effect of a campaign.")
async def report(runtime: Rt, caller: Who, name: Named) -> EffectReport:
    """Return the effect so far, live while it is sent."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        return await effect_report(connection, workspace_id=caller.workspace_id, name=name)


@routes.get("/campaigns/{name:path}", summary="Read a campaign.")
async def read_campaign(runtime: Rt, caller: Who, name: Named) -> Campaign:
    """Return a campaign and where it stands."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await campaigns.campaign(connection, caller.workspace_id, name)
        [shown] = await with_stalls(connection, caller.workspace_id, [found])
    return shown


async def with_stalls(
    connection: Connection, workspace_id: WorkspaceId, found: Sequence[KeptCampaign]
) -> list[Campaign]:
    """Shape campaigns, each with why it stands still."""
    stalled = await stalls(
        connection, workspace_id=workspace_id, campaign_ids=[one.id for one in found]
    )
    shown = [Campaign.model_validate(one) for one in found]
    for one, campaign in zip(found, shown, strict=True):
        if one.id in stalled:
            campaign.stalled_since = stalled[one.id].since
            campaign.stalled_reason = stalled[one.id].reason
    return shown
