"""The life of a signature, as a table of moves.

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
    EDIT = "be edited"
    ASK_AGAIN = "be asked about again"
    DELETE = "be deleted"


# Edited: with other papers, handed over again. Asked about again: corrected at the platform itself.
SIGNATURE_STATES: Final = StateTable(
    "signature",
    {
        (SignatureState.REVIEWING, SignatureEvent.APPROVE): SignatureState.APPROVED,
        (SignatureState.REVIEWING, SignatureEvent.REJECT): SignatureState.REJECTED,
        (SignatureState.REVIEWING, SignatureEvent.DELETE): SignatureState.DELETED,
        (SignatureState.APPROVED, SignatureEvent.DELETE): SignatureState.DELETED,
        (SignatureState.REJECTED, SignatureEvent.EDIT): SignatureState.REVIEWING,
        (SignatureState.REJECTED, SignatureEvent.ASK_AGAIN): SignatureState.REVIEWING,
        (SignatureState.REJECTED, SignatureEvent.DELETE): SignatureState.DELETED,
    },
)
