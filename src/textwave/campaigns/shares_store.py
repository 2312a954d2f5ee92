"""Rows of exclusions, control groups and variants."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textwave.audiences.visibility import Viewer
from textwave.kit.ids import (
    AudienceId,
    CampaignId,
    PlatformId,
    SnapshotId,
    TemplateId,
    WorkspaceId,
)
from textwave.storage.ledger import Connection, execute, many, one
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.campaigns", "shares_store.sql")


@dataclass(frozen=True, slots=True)
class Rules:
    """What a campaign's draws follow from, and who won."""

    campaign_id: CampaignId
    workspace_id: WorkspaceId
    name: str
    state: str
    seed: int
    control_share_milli: int | None
    control_size: int | None
    test_share_milli: int | None
    winner_by: str | None
    winner_after_minutes: int | None
    winner: int | None
    planned_at: datetime | None
    platform_id: PlatformId


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An audience whose members get nothing; without a snapshot it has not been computed."""

    name: str
    table_name: str
    archived: bool
    snapshot_id: SnapshotId | None


@dataclass(frozen=True, slots=True)
class WrittenVariant:
    """A variant as it is kept; the rest has no template until the winner is chosen."""

    number: int
    name: str
    share_milli: int
    template: str | None
    template_type: str | None
    template_state: str | None
    content: str | None
    first_id: int | None
    last_id: int | None


@dataclass(frozen=True, slots=True)
class NamedAudience:
    """An audience by its name."""

    id: AudienceId
    name: str
    table_name: str
    archived: bool


@dataclass(frozen=True, slots=True)
class NamedTemplate:
    """A template by its name."""

    id: TemplateId
    name: str
    type: str
    content: str


@dataclass(frozen=True, slots=True)
class Span:
    """The ids of a variant's messages."""

    number: int
    first_id: int
    last_id: int
    messages: int


async def audiences_named(
    connection: Connection, workspace_id: WorkspaceId, names: Sequence[str], viewer: Viewer
) -> dict[str, NamedAudience]:
    """Return those audiences that somebody sees, by name."""
    parameters = {
        "workspace_id": workspace_id,
        "names": list(names),
        "viewer": viewer.bound_name,
    }
    found = await many(connection, NamedAudience, _SQL["audiences_named"], parameters)
    return {audience.name: audience for audience in found}


async def templates_named(
    connection: Connection, workspace_id: WorkspaceId, platform_id: PlatformId, names: Sequence[str]
) -> dict[str, NamedTemplate]:
    """Return a platform's templates by name."""
    parameters = {
        "workspace_id": workspace_id,
        "platform_id": platform_id,
        "names": list(names),
    }
    found = await many(connection, NamedTemplate, _SQL["templates_named"], parameters)
    return {template.name: template for template in found}


async def replace_shares(
    connection: Connection,
    key: Mapping[str, Any],
    *,
    rules: Mapping[str, Any],
    audience_ids: Sequence[AudienceId],
    variants: Mapping[str, Sequence[Any]],
) -> None:
    """Write what a campaign's draws follow from, in place of what there was."""
    await execute(connection, _SQL["set_rules"], {**key, **rules})
    await execute(connection, _SQL["remove_exclusions"], key)
    await execute(connection, _SQL["remove_variants"], key)
    exclusions = {**key, "audience_ids": list(audience_ids)}
    await execute(connection, _SQL["add_exclusions"], exclusions)
    await execute(connection, _SQL["add_variants"], {**key, **variants})


async def rules(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> Rules:
    """Read what a campaign's draws follow from."""
    found = await one(connection, Rules, _SQL["rules"], _key(workspace_id, campaign_id))
    if found is None:
        raise LookupError(f"campaign {campaign_id} is gone")
    return found


async def exclusions(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> list[Exclusion]:
    """Return the audiences that a campaign leaves out."""
    return await many(connection, Exclusion, _SQL["exclusions"], _key(workspace_id, campaign_id))


async def variants(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> list[WrittenVariant]:
    """Return the variants in their order, the rest behind them."""
    return await many(connection, WrittenVariant, _SQL["variants"], _key(workspace_id, campaign_id))


async def hold_templates(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> None:
    """Keep the state of the variants' templates as it is until the transaction ends."""
    await execute(connection, _SQL["hold_templates"], _key(workspace_id, campaign_id))


async def freeze(
    connection: Connection,
    workspace_id: WorkspaceId,
    campaign_id: CampaignId,
    *,
    exclusions: Sequence[Exclusion],
    contents: Mapping[int, str],
) -> None:
    """Fix the excluded snapshots and the texts by variant's number: a plan is made of them."""
    key = _key(workspace_id, campaign_id)
    chosen = {
        "names": [one.name for one in exclusions],
        "snapshot_ids": [one.snapshot_id for one in exclusions],
    }
    await execute(connection, _SQL["freeze_exclusions"], {**key, **chosen})
    texts = {"numbers": list(contents), "contents": list(contents.values())}
    await execute(connection, _SQL["freeze_variants"], {**key, **texts})


async def set_spans(
    connection: Connection,
    workspace_id: WorkspaceId,
    campaign_id: CampaignId,
    spans: Sequence[Span],
) -> None:
    """Write which ids have which text."""
    columns = {
        "numbers": [span.number for span in spans],
        "firsts": [span.first_id for span in spans],
        "lasts": [span.last_id for span in spans],
        "counts": [span.messages for span in spans],
    }
    key = _key(workspace_id, campaign_id)
    await execute(connection, _SQL["set_spans"], {**key, **columns})


def _key(workspace_id: WorkspaceId, campaign_id: CampaignId) -> dict[str, int]:
    return {"workspace_id": workspace_id, "campaign_id": campaign_id}
