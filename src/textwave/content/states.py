"""The life of a template, as a table of moves.

A platform's answer moves what is under review and nothing else; a deleted one stays deleted.
"""

from enum import StrEnum
from typing import Final

from textwave.kit.states import StateTable


class TemplateState(StrEnum):
    """Where a template stands; only an approved one is sent with."""

    DRAFT = "draft"
    REVIEWING = "reviewing"
    APPROVED = "approved"
    REJECTED = "rejected"
    DELETED = "deleted"


class TemplateEvent(StrEnum):
    """What can happen to a template."""

    EDIT = "be edited"
    SUBMIT = "be submitted"
    APPROVE = "be approved"
    REJECT = "be rejected"
    DELETE = "be deleted"


# A rejected template may be submitted as it is: what was wrong may have been the platform's key.
TEMPLATE_STATES: Final = StateTable(
    "template",
    {
        (TemplateState.DRAFT, TemplateEvent.EDIT): TemplateState.DRAFT,
        (TemplateState.DRAFT, TemplateEvent.SUBMIT): TemplateState.REVIEWING,
        (TemplateState.DRAFT, TemplateEvent.DELETE): TemplateState.DELETED,
        (TemplateState.REVIEWING, TemplateEvent.APPROVE): TemplateState.APPROVED,
        (TemplateState.REVIEWING, TemplateEvent.REJECT): TemplateState.REJECTED,
        (TemplateState.REVIEWING, TemplateEvent.DELETE): TemplateState.DELETED,
        (TemplateState.APPROVED, TemplateEvent.DELETE): TemplateState.DELETED,
        (TemplateState.REJECTED, TemplateEvent.EDIT): TemplateState.DRAFT,
        (TemplateState.REJECTED, TemplateEvent.SUBMIT): TemplateState.REVIEWING,
        (TemplateState.REJECTED, TemplateEvent.DELETE): TemplateState.DELETED,
    },
)
