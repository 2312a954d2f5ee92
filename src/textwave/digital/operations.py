"""What people do with digital templates: write, edit, copy, submit and delete them.

A digital template is a template of that type, so its name is unique among all templates and it has
their states; beyond these it has parts, and a state at each carrier. Each change is one transaction
with its line in the audit log.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from textwave.accounts.trail import note_change
from textwave.connections import store as connection_store
from textwave.connections.accounts import PlatformAccount
from textwave.content import store as templates
from textwave.content.capabilities import refuse_unsupported
from textwave.content.operations import (
    REMARK_MAX,
    SUBMIT_TASK,
    WITHDRAW_TASK,
    examine,
    move_template,
    reviewed_under,
    template_job,
    template_overtaken,
)
from textwave.content.states import TEMPLATE_STATES, TemplateEvent
from textwave.content.text_rules import rules_for
from textwave.content.version_store import Decision, add_version, decide_versions
from textwave.digital import store
from textwave.digital.parts import (
    LONGEST_SUBJECT,
    KnownMaterial,
    MaterialPart,
    Part,
    PartFinding,
    TextPart,
    check_parts,
    check_signature,
    content_of,
    refuse_errors,
)
from textwave.digital.store import DigitalTemplate, KeptPart
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import AlreadyExists, NotFound
from textwave.kit.typed import check_line
from textwave.materials import store as materials
from textwave.materials.operations import Librarian
from textwave.materials.store import Material
from textwave.platforms.contract import MessageType
from textwave.signatures.store import signature_named
from textwave.storage.ledger import Connection
from textwave.storage.queue import defer

NAME_MAX = 20


@dataclass(frozen=True, slots=True)
class DigitalDraft:
    """A digital template as it is written: name and subject 1-20, remark 1-100 characters."""

    name: str
    platform: str
    signature: str
    subject: str
    remark: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class WrittenDigital:
    """A digital template that was written, and what the writer should look at."""

    template: DigitalTemplate
    warnings: Sequence[PartFinding]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where a template is written: who writes it, what its short links begin with, and when."""

    workspace_id: WorkspaceId
    librarian: Librarian
    links_url: str
    now: datetime


@dataclass(frozen=True, slots=True)
class _Examined:
    account: PlatformAccount
    rows: Sequence[tuple[str | None, materials.MaterialId | None]]
    warnings: list[PartFinding]


async def create_digital(
    connection: Connection, around: Surroundings, draft: DigitalDraft
) -> WrittenDigital:
    """Write a digital template; it is a draft until it is submitted.

    Raises:
        InvalidValue, AlreadyExists, NotFound (platform, signature, material), TypeNotOffered,
            CapabilityMissing, DigitalNotAcceptable, TextNotAcceptable.
    """
    check_line("name", draft.name, NAME_MAX)
    examined = await _examine(connection, around, draft)
    template_id = await templates.add_template(
        connection,
        workspace_id=around.workspace_id,
        platform_id=examined.account.id,
        name=draft.name,
        message_type=MessageType.digital,
        content=content_of(draft.parts),
        remark=draft.remark,
        signature=draft.signature,
    )
    if template_id is None:
        raise AlreadyExists("template", draft.name)
    await store.write(
        connection,
        around.workspace_id,
        template_id,
        subject=draft.subject,
        parts=examined.rows,
    )
    return await _written(connection, around, draft.name, "create", examined.warnings)


async def edit_digital(
    connection: Connection, around: Surroundings, draft: DigitalDraft
) -> WrittenDigital:
    """Change a draft or a rejected template, which is a draft then; `draft.platform` stays.

    Raises:
        NotFound, MoveNotAllowed, and what `create_digital` raises.
    """
    found = await store.digital_template(connection, around.workspace_id, draft.name)
    state = TEMPLATE_STATES.after(found.row.state, TemplateEvent.EDIT)
    draft = replace(draft, platform=found.row.platform)
    examined = await _examine(connection, around, draft, given=_kept(found))
    edited = await templates.edit_template(
        connection,
        workspace_id=around.workspace_id,
        template_id=found.row.id,
        content=content_of(draft.parts),
        remark=draft.remark,
        sources=TEMPLATE_STATES.sources(TemplateEvent.EDIT),
        state=state,
        signature=draft.signature,
    )
    if not edited:
        template = await _template(connection, found)
        raise await template_overtaken(connection, template, TemplateEvent.EDIT)
    await store.write(
        connection, around.workspace_id, found.row.id, subject=draft.subject, parts=examined.rows
    )
    return await _written(connection, around, draft.name, "edit", examined.warnings)


async def copy_digital(
    connection: Connection, around: Surroundings, *, name: str, new_name: str
) -> WrittenDigital:
    """Write a template with the parts of another one.

    Raises:
        NotFound: there is none of that name. And what `create_digital` raises.
    """
    source = await store.digital_template(connection, around.workspace_id, name)
    return await create_digital(connection, around, replace(draft_of(source), name=new_name))


async def submit_digital(
    connection: Connection, around: Surroundings, *, name: str
) -> WrittenDigital:
    """Submit a template to the carriers: a job hands it to the platform.

    Raises:
        NotFound, MoveNotAllowed, NoApprovedSignature, and what `create_digital` raises.
    """
    found = await store.digital_template(connection, around.workspace_id, name)
    TEMPLATE_STATES.after(found.row.state, TemplateEvent.SUBMIT)
    examined = await _examine(connection, around, draft_of(found), given=_kept(found))
    template = await _template(connection, found)
    await reviewed_under(connection, examined.account, template)
    await move_template(connection, template, TemplateEvent.SUBMIT)
    await store.forget_carriers(connection, around.workspace_id, found.row.id)
    said = replace(template, content=described(found))
    await add_version(connection, said, submitted_by=around.librarian.name, now=around.now)
    await defer(connection, template_job(SUBMIT_TASK, template))
    return await _written(connection, around, name, "submit", examined.warnings)


async def delete_digital(connection: Connection, around: Surroundings, *, name: str) -> None:
    """Delete a template here, and by a job at the platform if that has it.

    Raises:
        NotFound: there is none. InUse: a campaign under way sends it.
    """
    found = await store.digital_template(connection, around.workspace_id, name)
    template = await _template(connection, found)
    await move_template(connection, template, TemplateEvent.DELETE)
    await decide_versions(connection, [template.id], Decision.WITHDRAWN, now=around.now)
    await store.forget_parts(connection, around.workspace_id, template.id)
    if template.code is not None:
        await defer(connection, template_job(WITHDRAW_TASK, template))
    await note_change(
        connection, around.workspace_id, around.librarian.name, "template.delete", name, {}
    )


def draft_of(template: DigitalTemplate) -> DigitalDraft:
    """Return a kept template as it would be written."""
    row = template.row
    parts = [_part(one) for one in template.parts]
    return DigitalDraft(row.name, row.platform, row.signature, row.subject, row.remark, parts)


def described(template: DigitalTemplate) -> str:
    """Write subject, signature and parts as JSON, for the history of versions."""
    parts = [
        {"text": part.text}
        if part.material is None
        else {"material": part.material, "sha256": part.sha256}
        for part in template.parts
    ]
    what = {"subject": template.row.subject, "signature": template.row.signature, "parts": parts}
    return json.dumps(what, ensure_ascii=False)


def _part(kept: KeptPart) -> Part:
    return TextPart(kept.text or "") if kept.material is None else MaterialPart(kept.material)


def _kept(template: DigitalTemplate) -> set[str]:
    """Return the materials that a template is made of, whoever sees them."""
    return {part.material for part in template.parts if part.material is not None}


async def _examine(
    connection: Connection, around: Surroundings, draft: DigitalDraft, given: set[str] | None = None
) -> _Examined:
    """Check a draft and find what it names; `given`: materials that it has already."""
    check_line("subject", draft.subject, LONGEST_SUBJECT)
    check_line("remark", draft.remark, REMARK_MAX)
    account = await connection_store.platform_named(
        connection, workspace_id=around.workspace_id, name=draft.platform
    )
    refuse_unsupported(MessageType.digital, account, ())
    await signature_named(
        connection,
        workspace_id=around.workspace_id,
        platform_id=account.id,
        name=draft.signature,
    )
    known = await _materials(connection, around, draft.parts, given or set())
    measured = {
        name: KnownMaterial(one.kind, one.size_bytes, one.codec) for name, one in known.items()
    }
    rules = rules_for(account, MessageType.digital)
    findings = [*check_signature(draft.signature), *check_parts(draft.parts, measured, rules)]
    warnings = refuse_errors(findings)
    about_links = await examine(
        connection,
        workspace_id=around.workspace_id,
        account=account,
        message_type=MessageType.digital,
        content=content_of(draft.parts),
        links_url=around.links_url,
        now=around.now,
    )
    seen = {warning.code for warning in warnings}
    warnings += [
        PartFinding(one.code, one.severity, None, one.sentence)
        for one in about_links
        if one.code not in seen
    ]
    rows = [
        (part.text, None) if isinstance(part, TextPart) else (None, known[part.material].id)
        for part in draft.parts
    ]
    return _Examined(account, rows, warnings)


async def _materials(
    connection: Connection, around: Surroundings, parts: Sequence[Part], given: set[str]
) -> dict[str, Material]:
    """Return the materials that parts name, by name; those of others have to be shared."""
    names = [part.material for part in parts if isinstance(part, MaterialPart)]
    found = await materials.materials(connection, around.workspace_id, names=names)
    viewer = around.librarian.bound_name
    seen = {
        one.name: one
        for one in found
        if viewer is None or one.shared or one.created_by == viewer or one.name in given
    }
    for name in names:
        if name not in seen:
            raise NotFound("material", name)
    return seen


async def _template(connection: Connection, found: DigitalTemplate) -> templates.Template:
    return await templates.template(
        connection, workspace_id=found.row.workspace_id, template_id=found.row.id
    )


async def _written(
    connection: Connection,
    around: Surroundings,
    name: str,
    action: str,
    warnings: Sequence[PartFinding],
) -> WrittenDigital:
    written = await store.digital_template(connection, around.workspace_id, name)
    detail = json.loads(described(written))
    await note_change(
        connection,
        around.workspace_id,
        around.librarian.name,
        f"template.{action}",
        name,
        detail,
    )
    return WrittenDigital(written, warnings)
