"""What the console reads: campaigns and boards, through the product's operations.

Every read is one transaction as the web role, in the session's workspace. Mobile numbers leave here
masked, those inside a reply's text too.
"""

from collections.abc import Sequence

from textwave.accounts.store import workspace
from textwave.campaigns import operations as campaigns
from textwave.campaigns.shares import REST
from textwave.campaigns.store import Campaign, brief
from textwave.console.board import (
    Answer,
    Board,
    Figures,
    Heading,
    Lag,
    Stall,
    TextReview,
    Variant,
    Winner,
)
from textwave.content.store import template_named
from textwave.content.wording import full_text
from textwave.insights.operations import EffectReport, effect_report
from textwave.insights.store import VariantEffect
from textwave.kit.ids import WorkspaceId
from textwave.kit.mobile import Mobile, mask_numbers, masked
from textwave.kit.money import Money
from textwave.kit.refusal import NotFound
from textwave.platforms.contract import MessageType
from textwave.responses.store import KeptReply, replies
from textwave.storage.ledger import Connection, Ledger

SHOWN_CAMPAIGNS = 100
_SHOWN_REPLIES = 10


async def read_headings(
    ledger: Ledger,
    workspace_id: WorkspaceId,
    *,
    state: str | None = None,
    before: int | None = None,
) -> tuple[Sequence[Heading], str]:
    """Read a page of campaigns, newest first, and the time zone to show them in."""
    async with ledger.transaction(workspace_id) as connection:
        found = await campaigns.campaigns(
            connection, workspace_id, state=state, before=before, limit=SHOWN_CAMPAIGNS
        )
        zone = (await workspace(connection, workspace_id)).time_zone
    return [_heading(campaign) for campaign in found], zone


async def read_board(ledger: Ledger, workspace_id: WorkspaceId, name: str) -> Board:
    """Read everything that the board of one campaign shows.

    Raises:
        NotFound: the workspace has no campaign of that name.
    """
    async with ledger.transaction(workspace_id) as connection:
        campaign = await campaigns.campaign(connection, workspace_id, name)
        report = await effect_report(connection, workspace_id=workspace_id, name=name)
        parts = await brief(connection, workspace_id, name=name)
        answers = await replies(
            connection, workspace_id=workspace_id, campaign_id=campaign.id, limit=_SHOWN_REPLIES
        )
        zone = (await workspace(connection, workspace_id)).time_zone
        review = await _review(connection, campaign, own=parts.own_text)
    kind = MessageType(campaign.type)
    return Board(
        heading=_heading(campaign),
        reason=campaign.reason,
        trouble=report.trouble,
        signature=campaign.signature,
        template=campaign.template,
        text=full_text(parts.template_content, kind, parts.opt_out_text),
        price=str(Money(report.price_milli, report.currency)),
        time_zone=zone,
        figures=_figures(report),
        answers=[_answer(reply) for reply in answers],
        variants=[_variant(one) for one in report.variants],
        winner=_winner(campaign),
        stall=Stall(report.stalled_since, report.stalled_reason) if report.stalled_since else None,
        lag=_lag(report),
        copied_from=campaign.copied_from or "",
        recurrence=campaign.recurrence or "",
        review=review,
    )


async def _review(connection: Connection, campaign: Campaign, *, own: bool) -> TextReview | None:
    """Read how the review of the text stands, where the campaign waits for it or failed by it."""
    if campaign.state not in ("reviewing", "rejected"):
        return None
    try:
        found = await template_named(
            connection, workspace_id=campaign.workspace_id, name=campaign.template
        )
    except NotFound:  # deleted since
        return None
    return TextReview(
        template=found.name,
        type=found.type,
        state=found.state,
        reason=found.reason,
        submitted_at=found.submitted_at,
        turn_at=found.turn_at,
        own=own,
    )


def _variant(effect: VariantEffect) -> Variant:
    return Variant(
        name=effect.name,
        is_rest=effect.name == REST,
        template=effect.template,
        share=effect.share,
        messages=effect.messages,
        submitted=effect.submitted,
        delivered=effect.delivered,
        failed=effect.failed,
        clickers=effect.clickers,
        click_rate=effect.click_rate,
        wins=effect.wins,
    )


def _winner(campaign: Campaign) -> Winner | None:
    found = campaign.winner
    if found is None:
        return None
    return Winner(
        by=found["by"],
        after_minutes=found["after_minutes"] or 0,
        chosen=found["chosen"] or "",
        reason=found["reason"],
    )


def _lag(report: EffectReport) -> Lag | None:
    found = report.opt_out_lag_seconds
    return Lag(found.measured, found.largest, found.p99) if found.measured else None


async def read_figures(ledger: Ledger, workspace_id: WorkspaceId, name: str) -> Figures:
    """Read the counters of one campaign."""
    async with ledger.transaction(workspace_id) as connection:
        return _figures(await effect_report(connection, workspace_id=workspace_id, name=name))


def _heading(campaign: Campaign) -> Heading:
    return Heading(
        id=campaign.id,
        name=campaign.name,
        type=campaign.type,
        state=campaign.state,
        platform=campaign.platform,
        audience=campaign.audience,
        created_at=campaign.created_at,
        started_at=campaign.started_at,
        completed_at=campaign.completed_at,
        starts_at=campaign.schedule.starts_at or campaign.schedule.at,
    )


def _answer(reply: KeptReply) -> Answer:
    return Answer(
        number=masked(Mobile(reply.mobile)),
        content=mask_numbers(reply.content),
        intent=reply.intent,
        received_at=reply.received_at,
    )


def _figures(report: EffectReport) -> Figures:
    return Figures(
        planned=report.planned,
        audience=report.audience,
        messages=report.messages,
        submitted=report.submitted,
        delivered=report.delivered,
        failed=report.failed,
        waiting=report.waiting,
        in_doubt=report.in_doubt,
        parts=report.parts,
        clicks=report.clicks,
        human_clicks=report.human_clicks,
        clickers=report.clickers,
        replies=report.replies,
        opt_outs=report.opt_outs,
        drops=report.drops,
        failures=report.failures,
        seconds=report.seconds,
    )
