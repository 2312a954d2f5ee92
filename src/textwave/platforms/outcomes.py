"""The closed list of what can become of a request or of one message in it.

Every adapter translates its platform's codes to this list, and dispatch decides by the table
below and by nothing else. There is no “other”: a permanent code nobody knows is `refused`, and
whatever may or may not have been processed is `unknown`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What the platform did with a request, or with one message."""

    accepted = "accepted"
    throttled = "throttled"
    busy = "busy"
    unreachable = "unreachable"
    unknown = "unknown"
    bad_number = "bad_number"
    unsubscribed = "unsubscribed"
    blacklisted = "blacklisted"
    bad_params = "bad_params"
    signature_not_approved = "signature_not_approved"
    template_not_approved = "template_not_approved"
    content_refused = "content_refused"
    no_balance = "no_balance"
    forbidden = "forbidden"
    refused = "refused"


class Scope(StrEnum):
    """How far an outcome reaches: what else would meet the same fate if it were sent now."""

    request = "request"
    message = "message"
    campaign = "campaign"
    account = "account"


@dataclass(frozen=True, slots=True)
class Disposition:
    """What an outcome allows.

    `retryable`: sending the same again later may succeed. `certain`: it is known whether the
    platform processed it. An outcome that is retryable but not certain may be sent again only
    under the same key, and only on a platform that honours keys.
    """

    retryable: bool
    scope: Scope
    certain: bool


DISPOSITIONS: dict[Outcome, Disposition] = {
    Outcome.accepted: Disposition(retryable=False, scope=Scope.request, certain=True),
    Outcome.throttled: Disposition(retryable=True, scope=Scope.request, certain=True),
    Outcome.busy: Disposition(retryable=True, scope=Scope.request, certain=True),
    Outcome.unreachable: Disposition(retryable=True, scope=Scope.request, certain=True),
    Outcome.unknown: Disposition(retryable=True, scope=Scope.request, certain=False),
    Outcome.bad_number: Disposition(retryable=False, scope=Scope.message, certain=True),
    Outcome.unsubscribed: Disposition(retryable=False, scope=Scope.message, certain=True),
    Outcome.blacklisted: Disposition(retryable=False, scope=Scope.message, certain=True),
    Outcome.bad_params: Disposition(retryable=False, scope=Scope.message, certain=True),
    Outcome.signature_not_approved: Disposition(
        retryable=False, scope=Scope.campaign, certain=True
    ),
    Outcome.template_not_approved: Disposition(retryable=False, scope=Scope.campaign, certain=True),
    Outcome.content_refused: Disposition(retryable=False, scope=Scope.campaign, certain=True),
    Outcome.no_balance: Disposition(retryable=False, scope=Scope.account, certain=True),
    Outcome.forbidden: Disposition(retryable=False, scope=Scope.account, certain=True),
    Outcome.refused: Disposition(retryable=False, scope=Scope.request, certain=True),
}
