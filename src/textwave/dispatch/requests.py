"""What is sent, and what an answer means for it. Pure: answers in, decisions out.

A request is written down before it leaves and keeps its idempotency key for ever. One without an
answer is sent again only under that key, and only on platforms that honour keys.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final, NamedTuple

from textwave.content.tokens import TokenKey, tokens
from textwave.content.variables import TemplateText
from textwave.platforms.contract import MessageType, OutgoingMessage, SendAnswer, SendRequest
from textwave.platforms.outcomes import DISPOSITIONS, Outcome, Scope

LAST_ATTEMPT: Final = 5
UNSENT: Final = "unsent"
"""The outcome of a request that has not left yet, or not again: its turn was too short for it."""
_NO_ANSWER: Final = frozenset({Outcome.unreachable, Outcome.busy, Outcome.unknown})


class RequestState(StrEnum):
    """Where a request stands; `prepared` and `in doubt` are open."""

    PREPARED = "prepared"
    IN_DOUBT = "in doubt"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Recipient(NamedTuple):
    """One message as the ledger has it; a tuple, because there are so many."""

    id: int
    mobile: int
    variables: list[str]


@dataclass(frozen=True, slots=True)
class Request:
    """One call to the platform: a range of ids, or the ids that are tried again.

    A `prepared` one without an outcome is about to leave or was interrupted; with an outcome it has
    certainly not been taken.
    """

    number: int
    attempt: int
    first_id: int
    last_id: int
    message_ids: list[int] | None
    size: int
    state: str = RequestState.PREPARED
    outcome: str = ""

    def covers(self, message_id: int) -> bool:
        """Tell whether the message belongs to this request."""
        if self.message_ids is not None:
            return message_id in self.message_ids
        return self.first_id <= message_id <= self.last_id


@dataclass(frozen=True, slots=True)
class Parting:
    """What is known of a request in doubt whose messages travelled in several calls.

    `request` keeps those whose call had no answer. `answered`: taken, or refused for good; they are
    written as an attempt of their own. Ids in order.
    """

    request: Request
    answered: list[int]
    taken: list[int]
    moved: list[int]


@dataclass(frozen=True, slots=True)
class Text:
    """What every message of a campaign has in common."""

    installation: str
    campaign_id: int
    signature: str
    template_code: str
    message_type: MessageType
    template: TemplateText
    token_key: TokenKey

    def key(self, request: Request) -> str:
        """Return the idempotency key: the same for this request for ever, unique everywhere."""
        return f"{self.installation}-{self.campaign_id}-{request.number}-{request.attempt}"


def cut(
    recipients: Sequence[Recipient], *, campaign_first_id: int, request_size: int
) -> list[Request]:
    """Cut recipients (in order of id) into first requests; the number follows from the ids."""
    by_number: dict[int, list[Recipient]] = {}
    for recipient in recipients:
        number = (recipient.id - campaign_first_id) // request_size
        by_number.setdefault(number, []).append(recipient)
    return [
        Request(number, 0, members[0].id, members[-1].id, None, len(members))
        for number, members in by_number.items()
    ]


def fitting(requests: Sequence[Request], messages: int) -> tuple[list[Request], list[Request]]:
    """Part requests into those that a turn for so many messages is enough for, and the rest.

    A turn is always enough for one request.
    """
    taken = 0
    for place, request in enumerate(requests):
        taken += request.size
        if taken > messages and place:
            return list(requests[:place]), list(requests[place:])
    return list(requests), []


def resized(
    requests: Sequence[Request], members: Mapping[tuple[int, int], Sequence[Recipient]]
) -> list[Request]:
    """Return the requests that still have messages, each with those that it has now."""
    left = [(request, members[request.number, request.attempt]) for request in requests]
    return [
        request if request.size == len(group) else _of(request, group)
        for request, group in left
        if group
    ]


def _of(request: Request, members: Sequence[Recipient]) -> Request:
    ids = None if request.message_ids is None else [recipient.id for recipient in members]
    return replace(request, size=len(members), message_ids=ids)


def click_tokens(text: Text, recipients: Sequence[Recipient]) -> dict[int, str]:
    """Return the click token of each message, all at once; empty where the text has none."""
    if not text.template.has_token:
        return {}
    ids = [recipient.id for recipient in recipients]
    return dict(zip(ids, tokens(ids, text.token_key), strict=True))


def compose(
    text: Text, request: Request, recipients: Sequence[Recipient], token_of: Mapping[int, str]
) -> SendRequest:
    """Write out the messages of a request; the same request always gives the same bytes."""
    template = text.template
    names, form = template.names, template.form.format
    token_names = [v.name for v in template.variables if v.is_token]
    messages: list[OutgoingMessage] = []
    for message_id, mobile, variables in recipients:
        token = token_of.get(message_id, "")
        params = dict(zip(names, variables, strict=True))
        for name in token_names:
            params[name] = token
        messages.append(OutgoingMessage(message_id, mobile, form(token, *variables), params))
    return SendRequest(
        key=text.key(request),
        signature=text.signature,
        template_code=text.template_code,
        message_type=text.message_type,
        messages=messages,
    )


@dataclass(slots=True)
class Verdict:
    """What a round of answers changes, in sets."""

    accepted: list[Request] = field(default_factory=list[Request])
    in_doubt: list[Request] = field(default_factory=list[Request])
    parted: list[Parting] = field(default_factory=list[Parting])
    unsent: list[Request] = field(default_factory=list[Request])
    later: list[Request] = field(default_factory=list[Request])
    again: list[Request] = field(default_factory=list[Request])
    failed: dict[int, str] = field(default_factory=dict[int, str])
    answers: dict[tuple[int, int], SendAnswer] = field(
        default_factory=dict[tuple[int, int], SendAnswer]
    )
    submitted: int = 0
    retry_after_seconds: float = 0.0
    trouble: str = ""
    pause_reason: str = ""

    @property
    def has_progress(self) -> bool:
        """Tell whether something was answered for good."""
        return bool(self.accepted or self.parted)

    @property
    def is_silence(self) -> bool:
        """Tell whether requests left and the platform did not really answer a single one."""
        outcomes = {answer.outcome for answer in self.answers.values()}
        return bool(outcomes) and outcomes <= _NO_ANSWER and not self.parted


def judge(answered: Iterable[tuple[Request, SendAnswer | None]]) -> Verdict:
    """Decide what the answers mean, by the table of outcomes and by nothing else.

    No answer: the request has not left. What is in doubt stays so until the platform says under
    the same key what became of it: that it is busy now says nothing of then.
    """
    verdict = Verdict()
    for request, answer in answered:
        if answer is None:
            verdict.later.append(request)
            continue
        verdict.answers[request.number, request.attempt] = answer
        disposition = DISPOSITIONS[answer.outcome]
        if answer.outcome is Outcome.accepted:
            _accept(verdict, request, answer)
        elif disposition.scope is Scope.message and request.size == 1:
            _refuse(verdict, request, answer)
        elif answer.outcome is Outcome.unknown and (answer.taken or answer.refused):
            _part(verdict, request, answer)
        else:
            _postpone(verdict, request, answer)
    return verdict


def _postpone(verdict: Verdict, request: Request, answer: SendAnswer) -> None:
    disposition = DISPOSITIONS[answer.outcome]
    if not disposition.certain or request.state == RequestState.IN_DOUBT:
        verdict.in_doubt.append(request)
    else:
        verdict.unsent.append(request)
    if disposition.certain and not disposition.retryable:
        verdict.pause_reason = _pause_reason(answer)
    else:
        _trouble(verdict, answer)


def cause_of(outcome: Outcome) -> str:
    """Return an outcome as the cause of a failure: the words that receipts and reports use."""
    return outcome.value.replace("_", " ")


def _accept(verdict: Verdict, request: Request, answer: SendAnswer) -> None:
    failed, again = _told_apart(verdict, request, answer)
    verdict.accepted.append(request)
    verdict.submitted += request.size - len(failed) - len(again)
    if again:
        verdict.again.append(_next_attempt(request, again))
        _trouble(verdict, answer)


def _part(verdict: Verdict, request: Request, answer: SendAnswer) -> None:
    """Leave in doubt only those whose call had no answer; what is known of others counts."""
    failed, again = _told_apart(verdict, request, answer)
    taken = sorted(i for i in answer.taken if request.covers(i))
    answered = sorted({*taken, *failed})
    verdict.in_doubt.append(request)
    verdict.parted.append(Parting(request, answered, taken, [*answered, *again]))
    if again:
        verdict.again.append(_next_attempt(request, again))
    _trouble(verdict, answer)


def _told_apart(
    verdict: Verdict, request: Request, answer: SendAnswer
) -> tuple[list[int], list[int]]:
    """Note who was refused for good; return them, and who may be asked for again, in order."""
    failed: list[int] = []
    again: list[int] = []
    for message_id, refusal in sorted(answer.refused.items()):
        disposition = DISPOSITIONS[refusal.outcome]
        if not disposition.certain or not request.covers(message_id):
            continue  # accepted as far as anybody knows: its receipt settles it
        if disposition.retryable and request.attempt < LAST_ATTEMPT:
            again.append(message_id)
        else:
            verdict.failed[message_id] = cause_of(refusal.outcome)
            failed.append(message_id)
    return failed, again


def _next_attempt(request: Request, ids: list[int]) -> Request:
    return Request(request.number, request.attempt + 1, ids[0], ids[-1], ids, len(ids))


def _refuse(verdict: Verdict, request: Request, answer: SendAnswer) -> None:
    only = request.message_ids[0] if request.message_ids else request.first_id
    verdict.accepted.append(request)  # answered for good
    verdict.failed[only] = cause_of(answer.outcome)


def _trouble(verdict: Verdict, answer: SendAnswer) -> None:
    verdict.retry_after_seconds = max(
        verdict.retry_after_seconds, answer.retry_after_seconds or 0.0
    )
    verdict.trouble = f"{answer.outcome}: {answer.detail}".rstrip(": ")


def _pause_reason(answer: SendAnswer) -> str:
    return (
        f"The platform refused to send ({answer.outcome}): {answer.detail or 'no detail given'}. "
        "Nothing is lost: mend it at the platform, then resume."
    )


def by_request(
    requests: Sequence[Request],
    recipients: Iterable[Recipient],
    apart: AbstractSet[int] = frozenset(),
) -> Mapping[tuple[int, int], list[Recipient]]:
    """Give each request its recipients, in order of id.

    `apart`: ids that are in the range of a first attempt and not of it: held back, or of a later
    attempt.
    """
    ordered = sorted(recipients)
    ids = [recipient.id for recipient in ordered]
    members: dict[tuple[int, int], list[Recipient]] = {}
    for request in requests:
        span = ordered[bisect_left(ids, request.first_id) : bisect_right(ids, request.last_id)]
        if request.message_ids is not None:
            wanted = set(request.message_ids)
            span = [recipient for recipient in span if recipient.id in wanted]
        elif apart:
            span = [recipient for recipient in span if recipient.id not in apart]
        members[request.number, request.attempt] = span
    return members
