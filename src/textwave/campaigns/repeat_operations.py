"""Making a campaign from another one: a copy, or a retry of those who failed.

`copy_campaign` and `start_retry` serve the web role; `run_retry` is the job. A retry has its own
audience: who failed and was not reached since. Its plan looks again, so nobody gets it twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from textwave.audiences import store as audience_store
from textwave.audiences.operations import create_audience
from textwave.audiences.particulars import Particulars
from textwave.audiences.rule import InCampaign, Outcome, Rule
from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.campaigns import repeat_store, store
from textwave.campaigns.brief import Brief
from textwave.campaigns.moved_store import check_in_ledger
from textwave.campaigns.operations import campaign, check_draft, create_campaign
from textwave.campaigns.repeat_store import Retry
from textwave.campaigns.repeating import NothingToRetry, choose_causes, copied
from textwave.campaigns.start_operations import record
from textwave.campaigns.store import Campaign
from textwave.kit.clock import Clock
from textwave.kit.ids import CampaignId, OperationId, SnapshotId, WorkspaceId
from textwave.kit.refusal import AlreadyExists
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.warehouse import Lake, Warehouse

RETRY_TASK: Final = "campaigns.retry_failed"


@dataclass(frozen=True, slots=True)
class Repeating:
    """What a retry is made with."""

    ledger: Ledger
    warehouse: Warehouse
    clock: Clock
    links_url: str


@dataclass(frozen=True, slots=True)
class Members:
    """Those who are tried again, as a snapshot in the lake."""

    snapshot_id: SnapshotId
    size: int
    lake_version: int
    milliseconds: int


async def copy_campaign(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    new_name: str,
    links_url: str,
    now: datetime,
    viewer: Viewer = SEES_ALL,
) -> Campaign:
    """Write a draft under a new name with everything that the campaign says.

    Raises:
        NotFound: there is no such campaign.
        AlreadyExists: the new name is taken.
        … and what creating a campaign raises, when a part of it is gone or fits no more.
    """
    source = await campaign(connection, workspace_id, name)
    made = await create_campaign(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        draft=copied(source, name=new_name, now=now),
        links_url=links_url,
        now=now,
        viewer=viewer,
    )
    await repeat_store.link(connection, workspace_id, made.id, copied_from=source.id)
    return await campaign(connection, workspace_id, new_name)


async def start_retry(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    new_name: str,
    causes: Sequence[str] | None,
    now: datetime,
) -> OperationId:
    """Begin to make a draft for those who failed; the result is `{campaign, audience, size, …}`.

    Without causes: all with which a message was surely not delivered and nobody said no.

    Raises:
        NotFound, AlreadyExists, InvalidValue: as the sentence says.
        NothingToRetry: nobody failed with one of the causes.
        MessagesMoved: its messages have left the ledger.
    """
    source = await campaign(connection, workspace_id, name)
    await check_in_ledger(connection, workspace_id=workspace_id, campaign_id=source.id)
    check_draft(copied(source, name=new_name, now=now))
    if await store.campaigns(connection, workspace_id, name=new_name):
        raise AlreadyExists("campaign", new_name)
    there = await repeat_store.causes(connection, workspace_id, source.id)
    chosen = choose_causes(causes, there)
    if not chosen:
        raise NothingToRetry(name, chosen)
    request = {
        "source_id": source.id,
        "name": new_name,
        "causes": list(chosen),
        "actor": actor,
    }
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=RETRY_TASK, request=request
    )


async def run_retry(
    using: Repeating, *, workspace_id: WorkspaceId, operation_id: OperationId
) -> None:
    """Do the job of `start_retry`; when it runs again it begins anew."""
    work = partial(_retry, using, workspace_id)
    await progress.perform(
        using.ledger, workspace_id=workspace_id, operation_id=operation_id, work=work
    )


async def _retry(
    using: Repeating, workspace_id: WorkspaceId, request: dict[str, Any]
) -> dict[str, Any]:
    source_id = CampaignId(request["source_id"])
    async with using.ledger.transaction() as connection:
        source = await store.brief(connection, workspace_id, campaign_id=source_id)
    members = await find_members(using, source, request["causes"])
    if members.size == 0:
        raise NothingToRetry(source.name, tuple(request["causes"]))
    async with using.ledger.transaction() as connection:
        rule = InCampaign(
            campaign=source.name, outcome=Outcome.FAILED, reasons=tuple(request["causes"])
        )
        description = f"Failed in “{source.name}” and not reached since."
        await add_audience(connection, source, request, members, rule, description)
        await _add_retry(connection, using, source, request)
    return {
        "campaign": request["name"],
        "audience": request["name"],
        "causes": request["causes"],
        "size": members.size,
    }


async def find_members(using: Repeating, source: Brief, causes: list[str]) -> Members:
    """Write whom a campaign did not reach for these causes, nor another retry since."""
    async with using.ledger.transaction() as connection:
        snapshot_id = await audience_store.next_snapshot_id(connection)
    retry = Retry(CampaignId(0), source.id, causes)
    began = using.clock.monotonic()
    size, version = await using.warehouse.run(
        source.workspace_id, lambda lake: _write_members(lake, snapshot_id, using.ledger.url, retry)
    )
    milliseconds = round((using.clock.monotonic() - began) * 1000)
    return Members(snapshot_id, size, version, milliseconds)


def _write_members(lake: Lake, snapshot_id: SnapshotId, url: str, retry: Retry) -> tuple[int, int]:
    """Write the customers who failed and were not reached since as members of a snapshot."""
    failed: Any = lake.hold(repeat_store.failed_pairs(url, retry))
    reached: Any = lake.hold(repeat_store.reached_since(url, retry))
    left = failed.anti_join(reached, failed.mobile == reached.mobile)
    return audience_store.write_members(lake, snapshot_id, left.select("customer").distinct())


async def add_audience(
    connection: Connection,
    source: Brief,
    request: dict[str, Any],
    members: Members,
    rule: Rule,
    description: str,
) -> None:
    """Add the audience of those who are tried again, with the members that were found."""
    made = await create_audience(
        connection,
        workspace_id=source.workspace_id,
        actor=request["actor"],
        name=request["name"],
        table=source.table_name,
        rule=rule,
        particulars=Particulars(description=description),
    )
    await audience_store.add_snapshot(
        connection,
        snapshot_id=members.snapshot_id,
        workspace_id=source.workspace_id,
        audience_id=made.id,
        size=members.size,
        lake_version=members.lake_version,
        milliseconds=members.milliseconds,
    )


async def _add_retry(
    connection: Connection, using: Repeating, source: Brief, request: dict[str, Any]
) -> None:
    """Write the draft: to all who failed, without a control group that had its part already."""
    now, name = using.clock.now(), request["name"]
    found = await campaign(connection, source.workspace_id, source.name)
    draft = copied(found, name=name, now=now)
    shares = replace(draft.shares, control=None, winner=None)
    timing = replace(draft.timing, at=None)
    made = await create_campaign(
        connection,
        workspace_id=source.workspace_id,
        actor=request["actor"],
        draft=replace(draft, audience=name, shares=shares, timing=timing),
        links_url=using.links_url,
        now=now,
    )
    await repeat_store.link(
        connection,
        source.workspace_id,
        made.id,
        copied_from=source.id,
        causes=request["causes"],
    )
    brief = await store.brief(connection, source.workspace_id, campaign_id=made.id)
    detail = {"failed_in": source.name, "causes": request["causes"]}
    await record(connection, brief, request["actor"], "retry-failed", detail)
