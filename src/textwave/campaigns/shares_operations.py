"""Exclusions, control groups and variants of a draft: written with it, checked before it starts.

Each function is a part of its caller's transaction.
"""

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from textwave.audiences.particulars import AudienceArchived
from textwave.audiences.visibility import Viewer
from textwave.campaigns import shares_store, store
from textwave.campaigns.brief import Brief
from textwave.campaigns.draft import (
    CampaignDraft,
    NotReadyToStart,
    TypeDiffers,
    check_sources,
)
from textwave.campaigns.recipients import check_computed
from textwave.campaigns.served import check_values
from textwave.campaigns.shares import (
    REST,
    REST_NUMBER,
    WHOLE,
    ChosenBy,
    OtherTable,
    Shares,
    check_clicks_count,
    check_shares,
)
from textwave.campaigns.shares_store import NamedTemplate, WrittenVariant
from textwave.campaigns.texts import sent_text
from textwave.connections.store import platform_named
from textwave.content.operations import examine
from textwave.content.variables import TemplateText, parse
from textwave.kit.ids import AudienceId, CampaignId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.plans.draw import LOTS
from textwave.plans.parts import united
from textwave.platforms.contract import MessageType
from textwave.storage.ledger import Connection


async def write_shares(
    connection: Connection,
    workspace_id: WorkspaceId,
    campaign_id: CampaignId,
    draft: CampaignDraft,
    viewer: Viewer,
) -> None:
    """Write what a draft leaves out, holds out and divides, over what is there.

    Raises:
        InvalidValue, SharesDoNotAddUp, NotFound, AudienceArchived, OtherTable.
    """
    shares = check_shares(draft.shares)
    brief = await store.brief(connection, workspace_id, campaign_id=campaign_id)
    audience_ids = await _audience_ids(connection, brief, shares.exclude, viewer)
    names = [variant.template for variant in shares.variants]
    templates = await shares_store.templates_named(
        connection, workspace_id, brief.platform_id, names
    )
    for name in names:
        if name not in templates:
            raise NotFound("template", name)
    await shares_store.replace_shares(
        connection,
        {"workspace_id": workspace_id, "campaign_id": campaign_id},
        rules=_rules(shares),
        audience_ids=audience_ids,
        variants=_variant_columns(shares, templates),
    )


async def _audience_ids(
    connection: Connection, brief: Brief, names: Sequence[str], viewer: Viewer
) -> list[AudienceId]:
    found = await shares_store.audiences_named(connection, brief.workspace_id, names, viewer)
    for name in names:
        if name not in found:
            raise NotFound("audience", name)
        if found[name].archived:
            raise AudienceArchived(name)
        if found[name].table_name != brief.table_name:
            raise OtherTable(name, found[name].table_name, brief.table_name)
    return [found[name].id for name in names]


def _rules(shares: Shares) -> dict[str, Any]:
    control, winner = shares.control, shares.winner
    return {
        "seed": secrets.randbelow(LOTS) if shares.seed is None else shares.seed,
        "control_share_milli": control.share_milli if control else 0,
        "control_size": control.size if control else 0,
        "test_share_milli": winner.test_share_milli if winner else None,
        "winner_by": winner.by if winner else None,
        "winner_after_minutes": winner.after_minutes if winner else None,
    }


def _variant_columns(shares: Shares, templates: dict[str, NamedTemplate]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {
        "numbers": [number for number, _ in enumerate(shares.variants, start=1)],
        "names": [variant.name for variant in shares.variants],
        "template_ids": [templates[variant.template].id for variant in shares.variants],
        "shares": [variant.share_milli for variant in shares.variants],
    }
    if shares.winner is not None:
        rest = (REST_NUMBER, REST, None, WHOLE - shares.winner.test_share_milli)
        for column, value in zip(columns.values(), rest, strict=True):
            column.append(value)
    return columns


async def check_texts(
    connection: Connection, brief: Brief, draft: CampaignDraft, *, links_url: str, now: datetime
) -> None:
    """Accept the texts of a draft that is written: their type, their variables, their links.

    Raises:
        TypeDiffers, VariableWithoutSource, SourceNotInTemplate, ColumnUnknown, ClicksNotCounted,
            and what examining a text raises.
    """
    variants = await _chosen_variants(connection, brief)
    types = [variant.template_type for variant in variants] or [brief.template_type]
    for found in types:
        if found != draft.type:
            raise TypeDiffers(draft.type, str(found))
    contents = [variant.content or "" for variant in variants] or [brief.template_content]
    templates = [parse(sent_text(brief, content)) for content in contents]
    names = united(template.names for template in templates)
    check_sources(names, draft.variables, brief.table_name, brief.table_columns or [])
    check_values(brief, names)
    if draft.shares.winner is not None and draft.shares.winner.by == ChosenBy.CLICKS:
        named: dict[str, TemplateText] = {
            variant.name: template for variant, template in zip(variants, templates, strict=True)
        }
        check_clicks_count(named)
    await _examine(connection, brief, contents, links_url=links_url, now=now)


async def check_shares_ready(
    connection: Connection, brief: Brief, *, links_url: str, now: datetime
) -> None:
    """Accept exclusions that are computed, values that can be sent, variants all approved.

    Raises:
        NotReadyToStart, AudienceArchived, InvalidValue, and what examining the texts raises.
    """
    check_values(brief, brief.variables)
    await check_exclusions(connection, brief)
    await shares_store.hold_templates(connection, brief.workspace_id, brief.id)
    variants = await _chosen_variants(connection, brief)
    for variant in variants:
        if variant.template_state != "approved":
            problem = (
                f"of variant “{variant.name}” is {variant.template_state}. A campaign with "
                "variants starts only when all its templates are approved."
            )
            raise NotReadyToStart("template", str(variant.template), problem)
    contents = [variant.content or "" for variant in variants]
    await _examine(connection, brief, contents, links_url=links_url, now=now)


async def check_exclusions(connection: Connection, brief: Brief) -> None:
    """Accept excluded audiences of which somebody has said who is in them.

    Raises:
        NotReadyToStart: one has not been computed yet.
        AudienceArchived: one is archived, so it is not kept fresh.
    """
    exclusions = await shares_store.exclusions(connection, brief.workspace_id, brief.id)
    for one in exclusions:
        if one.archived:
            raise AudienceArchived(one.name)
    check_computed(exclusions)


async def _chosen_variants(connection: Connection, brief: Brief) -> list[WrittenVariant]:
    found = await shares_store.variants(connection, brief.workspace_id, brief.id)
    return [variant for variant in found if variant.number != REST_NUMBER]


async def _examine(
    connection: Connection,
    brief: Brief,
    contents: Sequence[str],
    *,
    links_url: str,
    now: datetime,
) -> None:
    account = await platform_named(connection, workspace_id=brief.workspace_id, name=brief.platform)
    for content in contents:
        await examine(
            connection,
            workspace_id=brief.workspace_id,
            account=account,
            message_type=MessageType(brief.type),
            content=content,
            links_url=links_url,
            now=now,
            until=brief.leaves_until(now),
        )
