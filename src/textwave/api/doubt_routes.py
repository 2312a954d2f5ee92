"""Requests in doubt over HTTP: each with its evidence, and what a person says about it."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from textwave.api.entry import Limit, Name, Rt, Text, Who
from textwave.api.shapes import Shape
from textwave.dispatch import doubt_operations as operations
from textwave.dispatch.doubt import DoubtCase as Case
from textwave.dispatch.doubt import SettledAs

routes = APIRouter(tags=["in doubt"])
_PAGE_MAX = 200  # the messages of each are looked at
_RequestName = Annotated[Text, Field(min_length=5, max_length=40)]


class DoubtCase(BaseModel):
    """A request of which nobody knows whether the platform took it, with all that is known."""

    request: str = Field(description="campaign-number-attempt")
    campaign: str
    campaign_state: str
    platform: str
    honours_keys: bool = Field(description="Whether Textwave asks again by itself while it sends")
    prepared_at: datetime
    ends_at: datetime = Field(description="Then what has no final state fails: in doubt")
    outcome: str
    detail: str = Field(description="What came instead of an answer")
    attempts: int = Field(description="How often its batch was taken")
    messages: int
    unsettled: int
    delivered: int = Field(description="Of its messages, by receipts that came meanwhile")
    failed: int
    clicked: int
    asked: int = Field(description="How often the platform was asked whether it has the request")
    asked_at: datetime | None = Field(description="The last time")
    answer: str = Field(description="What it said then; not to know a request is no proof")
    settled_as: SettledAs | None = Field(description="Said already, and being carried out")
    settled_by: str | None
    choices: list[SettledAs] = Field(description="What can be said about it now")


class DoubtPage(BaseModel):
    """A page of requests in doubt; `next` is the `after` of the following one."""

    items: list[DoubtCase]
    next: str | None = None


class DoubtGroup(Shape):
    """How much of a campaign is in doubt."""

    campaign: str
    campaign_state: str
    platform: str
    honours_keys: bool
    requests: int
    messages: int
    oldest_at: datetime
    choices: list[SettledAs]


class DoubtGroups(BaseModel):
    """All campaigns with requests in doubt."""

    items: list[DoubtGroup]


class Settlement(BaseModel):
    """What a request in doubt was; `confirmed`: that people may get it a second time is meant."""

    model_config = ConfigDict(populate_by_name=True)

    settled_as: SettledAs = Field(alias="as")
    confirmed: bool = Field(False, description="Needed to send again")


class CampaignSettlement(Settlement):
    """The same for all requests of a campaign that are in doubt now."""

    campaign: Name


class Settled(BaseModel):
    """How many requests were settled; those that somebody settled before are not counted."""

    campaign: str
    requests: int


@routes.get("/in-doubt", summary="List the requests in doubt.")
async def list_doubts(
    runtime: Rt,
    caller: Who,
    campaign: Annotated[Name | None, Query()] = None,
    platform: Annotated[Name | None, Query()] = None,
    after: Annotated[_RequestName | None, Query(description="The last request's name.")] = None,
    limit: Limit = 100,
) -> DoubtPage:
    """Return requests in doubt with their evidence, the oldest campaign's first; at most 200."""
    bounded = min(limit, _PAGE_MAX)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await operations.doubts(
            connection,
            caller.workspace_id,
            campaign=campaign,
            platform=platform,
            after=after,
            limit=bounded,
        )
    hours = runtime.settings.in_doubt_hours
    more = str(found[-1].key) if len(found) >= bounded else None
    return DoubtPage(items=[_shape(case, hours) for case in found], next=more)


@routes.get("/in-doubt/campaigns", summary="List the campaigns in doubt.")
async def list_groups(runtime: Rt, caller: Who) -> DoubtGroups:
    """Return how much is in doubt, by campaign and platform."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await operations.doubt_groups(connection, caller.workspace_id)
    return DoubtGroups(items=[DoubtGroup.model_validate(group) for group in found])


@routes.post("/in-doubt/settle", summary="Settle all requests of a campaign.")
async def settle_campaign(runtime: Rt, caller: Who, said: CampaignSettlement) -> Settled:
    """Say the same of all requests of a campaign that are in doubt now; it is carried out soon."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        settled = await operations.settle_campaign(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            campaign=said.campaign,
            settled_as=said.settled_as,
            confirmed=said.confirmed,
        )
    return Settled(campaign=said.campaign, requests=settled)


@routes.post("/in-doubt/{request}/settle", summary="Settle a request in doubt.")
async def settle(
    runtime: Rt, caller: Who, request: Annotated[_RequestName, Path()], said: Settlement
) -> DoubtCase:
    """Say what the request was; it is carried out soon. Of two people one succeeds."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        case = await operations.settle(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            request=request,
            settled_as=said.settled_as,
            confirmed=said.confirmed,
        )
    return _shape(case, runtime.settings.in_doubt_hours)


def _shape(case: Case, in_doubt_hours: int) -> DoubtCase:
    return DoubtCase(
        request=str(case.key),
        campaign=case.campaign,
        campaign_state=case.campaign_state,
        platform=case.platform,
        honours_keys=case.honours_keys,
        prepared_at=case.prepared_at,
        ends_at=case.prepared_at + timedelta(hours=in_doubt_hours),
        outcome=case.outcome,
        detail=case.detail,
        attempts=case.attempts,
        messages=case.messages,
        unsettled=case.unsettled,
        delivered=case.delivered,
        failed=case.failed,
        clicked=case.clicked,
        asked=case.asked,
        asked_at=case.asked_at,
        answer=case.answer,
        settled_as=None if case.settled_as is None else SettledAs(case.settled_as),
        settled_by=case.settled_by,
        choices=case.choices,
    )
