"""What people do with templates.

Each change is one transaction with its line in the audit log. Of two people who act at once on the
same thing, one is refused.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textwave.accounts.trail import note_change
from textwave.connections import store as connection_store
from textwave.connections.accounts import PlatformAccount
from textwave.content import store
from textwave.content.capabilities import needed, refuse_unsupported, takes_opt_out_text
from textwave.content.links import check_links, links_in
from textwave.content.lint import Finding, Severity, TextNotAcceptable, lint
from textwave.content.states import (
    TEMPLATE_STATES,
    TemplateEvent,
    TemplateState,
)
from textwave.content.store import Template
from textwave.content.text_rules import SHOWN_WITH_SIGNATURE, rules_for
from textwave.content.variables import parse
from textwave.content.version_store import Decision, add_version, decide_versions
from textwave.content.wording import full_text
from textwave.kit.ids import WorkspaceId
from textwave.kit.in_use import InUse
from textwave.kit.refusal import AlreadyExists, Refusal
from textwave.kit.states import MoveNotAllowed
from textwave.kit.typed import check_characters, check_line
from textwave.platforms.contract import MessageType
from textwave.shortlinks import store as link_store
from textwave.signatures.store import approved_signature
from textwave.storage.ledger import Connection
from textwave.storage.queue import Job, defer

SUBMIT_TASK = "content.submit_template"
WITHDRAW_TASK = "content.withdraw_template"
QUEUE = "content"
NAME_MAX = 30
REMARK_MAX = 100


@dataclass(frozen=True, slots=True)
class TemplateDraft:
    """A template as it is written: name 1-30, content 1-500, remark 1-100 characters.

    `signature`: the approved one that reviewers see it with, where the platform shows them one;
    empty: the first one.
    """

    name: str
    type: MessageType
    platform: str
    content: str
    remark: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A template that was written, and what the writer should look at."""

    template: Template
    warnings: list[Finding]


@dataclass(eq=False)
class NoApprovedSignature(Refusal):
    """The platform reviews texts under an approved signature, and there is none."""

    code: ClassVar[str] = "no_approved_signature"
    platform: str
    signature: str

    @property
    def sentence(self) -> str:
        which = f"the signature “{self.signature}” is not" if self.signature else "none is"
        return (
            f"The platform “{self.platform}” reviews texts under an approved signature, and "
            f"{which} approved. Add one or wait for its approval, then submit the template."
        )


@dataclass(eq=False)
class TemplateIsDigital(Refusal):
    """A digital template was to be handled like a text."""

    code: ClassVar[str] = "template_is_digital"
    template: str

    @property
    def sentence(self) -> str:
        return (
            f"“{self.template}” is a digital template, which is made of parts. Write, submit and "
            "delete it among the digital templates."
        )


async def examine(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    account: PlatformAccount,
    message_type: MessageType,
    content: str,
    links_url: str,
    now: datetime,
    until: datetime | None = None,
) -> list[Finding]:
    """Check a text as it will be sent: length, variables, links, what the account can do.

    Returns the warnings. `links_url` is what the installation's own short links begin with;
    `until`: when the last message with the text may leave, if that is known.

    Raises:
        TextNotAcceptable, TypeNotOffered, CapabilityMissing.
    """
    check_characters("content", content, allowed="\n")
    # First: of a type that is not offered nothing else is worth saying.
    refuse_unsupported(message_type, account, ())
    ending = account.opt_out_text if takes_opt_out_text(message_type, account) else ""
    text = full_text(content, message_type, ending)
    findings = lint(text, rules_for(account, message_type))
    refuse_errors(findings)
    addresses = await link_store.addresses(
        connection, workspace_id=workspace_id, links_url=links_url
    )
    template, found = parse(text), links_in(text, addresses)
    refuse_unsupported(message_type, account, needed(template, len(found)))
    codes = sorted({link.code for link in found})
    known = await link_store.links_of_codes(connection, workspace_id=workspace_id, codes=codes)
    about_links = check_links(template, addresses, known, now, until)
    refuse_errors(about_links)
    return sorted([*findings, *about_links], key=lambda finding: finding.position)


async def create_template(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    draft: TemplateDraft,
    links_url: str,
    now: datetime,
) -> Written:
    """Write a template; it is a draft until it is submitted.

    Raises:
        InvalidValue, AlreadyExists, NotFound (platform), TemplateIsDigital, and what `examine`
            raises.
    """
    check_line("name", draft.name, NAME_MAX)
    check_line("remark", draft.remark, REMARK_MAX)
    account = await connection_store.platform_named(
        connection, workspace_id=workspace_id, name=draft.platform
    )
    warnings = await examine(
        connection,
        workspace_id=workspace_id,
        account=account,
        message_type=draft.type,
        content=draft.content,
        links_url=links_url,
        now=now,
    )
    if draft.type is MessageType.digital:
        raise TemplateIsDigital(draft.name)
    template_id = await store.add_template(
        connection,
        workspace_id=workspace_id,
        platform_id=account.id,
        name=draft.name,
        message_type=draft.type,
        content=draft.content,
        remark=draft.remark,
        signature=draft.signature,
    )
    if template_id is None:
        raise AlreadyExists("template", draft.name)
    detail = {"platform": draft.platform, "type": draft.type, "content": draft.content}
    await note_change(connection, workspace_id, actor, "template.create", draft.name, detail)
    written = await store.template(connection, workspace_id=workspace_id, template_id=template_id)
    return Written(written, warnings)


async def edit_template(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    content: str,
    remark: str,
    links_url: str,
    now: datetime,
    signature: str | None = None,
) -> Written:
    """Change the text of a draft or a rejected template, which is a draft then.

    Raises:
        NotFound, MoveNotAllowed, InvalidValue, and what `examine` raises.
    """
    check_line("remark", remark, REMARK_MAX)
    template = await _text_template(connection, workspace_id, name)
    state = TEMPLATE_STATES.after(template.state, TemplateEvent.EDIT)
    warnings = await _examine_again(connection, template, content, links_url, now)
    edited = await store.edit_template(
        connection,
        workspace_id=workspace_id,
        template_id=template.id,
        content=content,
        remark=remark,
        sources=TEMPLATE_STATES.sources(TemplateEvent.EDIT),
        state=state,
        signature=signature,
    )
    if not edited:
        raise await template_overtaken(connection, template, TemplateEvent.EDIT)
    detail = {"before": template.content, "content": content}
    await note_change(connection, workspace_id, actor, "template.edit", name, detail)
    written = await store.template(connection, workspace_id=workspace_id, template_id=template.id)
    return Written(written, warnings)


async def request_review(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    links_url: str,
    now: datetime,
) -> Written:
    """Submit a template: a job hands it to the platform.

    Raises:
        NotFound, MoveNotAllowed, and what `examine` raises (a link may have expired meanwhile).
        NoApprovedSignature: the platform's reviewers are shown one.
    """
    template = await _text_template(connection, workspace_id, name)
    TEMPLATE_STATES.after(template.state, TemplateEvent.SUBMIT)
    warnings = await _examine_again(connection, template, template.content, links_url, now)
    account = await connection_store.platform_named(
        connection, workspace_id=workspace_id, name=template.platform
    )
    await reviewed_under(connection, account, template)
    await move_template(connection, template, TemplateEvent.SUBMIT)
    await add_version(connection, template, submitted_by=actor, now=now)
    await defer(connection, template_job(SUBMIT_TASK, template))
    await note_change(connection, workspace_id, actor, "template.submit", name, {})
    submitted = await store.template(connection, workspace_id=workspace_id, template_id=template.id)
    return Written(submitted, warnings)


async def copy_template(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    new_name: str,
    platform: str | None,
    links_url: str,
    now: datetime,
) -> Written:
    """Write a template with the text of another one, for the same platform or another.

    Raises:
        NotFound: there is none of that name. And what `create_template` raises.
    """
    source = await store.template_named(connection, workspace_id=workspace_id, name=name)
    to = platform or source.platform
    signature = source.signature if to == source.platform else ""
    draft = TemplateDraft(new_name, source.type, to, source.content, source.remark, signature)
    return await create_template(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        draft=draft,
        links_url=links_url,
        now=now,
    )


async def delete_template(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str, now: datetime
) -> None:
    """Delete a template here, and by a job at the platform if that has it.

    Raises:
        NotFound: there is none. InUse: a campaign under way sends it.
    """
    template = await _text_template(connection, workspace_id, name)
    await move_template(connection, template, TemplateEvent.DELETE)
    await decide_versions(connection, [template.id], Decision.WITHDRAWN, now=now)
    if template.code is not None:
        await defer(connection, template_job(WITHDRAW_TASK, template))
    await note_change(connection, workspace_id, actor, "template.delete", name, {})


async def reviewed_under(
    connection: Connection, account: PlatformAccount, template: Template
) -> str:
    """Return the signature that reviewers see the text with; empty: they see none.

    Raises:
        NoApprovedSignature: they need to see one.
    """
    if account.kind not in SHOWN_WITH_SIGNATURE:
        return ""
    found = await approved_signature(
        connection,
        workspace_id=template.workspace_id,
        platform_id=template.platform_id,
        name=template.signature,
    )
    if found is None:
        raise NoApprovedSignature(account.name, template.signature)
    return found


def template_job(
    task: str,
    template: Template,
    *,
    attempt: int = 0,
    at: datetime | None = None,
    has_turn: bool = False,
) -> Job:
    """Return a job about a template; two about the same one never run at the same time.

    `has_turn`: it waits for the turn that the platform gives it, and goes then.
    """
    args: dict[str, int] = {"workspace_id": template.workspace_id, "template_id": template.id}
    if attempt:
        args["attempt"] = attempt
    if has_turn:
        args["has_turn"] = True
    return Job(task=task, queue=QUEUE, args=args, lock=f"template {template.id}", at=at)


def refuse_errors(findings: list[Finding]) -> None:
    """Accept findings that are warnings only.

    Raises:
        TextNotAcceptable: some are errors.
    """
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        raise TextNotAcceptable(errors)


async def _text_template(connection: Connection, workspace_id: WorkspaceId, name: str) -> Template:
    """Read a template that is a text."""
    template = await store.template_named(connection, workspace_id=workspace_id, name=name)
    if template.type is MessageType.digital:
        raise TemplateIsDigital(name)
    return template


async def _examine_again(
    connection: Connection, template: Template, content: str, links_url: str, now: datetime
) -> list[Finding]:
    account = await connection_store.platform_named(
        connection, workspace_id=template.workspace_id, name=template.platform
    )
    return await examine(
        connection,
        workspace_id=template.workspace_id,
        account=account,
        message_type=template.type,
        content=content,
        links_url=links_url,
        now=now,
    )


async def move_template(connection: Connection, template: Template, event: TemplateEvent) -> None:
    """Move a template by a person's wish.

    Raises:
        MoveNotAllowed: it is in no state for that, or somebody else was faster. InUse.
    """
    state = TEMPLATE_STATES.after(template.state, event)
    moved = await store.move_template(
        connection,
        workspace_id=template.workspace_id,
        template_id=template.id,
        sources=TEMPLATE_STATES.sources(event),
        state=state,
    )
    if moved:
        return
    campaign = await store.campaign_using_template(
        connection, workspace_id=template.workspace_id, template_id=template.id
    )
    if campaign is not None and state is TemplateState.DELETED:
        raise InUse("template", template.name, campaign)
    raise await template_overtaken(connection, template, event)


async def template_overtaken(
    connection: Connection, template: Template, event: TemplateEvent
) -> MoveNotAllowed:
    """Return the refusal for a move that somebody else was faster with."""
    found = await store.template(
        connection, workspace_id=template.workspace_id, template_id=template.id
    )
    allowed = tuple(str(event) for event in TEMPLATE_STATES.events(found.state))
    return MoveNotAllowed("template", found.state, event, allowed)
