"""What a person gets at most, over HTTP: fatigue rules, sending policy, holidays, allowlist."""

from datetime import datetime, time
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from textwave.api.entry import Name, Rt, Text, Who, viewer_of
from textwave.api.operation_routes import begun
from textwave.api.shapes import Operation, Page, Shape
from textwave.limits import allowlist_operations as allowlists
from textwave.limits import operations as limits
from textwave.limits import store as limits_store
from textwave.limits.fatigue import HIGHEST_LIMIT, WINDOW_SECONDS, CountsBy
from textwave.limits.operations import RuleDraft, SignatureName
from textwave.limits.quiet import MOST_HOLIDAYS, QuietZone
from textwave.limits.store import FatigueRule as KeptRule

routes = APIRouter(tags=["limits"])
Named = Annotated[Name, Path()]
Limit = Annotated[float | None, Field(description=f"0 or null: no limit; most: {HIGHEST_LIMIT:,}")]
Local = Annotated[Text, Field(max_length=40)]


class SignatureOfRule(BaseModel):
    """A signature by its platform and name."""

    platform: Name
    name: Name


class FatigueLimits(BaseModel):
    """How many marketing messages somebody gets at most; a month is 30 days, all windows roll."""

    per_minute: Limit = None
    per_hour: Limit = None
    per_day: Limit = None
    per_week: Limit = None
    per_month: Limit = None


class NewFatigueRule(FatigueLimits):
    """A fatigue rule: over all signatures (`global`), or over the named ones."""

    is_global: bool = Field(False, alias="global")
    signatures: Annotated[list[SignatureOfRule], Field(max_length=limits.MOST_SIGNATURES)] = Field(
        [], description="A signature is in one rule at most."
    )

    def draft(self, name: str) -> RuleDraft:
        """Return it as the product takes it."""
        return RuleDraft(
            name=name,
            limits={window: getattr(self, window) for window in WINDOW_SECONDS},
            is_global=self.is_global,
            signatures=[SignatureName(one.platform, one.name) for one in self.signatures],
        )


class FatigueRule(BaseModel):
    """A fatigue rule as it is in force."""

    name: str
    is_global: bool = Field(serialization_alias="global")
    per_minute: int | None
    per_hour: int | None
    per_day: int | None
    per_week: int | None
    per_month: int | None
    signatures: list[SignatureOfRule]
    changed_at: datetime


class QuietHours(BaseModel):
    """Daily quiet hours; local times, over midnight where `until` is not after `from`."""

    begins: time | None = Field(None, alias="from", description="21:00; null: no quiet hours")
    ends: time | None = Field(None, alias="until")
    zone: QuietZone = Field(
        QuietZone.WORKSPACE, description="By the workspace's clock, or by each recipient's own"
    )


class ShownQuietHours(BaseModel):
    """Daily quiet hours as they are in force."""

    begins: time | None = Field(serialization_alias="from")
    ends: time | None = Field(serialization_alias="until")
    zone: str


class SendingPolicy(BaseModel):
    """How the workspace sends."""

    counts_by: str = Field(description="Whose messages fatigue counts together: number or customer")
    changing_to: str | None = Field(description="customer, while past messages are looked up")
    quiet_hours: ShownQuietHours
    time_zone: str


class NewCounting(BaseModel):
    """Whose messages fatigue counts together."""

    counts_by: CountsBy


class NewHoliday(BaseModel):
    """A quiet period: days, of which the last belongs to it, or local times."""

    name: Name
    begins: Local = Field(alias="from", description="2027-02-05, or 2027-02-05T18:00")
    ends: Local = Field(alias="until", description="2027-02-11, or 2027-02-12T10:00")


class Holiday(Shape):
    """A quiet period; local times of the workspace, or of each recipient."""

    name: str
    begins: datetime = Field(description="The first moment, a local time")
    ends: datetime = Field(description="The first moment after it, a local time")


class NewAllowlistAudience(BaseModel):
    """An audience to whom no limit but opt-outs and the deny list applies."""

    audience: Name


class AllowlistAudience(Shape):
    """An audience on the allowlist."""

    audience: str
    numbers: int = Field(description="How many numbers of it are on the list by now")
    problem: str = Field(description="Why none are")
    added_by: str
    added_at: datetime


@routes.get("/fatigue-rules", summary="List the fatigue rules.")
async def list_fatigue_rules(runtime: Rt, caller: Who) -> Page[FatigueRule]:
    """Return the rules, the global one first."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await limits_store.rules(connection, caller.workspace_id)
    return Page(items=[_rule_shape(rule) for rule in found])


@routes.get("/fatigue-rules/{name:path}", summary="Read a fatigue rule.")
async def read_fatigue_rule(runtime: Rt, caller: Who, name: Named) -> FatigueRule:
    """Return one rule."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        return _rule_shape(await limits.rule(connection, caller.workspace_id, name))


@routes.put("/fatigue-rules/{name:path}", summary="Add or change a fatigue rule.")
async def set_fatigue_rule(
    runtime: Rt, caller: Who, name: Named, rule: NewFatigueRule
) -> FatigueRule:
    """Let it hold for every message that is prepared from now on."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        kept = await limits.set_rule(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            draft=rule.draft(name),
            now=runtime.clock.now(),
        )
    return _rule_shape(kept)


@routes.delete("/fatigue-rules/{name:path}", status_code=204, summary="Delete a fatigue rule.")
async def delete_fatigue_rule(runtime: Rt, caller: Who, name: Named) -> None:
    """Delete it; what people got is still counted by the others."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await limits.delete_rule(
            connection, workspace_id=caller.workspace_id, actor=caller.name, name=name
        )


@routes.get("/sending-policy", summary="Read how the workspace sends.")
async def read_sending_policy(runtime: Rt, caller: Who) -> SendingPolicy:
    """Return quiet hours and whose messages are counted together."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        return _policy_shape(await limits_store.policy(connection, caller.workspace_id))


@routes.put("/sending-policy/quiet-hours", summary="Set or remove the daily quiet hours.")
async def set_quiet_hours(runtime: Rt, caller: Who, quiet: QuietHours) -> SendingPolicy:
    """Let marketing messages wait or be dropped in them, as each campaign says."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        policy = await limits.set_quiet_hours(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            daily_from=quiet.begins,
            daily_until=quiet.ends,
            zone=quiet.zone,
        )
    return _policy_shape(policy)


@routes.put(
    "/sending-policy/counts-by",
    summary="Say whose messages fatigue counts together.",
    responses={202: {"model": Operation}},
)
async def set_counts_by(
    runtime: Rt, caller: Who, response: Response, counting: NewCounting
) -> SendingPolicy | Operation:
    """Change it at once, or with 202 as an operation that looks up the last 30 days."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        operation_id = await limits.count_by(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            counts_by=counting.counts_by,
            now=runtime.clock.now(),
        )
        if operation_id is not None:
            response.status_code = 202
            return await begun(connection, response, caller.workspace_id, operation_id)
        return _policy_shape(await limits_store.policy(connection, caller.workspace_id))


@routes.get("/holidays", summary="List the holidays.")
async def list_holidays(runtime: Rt, caller: Who) -> Page[Holiday]:
    """Return the holidays in their order."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await limits_store.holidays(connection, caller.workspace_id)
    return Page(items=[Holiday.model_validate(holiday) for holiday in found])


@routes.post("/holidays", status_code=201, summary=f"Add a holiday; {MOST_HOLIDAYS} at most.")
async def add_holiday(runtime: Rt, caller: Who, new: NewHoliday) -> Holiday:
    """Leave everybody alone in it."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        kept = await limits.add_holiday(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            name=new.name,
            begins=new.begins,
            ends=new.ends,
            now=runtime.clock.now(),
        )
    return Holiday.model_validate(kept)


@routes.delete("/holidays/{name:path}", status_code=204, summary="Delete a holiday.")
async def delete_holiday(runtime: Rt, caller: Who, name: Named) -> None:
    """Delete it."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await limits.delete_holiday(
            connection, workspace_id=caller.workspace_id, actor=caller.name, name=name
        )


@routes.get("/allowlist", summary="List the audiences on the allowlist.")
async def list_allowlist(runtime: Rt, caller: Who) -> Page[AllowlistAudience]:
    """Return the audiences to whom no limit but opt-outs and the deny list applies."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await allowlists.entries(connection, caller.workspace_id, viewer_of(caller))
    return Page(items=[AllowlistAudience.model_validate(entry) for entry in found])


@routes.post("/allowlist", status_code=201, summary="Put an audience on the allowlist.")
async def add_to_allowlist(
    runtime: Rt, caller: Who, new: NewAllowlistAudience
) -> AllowlistAudience:
    """Put it there; its numbers follow within seconds, and after each of its refreshes."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        kept = await allowlists.add_audience(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            audience=new.audience,
            viewer=viewer_of(caller),
        )
    return AllowlistAudience.model_validate(kept)


@routes.delete(
    "/allowlist/{name:path}", status_code=204, summary="Take an audience off the allowlist."
)
async def delete_from_allowlist(runtime: Rt, caller: Who, name: Named) -> None:
    """Take it off; the audience itself stays."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await allowlists.delete_audience(
            connection,
            workspace_id=caller.workspace_id,
            actor=caller.name,
            audience=name,
            viewer=viewer_of(caller),
        )


def _rule_shape(rule: KeptRule) -> FatigueRule:
    return FatigueRule(
        name=rule.name,
        is_global=rule.is_global,
        **{window: getattr(rule, window) for window in WINDOW_SECONDS},
        signatures=[
            SignatureOfRule(platform=platform, name=name)
            for platform, name in zip(rule.platforms, rule.signatures, strict=True)
        ],
        changed_at=rule.changed_at,
    )


def _policy_shape(policy: limits_store.SendingPolicy) -> SendingPolicy:
    changing = policy.keeps_customers and policy.counts_by == CountsBy.NUMBER
    return SendingPolicy(
        counts_by=policy.counts_by,
        changing_to=CountsBy.CUSTOMER.value if changing else None,
        quiet_hours=ShownQuietHours(
            begins=policy.quiet_from, ends=policy.quiet_until, zone=policy.quiet_zone
        ),
        time_zone=policy.time_zone,
    )
