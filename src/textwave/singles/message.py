"""A single message as a program asks for it, and as it stands. Pure.

Refused are keys that are none, a key that was used for another message, values that do not fit the
template, and texts that are no notification.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar, Final

from textwave.content.variables import TemplateText
from textwave.kit.ids import (
    PlatformId,
    SignatureId,
    SingleMessageId,
    TemplateId,
    WorkspaceId,
)
from textwave.kit.mobile import Mobile
from textwave.kit.refusal import InvalidValue, Refusal
from textwave.kit.typed import check_line

KEY_MAX: Final = 200
VALUE_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class AskedMessage:
    """What is to be sent to whom; without a platform it is the template's."""

    to: str
    signature: str
    template: str
    variables: Mapping[str, str]
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class SingleMessage:
    """A single message and what became of it.

    `state`: waiting, refused, dropped, moved (to the warehouse), or that of its message; `cause`
    says why it failed, was dropped or refused. `sent_at` is when it left for the platform.
    """

    id: SingleMessageId
    idempotency_key: str
    platform: str
    signature: str
    template: str
    mobile: int
    parts: int
    state: str
    cause: str
    created_by: str
    created_at: datetime
    sent_at: datetime | None
    answered_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message that was checked, as it is written down."""

    workspace_id: WorkspaceId
    platform_id: PlatformId
    platform: str
    signature_id: SignatureId
    template_id: TemplateId
    mobile: Mobile
    variables: list[str]
    parts: int


@dataclass(eq=False)
class KeyUsedDifferently(Refusal):
    """The idempotency key belongs to another message."""

    code: ClassVar[str] = "key_used_differently"
    key: str
    message_id: int

    @property
    def sentence(self) -> str:
        return (
            f"The key “{self.key}” was used for message {self.message_id}, which is another one. "
            "Nothing was sent. Give every message a key of its own, and repeat a message unchanged."
        )


@dataclass(eq=False)
class NoNotification(Refusal):
    """The template is not one that single messages may have."""

    code: ClassVar[str] = "no_notification"
    template: str
    type: str

    @property
    def sentence(self) -> str:
        return (
            f"The template “{self.template}” is {self.type}. Single messages are notifications: "
            "use a notification template, or a campaign for an audience."
        )


@dataclass(eq=False)
class NotApproved(Refusal):
    """The platform has not approved what the message is made of."""

    code: ClassVar[str] = "not_approved"
    kind: str
    name: str
    state: str

    @property
    def sentence(self) -> str:
        return (
            f"The {self.kind} “{self.name}” is {self.state}. Single messages are sent with what "
            "the platform has approved. Wait for the approval, or use another."
        )


@dataclass(eq=False)
class MessagesWait(Refusal):
    """Nobody takes the messages that wait."""

    code: ClassVar[str] = "messages_wait"
    seconds: int

    @property
    def sentence(self) -> str:
        return (
            f"Messages have been waiting for {self.seconds} seconds and nobody takes them. Nothing "
            "was written. See that a worker runs, then send this again with the same key."
        )


def waiting(
    message_id: SingleMessageId,
    created_at: datetime,
    key: str,
    actor: str,
    asked: AskedMessage,
    new: NewMessage,
) -> SingleMessage:
    """Return a message as it stands when it has just been written down."""
    return SingleMessage(
        id=message_id,
        idempotency_key=key,
        platform=new.platform,
        signature=asked.signature,
        template=asked.template,
        mobile=new.mobile,
        parts=new.parts,
        state="waiting",
        cause="",
        created_by=actor,
        created_at=created_at,
        sent_at=None,
        answered_at=None,
        finished_at=None,
    )


def check_key(key: str) -> None:
    """Accept 1 to 200 characters on one line.

    Raises:
        InvalidValue: it is none.
    """
    check_line("Idempotency-Key", key, KEY_MAX)


def digest_of(asked: AskedMessage) -> bytes:
    """Return what tells the same message under a key from another one."""
    written = json.dumps(asdict(asked), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(written.encode()).digest()


def values_of(
    template: TemplateText, given: Mapping[str, str], longest: int = VALUE_MAX
) -> list[str]:
    """Return the values in the order of the template's names; none is longer than `longest`.

    Raises:
        InvalidValue: one is missing, blank, too long, of no variable, or no single line.
    """
    for name in given:
        if name not in template.names:
            raise InvalidValue(f"variables.{name}", _known(template.names))
    for name in template.names:
        if name not in given:
            raise InvalidValue(f"variables.{name}", "is missing. The template needs a value.")
        check_line(f"variables.{name}", given[name], longest)
    return [given[name] for name in template.names]


def _known(names: Sequence[str]) -> str:
    listed = ", ".join(names) if names else "none"
    return f"The template has no such variable; it has: {listed}."
