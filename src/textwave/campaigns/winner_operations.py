"""The winner of a test: chosen by a person or by clicks, and then given to all who wait.

Choosing is one short transaction. Giving rewrites the values and parts of those who wait, in pieces
that each commit with the tally, so that a pause, a cancellation or a crash between two of them
leaves figures that are true; it can be run again at any point.
"""

from datetime import datetime
from typing import Final

import numpy as np
import pyarrow as pa
import structlog

from textwave.accounts.store import audit
from textwave.campaigns import shares_store, store, winner_store
from textwave.campaigns.brief import Brief
from textwave.campaigns.operations import campaign
from textwave.campaigns.serving_store import defer_serving
from textwave.campaigns.shares import REST_NUMBER, Choice, NoWinnerOpen
from textwave.campaigns.shares import choose as choose_by_clicks
from textwave.campaigns.shares_store import Rules
from textwave.campaigns.spread_operations import spread_batches
from textwave.campaigns.store import Campaign
from textwave.campaigns.texts import Texts, texts_of
from textwave.campaigns.winner_store import CampaignKey, PlannedMessage, Rest
from textwave.kit.clock import Clock
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.plans.parts import PartsMeasure, picked, united
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.queue import Job, defer

CHOOSE_TASK: Final = "campaigns.choose_winner"
GIVE_TASK: Final = "campaigns.give_winner"
_MESSAGES_A_PIECE: Final = 20_000
log = structlog.get_logger(__name__)


async def choose_winner(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    variant: str,
    now: datetime,
) -> Campaign:
    """Choose by hand, also before the tests have had their time; works as the web role.

    Raises:
        NotFound: there is no such campaign or variant.
        NoWinnerOpen: the campaign has no rest that waits, or its winner is chosen.
    """
    brief = await store.brief(connection, workspace_id, name=name)
    await store.hold(connection, workspace_id, brief.id)
    rules = await shares_store.rules(connection, workspace_id, brief.id)
    variants = await shares_store.variants(connection, workspace_id, brief.id)
    key = CampaignKey(brief.id, workspace_id)
    _check_open(rules, waits=await winner_store.waits_for_winner(connection, key))
    numbers = {one.name: one.number for one in variants if one.number != REST_NUMBER}
    if variant not in numbers:
        raise NotFound("variant", variant)
    choice = Choice(numbers[variant], f"“{variant}” goes to the rest: chosen by {actor}.")
    await _write_choice(connection, key, choice, now)
    await audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action="campaign.choose_winner",
        object_name=name,
        detail={"variant": variant},
    )
    return await campaign(connection, workspace_id, name)


def _check_open(rules: Rules, *, waits: bool) -> None:
    if rules.test_share_milli is None:
        why = "does not try variants on a part first: there is no winner to choose."
    elif rules.winner is not None:
        why = "has its winner already."
    elif rules.state not in ("sending", "paused") or not waits:
        why = f"is {rules.state}, and nothing of it waits for a winner."
    else:
        return
    raise NoWinnerOpen(rules.name, why)


async def choose_due(
    ledger: Ledger, *, now: datetime, campaign_id: CampaignId | None = None
) -> int:
    """Choose by clicks wherever the time has come; return how many. Also the safety net."""
    async with ledger.transaction() as connection:
        due = await winner_store.undecided(connection, now, campaign_id=campaign_id)
    for key in due:
        async with ledger.transaction() as connection:
            await winner_store.count_variants(connection, key, of="")
        async with ledger.transaction() as connection:
            choice = choose_by_clicks(await winner_store.results(connection, key))
            await _write_choice(connection, key, choice, now)
        log.info("winner chosen", campaign=key.campaign_id, variant=choice.number)
    async with ledger.transaction() as connection:
        for key in await winner_store.unreleased(connection):
            await defer(connection, _giving(key))
    return len(due)


async def _write_choice(
    connection: Connection, key: CampaignKey, choice: Choice, now: datetime
) -> None:
    if await winner_store.choose(connection, key, choice, now):
        await defer(connection, _giving(key))


def _giving(key: CampaignKey) -> Job:
    lock = f"winner-{key.campaign_id}"
    return Job(GIVE_TASK, "campaigns", key.parameters, lock=lock, queueing_lock=lock, priority=5)


async def defer_choice(connection: Connection, brief: Brief, at: datetime) -> None:
    """Have the clicks looked at when the tests have had their time."""
    args = {"campaign_id": brief.id, "workspace_id": brief.workspace_id}
    await defer(connection, Job(CHOOSE_TASK, "campaigns", args, at=at))


async def give_winner(
    ledger: Ledger, clock: Clock, *, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> None:
    """Give those who wait the winner's text and let them go; harmless when run twice."""
    key = CampaignKey(campaign_id, workspace_id)
    async with ledger.transaction() as connection:
        brief = await store.brief(connection, workspace_id, campaign_id=campaign_id)
        rules = await shares_store.rules(connection, workspace_id, campaign_id)
        variants = await shares_store.variants(connection, workspace_id, campaign_id)
    texts = texts_of(brief, rules, [one for one in variants if one.number != REST_NUMBER])
    while await _give_piece(ledger, key, texts):
        pass
    async with ledger.transaction() as connection:
        if await winner_store.rest(connection, key) is None:
            return  # cancelled meanwhile
        now = clock.now()
        released = await winner_store.release(connection, key, now)
        await spread_batches(connection, brief, now=now)
        await defer_serving(connection, brief.platform_id)
    log.info("winner given", campaign=campaign_id, batches=released)


async def _give_piece(ledger: Ledger, key: CampaignKey, texts: Texts) -> bool:
    """Give the next piece its text; False when there is none."""
    async with ledger.transaction() as connection:
        rest = await winner_store.rest(connection, key)
        if rest is None or rest.next_id > rest.last_id:
            return False
        last_id = min(rest.next_id + _MESSAGES_A_PIECE - 1, rest.last_id)
        found = await winner_store.messages(connection, key, rest.next_id, last_id)
        await _rewrite(connection, key, texts, rest, found)
        await winner_store.settle(connection, key, last_id)
    return True


async def _rewrite(
    connection: Connection,
    key: CampaignKey,
    texts: Texts,
    rest: Rest,
    found: list[PlannedMessage],
) -> None:
    names = united(template.names for template in texts.templates)
    measure = texts.measures[list(texts.numbers).index(rest.winner)]
    parts = _parts(measure, names, found) if isinstance(measure, PartsMeasure) else []
    changed = {
        one.id: count
        for one, count in zip(found, parts, strict=True)
        if count != one.parts or names != measure.names
    }
    more = sum(count - one.parts for one, count in zip(found, parts, strict=True))
    places = [names.index(name) for name in measure.names]
    await winner_store.set_texts(connection, key, changed, places=places, more_parts=more)


def _parts(measure: PartsMeasure, names: tuple[str, ...], found: list[PlannedMessage]) -> list[int]:
    values = [value for one in found for value in one.variables]
    offsets = np.arange(len(found) + 1, dtype=np.int32) * len(names)
    rows = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(values, pa.string()))
    counted: list[int] = measure(picked(rows, names, measure.names)).tolist()
    return counted


async def count_moved(ledger: Ledger) -> int:
    """Count the variants of campaigns whose counters have moved; return of how many."""
    async with ledger.transaction() as connection:
        moved = await winner_store.to_count(connection)
    for one in moved:
        async with ledger.transaction() as connection:
            await winner_store.count_variants(connection, one.key, of=one.figures)
    return len(moved)
