"""Asking for single messages, as the web role: checked, written once, and gathered by a job.

Who asks again under the same key gets the same message; nothing is written twice. Refused is what
could not be sent: texts that are no approved notification, numbers that are none.
"""

from datetime import datetime
from typing import Final

from textwave.accounts.store import workspace
from textwave.connections.accounts import PlatformAccount, PlatformKind
from textwave.connections.store import platform_named
from textwave.content.operations import examine
from textwave.content.rendering import render
from textwave.content.store import Template, template_named
from textwave.content.tokens import TOKEN_LENGTH
from textwave.content.variables import parse
from textwave.kit.ids import SignatureId, SingleMessageId, WorkspaceId
from textwave.kit.mobile import Mobile, national, read_mobile
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.kit.text import Counting, count
from textwave.platforms.contract import MessageType
from textwave.signatures.store import signature_named
from textwave.singles import store
from textwave.singles.message import (
    AskedMessage,
    KeyUsedDifferently,
    MessagesWait,
    NoNotification,
    NotApproved,
    SingleMessage,
    check_key,
    digest_of,
    values_of,
)
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
        waiting = await store.oldest_waiting_seconds(connection, workspace_id)
        if waiting > LONGEST_WAIT_SECONDS:
            raise MessagesWait(int(waiting))
        row = await _row(connection, workspace_id, asked, links_url, now)
        written = {**row, "key": key, "digest": digest, "actor": actor}
        added = await store.add(connection, written)
        if added is not None:
            await defer(connection, GATHER)
            return await single_message(connection, workspace_id, added)
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


async def _row(
    connection: Connection,
    workspace_id: WorkspaceId,
    asked: AskedMessage,
    links_url: str,
    now: datetime,
) -> dict[str, object]:
    """Check what was asked for and return it as a row."""
    template = await template_named(connection, workspace_id=workspace_id, name=asked.template)
    account = await _account(connection, workspace_id, asked, template)
    await _check_template(connection, template, account, links_url, now)
    text = parse(template.content)
    values = values_of(text, asked.variables)
    counting = Counting(account.counting)
    whole = render(text, values, "0" * TOKEN_LENGTH)
    return {
        "workspace_id": workspace_id,
        "platform_id": account.id,
        "signature_id": await _signature(connection, workspace_id, account, asked.signature),
        "template_id": template.id,
        "mobile": await _mobile(connection, workspace_id, asked.to, account),
        "variables": values,
        "parts": count(whole, asked.signature, counting).parts,
    }


async def _account(
    connection: Connection, workspace_id: WorkspaceId, asked: AskedMessage, template: Template
) -> PlatformAccount:
    if asked.platform is not None and asked.platform != template.platform:
        problem = f"“{asked.template}” is a template of “{template.platform}”. Leave it out."
        raise InvalidValue("platform", problem)
    return await platform_named(connection, workspace_id=workspace_id, name=template.platform)


async def _check_template(
    connection: Connection,
    template: Template,
    account: PlatformAccount,
    links_url: str,
    now: datetime,
) -> None:
    if template.type is not MessageType.notification:
        raise NoNotification(template.name, template.type)
    if template.state != "approved":
        raise NotApproved("template", template.name, template.state)
    await examine(
        connection,
        workspace_id=template.workspace_id,
        account=account,
        message_type=template.type,
        content=template.content,
        links_url=links_url,
        now=now,
    )


async def _signature(
    connection: Connection, workspace_id: WorkspaceId, account: PlatformAccount, name: str
) -> SignatureId:
    found = await signature_named(
        connection, workspace_id=workspace_id, platform_id=account.id, name=name
    )
    if found.state != "approved":
        raise NotApproved("signature", name, found.state)
    return found.id


async def _mobile(
    connection: Connection, workspace_id: WorkspaceId, written: str, account: PlatformAccount
) -> Mobile:
    region = (await workspace(connection, workspace_id)).default_region
    mobile = read_mobile(written, region)
    if mobile is None:
        raise InvalidValue("to", "is no mobile number. Write it as +8615412345678.")
    abroad = national(mobile).startswith("+")
    if abroad and account.kind == PlatformKind.ALIYUN and account.counting == Counting.MAINLAND:
        problem = f"“{account.name}” sends to mainland numbers only. Use an account for abroad."
        raise InvalidValue("to", problem)
    return mobile
