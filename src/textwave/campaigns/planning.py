"""Making the plan of a campaign: the job behind start, and the dry run.

Runs as the owner. A plan that was interrupted is cleared by its block of ids and made again;
sending begins in the one transaction that also writes the tallies, the batches and their jobs.
"""

from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

import ibis.expr.types as ir
import structlog

from textwave.audiences.store import member_ids
from textwave.campaigns import store
from textwave.campaigns.draft import NotReadyToStart, read_sources
from textwave.campaigns.lake import Destination, PlanTally, plan_blocks, tally_plan, write_plan
from textwave.campaigns.numbers import NumberChoice
from textwave.campaigns.operations import SEND_TASK
from textwave.campaigns.parts import PartsMeasure
from textwave.campaigns.plan import OPTED_OUT, Recipients, count_recipients
from textwave.campaigns.reach import Reach, find_numbers, find_reach
from textwave.campaigns.states import CampaignEvent
from textwave.campaigns.store import Brief, PlanCounts
from textwave.content.variables import TemplateText, parse
from textwave.content.wording import full_text
from textwave.kit.clock import Clock
from textwave.kit.ids import CampaignId, OperationId, SnapshotId, WorkspaceId, first_message_id
from textwave.kit.mobile import Mobile, masked
from textwave.kit.money import Money, price_of
from textwave.kit.refusal import Refusal
from textwave.kit.text import Counting
from textwave.platforms.contract import MessageType
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.partitions import ensure_partitions
from textwave.storage.queue import Job, defer, measure
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Lake, Warehouse
from textwave.suppression.store import opted_out_numbers

_BATCH_SECONDS = 1  # a batch of a slow platform is smaller, so that no job holds its place for long
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Work:
    """What the warehouse is asked to plan."""

    brief: Brief
    snapshot_id: SnapshotId
    template: TemplateText
    reach: Reach

    @property
    def measure(self) -> PartsMeasure:
        return PartsMeasure(self.template, self.brief.signature, Counting(self.brief.counting))

    @property
    def honours_opt_outs(self) -> bool:
        return self.brief.type != MessageType.notification


async def run_dry_run(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    vault: Vault,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
) -> None:
    """Compute a campaign's plan without writing it: the same path, counted."""

    async def work(request: dict[str, Any]) -> dict[str, Any]:
        async with ledger.transaction() as connection:
            brief = await store.brief(
                connection, workspace_id, campaign_id=CampaignId(request["campaign_id"])
            )
            asked = await _work(connection, vault, brief, brief.newest_snapshot_id)
        tally = await warehouse.run(
            workspace_id,
            lambda lake: tally_plan(
                plan_blocks(_recipients(lake, asked, ledger.url), [asked.measure]),
                [asked.measure],
            ),
        )
        return _report(brief, tally)

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


async def run_plan(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    vault: Vault,
    clock: Clock,
    batch_size: int,
    workspace_id: WorkspaceId,
    campaign_id: CampaignId,
) -> None:
    """Write a campaign's messages and drops and begin sending; harmless when run twice."""
    async with ledger.transaction() as connection:
        brief = await store.brief(connection, workspace_id, campaign_id=campaign_id)
        if brief.state != "planning":
            return
        month = clock.now().astimezone(UTC).date()
        await ensure_partitions(connection, month)
    try:
        async with ledger.transaction() as connection:
            snapshot_id = brief.snapshot_id or brief.newest_snapshot_id
            asked = await _work(connection, vault, brief, snapshot_id)
        size = await warehouse.run(workspace_id, lambda lake: _size(lake, asked))
        async with ledger.transaction() as connection:
            to = await _block_of_ids(connection, asked, ledger.url, month, size)
        log.info("plan started", campaign=campaign_id, audience=to.size)
        tally = await warehouse.run(
            workspace_id,
            lambda lake: write_plan(
                plan_blocks(_recipients(lake, asked, ledger.url), [asked.measure]),
                [asked.measure],
                to,
            ),
        )
    except Refusal as refusal:
        await _fail(ledger, brief, refusal)
        return
    await _begin_sending(ledger, asked, to, tally, batch_size)


async def _fail(ledger: Ledger, brief: Brief, refusal: Refusal) -> None:
    """End a campaign that cannot be planned; what an interrupted plan had written goes."""
    async with ledger.transaction() as connection:
        await _clear(connection, brief)
        await store.move(connection, brief, CampaignEvent.FAIL, reason=refusal.sentence)


async def _work(
    connection: Connection, vault: Vault, brief: Brief, snapshot_id: SnapshotId | None
) -> _Work:
    if snapshot_id is None:
        problem = "has not been computed yet. Refresh it and wait until it is done."
        raise NotReadyToStart("audience", brief.audience, problem)
    text = full_text(brief.template_content, MessageType(brief.type), brief.opt_out_text)
    return _Work(brief, snapshot_id, parse(text), await find_reach(connection, vault, brief))


def _size(lake: Lake, asked: _Work) -> int:
    """Count the recipients, so that each finds its id in the campaign's block."""
    members = member_ids(lake, asked.snapshot_id)
    several = asked.reach.choice is NumberChoice.ALL
    numbers = find_numbers(lake, asked.reach, members) if several else None
    return int(count_recipients(members, numbers).to_pyarrow().as_py())


async def _block_of_ids(
    connection: Connection, asked: _Work, url: str, month: date, size: int
) -> Destination:
    """Take the campaign's block of ids, and clear the one that an interrupted plan took."""
    brief = asked.brief
    await _clear(connection, brief)
    first_id = await store.take_ids(
        connection, month=month, first_id=first_message_id(month), size=size
    )
    await store.freeze(
        connection,
        {
            "workspace_id": brief.workspace_id,
            "campaign_id": brief.id,
            "snapshot_id": asked.snapshot_id,
            "content": asked.template.text,
            "first_message_id": first_id,
            "last_message_id": first_id + size - 1,
            "request_size": brief.max_batch,
        },
    )
    return Destination(url, brief.workspace_id, brief.id, month, first_id, size)


async def _clear(connection: Connection, brief: Brief) -> None:
    if brief.first_message_id is None:
        return
    await store.clear_plan(
        connection,
        {
            "workspace_id": brief.workspace_id,
            "campaign_id": brief.id,
            "first_id": brief.first_message_id,
            "last_id": brief.last_message_id,
        },
    )


async def _begin_sending(
    ledger: Ledger, asked: _Work, to: Destination, tally: PlanTally, batch_size: int
) -> None:
    brief = asked.brief
    size = _batch_size(brief, batch_size)
    counts = PlanCounts(tally.audience, tally.messages, tally.parts, dict(tally.drops))
    async with ledger.transaction() as connection:
        await store.add_tally(connection, brief.workspace_id, brief.id)
        numbers = await store.finish_plan(
            connection, brief, first_id=to.first_id, batch_size=size, counts=counts
        )
        if numbers is None:  # cancelled while it was planned
            last = to.first_id + to.size - 1
            key = {"workspace_id": brief.workspace_id, "campaign_id": brief.id}
            await store.clear_plan(connection, {**key, "first_id": to.first_id, "last_id": last})
            return
        if not numbers:
            await store.move(connection, brief, CampaignEvent.COMPLETE)
        await defer_batches(connection, brief.workspace_id, brief.id, numbers)
    log.info("plan finished", campaign=brief.id, messages=tally.messages, batches=len(numbers))


async def defer_batches(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId, numbers: list[int]
) -> None:
    """Defer one job a batch; the lock keeps two workers off the same batch."""
    await defer(
        connection,
        *(
            Job(
                SEND_TASK,
                "dispatch",
                {"workspace_id": workspace_id, "campaign_id": campaign_id, "batch": number},
                lock=f"batch-{campaign_id}-{number}",
            )
            for number in numbers
        ),
    )
    await measure(connection)


async def resume_sending(
    ledger: Ledger, *, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> None:
    """Defer the open batches of a resumed campaign; complete it when there are none."""
    async with ledger.transaction() as connection:
        brief = await store.brief(connection, workspace_id, campaign_id=campaign_id)
        if brief.state != "sending":
            return
        numbers = await store.open_batches(connection, workspace_id, campaign_id)
        if not numbers:
            await store.move(connection, brief, CampaignEvent.COMPLETE)
        await defer_batches(connection, workspace_id, campaign_id, list(numbers))


def _batch_size(brief: Brief, configured: int) -> int:
    """Return messages a batch: a multiple of the request size, about two seconds of sending."""
    wanted = min(configured, max(brief.max_batch, brief.rate_per_second * _BATCH_SECONDS))
    return max(wanted // brief.max_batch, 1) * brief.max_batch


def _recipients(lake: Lake, asked: _Work, url: str) -> Recipients:
    blocked: list[tuple[str, ir.Table]] = []
    if asked.honours_opt_outs:
        opted_out = opted_out_numbers(url, asked.brief.signature_id)
        blocked.append((OPTED_OUT, lake.hold(opted_out)))
    members = member_ids(lake, asked.snapshot_id)
    return Recipients(
        members=members,
        customers=asked.reach.people(lake),
        customer_column=asked.reach.root.customer_column,
        template=asked.template,
        sources=read_sources(asked.brief.variables),
        blocked=blocked,
        numbers=find_numbers(lake, asked.reach, members),
    )


def _report(brief: Brief, tally: PlanTally) -> dict[str, Any]:
    price = price_of(tally.parts, Money(brief.price_milli, brief.currency))
    return {
        "campaign": brief.name,
        "audience": tally.audience,
        "messages": tally.messages,
        "drops": dict(sorted(tally.drops.items())),
        "parts": tally.parts,
        "price_milli": price.milli,
        "currency": price.currency,
        "signature": brief.signature,
        "samples": [_shown(sample) for sample in tally.samples],
        "longest": _shown(tally.longest) if tally.longest else None,
    }


def _shown(sample: dict[str, Any]) -> dict[str, Any]:
    return {
        "mobile": masked(Mobile(sample["mobile"])),
        "parts": sample["parts"],
        "text": sample["text"],
    }
