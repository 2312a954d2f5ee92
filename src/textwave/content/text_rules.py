"""What each kind of platform asks of a text, as the linter takes it.

Third-party platforms say little of themselves; Alibaba Cloud publishes what its reviewers refuse.
"""

from typing import Final

from textwave.connections.accounts import PlatformAccount, PlatformKind
from textwave.content.lint import LONGEST_TEXT, TextRules
from textwave.platforms.contract import MessageType

SHOWN_WITH_SIGNATURE: Final = frozenset({PlatformKind.ALIYUN})
"""Kinds whose reviewers see a text under an approved signature."""

DELETED_ONLY_DECIDED: Final = frozenset({PlatformKind.ALIYUN})
"""Kinds that delete no template which they have under review."""

_PROMOTION_VARIABLES: Final = 1
_DIGITAL_TEXTS: Final = 10
"""All texts of a digital message together may be as long as so many others."""


def rules_for(account: PlatformAccount, message_type: MessageType) -> TextRules:
    """Return the rules for a text of that type at that account."""
    if account.kind is not PlatformKind.ALIYUN:
        return TextRules(message_type, account.opt_out_text)
    promotional = message_type is MessageType.promotional
    digital = message_type is MessageType.digital
    return TextRules(
        message_type,
        account.opt_out_text,
        refuses_emoji=True,
        refuses_traditional=True,
        refuses_mobile_numbers=True,
        doubts_links_ending_in_variables=not digital,
        wants_opt_out_text=promotional,
        most_variables=_PROMOTION_VARIABLES if promotional else None,
        longest=LONGEST_TEXT * _DIGITAL_TEXTS if digital else LONGEST_TEXT,
    )
