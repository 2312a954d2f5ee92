"""What a campaign's digital templates say: who approved them, and under which signatures."""

from dataclasses import dataclass

from textwave.kit.carriers import Carrier
from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.storage.ledger import Connection, many, one
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.campaigns", "digital_store.sql")


@dataclass(frozen=True, slots=True)
class OtherSignature:
    """A digital template that was approved under another signature than the campaign's."""

    template: str
    signature: str


@dataclass(frozen=True, slots=True)
class _Approving:
    carrier: str


async def approving_carriers(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> frozenset[Carrier]:
    """Return the carriers that have approved every digital template of a campaign."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    found = await many(connection, _Approving, _SQL["approving_carriers"], key)
    return frozenset(Carrier(row.carrier) for row in found)


async def other_signature(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> OtherSignature | None:
    """Return a digital template of a campaign that speaks under another signature."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    return await one(connection, OtherSignature, _SQL["other_signature"], key)
