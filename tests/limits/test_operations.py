"""Rules, policy, holidays: what is refused, what changes, and counting by customer."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.stage import SHANGHAI, Stage, people
from textwave.kit.clock import FixedClock
from textwave.kit.ids import CampaignId, SignatureId
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound
from textwave.limits import operations as limits
from textwave.limits import store as limits_store
from textwave.limits.fatigue import CountsBy
from textwave.limits.fatigue_operations import touch
from textwave.limits.operations import (
    GlobalRuleExists,
    RuleDraft,
    SignatureInTwoRules,
    SignatureName,
)
from textwave.limits.quiet import MOST_HOLIDAYS, TooManyHolidays
from textwave.limits.touch_store import Touched
from textwave.storage.ledger import Ledger, execute, value

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
OURS = (SignatureName("sandbox", "Textwave"),)


@pytest.fixture
async def set_rule(stage: Stage, web_ledger: Ledger) -> Any:
    await stage.set(people(3))

    async def run(name: str, signatures: Sequence[SignatureName] = (), **more: Any) -> Any:
        windows = {w: more[w] for w in more if w.startswith("per_")}
        draft = RuleDraft(name, windows, not signatures, signatures)
        workspace_id = stage.founding.workspace_id
        async with web_ledger.transaction(workspace_id) as connection:
            return await limits.set_rule(
                connection, workspace_id=workspace_id, actor="mei", draft=draft, now=NOW
            )

    return run


async def test_limits_are_rounded_half_up_and_zero_is_off(set_rule: Any) -> None:
    kept = await set_rule("all", per_minute=0, per_hour=0.4, per_day=2.5, per_week=1.49)
    assert (kept.per_minute, kept.per_hour, kept.per_day, kept.per_week, kept.per_month) == (
        None, None, 3, 1, None,
    )  # fmt: skip


@pytest.mark.parametrize("limit", [-1, -0.5, float("nan"), float("inf"), 1_000_001])
async def test_a_limit_that_is_none_is_refused(set_rule: Any, limit: float) -> None:
    with pytest.raises(InvalidValue, match="per_day"):
        await set_rule("all", per_day=limit)


async def test_a_signature_is_in_one_rule_and_one_rule_is_global(set_rule: Any) -> None:
    await set_rule("offers", OURS, per_week=2)
    changed = await set_rule("offers", OURS, per_week=3)
    assert (changed.per_week, changed.signatures) == (3, ["Textwave"])
    with pytest.raises(SignatureInTwoRules, match="offers"):
        await set_rule("more offers", OURS, per_day=1)
    await set_rule("all", per_day=1)
    with pytest.raises(GlobalRuleExists, match="all"):
        await set_rule("all over again", per_day=1)
    with pytest.raises(NotFound):
        await set_rule("theirs", [SignatureName("sandbox", "nobody")], per_day=1)


async def test_there_are_20_holidays_at_most_each_with_its_name(
    stage: Stage, web_ledger: Ledger
) -> None:
    workspace_id = stage.founding.workspace_id
    async with web_ledger.transaction(workspace_id) as connection:
        add = partial(
            limits.add_holiday, connection, workspace_id=workspace_id, actor="mei", now=NOW,
            begins="2027-02-05", ends="2027-02-11",
        )  # fmt: skip
        for n in range(MOST_HOLIDAYS - 1):
            await add(name=f"holiday {n}")
        with pytest.raises(AlreadyExists):
            await add(name="holiday 0")
        await add(name="the twentieth")
        with pytest.raises(TooManyHolidays):
            await add(name="one more")
        await limits.delete_holiday(
            connection, workspace_id=workspace_id, actor="mei", name="holiday 3"
        )
        await add(name="one more")


async def test_counting_by_customer_begins_when_the_past_knows_its_customers(
    stage: Stage, ledger: Ledger
) -> None:
    """Two numbers of one customer: the second is blocked as soon as customers are counted."""
    await stage.set(people(2))
    campaign_id = await stage.campaign()
    await stage.start()
    await stage.plan(campaign_id)
    workspace_id = stage.founding.workspace_id
    first, second = SHANGHAI, SHANGHAI + 7
    async with ledger.transaction() as connection:
        await execute(connection, "UPDATE message SET customer = 'one and the same'")
        ids: list[int] = await value(
            connection, "SELECT array_agg(id ORDER BY mobile) FROM message"
        )
        draft = RuleDraft("all", {"per_day": 1}, is_global=True)
        await limits.set_rule(
            connection, workspace_id=workspace_id, actor="mei", draft=draft, now=NOW
        )
        assert await ask(connection, stage, [(ids[0], first)]) == set()
        operation_id = await limits.count_by(
            connection, workspace_id=workspace_id, actor="mei", counts_by=CountsBy.CUSTOMER, now=NOW
        )
        assert (await limits_store.policy(connection, workspace_id)).counts_by == "number"
    assert operation_id is not None
    await limits.run_count_by_customer(
        ledger=ledger, clock=FixedClock(NOW), workspace_id=workspace_id, operation_id=operation_id
    )
    async with ledger.transaction() as connection:
        assert await ask(connection, stage, [(ids[1], second)]) == {ids[1]}
        back = partial(limits.count_by, connection, workspace_id=workspace_id, actor="mei", now=NOW)
        assert await back(counts_by=CountsBy.NUMBER) is None
        assert await ask(connection, stage, [(ids[1], second)]) == set()


async def ask(connection: Any, stage: Stage, messages: list[tuple[int, int]]) -> set[int]:
    workspace_id, signature_id = stage.founding.workspace_id, SignatureId(stage.ids["signature"])
    in_force = await limits_store.in_force(connection, workspace_id, signature_id)
    return await touch(
        connection,
        Touched(workspace_id, signature_id, CampaignId(1)),
        messages=messages,
        exempt=(),
        limits=in_force,
        now=NOW + timedelta(seconds=1),
    )
