"""What the editor of a digital template shows: its parts, what is wrong with them, what is offered.

A template that is still being written is examined as it stands; nothing is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from textwave.connections import store as connection_store
from textwave.connections.accounts import PlatformAccount
from textwave.console.fields import text
from textwave.console.material_reading import librarian
from textwave.console.paging import listed
from textwave.console.visit import Visit
from textwave.content.capabilities import SUPPORT
from textwave.content.lint import Severity
from textwave.content.text_rules import rules_for
from textwave.content.writing_operations import Writing, check_writing
from textwave.digital import store
from textwave.digital.operations import DigitalDraft
from textwave.digital.parts import (
    KnownMaterial,
    MaterialPart,
    Part,
    PartFinding,
    TextPart,
    check_parts,
    check_signature,
    content_of,
    size_of,
)
from textwave.digital.store import DigitalTemplate, KeptPart
from textwave.kit.ids import PlatformId
from textwave.materials import store as materials
from textwave.materials.kinds import Kind
from textwave.materials.store import Filter, Material
from textwave.platforms.contract import MessageType
from textwave.signatures import store as signature_store
from textwave.signatures.store import Signature
from textwave.storage.ledger import Connection
from textwave.wiring import links_url

MOST_ROWS: Final = 30
OFFERED: Final = 60


@dataclass(frozen=True, slots=True)
class Row:
    """A part in its place, from 1; a material that is not there, or not to be seen, is None."""

    place: int
    part: Part
    material: Material | None
    findings: Sequence[PartFinding]

    @property
    def text(self) -> str:
        """Return the words of a text part."""
        return self.part.text if isinstance(self.part, TextPart) else ""

    @property
    def name(self) -> str:
        """Return the name of its material; none: it is a text."""
        return self.part.material if isinstance(self.part, MaterialPart) else ""


@dataclass(frozen=True, slots=True)
class Editor:
    """A digital template as far as it is written, and what can be put into it."""

    platforms: Sequence[PlatformAccount]
    signatures: Sequence[Signature]
    rows: Sequence[Row]
    findings: Sequence[PartFinding]
    size_bytes: int
    offered: Sequence[Material]

    @property
    def stops(self) -> bool:
        """Tell whether something has to be mended before it can be kept."""
        return any(one.severity is Severity.ERROR for one in self.findings)


async def read_digital(visit: Visit) -> list[DigitalTemplate]:
    """Return the digital templates that are not deleted, the newest first."""
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        found = await listed(
            lambda after: store.digital_templates(connection, visit.workspace_id, after=after),
            store.LONGEST_PAGE,
            lambda one: one.row.id,
        )
    return found[::-1]


def read_parts(form: Mapping[str, str]) -> list[Part]:
    """Read the parts of a form in their order: text_N or material_N, N from 0."""
    parts: list[Part] = []
    for place in range(MOST_ROWS):
        if name := form.get(f"material_{place}", "").replace("\0", "").strip():
            parts.append(MaterialPart(name))
        elif f"text_{place}" in form:
            written = text(form, f"text_{place}").replace("\r\n", "\n")
            parts.append(TextPart(written))
    return parts


def moved(parts: Sequence[Part], act: str) -> list[Part]:
    """Return parts after one step of editing; what is no step changes nothing.

    Steps are `text`, `add:NAME`, `up:N`, `down:N` and `out:N`, N from 1.
    """
    step, _, what = act.partition(":")
    if step == "text" and len(parts) < MOST_ROWS:
        return [*parts, TextPart("")]
    if step == "add" and what and len(parts) < MOST_ROWS:
        return [*parts, MaterialPart(what.replace("\0", ""))]
    place = int(what) - 1 if what.isascii() and what.isdigit() and len(what) < 3 else -1  # noqa: PLR2004 - 30 at most
    if not 0 <= place < len(parts):
        return list(parts)
    left = [part for other, part in enumerate(parts) if other != place]
    above = max(0, place - 1)
    steps = {
        "out": left,
        "up": [*left[:above], parts[place], *left[above:]],
        "down": [*left[: place + 1], parts[place], *left[place + 1 :]],
    }
    return steps.get(step, list(parts))


def written(template: DigitalTemplate) -> dict[str, str]:
    """Write a template into the form's fields."""
    row = template.row
    fields = {name: getattr(row, name) for name in ("name", "platform", "signature", "subject")}
    for place, part in enumerate(template.parts):
        is_text = part.material is None
        fields[f"text_{place}" if is_text else f"material_{place}"] = part.material or part.text
    return fields | {"remark": row.remark}


def draft_from(form: Mapping[str, str], name: str = "") -> DigitalDraft:
    """Read a draft from the form; `name` is that of a template that is edited."""
    return DigitalDraft(
        name=name or text(form, "name"),
        platform=text(form, "platform"),
        signature=text(form, "signature"),
        subject=text(form, "subject"),
        remark=text(form, "remark"),
        parts=read_parts(form),
    )


async def read_editor(
    visit: Visit, given: Mapping[str, str], before: DigitalTemplate | None = None
) -> Editor:
    """Return the editor for what the form says; `before`: the template that is edited."""
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        accounts = [
            one
            for one in await connection_store.platforms(connection, workspace_id=visit.workspace_id)
            if (one.kind, MessageType.digital) in SUPPORT
        ]
        named = next((one for one in accounts if one.name == given.get("platform")), None)
        account = named or next(iter(accounts), None)
        signatures = await _signatures(connection, visit, account.id) if account else []
        parts = read_parts(given)
        known = await _known(connection, visit, parts, before)
        findings = await _examined(connection, visit, given, account, known) if account else []
        offered = await _offered(connection, visit, given)
    measured = _measured(known)
    there = [one for one in parts if isinstance(one, TextPart) or one.material in known]
    return Editor(
        platforms=accounts,
        signatures=signatures,
        rows=_rows(parts, known, findings),
        findings=findings,
        size_bytes=size_of(there, measured),
        offered=offered,
    )


def _rows(
    parts: Sequence[Part], known: Mapping[str, Material], findings: Sequence[PartFinding]
) -> list[Row]:
    return [
        Row(
            place,
            part,
            known.get(part.material) if isinstance(part, MaterialPart) else None,
            [one for one in findings if one.part == place],
        )
        for place, part in enumerate(parts, start=1)
    ]


def _measured(known: Mapping[str, Material]) -> dict[str, KnownMaterial]:
    return {name: KnownMaterial(one.kind, one.size_bytes, one.codec) for name, one in known.items()}


async def _signatures(
    connection: Connection, visit: Visit, platform_id: PlatformId
) -> list[Signature]:
    """Return the account's signatures, the approved ones first."""
    found = await signature_store.signatures(
        connection, workspace_id=visit.workspace_id, platform_id=platform_id
    )
    return sorted(found, key=lambda one: one.state != "approved")


async def _known(
    connection: Connection, visit: Visit, parts: Sequence[Part], before: DigitalTemplate | None
) -> dict[str, Material]:
    """Return the materials that parts name: those that are seen, and those it has already."""
    names = [part.material for part in parts if isinstance(part, MaterialPart)]
    had = {part.material for part in before.parts} if before else set[str | None]()
    viewer = librarian(visit).bound_name
    found = await materials.materials(connection, visit.workspace_id, names=names)
    return {
        one.name: one
        for one in found
        if viewer is None or one.shared or one.created_by == viewer or one.name in had
    }


async def _offered(
    connection: Connection, visit: Visit, given: Mapping[str, str]
) -> list[Material]:
    """Return the newest materials of the library that fit what is looked for."""
    kind = given.get("look_kind", "")
    asked = Filter(
        kind=Kind(kind) if kind in tuple(Kind) else None, text=text(given, "look") or None
    )
    viewer = librarian(visit).bound_name
    return await materials.newest(
        connection, visit.workspace_id, viewer=viewer, wanted=asked, limit=OFFERED
    )


async def _examined(
    connection: Connection,
    visit: Visit,
    given: Mapping[str, str],
    account: PlatformAccount,
    known: Mapping[str, Material],
) -> list[PartFinding]:
    """Return what is wrong with what is written so far, and what is still missing."""
    parts = read_parts(given)
    if not parts:
        return []
    missing = [
        PartFinding(
            "material_missing",
            Severity.ERROR,
            place,
            f"Part {place}: the library has no material “{part.material}” that you see. "
            "Take it out.",
        )
        for place, part in enumerate(parts, start=1)
        if isinstance(part, MaterialPart) and part.material not in known
    ]
    if missing:
        return missing
    rules = rules_for(account, MessageType.digital)
    findings = [
        *check_signature(text(given, "signature")),
        *check_parts(parts, _measured(known), rules),
    ]
    return [*findings, *await _links(connection, visit, account, parts, findings)]


async def _links(
    connection: Connection,
    visit: Visit,
    account: PlatformAccount,
    parts: Sequence[Part],
    findings: Sequence[PartFinding],
) -> list[PartFinding]:
    """Return what is wrong with all texts together, beyond what is known of the parts."""
    writing = Writing(
        text=content_of(parts), message_type=MessageType.digital, platform=account.name
    )
    found = await check_writing(
        connection,
        workspace_id=visit.workspace_id,
        writing=writing,
        links_url=links_url(visit.ground.settings),
        now=visit.now,
    )
    seen = {one.code for one in findings}
    return [
        PartFinding(one.code, Severity(one.severity), None, one.sentence)
        for one in found
        if one.code not in seen and writing.text.strip()
    ]


def part_at(template: DigitalTemplate, place: int) -> KeptPart | None:
    """Return the part in a place, from 1; None: there is none, or it is a text."""
    found = next((one for one in template.parts if one.position == place), None)
    return found if found is not None and found.material_id is not None else None
