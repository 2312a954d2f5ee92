"""What can be said on which platform: message type by kind of platform by the account's own rights.

Asked when a template is written and when a campaign is created and started, so that what changes of
an account in between is caught. A refusal names the capability, the platform and what to do.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from textwave.connections.accounts import Capability, PlatformAccount, PlatformKind
from textwave.content.variables import TemplateText
from textwave.kit.refusal import Refusal
from textwave.platforms.contract import MessageType


class Support(StrEnum):
    """Whether a kind of platform can do something: by itself, never, or as the account says."""

    ALWAYS = "always"
    NEVER = "never"
    PER_ACCOUNT = "per account"


Row = dict[Capability, Support]

_PROMOTIONAL: Final[Row] = {
    Capability.VARIABLES: Support.PER_ACCOUNT,
    Capability.SHORT_LINKS: Support.ALWAYS,
    Capability.CLICK_TOKENS: Support.PER_ACCOUNT,
    Capability.OPT_OUT_TEXT: Support.PER_ACCOUNT,
}

SUPPORT: Final[dict[tuple[PlatformKind, MessageType], Row]] = {
    (PlatformKind.THIRDPARTY, MessageType.promotional): _PROMOTIONAL,
    (PlatformKind.THIRDPARTY, MessageType.notification): {
        Capability.VARIABLES: Support.PER_ACCOUNT,
        Capability.SHORT_LINKS: Support.ALWAYS,
        Capability.CLICK_TOKENS: Support.PER_ACCOUNT,
        Capability.OPT_OUT_TEXT: Support.NEVER,
    },
    (PlatformKind.ALIYUN, MessageType.promotional): _PROMOTIONAL,
    (PlatformKind.ALIYUN, MessageType.notification): {
        Capability.VARIABLES: Support.ALWAYS,
        Capability.SHORT_LINKS: Support.ALWAYS,
        Capability.CLICK_TOKENS: Support.ALWAYS,
        Capability.OPT_OUT_TEXT: Support.NEVER,
    },
    # The platform puts its own opt-out text at the end of digital messages
    (PlatformKind.ALIYUN, MessageType.digital): {
        Capability.VARIABLES: Support.ALWAYS,
        Capability.SHORT_LINKS: Support.ALWAYS,
        Capability.CLICK_TOKENS: Support.ALWAYS,
        Capability.OPT_OUT_TEXT: Support.NEVER,
    },
}
"""The rows of types that are offered; a type without a row cannot be sent on that platform."""

WORDS: Final[dict[Capability, str]] = {
    Capability.VARIABLES: "variables",
    Capability.SHORT_LINKS: "short links",
    Capability.CLICK_TOKENS: "click tokens on links",
    Capability.OPT_OUT_TEXT: "an opt-out text",
}


@dataclass(eq=False)
class CapabilityMissing(Refusal):
    """The platform, or the account at it, cannot send this in messages of this type."""

    code: ClassVar[str] = "capability_missing"
    capability: Capability
    platform: str
    message_type: MessageType
    support: Support

    @property
    def sentence(self) -> str:
        what = f"{self.message_type} messages with {WORDS[self.capability]}"
        if self.support is Support.NEVER:
            return f"Neither “{self.platform}” nor another platform sends {what}. Take it out."
        return (
            f"The account at the platform “{self.platform}” cannot send {what}. Take it out of the "
            "text or choose another platform. Where the platform grants it to the account, add it "
            "to the account's capabilities."
        )


@dataclass(eq=False)
class TypeNotOffered(Refusal):
    """Messages of this type cannot be sent on this kind of platform."""

    code: ClassVar[str] = "type_not_offered"
    message_type: MessageType
    platform: str

    @property
    def sentence(self) -> str:
        offering = ", ".join(
            sorted(kind for kind, offered in SUPPORT if offered is self.message_type)
        )
        return (
            f"{self.message_type.capitalize()} messages cannot be sent on the platform "
            f"“{self.platform}”. Choose an account of kind {offering}, or another type."
        )


def needed(template: TemplateText, short_links: int) -> frozenset[Capability]:
    """Return what a text with so many short links asks of a platform."""
    asked = {
        Capability.VARIABLES: bool(template.names),
        Capability.SHORT_LINKS: short_links > 0,
        Capability.CLICK_TOKENS: template.has_token,
    }
    return frozenset(capability for capability, wanted in asked.items() if wanted)


def refuse_unsupported(
    message_type: MessageType, account: PlatformAccount, wanted: Collection[Capability]
) -> None:
    """Accept what the account can send in messages of this type.

    Raises:
        TypeNotOffered: nothing of this type can be sent there.
        CapabilityMissing: one of the wanted capabilities is not there.
    """
    row = SUPPORT.get((account.kind, message_type))
    if row is None:
        raise TypeNotOffered(message_type, account.name)
    held = _held(account)
    for capability in sorted(wanted):
        support = row[capability]
        if support is Support.NEVER or (support is Support.PER_ACCOUNT and capability not in held):
            raise CapabilityMissing(capability, account.name, message_type, support)


def takes_opt_out_text(message_type: MessageType, account: PlatformAccount) -> bool:
    """Tell whether messages of this type end with the account's opt-out text."""
    row = SUPPORT.get((account.kind, message_type), {})
    has_one = row.get(Capability.OPT_OUT_TEXT, Support.NEVER) is not Support.NEVER
    return has_one and account.opt_out_text != ""


def _held(account: PlatformAccount) -> frozenset[str]:
    if account.opt_out_text:
        return account.capabilities | {Capability.OPT_OUT_TEXT}
    return account.capabilities - {Capability.OPT_OUT_TEXT}
