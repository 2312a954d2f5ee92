"""The time of a campaign over HTTP: given and taken back; campaigns edited and deleted."""

from typing import Annotated

from fastapi import APIRouter, Path

from textwave.api.campaign_routes import NewCampaign
from textwave.api.entry import Name, Rt, Who, viewer_of
from textwave.api.shapes import Campaign
from textwave.api.timing_shapes import NewSchedule, NewTiming
from textwave.campaigns import schedule_operations as schedules
from textwave.wiring import links_url

routes = APIRouter(tags=["campaigns"])
Named = Annotated[Name, Path()]


@routes.post("/campaigns/{name:path}/schedule", summary="Give a campaign a time.")
async def schedule_campaign(runtime: Rt, caller: Who, name: Named, new: NewSchedule) -> Campaign:
    """Schedule a draft, or move a scheduled campaign to another time, until 5 minutes before."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        moved = await schedules.schedule_campaign(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            timing=NewTiming(schedule=new).timing(),
            links_url=links_url(runtime.settings),
            now=runtime.clock.now(),
        )
    return Campaign.model_validate(moved)


@routes.post("/campaigns/{name:path}/unschedule", summary="Take a campaign off its time.")
async def unschedule_campaign(runtime: Rt, caller: Who, name: Named) -> Campaign:
    """Make a scheduled campaign a draft again, until 5 minutes before its time."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        moved = await schedules.unschedule_campaign(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            now=runtime.clock.now(),
        )
    return Campaign.model_validate(moved)


@routes.put("/campaigns/{name:path}", summary="Edit a campaign.")
async def edit_campaign(runtime: Rt, caller: Who, name: Named, new: NewCampaign) -> Campaign:
    """Write a campaign anew: a draft, a rejected or, until 5 minutes before, a scheduled one."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        edited = await schedules.edit_campaign(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            draft=new.draft(),
            links_url=links_url(runtime.settings),
            now=runtime.clock.now(),
            viewer=viewer_of(caller),
        )
    return Campaign.model_validate(edited)


@routes.delete("/campaigns/{name:path}", status_code=204, summary="Delete a campaign.")
async def delete_campaign(runtime: Rt, caller: Who, name: Named) -> None:
    """Delete a draft, a rejected or, until 5 minutes before its time, a scheduled campaign."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await schedules.delete_campaign(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=name,
            now=runtime.clock.now(),
        )
