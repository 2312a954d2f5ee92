"""Rows of digital templates: what they have beyond the template that they are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from textwave.connections.reviews import Decided, UnderReview
from textwave.content.states import TemplateState
from textwave.kit.carriers import Carrier
from textwave.kit.ids import PlatformId, TemplateId, WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.materials.kinds import Kind
from textwave.materials.store import MaterialId
from textwave.platforms.contract import CarrierReview, CarrierState
from textwave.storage.ledger import Connection, execute, many, value
from textwave.storage.statements import load_statements

LONGEST_PAGE = 100
_SQL = load_statements(__package__ or "textwave.digital")


@dataclass(frozen=True, slots=True)
class KeptPart:
    """A part as it is kept: a text, or a material with its measures."""

    template_id: TemplateId
    position: int
    text: str | None
    material_id: MaterialId | None
    material: str | None
    kind: Kind | None
    suffix: str | None
    size_bytes: int | None
    width: int | None
    height: int | None
    milliseconds: int | None
    codec: str | None
    sha256: str | None


@dataclass(frozen=True, slots=True)
class KeptCarrier:
    """Where a template stands at one carrier, and since when."""

    template_id: TemplateId
    carrier: Carrier
    state: CarrierState
    reason: str
    changed_at: datetime

    def __post_init__(self) -> None:
        """Take the texts of a row as what they stand for."""
        object.__setattr__(self, "carrier", Carrier(self.carrier))
        object.__setattr__(self, "state", CarrierState(self.state))


@dataclass(frozen=True, slots=True)
class DigitalRow:
    """A digital template without its parts."""

    id: TemplateId
    workspace_id: WorkspaceId
    platform_id: PlatformId
    platform: str
    name: str
    subject: str
    signature: str
    content: str
    remark: str
    state: TemplateState
    reason: str
    code: str | None
    created_at: datetime
    turn_at: datetime | None
    submitted_at: datetime | None
    decided_at: datetime | None

    def __post_init__(self) -> None:
        """Take the text of a row as the state it stands for."""
        object.__setattr__(self, "state", TemplateState(self.state))


@dataclass(frozen=True, slots=True)
class DigitalTemplate:
    """A digital template with its parts in order, and where it stands at the carriers."""

    row: DigitalRow
    parts: Sequence[KeptPart]
    carriers: Sequence[KeptCarrier]


@dataclass(frozen=True, slots=True)
class File:
    """A part with its content: a text, or the file of a material."""

    position: int
    text: str | None
    suffix: str | None
    content: bytes | None


async def write(
    connection: Connection,
    workspace_id: WorkspaceId,
    template_id: TemplateId,
    *,
    subject: str,
    parts: Sequence[tuple[str | None, MaterialId | None]],
) -> None:
    """Write the subject and the parts of a template over those that it has."""
    key = {"workspace_id": workspace_id, "template_id": template_id}
    await execute(connection, _SQL["write_subject"], {**key, "subject": subject})
    await execute(connection, _SQL["clear_parts"], key)
    texts, material_ids = [part[0] for part in parts], [part[1] for part in parts]
    given = {"texts": texts, "material_ids": material_ids}
    await execute(connection, _SQL["add_parts"], {**key, **given})


async def forget_parts(
    connection: Connection, workspace_id: WorkspaceId, template_id: TemplateId
) -> None:
    """Let the materials of a deleted template go."""
    key = {"workspace_id": workspace_id, "template_id": template_id}
    await execute(connection, _SQL["clear_parts"], key)


async def digital_templates(
    connection: Connection,
    workspace_id: WorkspaceId,
    *,
    name: str | None = None,
    after: int = 0,
    limit: int = LONGEST_PAGE,
) -> list[DigitalTemplate]:
    """Return a page of digital templates behind the id `after`."""
    page = {"name": name, "after": after, "limit": min(limit, LONGEST_PAGE)}
    asked = {"workspace_id": workspace_id, **page}
    rows = await many(connection, DigitalRow, _SQL["digital_templates"], asked)
    key = {"workspace_id": workspace_id, "template_ids": [row.id for row in rows]}
    parts: defaultdict[int, list[KeptPart]] = defaultdict(list)
    for part in await many(connection, KeptPart, _SQL["parts"], key):
        parts[part.template_id].append(part)
    carriers: defaultdict[int, list[KeptCarrier]] = defaultdict(list)
    for carrier in await many(connection, KeptCarrier, _SQL["carriers"], key):
        carriers[carrier.template_id].append(carrier)
    return [DigitalTemplate(row, parts[row.id], carriers[row.id]) for row in rows]


async def digital_template(
    connection: Connection, workspace_id: WorkspaceId, name: str
) -> DigitalTemplate:
    """Return one digital template that is not deleted.

    Raises:
        NotFound: there is none of that name.
    """
    found = await digital_templates(connection, workspace_id, name=name, limit=1)
    if not found:
        raise NotFound("digital template", name)
    return found[0]


async def files(
    connection: Connection, workspace_id: WorkspaceId, template_id: TemplateId
) -> tuple[str, list[File]]:
    """Return the subject and the parts of a template with their content."""
    key = {"workspace_id": workspace_id, "template_id": template_id}
    subject = await value(connection, _SQL["subject"], key)
    return subject, await many(connection, File, _SQL["files"], key)


async def carriers(
    connection: Connection, workspace_id: WorkspaceId, template_id: TemplateId
) -> dict[Carrier, CarrierState]:
    """Return where a template stands at the carriers."""
    key = {"workspace_id": workspace_id, "template_ids": [template_id]}
    found = await many(connection, KeptCarrier, _SQL["carriers"], key)
    return {one.carrier: one.state for one in found}


async def forget_carriers(
    connection: Connection, workspace_id: WorkspaceId, template_id: TemplateId
) -> None:
    """Forget what carriers said of what was submitted before."""
    key = {"workspace_id": workspace_id, "template_id": template_id}
    await execute(connection, _SQL["clear_carriers"], key)


async def keep_carriers(
    connection: Connection,
    workspace_id: WorkspaceId,
    template_id: TemplateId,
    reviews: Mapping[Carrier, CarrierReview],
    now: datetime,
) -> None:
    """Keep what carriers say."""
    parameters: dict[str, Any] = {
        "workspace_id": workspace_id,
        "template_id": template_id,
        "carriers": [str(carrier) for carrier in reviews],
        "states": [str(review.state) for review in reviews.values()],
        "reasons": [review.reason for review in reviews.values()],
        "now": now,
    }
    await execute(connection, _SQL["keep_carriers"], parameters)


async def decide(
    connection: Connection,
    workspace_id: WorkspaceId,
    template_id: TemplateId,
    *,
    sources: Sequence[TemplateState],
    state: TemplateState,
    reason: str,
    now: datetime,
) -> list[Decided]:
    """Approve or reject a template under review; nothing: somebody was first."""
    parameters = {
        "workspace_id": workspace_id,
        "template_id": template_id,
        "sources": [str(source) for source in sources],
        "state": str(state),
        "reason": reason,
        "now": now,
    }
    return await many(connection, Decided, _SQL["decide"], parameters)


async def to_ask(
    connection: Connection, *, now: datetime, after: int, limit: int
) -> list[UnderReview]:
    """Return a page of digital templates whose carriers are to be asked about, of everybody."""
    parameters = {"now": now, "after": after, "limit": limit}
    return await many(connection, UnderReview, _SQL["to_ask"], parameters)
