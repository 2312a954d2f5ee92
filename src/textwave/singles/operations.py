"""Asking for single messages, as the web role: checked, written once, and gathered by a job.

Who asks again under the same key gets the same message; nothing is written twice. Refused is what
could not be sent: texts that are no approved notification, numbers that are none.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Final

from textwave.campaigns.served import longest_value
from textwave.connections.accounts import PlatformAccount, PlatformKind
from textwave.connections.store import platform_named
from textwave.content.capabilities import needed, refuse_unsupported
from textwave.content.operations import examine
from textwave.content.rendering import render
from textwave.content.tokens import TOKEN_LENGTH
from textwave.content.variables import TemplateText, parse
from textwave.kit.ids import SingleMessageId, WorkspaceId
from textwave.kit.mobile import Mobile, national, read_mobile
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.kit.text import Counting, count
from textwave.platforms.contract import MessageType
from textwave.singles import store
from textwave.singles.message import (
    VALUE_MAX,
    AskedMessage,
    KeyUsedDifferently,
    MessagesWait,
    NewMessage,
    NoNotification,
    NotApproved,
    SingleMessage,
    check_key,
    digest_of,
    values_of,
    waiting,
)
from textwave.singles.store import Ingredients
from textwave.storage.ledger import Connection
from textwave.storage.queue import Job, defer

GATHER_TASK: Final = "singles.gather"
QUEUE: Final = "singles"
GATHER: Final = Job(
    GATHER_TASK, QUEUE, args={}, lock=GATHER_TASK, queueing_lock=GATHER_TASK, priority=10
)
LONGEST_WAIT_SECONDS: Final = 600.0


async def ask_for_message(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    key: str,
    asked: AskedMessage,
    links_url: str,
    now: datetime,
) -> SingleMessage:
    """Write down a message that is to be sent, or return the one that the key belongs to.

    Raises:
        InvalidValue, NotFound, NoNotification, NotApproved, and what examining the text raises.
        KeyUsedDifferently: the key belongs to another message.
        MessagesWait: nobody has been taking messages for ten minutes.
    """
    check_key(key)
    digest = digest_of(asked)
    known = await store.of_key(connection, workspace_id, key)
    if known is None:
        new = await _compose(connection, workspace_id, asked, links_url, now)
        added = await store.add(
            connection, {**asdict(new), "key": key, "digest": digest, "actor": actor}
        )
        if added is not None:
            await defer(connection, GATHER)
            return waiting(added.id, added.created_at, key, actor, asked, new)
        known = await store.of_key(connection, workspace_id, key)
    if known is None:
        raise RuntimeError("a key is taken by nobody")
    if known.body_digest != digest:
        raise KeyUsedDifferently(key, known.id)
    return await single_message(connection, workspace_id, known.id)


async def single_message(
    connection: Connection, workspace_id: WorkspaceId, message_id: SingleMessageId
) -> SingleMessage:
    """Read a single message as it stands.

    Raises:
        NotFound: the workspace has none of that id.
    """
    found = await store.messages(connection, workspace_id, message_id=message_id)
    if not found:
        raise NotFound("message", str(message_id))
    return found[0]


async def _compose(
    connection: Connection,
    workspace_id: WorkspaceId,
    asked: AskedMessage,
    links_url: str,
    now: datetime,
) -> NewMessage:
    """Check what was asked for and return it as it is written down."""
    of = await store.ingredients(
        connection, workspace_id, template=asked.template, signature=asked.signature
    )
    _check(asked, of)
    account = await platform_named(connection, workspace_id=workspace_id, name=of.platform)
    text = parse(of.content)
    longest = longest_value(account.kind) or VALUE_MAX
    values = values_of(text, asked.variables, longest)
    await _check_text(connection, workspace_id, account, text, links_url, now)
    whole = render(text, values, "0" * TOKEN_LENGTH)
    return NewMessage(
        workspace_id,
        account.id,
        of.platform,
        of.signature_id,
        of.template_id,
        _mobile(asked.to, of.default_region, account),
        values,
        count(whole, asked.signature, Counting(account.counting)).parts,
    )


def _check(asked: AskedMessage, of: Ingredients) -> None:
    if of.oldest_seconds > LONGEST_WAIT_SECONDS:
        raise MessagesWait(int(of.oldest_seconds))
    if asked.platform is not None and asked.platform != of.platform:
        problem = f"“{asked.template}” is a template of “{of.platform}”. Leave it out."
        raise InvalidValue("platform", problem)
    if of.type != MessageType.notification:
        raise NoNotification(asked.template, of.type)
    for kind, name, state in (
        ("template", asked.template, of.template_state),
        ("signature", asked.signature, of.signature_state),
    ):
        if state != "approved":
            raise NotApproved(kind, name, state)


async def _check_text(
    connection: Connection,
    workspace_id: WorkspaceId,
    account: PlatformAccount,
    text: TemplateText,
    links_url: str,
    now: datetime,
) -> None:
    """Accept what the account can send, and links that lead somewhere, if there may be any."""
    if "/" not in text.text:
        refuse_unsupported(MessageType.notification, account, needed(text, 0))
        return
    await examine(
        connection,
        workspace_id=workspace_id,
        account=account,
        message_type=MessageType.notification,
        content=text.text,
        links_url=links_url,
        now=now,
    )


def _mobile(written: str, region: str, account: PlatformAccount) -> Mobile:
    mobile = read_mobile(written, region)
    if mobile is None:
        raise InvalidValue("to", "is no mobile number. Write it as +8615412345678.")
    abroad = national(mobile).startswith("+")
    if abroad and account.kind == PlatformKind.ALIYUN and account.counting == Counting.MAINLAND:
        problem = f"“{account.name}” sends to mainland numbers only. Use an account for abroad."
        raise InvalidValue("to", problem)
    return mobile
