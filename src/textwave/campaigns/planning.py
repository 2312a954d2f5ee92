"""Making the plan of a campaign: the job behind start, and the dry run.

Runs as the owner. A plan that was interrupted is cleared by its block of ids and made again;
sending begins in the one transaction that also writes the tallies, the batches and their jobs.
"""

import contextlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import structlog

from textwave.campaigns import recipients, repeat_store, shares_store, store
from textwave.campaigns.brief import Brief
from textwave.campaigns.expecting_operations import expected
from textwave.campaigns.recipients import Asked, find_asked
from textwave.campaigns.served import notes_on
from textwave.campaigns.serving_store import defer_serving, measure_batches
from textwave.campaigns.shares import REST_NUMBER, ChosenBy
from textwave.campaigns.shares_store import Span
from textwave.campaigns.spread_operations import spread_batches
from textwave.campaigns.start_operations import settle_late_plan
from textwave.campaigns.states import CampaignEvent
from textwave.campaigns.store import BatchSpan, PlanCounts
from textwave.campaigns.timing import spread_size
from textwave.campaigns.winner_operations import defer_choice
from textwave.connections.accounts import PlatformKind
from textwave.content.variables import TemplateText
from textwave.kit.carriers import PUBLIC_RANGES, CarrierRanges
from textwave.kit.clock import Clock
from textwave.kit.ids import CampaignId, OperationId, WorkspaceId, first_message_id
from textwave.kit.mobile import Mobile, masked
from textwave.kit.money import Money, price_of
from textwave.kit.refusal import Refusal
from textwave.limits import forecast as forecasts
from textwave.plans.lake import (
    AudienceGrewError,
    Destination,
    PlanTally,
    tally_plan,
    write_plan,
)
from textwave.plans.plan import CONTROL_GROUP
from textwave.platforms.aliyun import DIFFERENT_MAX
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.partitions import ensure_partitions
from textwave.storage.secrets import Vault
from textwave.storage.trouble import is_disk_full
from textwave.storage.warehouse import Warehouse

_NO_ROOM = (
    "There is no room left on the disk for this plan. It goes on by itself when there is: make "
    "room on the disk of PostgreSQL or of the data folder."
)
_BATCH_SECONDS = 1  # a batch of a slow platform is smaller, so that no job holds its place for long
log = structlog.get_logger(__name__)


async def run_dry_run(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    vault: Vault,
    clock: Clock,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
    ranges: CarrierRanges = PUBLIC_RANGES,
) -> None:
    """Compute a campaign's plan without writing it: the same path, counted.

    With an estimate of what fatigue and quiet hours would do to it now.
    """

    async def work(request: dict[str, Any]) -> dict[str, Any]:
        async with ledger.transaction() as connection:
            brief = await store.brief(
                connection, workspace_id, campaign_id=CampaignId(request["campaign_id"])
            )
            snapshot_id = brief.newest_snapshot_id
            asked = await find_asked(connection, vault, brief, snapshot_id, ranges)
        people = forecasts.Asked()
        tally = await warehouse.run(
            workspace_id,
            lambda lake: tally_plan(
                recipients.stream(lake, asked, ledger.url), asked.texts.measures, people.add
            ),
        )
        return _report(asked, tally) | await expected(ledger, brief, people, clock.now())

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
    ranges: CarrierRanges = PUBLIC_RANGES,
) -> None:
    """Write a campaign's messages and drops and begin sending; harmless when run twice."""
    async with ledger.transaction() as connection:
        brief = await store.brief(connection, workspace_id, campaign_id=campaign_id)
        if brief.state != "planning":
            return
        if not await settle_late_plan(connection, brief, clock.now()):
            await _clear(connection, brief)
            return
        month = clock.now().astimezone(UTC).date()
        await ensure_partitions(connection, month)
    try:
        async with ledger.transaction() as connection:
            snapshot_id = brief.snapshot_id or brief.newest_snapshot_id
            asked = await find_asked(connection, vault, brief, snapshot_id, ranges)
        async with repeat_store.only_retry(ledger, workspace_id, asked.retry):
            to, tally = await _write(ledger, warehouse, asked, month)
    except Refusal as refusal:
        await _fail(ledger, brief, refusal)
        return
    except Exception as error:
        if is_disk_full(error):
            await _say_why_it_waits(ledger, brief)
        raise  # the job runs again
    size = _batch_size(brief, batch_size, to)
    await _begin_sending(ledger, asked, to, tally, batch_size=size, now=clock.now())


async def _write(
    ledger: Ledger, warehouse: Warehouse, asked: Asked, month: date
) -> tuple[Destination, PlanTally]:
    """Write messages and drops into a block of ids of their own, and count them."""
    workspace_id = asked.brief.workspace_id
    size = await warehouse.run(workspace_id, lambda lake: recipients.count(lake, asked, ledger.url))
    async with ledger.transaction() as connection:
        to = await _block_of_ids(connection, asked, ledger.url, month, size)
    log.info("plan started", campaign=asked.brief.id, audience=to.size)
    tally = await warehouse.run(
        workspace_id,
        lambda lake: write_plan(
            recipients.stream(lake, asked, ledger.url), asked.texts.measures, to
        ),
    )
    _check_control(asked, tally)
    return to, tally


async def _fail(ledger: Ledger, brief: Brief, refusal: Refusal) -> None:
    """End a campaign that cannot be planned; what an interrupted plan had written goes."""
    async with ledger.transaction() as connection:
        await _clear(connection, brief)
        await store.move(connection, brief, CampaignEvent.FAIL, reason=refusal.sentence)


async def _say_why_it_waits(ledger: Ledger, brief: Brief) -> None:
    """Show that there is no room for the plan, as far as there is room to say so."""
    with contextlib.suppress(psycopg.errors.DiskFull):
        async with ledger.transaction() as connection:
            await _clear(connection, brief)
            await store.note_reason(connection, brief, _NO_ROOM)


def _check_control(asked: Asked, tally: PlanTally) -> None:
    """Accept a control group of exactly the size asked for; tables may have changed meanwhile."""
    size = asked.rules.control_size
    if size is not None and tally.drops[CONTROL_GROUP] != size:
        raise AudienceGrewError(asked.brief.id, tally.drops[CONTROL_GROUP], size)


async def _block_of_ids(
    connection: Connection, asked: Asked, url: str, month: date, size: int
) -> Destination:
    """Take the campaign's block of ids, and clear the one that an interrupted plan took."""
    brief = asked.brief
    await _clear(connection, brief)
    most = request_size(brief.platform_kind, brief.max_batch, asked.texts.templates)
    step = spread_size(most, messages=size, spread_minutes=brief.spread_minutes)
    room = (len(asked.texts.measures) - 1) * (step - 1)
    first_id = await store.take_ids(
        connection, month=month, first_id=first_message_id(month), size=size + room
    )
    to = Destination(url, brief.workspace_id, brief.id, month, first_id, size, step=step, room=room)
    await store.freeze(
        connection,
        {
            "workspace_id": brief.workspace_id,
            "campaign_id": brief.id,
            "snapshot_id": asked.snapshot_id,
            "content": asked.texts.templates[0].text,
            "first_message_id": first_id,
            "last_message_id": to.last_id,
            "request_size": step,
        },
    )
    await shares_store.freeze(
        connection,
        brief.workspace_id,
        brief.id,
        exclusions=asked.exclusions,
        contents=asked.texts.contents,
    )
    return to


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
    ledger: Ledger,
    asked: Asked,
    to: Destination,
    tally: PlanTally,
    *,
    batch_size: int,
    now: datetime,
) -> None:
    brief, size = asked.brief, batch_size
    counts = PlanCounts(tally.audience, tally.messages, tally.parts, dict(tally.drops))
    async with ledger.transaction() as connection:
        await store.add_tally(connection, brief.workspace_id, brief.id)
        await store.withdraw_reason(connection, brief, _NO_ROOM)
        numbers = await store.finish_plan(
            connection,
            brief,
            first_id=to.first_id,
            spans=_batch_spans(asked, tally),
            batch_size=size,
            counts=counts,
        )
        if numbers is None:  # cancelled while it was planned, or planned by another meanwhile
            key = {"workspace_id": brief.workspace_id, "campaign_id": brief.id}
            span = {"first_id": to.first_id, "last_id": to.last_id}
            await store.clear_plan(connection, {**key, **span})
            return
        await shares_store.set_spans(
            connection, brief.workspace_id, brief.id, _variant_spans(asked, tally)
        )
        if not numbers:
            await store.move(connection, brief, CampaignEvent.COMPLETE)
        await spread_batches(connection, brief, now=now)
        await _await_winner(connection, asked, now)
        await measure_batches(connection)
        await defer_serving(connection, brief.platform_id)  # last: serving waits for it
    log.info("plan finished", campaign=brief.id, messages=tally.messages, batches=len(numbers))


async def _await_winner(connection: Connection, asked: Asked, now: datetime) -> None:
    """Say what those wait for who get the winner's text, and look at the clicks in time."""
    rules, brief = asked.rules, asked.brief
    if rules.winner_after_minutes is None:
        return
    reason = "Most wait for the winner of the test, which somebody chooses."
    if rules.winner_by == ChosenBy.CLICKS:
        minutes = rules.winner_after_minutes
        reason = (
            f"Most wait for the winner of the test: clicks choose it {minutes} minutes after the "
            "last test message, if nobody does before."
        )
        await defer_choice(connection, brief, now + timedelta(minutes=minutes))
    await store.note_reason(connection, brief, reason)


async def resume_sending(
    ledger: Ledger, *, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> None:
    """Let the open batches of a resumed campaign be sent; complete it when there are none."""
    async with ledger.transaction() as connection:
        brief = await store.brief(connection, workspace_id, campaign_id=campaign_id)
        if brief.state != "sending":
            return
        if await store.open_batches(connection, workspace_id, campaign_id):
            await defer_serving(connection, brief.platform_id)
        else:
            await store.move(connection, brief, CampaignEvent.COMPLETE)


def request_size(platform_kind: str, max_batch: int, templates: Sequence[TemplateText]) -> int:
    """Return how many messages one request may have: fewer where each has values of its own."""
    has_variables = any(template.variables for template in templates)
    if platform_kind == PlatformKind.ALIYUN and has_variables:
        return min(max_batch, DIFFERENT_MAX)
    return max_batch


def _batch_size(brief: Brief, configured: int, to: Destination) -> int:
    """Return messages a batch: a multiple of the request size, about two seconds of sending."""
    wanted = min(configured, max(to.step, brief.rate_per_second * _BATCH_SECONDS))
    wanted = spread_size(wanted, messages=to.size, spread_minutes=brief.spread_minutes)
    return max(wanted // to.step, 1) * to.step


def _batch_spans(asked: Asked, tally: PlanTally) -> list[BatchSpan]:
    """Return the ids that become batches; those of the rest wait for the winner."""
    numbers = asked.texts.numbers or [None]
    return [
        BatchSpan(number, text.first_id, text.messages, waits=number == REST_NUMBER)
        for number, text in zip(numbers, tally.texts, strict=True)
        if text.messages and text.first_id is not None
    ]


def _variant_spans(asked: Asked, tally: PlanTally) -> list[Span]:
    return [
        Span(number, text.first_id, text.last_id, text.messages)
        for number, text in zip(asked.texts.numbers, tally.texts, strict=False)
        if text.messages and text.first_id is not None and text.last_id is not None
    ]


def _report(asked: Asked, tally: PlanTally) -> dict[str, Any]:
    brief = asked.brief
    price = price_of(tally.parts, Money(brief.price_milli, brief.currency))
    return {
        "campaign": brief.name,
        "audience": tally.audience,
        "messages": tally.messages,
        "drops": dict(sorted(tally.drops.items())),
        "notes": notes_on(brief, asked.served, asked.approving, tally.drops),
        "variants": [
            {"name": name, "messages": text.messages, "parts": text.parts}
            for name, text in zip(asked.texts.names, tally.texts, strict=False)
        ],
        "parts": tally.parts,
        "price_milli": price.milli,
        "currency": price.currency,
        "signature": brief.signature,
        "samples": [_shown(asked, sample) for sample in tally.samples],
        "longest": _shown(asked, tally.longest) if tally.longest else None,
    }


def _shown(asked: Asked, sample: dict[str, Any]) -> dict[str, Any]:
    names = asked.texts.names
    variant = {"variant": names[sample["place"]]} if names else {}
    return {
        **variant,
        "mobile": masked(Mobile(sample["mobile"])),
        "parts": sample["parts"],
        "text": sample["text"],
    }
