"""The codes of the third-party contract and what each means, as one literal table.

Also the names that message types, review states and receipt states have on the wire.
"""

from textwave.platforms.contract import MessageType, ReceiptState, ReviewState
from textwave.platforms.outcomes import Outcome

OK = "OK"
NOT_FOUND = "NOT_FOUND"

OUTCOMES: dict[str, Outcome] = {
    "OK": Outcome.accepted,
    "THROTTLED": Outcome.throttled,
    "BUSY": Outcome.busy,
    # The platform failed in the middle: nobody knows how far it had come.
    "INTERNAL": Outcome.unknown,
    "BAD_NUMBER": Outcome.bad_number,
    "UNSUBSCRIBED": Outcome.unsubscribed,
    "BLACKLISTED": Outcome.blacklisted,
    "BAD_PARAMS": Outcome.bad_params,
    "SIGN_NOT_APPROVED": Outcome.signature_not_approved,
    "TEMPLATE_NOT_APPROVED": Outcome.template_not_approved,
    "CONTENT_REFUSED": Outcome.content_refused,
    "NO_BALANCE": Outcome.no_balance,
    "FORBIDDEN": Outcome.forbidden,
}

# What a status says by itself, when the body cannot be read as the contract's.
STATUS_OUTCOMES: dict[int, Outcome] = {
    401: Outcome.forbidden,
    403: Outcome.forbidden,
    404: Outcome.forbidden,
    405: Outcome.forbidden,
    408: Outcome.unknown,
    429: Outcome.throttled,
}

SMS_TYPES: dict[MessageType, int] = {MessageType.notification: 1, MessageType.promotional: 2}
MESSAGE_TYPES: dict[int, MessageType] = {number: kind for kind, number in SMS_TYPES.items()}

REVIEW_STATES: dict[str, ReviewState] = {
    "reviewing": ReviewState.reviewing,
    "approved": ReviewState.approved,
    "rejected": ReviewState.rejected,
}

RECEIPT_STATES: dict[str, ReceiptState] = {
    "DELIVERED": ReceiptState.delivered,
    "FAILED": ReceiptState.failed,
    "EXPIRED": ReceiptState.expired,
    "REJECTED": ReceiptState.rejected,
    "UNKNOWN": ReceiptState.unknown,
}

SERVER_ERROR = 500
CLIENT_ERROR = 400


def code_outcome(code: str, status: int = 200) -> Outcome:
    """Return what a code means; an unknown one is in doubt if `isp.`-like or 5xx."""
    known = OUTCOMES.get(code)
    if known is None:
        in_doubt = status >= SERVER_ERROR or code.lower().startswith("isp.")
        return Outcome.unknown if in_doubt else Outcome.refused
    if known is Outcome.accepted and status >= CLIENT_ERROR:
        return Outcome.unknown
    return known


def status_outcome(status: int) -> Outcome:
    """Return what an HTTP status means without a readable body; never `accepted`."""
    known = STATUS_OUTCOMES.get(status)
    if known is not None:
        return known
    return Outcome.refused if CLIENT_ERROR <= status < SERVER_ERROR else Outcome.unknown
