"""The effect report of a campaign, live while it is sent.

Audience = messages + drops, and messages = delivered + failed + waiting + in doubt: by
construction, in every report, at any moment.
"""

from dataclasses import dataclass
from datetime import datetime

from textwave.campaigns.served import report_notes
from textwave.dispatch.stall_operations import stalls
from textwave.insights import store
from textwave.insights.store import Counters, VariantEffect
from textwave.kit.ids import WorkspaceId
from textwave.plans.plan import CONTROL_GROUP
from textwave.responses.lag_store import OptOutLag, of_campaign
from textwave.storage.ledger import Connection


@dataclass(frozen=True, slots=True)
class EffectReport:
    """What came of a campaign so far. Prices are in thousandths of the currency."""

    campaign: str
    state: str
    reason: str
    planned: bool
    audience: int
    messages: int
    drops: dict[str, int]
    submitted: int
    delivered: int
    failed: int
    failures: dict[str, int]
    control_group: int
    variants: list[VariantEffect]
    waiting: int
    in_doubt: int
    parts: int
    price_milli: int
    currency: str
    clicks: int
    human_clicks: int
    clickers: int
    replies: int
    opt_outs: int
    seconds: dict[str, float]
    trouble: str
    stalled_since: datetime | None
    stalled_reason: str
    opt_out_lag_seconds: OptOutLag
    notes: list[str]


async def effect_report(
    connection: Connection, *, workspace_id: WorkspaceId, name: str
) -> EffectReport:
    """Read a campaign's effect from its counters.

    Raises:
        NotFound: there is no campaign of that name.
    """
    counters = await store.counters(connection, workspace_id, name)
    drops = await store.drops(connection, workspace_id, counters.id)
    failures = await store.failures(connection, workspace_id, counters.id)
    in_doubt = await store.in_doubt(connection, workspace_id, counters.id)
    trouble = await store.trouble(connection, workspace_id, counters.id)
    found = await stalls(connection, workspace_id=workspace_id, campaign_ids=[counters.id])
    stalled = found.get(counters.id)
    return EffectReport(
        campaign=counters.name,
        state=counters.state,
        reason=counters.reason,
        planned=counters.planned,
        audience=counters.audience,
        messages=counters.messages,
        drops=drops,
        submitted=counters.submitted,
        delivered=counters.delivered,
        failed=counters.failed,
        failures=failures,
        control_group=drops.get(CONTROL_GROUP, 0),
        variants=await store.variants(connection, workspace_id, counters.id),
        waiting=counters.messages - counters.delivered - counters.failed - in_doubt,
        in_doubt=in_doubt,
        parts=counters.parts,
        price_milli=counters.parts * counters.price_milli,
        currency=counters.currency,
        clicks=counters.clicks,
        human_clicks=counters.human_clicks,
        clickers=counters.clickers,
        replies=counters.replies,
        opt_outs=counters.opt_outs,
        seconds=_seconds(counters),
        trouble=trouble,
        stalled_since=stalled.since if stalled else None,
        stalled_reason=stalled.reason if stalled else "",
        opt_out_lag_seconds=await of_campaign(connection, workspace_id, counters.id),
        notes=report_notes(drops),
    )


def _seconds(counters: Counters) -> dict[str, float]:
    """Return how long each step took, as far as it has ended."""
    steps = {
        "wait and plan": (counters.started_at, counters.planned_at),
        "send": (counters.planned_at, counters.last_answer_at),
    }
    return {
        name: round((end - start).total_seconds(), 3)
        for name, (start, end) in steps.items()
        if start is not None and end is not None and end >= start
    }
