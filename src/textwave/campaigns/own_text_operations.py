"""A campaign's own text: a template that is written from within the campaign and named after it.

The chosen template stays as it is. Refused are own texts of campaigns that have a time, because
only approved texts are put on one, and of campaigns with variants.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Final

from textwave.campaigns import own_text_store as store
from textwave.campaigns.brief import Brief
from textwave.campaigns.draft import CampaignDraft
from textwave.content.operations import (
    NAME_MAX,
    REMARK_MAX,
    TemplateDraft,
    create_template,
    edit_template,
    request_review,
)
from textwave.content.states import TEMPLATE_STATES, TemplateEvent
from textwave.content.store import Template, template_named
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue, Refusal
from textwave.platforms.contract import MessageType
from textwave.storage.ledger import Connection

_MOST_TEXTS: Final = 99
_SUFFIX: Final = len(f"-{_MOST_TEXTS}")


@dataclass(eq=False)
class TextNotReviewed(Refusal):
    """A campaign that has a time was given a text that nobody has approved."""

    code: ClassVar[str] = "text_not_reviewed"
    campaign: str

    @property
    def sentence(self) -> str:
        return (
            f"“{self.campaign}” has a time, and only approved texts are put on one. Take the time "
            "away: the campaign then goes by itself when its text is approved. Or write the text "
            "as a template first, and choose that when it is approved."
        )


async def with_own_text(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    draft: CampaignDraft,
    links_url: str,
    now: datetime,
    before: Brief | None = None,
) -> tuple[CampaignDraft, bool]:
    """Return a draft that names the template with its text, and whether that is its own.

    A text that is that of the chosen template is no own one. `before` is the campaign as it is: its
    own template is edited as long as the platform has not decided about it, else there is one more.

    Raises:
        TextNotReviewed, InvalidValue, NotFound, and what writing a template raises.
    """
    own = before is not None and before.own_text
    if not draft.content:
        return draft, own and before is not None and before.template == draft.template
    chosen = await _chosen(connection, workspace_id, draft)
    if chosen is not None and chosen.content == draft.content:
        return replace(draft, content=""), own and _is_of(before, chosen)
    if draft.shares.variants:
        raise InvalidValue("content", "leave it out: the variants have templates of their own.")
    if draft.timing.at is not None:
        raise TextNotReviewed(draft.name)
    where: dict[str, Any] = {
        "workspace_id": workspace_id,
        "actor": actor,
        "links_url": links_url,
        "now": now,
    }
    if chosen is not None and own and _is_of(before, chosen) and _can_be_edited(chosen):
        await edit_template(
            connection, name=chosen.name, content=draft.content, remark=chosen.remark, **where
        )
        return replace(draft, content=""), True
    made = TemplateDraft(
        name=await _free_name(connection, workspace_id, draft.name),
        type=MessageType(draft.type),
        platform=draft.platform,
        content=draft.content,
        remark=chosen.remark if chosen else f"Text of the campaign {draft.name}"[:REMARK_MAX],
    )
    written = await create_template(connection, draft=made, **where)
    return replace(draft, template=written.template.name, content=""), True


async def submit_own_text(
    connection: Connection, brief: Brief, *, actor: str, links_url: str, now: datetime
) -> bool:
    """Hand a campaign's own text to review, if it is its own and waits for that; tell whether."""
    sources = TEMPLATE_STATES.sources(TemplateEvent.SUBMIT)
    if not brief.own_text or brief.template_state not in sources:
        return False
    await request_review(
        connection,
        workspace_id=brief.workspace_id,
        actor=actor,
        name=brief.template,
        links_url=links_url,
        now=now,
    )
    return True


async def _chosen(
    connection: Connection, workspace_id: WorkspaceId, draft: CampaignDraft
) -> Template | None:
    if not draft.template:
        return None
    return await template_named(connection, workspace_id=workspace_id, name=draft.template)


def _is_of(before: Brief | None, template: Template) -> bool:
    return before is not None and before.template_id == template.id


def _can_be_edited(template: Template) -> bool:
    return template.state in TEMPLATE_STATES.sources(TemplateEvent.EDIT)


async def _free_name(connection: Connection, workspace_id: WorkspaceId, campaign: str) -> str:
    """Return the campaign's name, cut to what a template's may be, with a number if it is taken."""
    stem = campaign[: NAME_MAX - _SUFFIX].rstrip()
    numbered = [f"{stem}-{number}" for number in range(2, _MOST_TEXTS + 1)]
    names = [campaign[:NAME_MAX].rstrip(), *numbered]
    taken = await store.taken_names(connection, workspace_id, names)
    free = next((name for name in names if name not in taken), None)
    if free is None:
        raise AlreadyExists("template", names[-1])
    return free
