"""The runs of recurring campaigns: each time refreshes the audience, then starts a campaign.

Runs as the owner. A time is written down once, with the job that brings it to its end; a crash
at any point repeats at most the refresh, for the campaign is made, started and noted in one
transaction. A run that cannot be is skipped and says why.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from textwave.audiences.operations import refresh_audience
from textwave.audiences.store import audience
from textwave.campaigns import store
from textwave.campaigns.operations import create_campaign
from textwave.campaigns.start_operations import check_ready, settle
from textwave.campaigns.states import CampaignEvent
from textwave.campaigns.timing import Decision, Due, Start, late_start, shown
from textwave.kit.clock import Clock
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.kit.refusal import Refusal
from textwave.recurrences import store as recurrence_store
from textwave.recurrences.operations import following_run, read_draft
from textwave.recurrences.store import OpenRun, Recurrence, RunKey
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.queue import Job, defer
from textwave.storage.warehouse import Warehouse

RUN_TASK: Final = "campaigns.run_recurrence"
_MOST_DUE: Final = 100
_MOST_MISSED: Final = 500
_FORGOTTEN: Final = timedelta(seconds=60)
_SOON: Final = timedelta(seconds=5)
_TROUBLE_MINUTES: Final = 10
_PAUSED: Final = "The recurrence was paused before the run began."
_UNEXPECTED: Final = "Something unexpected went wrong; the worker's log has the details."
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Runner:
    """What a run needs."""

    ledger: Ledger
    warehouse: Warehouse
    clock: Clock
    links_url: str


async def plan_due_runs(ledger: Ledger, *, now: datetime) -> int:
    """Write down the times that have come, each with its job; return how many recurrences had one.

    Also gives a job to runs that have none any more.
    """
    async with ledger.transaction() as connection:
        due = await recurrence_store.due(connection, now, limit=_MOST_DUE)
    for one in due:
        try:
            async with ledger.transaction() as connection:
                await _plan_runs(connection, one.workspace_id, one.id, now)
        except Exception:  # one that cannot be read must not stop the others
            log.exception("runs not planned", recurrence=one.id)
    async with ledger.transaction() as connection:
        waiting = await recurrence_store.waiting_runs(connection, now - _FORGOTTEN, limit=_MOST_DUE)
        jobs = [_job(RunKey(one.workspace_id, one.recurrence_id, one.due_at)) for one in waiting]
        await defer(connection, *jobs)
    return len(due)


async def _plan_runs(
    connection: Connection, workspace_id: WorkspaceId, recurrence_id: int, now: datetime
) -> None:
    """Write down the times until now. Of several that were missed only the last is run."""
    for _ in range(_MOST_MISSED):
        found = await recurrence_store.held(connection, workspace_id, recurrence_id)
        if found is None or found.next_run_at is None or found.next_run_at > now:
            return
        key = RunKey(workspace_id, recurrence_id, found.next_run_at)
        is_new = await recurrence_store.add_run(connection, key)
        counted = replace(found, runs=found.runs + is_new)
        following = following_run(counted, after=key.due_at)
        state = "active" if following else "ended"
        await recurrence_store.set_state(connection, found, state, following)
        if following is not None and following <= now:
            late = f"The run was due at {shown(key.due_at, found.zone)}, and nothing ran then"
            reason = f"{late}; the next one was due already, so this one is left out."
            await recurrence_store.change_run(connection, key, "skipped", reason=reason)
        else:
            await defer(connection, _job(key))


async def run_recurrence(
    runner: Runner, *, workspace_id: WorkspaceId, recurrence_id: int, due_at: str
) -> None:
    """Bring one run to its end; harmless when run again at any point."""
    key = RunKey(workspace_id, recurrence_id, datetime.fromisoformat(due_at))
    try:
        found = await _take(runner, key)
        if found is not None and await _refresh(runner, key, found):
            await _start(runner, key)
    except Exception:
        if not await _give_up(runner, key):
            raise  # the database restarts, say: the safety net defers it again
        log.exception("run given up", recurrence=recurrence_id)


async def _give_up(runner: Runner, key: RunKey) -> bool:
    """Skip a run that has been in trouble for too long; tell whether it is."""
    async with runner.ledger.transaction() as connection:
        run = await recurrence_store.open_run(connection, key)
        trouble = timedelta(minutes=_TROUBLE_MINUTES)
        if run is None or runner.clock.now() - run.begins_at < trouble:
            return False
        await recurrence_store.change_run(connection, key, "skipped", reason=_UNEXPECTED)
        return True


async def _take(runner: Runner, key: RunKey) -> Recurrence | None:
    """Take a run whose time has come; None when it is not to go on now, or not at all."""
    now = runner.clock.now()
    async with runner.ledger.transaction() as connection:
        found, run = await _open(connection, key)
        if found is None or run is None or run.begins_at > now + _SOON:
            return None
        start = _decide(found, run, now)
        if start.decision is Decision.GO:
            reason = start.reason or run.reason
            await recurrence_store.change_run(connection, key, "refreshing", reason=reason)
            return found
        if start.at is None:
            await recurrence_store.change_run(connection, key, "skipped", reason=start.reason)
            return None
        await recurrence_store.change_run(
            connection, key, "planned", reason=start.reason, begins_at=start.at
        )
        await defer(connection, _job(key, at=start.at))
        return None


async def _open(connection: Connection, key: RunKey) -> tuple[Recurrence | None, OpenRun | None]:
    """Hold a recurrence and its run; a paused one skips its run."""
    found = await recurrence_store.held(connection, key.workspace_id, key.recurrence_id)
    run = None if found is None else await recurrence_store.open_run(connection, key)
    if found is not None and run is not None and found.state == "paused":
        await recurrence_store.change_run(connection, key, "skipped", reason=_PAUSED)
        return found, None
    return found, run


def _decide(found: Recurrence, run: OpenRun, now: datetime) -> Start:
    """Decide what becomes of a run; one that would wait until after the next is left out."""
    timing = read_draft(found.draft).timing
    due = Due(run.begins_at, timing.late_minutes, timing.late_rule, timing.window)
    start = late_start(due, zone=found.zone, now=now)
    following = found.next_run_at
    if start.at is not None and following is not None and following <= start.at:
        reason = f"{start.reason} The next run is due before that, so this one is left out."
        return Start(Decision.CANCEL, None, reason)
    return start


async def _refresh(runner: Runner, key: RunKey, found: Recurrence) -> bool:
    """Refresh the audience; else skip the run and say why. Tell whether it goes on."""
    if not found.refresh_audience:
        return True
    name = read_draft(found.draft).audience
    try:
        async with runner.ledger.transaction(found.workspace_id) as connection:
            kept = await audience(connection, found.workspace_id, name)
        await refresh_audience(
            ledger=runner.ledger,
            warehouse=runner.warehouse,
            clock=runner.clock,
            workspace_id=found.workspace_id,
            audience_id=kept.id,
        )
    except Refusal as refusal:
        reason = f"The audience could not be refreshed: {refusal.sentence}"
        async with runner.ledger.transaction() as connection:
            await recurrence_store.change_run(connection, key, "skipped", reason=reason)
        log.warning("run skipped", recurrence=key.recurrence_id, code=refusal.code)
        return False
    return True


async def _start(runner: Runner, key: RunKey) -> None:
    """Make the campaign and start it, or say why not, in one transaction."""
    async with runner.ledger.transaction() as connection:
        found, run = await _open(connection, key)
        if found is None or run is None:
            return
        try:
            async with connection.transaction():
                campaign_id = await _make(connection, runner, key, found, run.reason)
        except Refusal as refusal:
            reason = refusal.sentence
            await recurrence_store.change_run(connection, key, "skipped", reason=reason)
            log.warning("run skipped", recurrence=key.recurrence_id, code=refusal.code)
            return
        await recurrence_store.change_run(
            connection, key, "started", reason=run.reason, campaign_id=campaign_id
        )
    log.info("run started", recurrence=key.recurrence_id, campaign=campaign_id)


async def _make(
    connection: Connection, runner: Runner, key: RunKey, found: Recurrence, reason: str
) -> CampaignId:
    now = runner.clock.now()
    name = await _free_name(connection, found, key.due_at)
    made = await create_campaign(
        connection,
        workspace_id=key.workspace_id,
        actor=f"recurrence {found.name}",
        draft=replace(read_draft(found.draft), name=name),
        links_url=runner.links_url,
        now=now,
    )
    await recurrence_store.link_campaign(connection, key, made.id)
    await store.hold_template(connection, key.workspace_id, name)
    brief = await store.brief(connection, key.workspace_id, campaign_id=made.id)
    await check_ready(connection, brief, links_url=runner.links_url, now=now)
    await settle(connection, brief, Start(Decision.GO, reason=reason), CampaignEvent.START, now)
    return made.id


async def _free_name(connection: Connection, found: Recurrence, due_at: datetime) -> str:
    """Return the campaign's name: with the day, and with the hour where that is taken."""
    local = due_at.astimezone(found.zone)
    name = f"{found.name} {local:%Y-%m-%d}"
    if await store.campaigns(connection, found.workspace_id, name=name):
        return f"{name} {local:%H:%M}"
    return name


def _job(key: RunKey, *, at: datetime | None = None) -> Job:
    args = {
        "workspace_id": key.workspace_id,
        "recurrence_id": key.recurrence_id,
        "due_at": key.due_at.isoformat(),
    }
    lock = f"recurrence-{key.recurrence_id}"
    waiting = f"{lock}-{int(key.due_at.timestamp())}"
    return Job(RUN_TASK, "compute", args, lock=lock, queueing_lock=waiting, priority=5, at=at)
