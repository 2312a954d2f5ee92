"""What a workspace allows: fatigue rules, quiet hours, holidays, and whom it counts by.

Each change is one transaction and in the audit log, and holds for every batch that is prepared
after it. Refuses a second global rule, a signature in two rules, and more than 20 holidays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Any, ClassVar, Final

from textwave.accounts.store import audit
from textwave.connections.store import platform_named
from textwave.kit.clock import Clock
from textwave.kit.ids import OperationId, SignatureId, WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound, Refusal
from textwave.limits import store as limits_store
from textwave.limits import touch_store
from textwave.limits.fatigue import WINDOW_SECONDS, CountsBy, read_limits
from textwave.limits.quiet import (
    MOST_HOLIDAYS,
    QuietZone,
    TooManyHolidays,
    check_hours,
    read_holiday,
)
from textwave.limits.store import FatigueRule, KeptHoliday, SendingPolicy
from textwave.signatures.store import signature_named
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.watching import probing

COUNT_BY_CUSTOMER_TASK: Final = "suppression.count_by_customer"
MOST_SIGNATURES: Final = 100
_LONGEST_NAME: Final = 100
_TOUCHES_A_PIECE: Final = 20_000


@dataclass(frozen=True, slots=True)
class SignatureName:
    """A signature by its platform and name."""

    platform: str
    name: str


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """A fatigue rule as it is given: over all signatures, or over the named ones."""

    name: str
    limits: Mapping[str, float | None]
    is_global: bool = False
    signatures: Sequence[SignatureName] = field(default_factory=tuple[SignatureName, ...])


@dataclass(eq=False)
class SignatureInTwoRules(Refusal):
    """A signature is counted by another rule already."""

    code: ClassVar[str] = "signature_in_two_rules"
    signature: str
    rule: str

    @property
    def sentence(self) -> str:
        return (
            f"The signature “{self.signature}” is in the rule “{self.rule}” already, and a "
            "signature is in one rule at most. Take it out there first, or leave it out here."
        )


@dataclass(eq=False)
class GlobalRuleExists(Refusal):
    """Another rule is the global one."""

    code: ClassVar[str] = "global_rule_exists"
    rule: str

    @property
    def sentence(self) -> str:
        return (
            f"“{self.rule}” is the rule over all signatures, and there is one at most. Change that "
            "one, or name the signatures of this one."
        )


async def set_rule(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    draft: RuleDraft,
    now: datetime,
) -> FatigueRule:
    """Add a fatigue rule, or change the one of that name.

    Raises:
        InvalidValue: a limit, the name or the choice of signatures does not fit.
        NotFound: there is no such platform or signature.
        SignatureInTwoRules, GlobalRuleExists.
    """
    limits = read_limits(draft.limits)
    _check_rule(draft)
    await touch_store.take_clock(connection, workspace_id, now=now)
    signature_ids = [await _signature_id(connection, workspace_id, s) for s in draft.signatures]
    taken = await limits_store.taken_signatures(
        connection, workspace_id, name=draft.name, signature_ids=signature_ids
    )
    if taken:
        raise SignatureInTwoRules(taken[0].signature, taken[0].rule)
    named = dict(zip(WINDOW_SECONDS, limits.in_order, strict=True))
    rule_id = await limits_store.set_rule(
        connection,
        {
            **named,
            "workspace_id": workspace_id,
            "name": draft.name,
            "is_global": draft.is_global,
            "now": now,
        },
    )
    if rule_id is None:
        raise GlobalRuleExists((await limits_store.rules(connection, workspace_id))[0].name)
    await limits_store.set_signatures(
        connection, workspace_id, rule_id=rule_id, signature_ids=signature_ids
    )
    detail = {**named, "signatures": [s.name for s in draft.signatures]}
    await _audit(connection, workspace_id, actor, "fatigue-rule.set", draft.name, detail)
    return await rule(connection, workspace_id, draft.name)


async def rule(connection: Connection, workspace_id: WorkspaceId, name: str) -> FatigueRule:
    """Return one fatigue rule.

    Raises:
        NotFound: there is none of that name.
    """
    found = await limits_store.rules(connection, workspace_id, name=name)
    if not found:
        raise NotFound("fatigue rule", name)
    return found[0]


async def delete_rule(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str
) -> None:
    """Delete a fatigue rule; touches stay, for the rules that remain or come.

    Raises:
        NotFound: there is none of that name.
    """
    if not await limits_store.delete_rule(connection, workspace_id, name):
        raise NotFound("fatigue rule", name)
    await _audit(connection, workspace_id, actor, "fatigue-rule.delete", name)


async def set_quiet_hours(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    daily_from: time | None,
    daily_until: time | None,
    zone: QuietZone,
) -> SendingPolicy:
    """Set the daily quiet hours and whose clock they go by; None removes them.

    Raises:
        InvalidValue: they have one end only, or never end.
    """
    first, last = _plain(daily_from), _plain(daily_until)
    check_hours(first, last)
    await limits_store.set_quiet(
        connection, workspace_id, quiet_from=first, quiet_until=last, quiet_zone=zone
    )
    detail = {"from": str(first), "until": str(last), "zone": zone.value}
    await _audit(connection, workspace_id, actor, "quiet-hours.set", "quiet hours", detail)
    return await limits_store.policy(connection, workspace_id)


async def add_holiday(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    begins: str,
    ends: str,
    now: datetime,
) -> KeptHoliday:
    """Add a holiday: days, of which the last belongs to it, or local times.

    Raises:
        InvalidValue: a time does not fit.
        AlreadyExists: the name is taken.
        TooManyHolidays: there are 20 already.
    """
    holiday = read_holiday(name, begins, ends)
    await touch_store.take_clock(connection, workspace_id, now=now)
    if len(await limits_store.holidays(connection, workspace_id)) >= MOST_HOLIDAYS:
        raise TooManyHolidays
    if not await limits_store.add_holiday(connection, workspace_id, holiday):
        raise AlreadyExists("holiday", name)
    detail = {"begins": holiday.begins.isoformat(), "ends": holiday.ends.isoformat()}
    await _audit(connection, workspace_id, actor, "holiday.add", name, detail)
    kept = await limits_store.holidays(connection, workspace_id)
    return next(one for one in kept if one.name == name)


async def delete_holiday(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str
) -> None:
    """Delete a holiday.

    Raises:
        NotFound: there is none of that name.
    """
    if not await limits_store.delete_holiday(connection, workspace_id, name):
        raise NotFound("holiday", name)
    await _audit(connection, workspace_id, actor, "holiday.delete", name)


async def count_by(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    counts_by: CountsBy,
    now: datetime,
) -> OperationId | None:
    """Count by number at once, or begin to count by customer; None: done already.

    Counting by customer begins when the touches of the last 30 days know their customers.
    """
    await touch_store.take_clock(connection, workspace_id, now=now)
    policy = await limits_store.policy(connection, workspace_id)
    by_customer = counts_by is CountsBy.CUSTOMER
    if policy.counts_by == counts_by and policy.keeps_customers == by_customer:
        return None
    await limits_store.keep_customers(connection, workspace_id, keeps_customers=by_customer)
    detail = {"counts_by": counts_by.value}
    await _audit(connection, workspace_id, actor, "sending-policy.count", "fatigue", detail)
    if not by_customer:
        return None
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=COUNT_BY_CUSTOMER_TASK, request={}
    )


async def run_count_by_customer(
    *, ledger: Ledger, clock: Clock, workspace_id: WorkspaceId, operation_id: OperationId
) -> None:
    """Do the job of `count_by`; repeated, it fills what is not filled yet."""

    async def work(_: dict[str, Any]) -> dict[str, Any]:
        async with ledger.transaction() as connection:
            # every touch that is written from here on has its customer
            await touch_store.take_clock(connection, workspace_id, now=clock.now())
        filled = await _fill(ledger, workspace_id, clock.now())
        async with ledger.transaction() as connection:
            await touch_store.take_clock(connection, workspace_id, now=clock.now())
            counts = await limits_store.count_by_customer(connection, workspace_id)
        return {"touches": filled, "counts_by": "customer" if counts else "number"}

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


async def _fill(ledger: Ledger, workspace_id: WorkspaceId, now: datetime) -> int:
    """Give all touches of the last 30 days their customers, a piece of numbers at a time."""
    filled, mobile = 0, 0
    with probing(lambda: {"touches": filled}):
        while True:
            async with ledger.transaction() as connection:
                last = await touch_store.next_piece(
                    connection, workspace_id, mobile=mobile, limit=_TOUCHES_A_PIECE, now=now
                )
                if last is None:
                    return filled
                filled += await touch_store.fill_customers(
                    connection, workspace_id, mobile=mobile, last_mobile=last, now=now
                )
            mobile = last


def _check_rule(draft: RuleDraft) -> None:
    name = draft.name
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidValue("name", f"use 1-{_LONGEST_NAME} printable characters on one line.")
    if draft.is_global and draft.signatures:
        problem = "are named for a rule over all signatures. Leave them out, or “global”."
        raise InvalidValue("signatures", problem)
    if not draft.is_global and not draft.signatures:
        problem = "are missing. Name at least one, or make the rule global."
        raise InvalidValue("signatures", problem)
    if len(draft.signatures) > MOST_SIGNATURES:
        raise InvalidValue("signatures", f"are more than {MOST_SIGNATURES}.")


def _plain(given: time | None) -> time | None:
    """Return a local time of day without seconds.

    Raises:
        InvalidValue: it has an offset.
    """
    if given is None:
        return None
    if given.tzinfo is not None:
        raise InvalidValue("quiet hours", "are local times: write 21:00 without an offset.")
    return given.replace(second=0, microsecond=0)


async def _signature_id(
    connection: Connection, workspace_id: WorkspaceId, named: SignatureName
) -> SignatureId:
    account = await platform_named(connection, workspace_id=workspace_id, name=named.platform)
    found = await signature_named(
        connection, workspace_id=workspace_id, platform_id=account.id, name=named.name
    )
    return found.id


async def _audit(
    connection: Connection,
    workspace_id: WorkspaceId,
    actor: str,
    action: str,
    object_name: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    await audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action=action,
        object_name=object_name,
        detail=detail,
    )
