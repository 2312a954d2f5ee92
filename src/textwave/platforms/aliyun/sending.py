"""Hand messages to Alibaba Cloud: which call takes them, and whom of a refused call it is about.

A call is accepted or refused as a whole, and one bad number refuses it for everybody. So a refusal
that is about some messages halves the call until it has found them, within a number of calls.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import msgspec

from textwave.platforms.aliyun.errors import Meaning
from textwave.platforms.contract import (
    MessageRefusal,
    OutgoingMessage,
    SendAnswer,
    SendRequest,
)
from textwave.platforms.outcomes import DISPOSITIONS, Outcome
from textwave.platforms.thirdparty.mobiles import MAINLAND_CODE, MAINLAND_FIRST, MAINLAND_LAST

SAME_MAX: Final = 1000
"""How many numbers one call takes that get the same text."""
DIFFERENT_MAX: Final = 100
"""How many messages one call takes that have variables of their own."""
VALUE_MAX: Final = 35
"""How many characters a variable's value has at most; it has at least one."""
CALLS_MAX: Final = 40
"""How many calls finding the refused messages of one request may take."""

_json = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Told:
    """What one call came to; `biz_id` is the platform's name for an accepted one."""

    meaning: Meaning
    biz_id: str = ""
    code: str = ""
    detail: str = ""

    @property
    def is_accepted(self) -> bool:
        """Tell whether the platform took the call."""
        return self.meaning.outcome is Outcome.accepted


Messages = Sequence[OutgoingMessage]
MakeCall = Callable[[Messages], Awaitable[Told]]


def is_mainland(mobile: int) -> bool:
    """Tell whether a number is a mobile one of the Chinese mainland."""
    return MAINLAND_FIRST <= mobile <= MAINLAND_LAST


def write_number(mobile: int) -> str:
    """Return the form in which a number goes out: 11 digits, or all digits with their country."""
    return str(mobile - MAINLAND_CODE) if is_mainland(mobile) else str(mobile)


def all_alike(messages: Messages) -> bool:
    """Tell whether all messages have the same variables, so that one short call takes them."""
    first = messages[0].params
    return all(message.params == first for message in messages)


def call_for(request: SendRequest, messages: Messages) -> tuple[str, dict[str, Any]]:
    """Return the operation that sends some messages of a request, and its fields."""
    numbers = [write_number(message.mobile) for message in messages]
    common = {"template_code": request.template_code, "out_id": request.key}
    if all_alike(messages):
        params = messages[0].params
        return "send_sms", common | {
            "phone_numbers": ",".join(numbers),
            "sign_name": request.signature,
            "template_param": _text(params) if params else None,
        }
    return "send_batch_sms", common | {
        "phone_number_json": _text(numbers),
        "sign_name_json": _text([request.signature] * len(numbers)),
        "template_param_json": _text([message.params for message in messages]),
    }


async def send_all(
    request: SendRequest, make_call: MakeCall, *, is_late: Callable[[], bool] = lambda: False
) -> SendAnswer:
    """Send the messages of a request and say what became of each; `make_call` never raises.

    Once it is late no further call is made: what is left may be sent again.
    """
    messages = list(request.messages)
    most = SAME_MAX if all_alike(messages) else DIFFERENT_MAX
    if len(messages) > most:
        return SendAnswer(
            Outcome.refused, detail=f"{len(messages)} messages; one call takes at most {most}"
        )
    search = _Search(is_late, is_one_text=all_alike(messages))
    home = [message for message in messages if is_mainland(message.mobile)]
    if home and len(home) < len(messages):
        search.refuse_foreign(messages)
        messages = home
    return await search.run(messages, make_call)


@dataclass(slots=True)
class _Search:
    """Sends groups of messages, halving those of which some are refused."""

    is_late: Callable[[], bool]
    is_one_text: bool
    refused: dict[int, MessageRefusal] = field(default_factory=dict[int, MessageRefusal])
    accepted: list[str] = field(default_factory=list[str])
    taken: set[int] = field(default_factory=set[int])
    calls: int = 0

    async def run(self, messages: Messages, make_call: MakeCall) -> SendAnswer:
        groups = deque([messages])
        refused = Told(Meaning(Outcome.busy))
        while groups and not self._is_over():
            group = groups.popleft()
            told = await make_call(group)
            self.calls += 1
            if told.is_accepted:
                self.accepted.append(told.biz_id)
                self.taken.update(message.message_id for message in group)
                continue
            refused = told
            if not self._concerns_some(told):
                return self._ended(told, group, groups)
            if len(group) == 1:
                self.refused[group[0].message_id] = _refusal(told)
            else:
                middle = len(group) // 2
                groups.extendleft((group[middle:], group[:middle]))
        if groups:
            return self._ended(refused, [], groups)
        return self._done()

    def _is_over(self) -> bool:
        return self.calls >= CALLS_MAX or (self.calls > 0 and self.is_late())

    def refuse_foreign(self, messages: Messages) -> None:
        """Leave out numbers of elsewhere: a call takes mainland numbers or others, never both."""
        sentence = "It would travel with mainland numbers, and one call takes no others then."
        for message in messages:
            if not is_mainland(message.mobile):
                refusal = MessageRefusal(Outcome.bad_number, "", sentence)
                self.refused[message.message_id] = refusal

    def _concerns_some(self, told: Told) -> bool:
        """Tell whether a refusal is about some messages; wrong variables are the same for all."""
        is_shared = self.is_one_text and told.meaning.outcome is Outcome.bad_params
        return told.meaning.is_of_messages and not is_shared

    def _ended(self, told: Told, group: Messages, left: Iterable[Messages]) -> SendAnswer:
        """Stop at what is about the whole request; what was not asked for may be sent again."""
        waiting = [message for other in left for message in other]
        is_doubtful = told.meaning.outcome is Outcome.unknown
        is_partly = is_doubtful and bool(self.refused or waiting)
        if not (self.accepted or is_partly or self._has_found(told)):
            return SendAnswer(
                told.meaning.outcome,
                retry_after_seconds=told.meaning.retry_after_seconds,
                detail=told.detail,
            )
        if not is_doubtful:
            waiting = [*group, *waiting]
        for message in waiting:
            refusal = MessageRefusal(Outcome.busy, told.code, told.detail)
            self.refused[message.message_id] = refusal
        if is_doubtful:
            return SendAnswer(Outcome.unknown, self.refused, detail=told.detail, taken=self.taken)
        return replace(
            self._done(),
            retry_after_seconds=told.meaning.retry_after_seconds,
            detail=told.detail,
        )

    def _has_found(self, told: Told) -> bool:
        """Tell whether numbers were found that are refused for good, so that others may follow.

        Wrong values of all that were looked at are rather the campaign's fault.
        """
        outcome = told.meaning.outcome
        is_final = told.meaning.is_of_messages and not DISPOSITIONS[outcome].retryable
        return bool(self.refused) and is_final and outcome is not Outcome.bad_params

    def _done(self) -> SendAnswer:
        biz_id = self.accepted[0] if self.accepted else ""
        return SendAnswer(Outcome.accepted, self.refused, request_id=biz_id)


def _refusal(told: Told) -> MessageRefusal:
    return MessageRefusal(told.meaning.outcome, told.code, told.detail)


def _text(value: Any) -> str:
    return _json(value).decode()
