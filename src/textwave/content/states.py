"""The lives of signatures and templates, as tables of moves.

A platform's answer moves what is under review and nothing else; a deleted one stays deleted.
"""

from enum import StrEnum
from typing import Final

from textwave.kit.states import StateTable


class SignatureState(StrEnum):
    """Where a signature stands; only an approved one can be sent with."""

    REVIEWING = "reviewing"
    APPROVED = "approved"
    REJECTED = "rejected"
    DELETED = "deleted"


class SignatureEvent(StrEnum):
    """What can happen to a signature."""

    APPROVE = "be approved"
    REJECT = "be rejected"
    ASK_AGAIN = "be asked about again"
    DELETE = "be deleted"


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


SIGNATURE_STATES: Final = StateTable(
    "signature",
    {
        (SignatureState.REVIEWING, SignatureEvent.APPROVE): SignatureState.APPROVED,
        (SignatureState.REVIEWING, SignatureEvent.REJECT): SignatureState.REJECTED,
        (SignatureState.REVIEWING, SignatureEvent.DELETE): SignatureState.DELETED,
        (SignatureState.APPROVED, SignatureEvent.DELETE): SignatureState.DELETED,
        (SignatureState.REJECTED, SignatureEvent.ASK_AGAIN): SignatureState.REVIEWING,
        (SignatureState.REJECTED, SignatureEvent.DELETE): SignatureState.DELETED,
    },
)

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
