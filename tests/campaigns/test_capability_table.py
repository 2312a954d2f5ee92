"""The table of what can be said on which platform, cell by cell, at each of the three moments.

Written here a second time, from what the product promises: the code must agree with it. What an
account may send is taken away and given back between the moments by the real operation.
"""

from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Any

import pytest

from tests.stage import LINKS_URL, Stage
from textwave.accounts.store import Caller
from textwave.campaigns.draft import CampaignDraft
from textwave.campaigns.operations import create_campaign, start_campaign, template_decided
from textwave.connections.accounts import Capability, PlatformKind
from textwave.connections.change import PlatformChange
from textwave.connections.editing_operations import edit_platform
from textwave.content.capabilities import CapabilityMissing, TypeNotOffered
from textwave.content.lint import TextNotAcceptable
from textwave.content.operations import TemplateDraft, TemplateIsDigital, create_template
from textwave.kit.ids import TemplateId
from textwave.kit.refusal import Refusal
from textwave.platforms.contract import MessageType
from textwave.storage.ledger import Connection, execute, value

THIRDPARTY, ALIYUN = PlatformKind.THIRDPARTY, PlatformKind.ALIYUN
PROMOTIONAL, NOTIFICATION = MessageType.promotional, MessageType.notification
VARIABLES, SHORT_LINKS = Capability.VARIABLES, Capability.SHORT_LINKS
CLICK_TOKENS, OPT_OUT_TEXT = Capability.CLICK_TOKENS, Capability.OPT_OUT_TEXT
ENDING = "拒收请回复R"
Moment = Callable[[Connection], Awaitable[object]]


class Cell(Enum):
    """What a cell of the table says."""

    YES = "yes"
    IF_GRANTED = "as the account was granted"
    NEVER = "never"


YES, IF_GRANTED, NEVER = Cell.YES, Cell.IF_GRANTED, Cell.NEVER
TABLE = {
    (THIRDPARTY, PROMOTIONAL, VARIABLES): IF_GRANTED,
    (THIRDPARTY, PROMOTIONAL, SHORT_LINKS): YES,
    (THIRDPARTY, PROMOTIONAL, CLICK_TOKENS): IF_GRANTED,
    (THIRDPARTY, PROMOTIONAL, OPT_OUT_TEXT): YES,
    (THIRDPARTY, NOTIFICATION, VARIABLES): IF_GRANTED,
    (THIRDPARTY, NOTIFICATION, SHORT_LINKS): YES,
    (THIRDPARTY, NOTIFICATION, CLICK_TOKENS): IF_GRANTED,
    (THIRDPARTY, NOTIFICATION, OPT_OUT_TEXT): NEVER,
    (ALIYUN, PROMOTIONAL, VARIABLES): IF_GRANTED,
    (ALIYUN, PROMOTIONAL, SHORT_LINKS): YES,
    (ALIYUN, PROMOTIONAL, CLICK_TOKENS): IF_GRANTED,
    (ALIYUN, PROMOTIONAL, OPT_OUT_TEXT): YES,
    (ALIYUN, NOTIFICATION, VARIABLES): YES,
    (ALIYUN, NOTIFICATION, SHORT_LINKS): YES,
    (ALIYUN, NOTIFICATION, CLICK_TOKENS): YES,
    (ALIYUN, NOTIFICATION, OPT_OUT_TEXT): NEVER,
}
TEXTS = {
    VARIABLES: "Dear ${name}, see you",
    SHORT_LINKS: f"See {LINKS_URL}/abc123 for more",
    CLICK_TOKENS: f"See {LINKS_URL}/abc123/${{sp_abc123}} for more",
    OPT_OUT_TEXT: "See you soon. 回T退订",
}


class Account:
    """The stage's account, of a kind, with or without what accounts can be granted."""

    def __init__(self, stage: Stage, message_type: MessageType) -> None:
        self.stage = stage
        self.type = message_type
        founding = stage.founding
        self.caller = Caller(founding.workspace_id, founding.organization_id, 1, "wang")

    async def be(self, kind: PlatformKind) -> None:
        kinds = "UPDATE platform SET kind = %(kind)s, capabilities = '{}', opt_out_text = ''"
        async with self.stage.ledger.transaction() as connection:
            await execute(connection, kinds, {"kind": kind})

    async def grant(self, *capabilities: Capability) -> None:
        change = PlatformChange(
            capabilities=frozenset(capabilities), opt_out_text=ENDING if capabilities else ""
        )
        await self.do(lambda c: edit_platform(c, caller=self.caller, name="sandbox", change=change))

    async def do(self, moment: Moment) -> object:
        async with self.stage.ledger.transaction(self.caller.workspace_id) as connection:
            return await moment(connection)

    async def campaign(self, name: str) -> None:
        """Write a campaign as it was while the account could send it."""
        made = """INSERT INTO campaign (workspace_id, platform_id, name, type, signature_id,
                template_id, audience_id, created_by)
            SELECT t.workspace_id, t.platform_id, %(name)s, t.type, s.id, t.id, a.id, 'test'
            FROM template t, signature s, audience a WHERE t.name = 'welcome'"""
        async with self.stage.ledger.transaction() as connection:
            await execute(connection, made, {"name": name})

    def moments(self, text: str, name: str) -> dict[str, Moment]:
        """Return the three moments, each of a thing of its own under that name."""
        key: dict[str, Any] = {"workspace_id": self.caller.workspace_id, "actor": "wang"}
        more: dict[str, Any] = {"links_url": LINKS_URL, "now": self.stage.clock.now()}
        template = TemplateDraft(name, self.type, "sandbox", text, "a remark")
        chosen = {"name": {"column": "first_name"}} if "${name}" in text else {}
        draft = CampaignDraft(
            f"new {name}", self.type, "sandbox", "Textwave", "welcome", "everybody", chosen
        )
        return {
            "writing": lambda c: create_template(c, **key, draft=template, **more),
            "creation": lambda c: create_campaign(c, **key, draft=draft, **more),
            "start": lambda c: start_campaign(c, **key, name=f"old {name}", **more),
        }


async def outcomes(account: Account, text: str, name: str) -> dict[str, Refusal | None]:
    """Return what each moment refuses with, or None."""
    await account.campaign(f"old {name}")
    ended: dict[str, Refusal | None] = {}
    for moment, act in account.moments(text, name).items():
        try:
            await account.do(act)
        except Refusal as refusal:
            ended[moment] = refusal
        else:
            ended[moment] = None
    return ended


@pytest.mark.parametrize(
    ("kind", "message_type", "capability", "cell"), [(*key, cell) for key, cell in TABLE.items()]
)
async def test_each_cell_holds_when_written_when_created_and_when_started(
    stage: Stage,
    kind: PlatformKind,
    message_type: MessageType,
    capability: Capability,
    cell: Cell,
) -> None:
    text = TEXTS[capability]
    await stage.set_rows(content=text, message_type=message_type)
    account = Account(stage, message_type)
    await account.be(kind)
    for name, granted in (("bare", ()), ("granted", tuple(Capability))):
        await account.grant(*granted)
        found = await outcomes(account, text, name)
        if cell is YES or (cell is IF_GRANTED and granted):
            assert found == {"writing": None, "creation": None, "start": None}, name
            continue
        for moment, refusal in found.items():
            # How to opt out is a wording in the text: the linter knows it
            expected = TextNotAcceptable if capability is OPT_OUT_TEXT else CapabilityMissing
            assert isinstance(refusal, expected), f"{name}: {moment}"
            if isinstance(refusal, CapabilityMissing):
                assert refusal.capability is capability
                assert "“sandbox”" in refusal.sentence
                assert "Take it out" in refusal.sentence


@pytest.mark.parametrize("kind", PlatformKind)
@pytest.mark.parametrize("message_type", [PROMOTIONAL, NOTIFICATION])
async def test_promotions_end_with_the_accounts_opt_out_text_and_notifications_never(
    stage: Stage, kind: PlatformKind, message_type: MessageType
) -> None:
    text = "一" * 495
    await stage.set_rows(content=text, message_type=message_type)
    account = Account(stage, message_type)
    await account.be(kind)
    assert set((await outcomes(account, text, "bare")).values()) == {None}
    await account.grant(*Capability)
    found = await outcomes(account, text, "granted")
    too_long = {type(refusal) for refusal in found.values()}
    assert too_long == ({TextNotAcceptable} if message_type is PROMOTIONAL else {type(None)})


@pytest.mark.parametrize("kind", PlatformKind)
async def test_a_text_is_never_a_digital_message(stage: Stage, kind: PlatformKind) -> None:
    await stage.set_rows(content="hello", message_type="notification")
    account = Account(stage, MessageType.digital)
    await account.be(kind)
    with pytest.raises((TemplateIsDigital, TypeNotOffered)):
        await account.do(account.moments("hello", "digital")["writing"])


async def test_what_an_account_loses_while_a_template_is_reviewed_is_caught_when_it_is_approved(
    stage: Stage,
) -> None:
    text = TEXTS[VARIABLES]
    await stage.set_rows(content=text, message_type="promotional", template_state="reviewing")
    account = Account(stage, PROMOTIONAL)
    await account.be(THIRDPARTY)
    await account.grant(VARIABLES)
    await account.campaign("old waits")
    await account.do(account.moments(text, "waits")["start"])
    await account.grant()
    async with stage.ledger.transaction() as connection:
        await connection.execute("UPDATE template SET state = 'approved', decided_at = now()")
        await template_decided(connection, TemplateId(stage.ids["template"]))
        state, reason = await _state(connection)
    assert state == "rejected"
    assert "variables" in reason


async def _state(connection: Connection) -> tuple[str, str]:
    found = await value(connection, "SELECT state || '|' || reason FROM campaign")
    state, _, reason = found.partition("|")
    return state, reason
