"""A text for those whom a digital campaign did not reach because of their carrier, in one step.

`start_text` serves the web role; `run_text` is the job. The text goes to the very numbers that were
dropped, and to none that another text of this sort has reached. Dropped for another reason (opted
out, say) nobody gets it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Final

from textwave.audiences.rule import InCampaign, Outcome
from textwave.campaigns import repeat_store, store
from textwave.campaigns.brief import Brief
from textwave.campaigns.draft import CampaignDraft
from textwave.campaigns.moved_store import check_in_ledger
from textwave.campaigns.operations import campaign, check_draft, create_campaign
from textwave.campaigns.repeat_operations import Repeating, add_audience, find_members
from textwave.campaigns.repeating import choose_causes, copied
from textwave.campaigns.shares import Shares
from textwave.campaigns.start_operations import record
from textwave.campaigns.store import Campaign
from textwave.kit.ids import CampaignId, OperationId, WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue, Refusal
from textwave.plans.served import CARRIER_NOT_APPROVED
from textwave.platforms.contract import MessageType
from textwave.storage import progress
from textwave.storage.ledger import Connection

TEXT_TASK: Final = "campaigns.text_from_dropped"


@dataclass(frozen=True, slots=True)
class AskedText:
    """The text campaign that is wanted: what is left out is as in the digital one.

    `template` is a text template, or `content` a text of its own. `causes`: who failed with one of
    these gets the text as well, because a number may have been taken along to another carrier.
    """

    name: str
    template: str = ""
    content: str = ""
    type: str = MessageType.promotional
    platform: str = ""
    signature: str = ""
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, dict[str, str]])
    causes: Sequence[str] = ()


@dataclass(eq=False)
class NobodyDropped(Refusal):
    """Nobody is left whom the digital campaign did not reach because of the carrier."""

    code: ClassVar[str] = "nobody_dropped"
    campaign: str

    @property
    def sentence(self) -> str:
        return (
            f"Nobody of “{self.campaign}” who was dropped because the carrier has not approved is "
            "left without a text. Look at its report: all may have been reached, or got one since."
        )


async def start_text(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    asked: AskedText,
    now: datetime,
) -> OperationId:
    """Begin to make a draft for the dropped; the result is `{campaign, audience, size, …}`.

    Raises:
        NotFound, AlreadyExists, InvalidValue: as the sentence says.
        MessagesMoved: its messages have left the ledger.
    """
    source = await campaign(connection, workspace_id, name)
    if source.type != MessageType.digital:
        raise InvalidValue("campaign", f"“{name}” is no digital campaign. Copy it instead.")
    await check_in_ledger(connection, workspace_id=workspace_id, campaign_id=source.id)
    check_draft(_draft(source, asked, now))
    if asked.type == MessageType.digital:
        raise InvalidValue("type", "is digital again. Choose promotional or notification.")
    if await store.campaigns(connection, workspace_id, name=asked.name):
        raise AlreadyExists("campaign", asked.name)
    there = await repeat_store.causes(connection, workspace_id, source.id)
    causes = choose_causes(asked.causes, there)
    request = {
        **asdict(asked),
        "causes": [CARRIER_NOT_APPROVED, *causes],
        "source_id": source.id,
        "actor": actor,
    }
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=TEXT_TASK, request=request
    )


async def run_text(
    using: Repeating, *, workspace_id: WorkspaceId, operation_id: OperationId
) -> None:
    """Do the job of `start_text`; when it runs again it begins anew."""
    work = partial(_text, using, workspace_id)
    await progress.perform(
        using.ledger, workspace_id=workspace_id, operation_id=operation_id, work=work
    )


async def _text(
    using: Repeating, workspace_id: WorkspaceId, request: dict[str, Any]
) -> dict[str, Any]:
    source_id = CampaignId(request["source_id"])
    async with using.ledger.transaction() as connection:
        source = await store.brief(connection, workspace_id, campaign_id=source_id)
    members = await find_members(using, source, request["causes"])
    if members.size == 0:
        raise NobodyDropped(source.name)
    async with using.ledger.transaction() as connection:
        rule = InCampaign(
            campaign=source.name, outcome=Outcome.DROPPED, reasons=(CARRIER_NOT_APPROVED,)
        )
        description = f"Not reached by “{source.name}” because of their carrier."
        await add_audience(connection, source, request, members, rule, description)
        await _add_campaign(connection, using, source, request)
    return {"campaign": request["name"], "audience": request["name"], "size": members.size}


async def _add_campaign(
    connection: Connection, using: Repeating, source: Brief, request: dict[str, Any]
) -> None:
    """Write the draft, which plans the numbers that were dropped."""
    now = using.clock.now()
    names = ("name", "template", "content", "type", "platform", "signature", "variables")
    asked = AskedText(**{name: request[name] for name in names})
    found = await campaign(connection, source.workspace_id, source.name)
    made = await create_campaign(
        connection,
        workspace_id=source.workspace_id,
        actor=request["actor"],
        draft=replace(_draft(found, asked, now), audience=asked.name),
        links_url=using.links_url,
        now=now,
    )
    await repeat_store.link(
        connection,
        source.workspace_id,
        made.id,
        copied_from=source.id,
        causes=request["causes"],
    )
    brief = await store.brief(connection, source.workspace_id, campaign_id=made.id)
    detail = {"dropped_in": source.name, "causes": request["causes"]}
    await record(connection, brief, request["actor"], "text-from-dropped", detail)


def _draft(source: Campaign, asked: AskedText, now: datetime) -> CampaignDraft:
    """Return the draft of a text: now, and without shares, which the digital one had already."""
    draft = copied(source, name=asked.name, now=now)
    return replace(
        draft,
        type=asked.type,
        platform=asked.platform or draft.platform,
        signature=asked.signature or draft.signature,
        template=asked.template,
        content=asked.content,
        variables=asked.variables,
        shares=Shares(exclude=draft.shares.exclude),
        timing=replace(draft.timing, at=None),
    )
