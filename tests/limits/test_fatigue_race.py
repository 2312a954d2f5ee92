"""Campaigns race over the same people: nobody over a limit, nobody blocked wrongly.

The witness is a model that goes through what was committed, one message at a time, in the order in
which it was committed.
"""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from tests.stage import SHANGHAI
from textwave.kit.clock import FixedClock
from textwave.kit.ids import CampaignId, SignatureId, WorkspaceId
from textwave.limits import store as limits_store
from textwave.limits import touch_store
from textwave.limits.fatigue import WINDOW_SECONDS, CountsBy, Limits
from textwave.limits.fatigue_operations import touch
from textwave.limits.touch_store import Touched
from textwave.storage.ledger import Connection, Ledger, execute, value
from textwave.storage.partitions import ensure_partitions

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
FIRST_ID = 7_400_000_000_000  # of March 2026
STEPS = [timedelta(seconds=s) for s in (0, 0, 1, 29, 59, 60, 61, 1800, 3600, 86400, 86401, 604800)]
PEOPLE = 12
SIGNATURES = 4
Message = tuple[int, int]


@dataclass(frozen=True)
class Committed:
    """A batch as it was committed."""

    moment: datetime
    signature: int
    messages: Sequence[Message]
    exempt: frozenset[int]
    blocked: set[int]


@dataclass
class World:
    """Rules as the model knows them, people, and what was committed in which order."""

    ledger: Ledger
    workspace_id: WorkspaceId
    chance: random.Random
    clock: FixedClock
    counts_by: CountsBy
    signatures: list[SignatureId] = field(default_factory=list[SignatureId])
    rules: list[tuple[Limits, frozenset[int] | None]] = field(
        default_factory=list[tuple[Limits, frozenset[int] | None]]
    )
    log: list[Committed] = field(default_factory=list[Committed])
    next_id: int = FIRST_ID

    def person(self, mobile: int) -> int:
        """Two neighbouring numbers belong to one customer."""
        return mobile if self.counts_by is CountsBy.NUMBER else mobile // 2


class GaveUpError(Exception):
    """A batch whose transaction does not come to its end."""


async def build(ledger: Ledger, workspace_id: WorkspaceId, seed: int) -> World:
    chance = random.Random(seed)
    counts_by = chance.choice(list(CountsBy))
    world = World(ledger, workspace_id, chance, FixedClock(BEGIN), counts_by)
    async with ledger.transaction() as connection:
        await ensure_partitions(connection, BEGIN.date())
        world.signatures = await add_signatures(connection, workspace_id)
        if counts_by is CountsBy.CUSTOMER:
            await limits_store.keep_customers(connection, workspace_id, keeps_customers=True)
            await limits_store.count_by_customer(connection, workspace_id)
        await add_rule(connection, world, "everything", None)
        await add_rule(connection, world, "first two", world.signatures[:2])
        await add_rule(connection, world, "third", world.signatures[2:3])
    return world


async def add_signatures(connection: Connection, workspace_id: WorkspaceId) -> list[SignatureId]:
    await execute(
        connection,
        "INSERT INTO platform (organization_id, name, kind, base_url, sealed_key,"
        " rate_per_second, max_batch, counting) SELECT organization_id, 'sandbox', 'thirdparty',"
        " 'http://x', '', 1, 1, 'mainland' FROM workspace WHERE id = %s",
        [workspace_id],
    )
    return [
        SignatureId(
            await value(
                connection,
                "INSERT INTO signature (workspace_id, platform_id, name, state) SELECT %s, id, %s,"
                " 'approved' FROM platform RETURNING id",
                [workspace_id, f"S{n}"],
            )
        )
        for n in range(SIGNATURES)
    ]


async def add_rule(
    connection: Connection, world: World, name: str, signatures: list[SignatureId] | None
) -> None:
    chance = world.chance
    limits = Limits(**{w: chance.choice((None, None, 1, 2, 3, 5)) for w in WINDOW_SECONDS})
    world.rules.append((limits, None if signatures is None else frozenset(signatures)))
    given = dict(zip(WINDOW_SECONDS, limits.in_order, strict=True))
    key = {"workspace_id": world.workspace_id, "name": name, "now": BEGIN}
    rule_id = await limits_store.set_rule(
        connection, {**key, **given, "is_global": signatures is None}
    )
    assert rule_id is not None
    await limits_store.set_signatures(
        connection, world.workspace_id, rule_id=rule_id, signature_ids=signatures or []
    )


async def send(world: World, campaign: int) -> None:
    """Prepare a batch of one campaign; now and then its transaction fails at the end."""
    chance = world.chance
    world.clock.advance(chance.choice(STEPS))
    now = world.clock.now() - timedelta(milliseconds=chance.choice((0, 0, 700)))  # clocks differ
    signature = world.signatures[campaign % SIGNATURES]
    mobiles = sorted(chance.sample(range(PEOPLE), chance.randint(1, PEOPLE)))
    messages = [(world.next_id + n, SHANGHAI + m) for n, m in enumerate(mobiles)]
    world.next_id += len(messages)
    exempt = frozenset(m for _, m in messages if chance.random() < 0.1)
    fails = chance.random() < 0.15
    touched = Touched(world.workspace_id, signature, CampaignId(campaign))
    try:
        async with world.ledger.transaction() as connection:
            await add_messages(connection, world, campaign, messages)
            limits = await limits_store.in_force(connection, world.workspace_id, signature)
            blocked = await touch(
                connection, touched, messages=messages, exempt=exempt, limits=limits, now=now
            )
            give_up(fails)
            # still holding the clock: the order of this list is the order of the commits
            world.log.append(Committed(now, signature, messages, exempt, blocked))
    except GaveUpError:
        return


def give_up(fails: bool) -> None:  # noqa: FBT001 - what chance said
    if fails:
        raise GaveUpError


async def add_messages(
    connection: Connection, world: World, campaign: int, messages: Sequence[Message]
) -> None:
    await execute(
        connection,
        "INSERT INTO message (id, workspace_id, campaign_id, mobile, customer, parts, variables)"
        " SELECT id, %s, %s, mobile, customer, 1, '{}' FROM unnest(%s::bigint[], %s::bigint[],"
        " %s::text[]) AS m (id, mobile, customer)",
        [
            world.workspace_id,
            campaign,
            [message_id for message_id, _ in messages],
            [mobile for _, mobile in messages],
            [f"c{mobile // 2}" for _, mobile in messages],
        ],
    )


Seen = list[tuple[datetime, int, int]]


def is_full(world: World, seen: Seen, person: int, signature: int, moment: datetime) -> bool:
    """Say whether one more would be too many: one message, one window, one touch at a time."""
    for limits, signatures in world.rules:
        if signatures is not None and signature not in signatures:
            continue
        for limit, seconds in zip(limits.in_order, WINDOW_SECONDS.values(), strict=True):
            count = 0
            for at, whose, under in seen:
                in_window = moment - timedelta(seconds=seconds) < at
                if whose == person and in_window and (signatures is None or under in signatures):
                    count += 1
            if limit is not None and count >= limit:
                return True
    return False


def is_counted(world: World, signature: int) -> bool:
    return any(
        limits.window_seconds and (signatures is None or signature in signatures)
        for limits, signatures in world.rules
    )


def replay(world: World) -> list[set[int]]:
    """Say whom the rules block, going through what was committed."""
    seen: Seen = []
    expected: list[set[int]] = []
    latest = BEGIN - timedelta(days=1)
    for batch in world.log:
        moment = max(latest, batch.moment)
        if is_counted(world, batch.signature):
            latest = moment
        blocked: set[int] = set()
        for message_id, mobile in batch.messages:
            person = world.person(mobile)
            if mobile not in batch.exempt and is_full(world, seen, person, batch.signature, latest):
                blocked.add(message_id)
            else:
                seen.append((moment, person, batch.signature))
        expected.append(blocked)
    return expected


@pytest.mark.parametrize("seed", range(10))
async def test_nobody_is_over_a_limit_and_nobody_is_blocked_wrongly(
    ledger: Ledger, workspace_id: WorkspaceId, seed: int
) -> None:
    world = await build(ledger, workspace_id, seed)
    for _ in range(8):
        await asyncio.gather(*(send(world, campaign) for campaign in range(7)))
    assert [batch.blocked for batch in world.log] == replay(world)
    assert len(world.log) > 30


async def test_what_certainly_never_left_is_given_back(
    ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    world = await build(ledger, workspace_id, 3)
    messages = [(FIRST_ID + n, SHANGHAI + n) for n in range(4)]
    unlimited = Touched(workspace_id, world.signatures[3], CampaignId(1))
    async with ledger.transaction() as connection:
        await add_messages(connection, world, 1, messages)
        limits = await limits_store.in_force(connection, workspace_id, world.signatures[3])
        await touch(
            connection, unlimited, messages=messages, exempt={m for _, m in messages},
            limits=limits, now=BEGIN,
        )  # fmt: skip
        given = await touch_store.give_back(
            connection, workspace_id, [FIRST_ID + 1, FIRST_ID + 2, FIRST_ID + 99], now=BEGIN
        )
        kept = await value(connection, "SELECT array_agg(message_id ORDER BY 1) FROM touch")
    assert (given, kept) == (2, [FIRST_ID, FIRST_ID + 3])


@pytest.mark.parametrize("window", WINDOW_SECONDS)
async def test_a_touch_counts_until_it_is_as_old_as_its_window(
    ledger: Ledger, workspace_id: WorkspaceId, window: str
) -> None:
    at_end = BEGIN + timedelta(seconds=WINDOW_SECONDS[window])
    times = [BEGIN, at_end - timedelta(microseconds=1), at_end]
    blocked: list[set[int]] = []
    async with ledger.transaction() as connection:
        signature = (await add_signatures(connection, workspace_id))[0]
        given = dict.fromkeys(WINDOW_SECONDS) | {window: 1}
        key = {"workspace_id": workspace_id, "name": "all", "now": BEGIN, "is_global": True}
        await limits_store.set_rule(connection, {**key, **given})
        limits = await limits_store.in_force(connection, workspace_id, signature)
        touched = Touched(workspace_id, signature, CampaignId(1))
        for n, now in enumerate(times):
            messages = [(FIRST_ID + n, SHANGHAI)]
            blocked.append(
                await touch(
                    connection, touched, messages=messages, exempt=(), limits=limits, now=now
                )
            )
    assert blocked == [set(), {FIRST_ID + 1}, set()]
