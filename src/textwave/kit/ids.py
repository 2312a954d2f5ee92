"""Types of ids, so that one kind cannot be passed for another, and the ids of messages.

A message id carries the month it belongs to: the partition of a message is known from its id
alone, without a look-up. Every id fits the eight base-62 characters of a click token.
"""

from datetime import date
from typing import NewType

OrganizationId = NewType("OrganizationId", int)
WorkspaceId = NewType("WorkspaceId", int)
TableId = NewType("TableId", int)
AudienceId = NewType("AudienceId", int)
SnapshotId = NewType("SnapshotId", int)
PlatformId = NewType("PlatformId", int)
SignatureId = NewType("SignatureId", int)
TemplateId = NewType("TemplateId", int)
LinkId = NewType("LinkId", int)
LinkDomainId = NewType("LinkDomainId", int)
CampaignId = NewType("CampaignId", int)
MessageId = NewType("MessageId", int)
OperationId = NewType("OperationId", int)
OptOutId = NewType("OptOutId", int)
ReplyId = NewType("ReplyId", int)
SingleMessageId = NewType("SingleMessageId", int)

MESSAGES_PER_MONTH = 100_000_000_000
FIRST_YEAR = 2020
_MONTHS_PER_YEAR = 12


def first_message_id(day: date) -> MessageId:
    """Return the lowest message id of the month of `day`.

    Raises:
        ValueError: `day` is before 2020, where message ids begin.
    """
    month_index = (day.year - FIRST_YEAR) * _MONTHS_PER_YEAR + day.month - 1
    if month_index < 0:
        raise ValueError(f"message ids begin in {FIRST_YEAR}; {day} is before that")
    return MessageId(month_index * MESSAGES_PER_MONTH)


def month_of(message_id: MessageId) -> date:
    """Return the first day of the month that `message_id` belongs to."""
    if message_id < 0:
        raise ValueError(f"{message_id} is no message id")
    years, month = divmod(message_id // MESSAGES_PER_MONTH, _MONTHS_PER_YEAR)
    return date(FIRST_YEAR + years, month + 1, 1)


def partition_bounds(day: date) -> tuple[int, int]:
    """Return the message ids of the month of `day`: the first, and the one after the last."""
    first = first_message_id(day)
    return first, first + MESSAGES_PER_MONTH
