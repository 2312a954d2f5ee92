"""What Textwave expects of every SMS platform: the calls, and the values that go in and out.

Dispatch, content and responses know platforms by this module only. It refuses protocol details:
no HTTP, no codes of one provider. Mobile numbers are integers: the E.164 digits.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Generic, Protocol, TypeVar

import msgspec

from textwave.kit.carriers import Carrier
from textwave.kit.refusal import Refusal
from textwave.platforms.outcomes import Outcome

ItemT = TypeVar("ItemT")


class MessageType(StrEnum):
    """What a message is for; it decides which limits apply and which platforms take it."""

    promotional = "promotional"
    notification = "notification"
    digital = "digital"


class OutgoingMessage(msgspec.Struct, frozen=True, gc=False):
    """One message to one phone, with its text written out and the values it was made from."""

    message_id: int
    mobile: int
    content: str
    params: dict[str, str]


class SendRequest(msgspec.Struct, frozen=True):
    """Messages that travel together under one idempotency key.

    `key` names this request for ever: sent again under the same key, nothing is sent twice.
    `reply_to` is the reply that a single message answers, else empty.
    """

    key: str
    signature: str
    template_code: str
    message_type: MessageType
    messages: Sequence[OutgoingMessage]
    reply_to: str = ""


@dataclass(frozen=True, slots=True)
class MessageRefusal:
    """Why one message of an accepted request was not accepted; `code` is the platform's own."""

    outcome: Outcome
    code: str
    sentence: str


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """What became of a request.

    `outcome` speaks for the whole request. If that is `accepted`, `refused` holds the messages
    that were not accepted, by message id; one that the platform's answer does not mention is there
    as `unknown`. If that is `unknown`, it speaks for the messages that are neither in `refused` nor
    in `taken`: those whose end is known, since they travelled in other calls.
    """

    outcome: Outcome
    refused: Mapping[int, MessageRefusal] = field(default_factory=dict[int, MessageRefusal])
    request_id: str = ""
    retry_after_seconds: float | None = None
    detail: str = ""
    taken: AbstractSet[int] = frozenset()


class ReviewState(StrEnum):
    """Where a signature or a template stands at the platform."""

    reviewing = "reviewing"
    approved = "approved"
    rejected = "rejected"
    missing = "missing"


class CarrierState(StrEnum):
    """Where a signature's registration or a digital template stands at one carrier."""

    reviewing = "reviewing"
    approved = "approved"
    unverified = "unverified"
    rejected = "rejected"
    lapsed = "lapsed"
    missing = "missing"


@dataclass(frozen=True, slots=True)
class CarrierReview:
    """What one carrier says; `unverified`: registered, and to be tried with a few messages."""

    state: CarrierState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """The state of a review; `reason` says why it was rejected.

    `carriers` has the carriers that decide for their own numbers, where the platform says so.
    """

    state: ReviewState
    reason: str = ""
    carriers: Mapping[Carrier, CarrierReview] = field(default_factory=dict[Carrier, CarrierReview])


@dataclass(frozen=True, slots=True)
class TemplateSubmission:
    """A template as it goes to review: name 1-30, content 1-500, remark 1-100 characters.

    `signature` is the approved one that the reviewer is shown, where the platform asks for one.
    """

    name: str
    content: str
    message_type: MessageType
    remark: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class SignatureSubmission:
    """A new signature with its papers, as they are filed at the platform before.

    `source` is what the name is: enterprise, trademark or app. A letter of authorization is needed
    for somebody else's name, a trademark's or an app record's number for those sources.
    """

    name: str
    source: str
    qualification_id: int
    remark: str
    scene: str = ""
    authorization_letter_id: int | None = None
    trademark_id: int | None = None
    app_record_id: int | None = None


@dataclass(frozen=True, slots=True)
class DigitalPart:
    """One part of a digital message: `suffix` is txt, gif, jpg, png, mp3 or mp4."""

    name: str
    suffix: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DigitalSubmission:
    """A digital template as it goes to review: its parts in the order in which they are shown."""

    name: str
    signature: str
    remark: str
    parts: Sequence[DigitalPart]


class ReceiptState(StrEnum):
    """What the carrier says became of a message."""

    delivered = "delivered"
    failed = "failed"
    expired = "expired"
    rejected = "rejected"
    unknown = "unknown"


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """One delivery receipt; `parts` is the number of billed segments where it is said.

    A platform that does not take ids of messages names one by the key of its request and its
    number: then `message_id` is 0, and `request_key` and `mobile` are there. One that tells of each
    segment by itself says which in `part`, from 1; without, a receipt is for the whole message.
    """

    message_id: int
    mobile: int | None
    state: ReceiptState
    error_code: str
    parts: int | None
    reported_at: datetime
    request_key: str = ""
    part: int | None = None


class Reply(msgspec.Struct, frozen=True, gc=False):
    """A text from a phone, to a signature or to an extend code, whichever the platform knows."""

    reply_id: str
    mobile: int
    content: str
    signature: str | None
    extend_code: str | None
    received_at: datetime


class ReviewSubject(StrEnum):
    """What a review is about."""

    signature = "signature"
    template = "template"


class ReviewNotice(msgspec.Struct, frozen=True, gc=False):
    """The platform says by itself how a review ended.

    `name` is the signature's name or the template's code.
    """

    subject: ReviewSubject
    name: str
    review: Review


@dataclass(frozen=True, slots=True)
class Account:
    """The account at the platform; `balance` in thousandths of its currency, None if not said."""

    balance: int | None
    rate_per_second: int
    max_batch: int
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Page(Generic[ItemT]):
    """A page of a pulled stream; `next` is the cursor for the following pull, never empty.

    `unread` are items that do not fit, as they came: they hold up nothing and are kept.
    A queue forgets what was taken from it: it is told by `acknowledge`, once the page is durable.
    """

    items: Sequence[ItemT]
    next: str
    acknowledge: Callable[[], Awaitable[None]] | None = None
    unread: Sequence[bytes] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A request of which nobody knows whether it was taken: its key, and numbers by message id."""

    key: str
    mobiles: Mapping[int, int]
    prepared_at: datetime


@dataclass(frozen=True, slots=True)
class Trace:
    """What a platform knows of a request: whether it took it, and what became of messages."""

    taken: bool
    receipts: Sequence[Receipt] = ()


class Platform(Protocol):
    """One configured account at one SMS platform.

    `send` raises for nothing that the platform does. All other calls raise
    `PlatformUnreachable`, `PlatformRefused` or `PlatformAnsweredNonsense`, and `NotOffered` where
    the platform has no such call.
    """

    async def send(self, request: SendRequest) -> SendAnswer:
        """Hand the messages over once and say what became of them."""
        ...

    async def signature_review(self, signature: str) -> Review:
        """Ask how the review of a signature stands."""
        ...

    async def create_signature(self, submission: SignatureSubmission) -> None:
        """Send a new signature with its papers to review."""
        ...

    async def change_signature(self, submission: SignatureSubmission) -> None:
        """Send a rejected signature to review again."""
        ...

    async def delete_signature(self, signature: str) -> None:
        """Delete a signature at the platform."""
        ...

    async def submit_template(self, submission: TemplateSubmission) -> str:
        """Send a new template to review and return its code."""
        ...

    async def change_template(self, template_code: str, submission: TemplateSubmission) -> str:
        """Send a changed template to review and return its code, which may be a new one."""
        ...

    async def template_review(self, template_code: str) -> Review:
        """Ask how the review of a template stands."""
        ...

    async def delete_template(self, template_code: str) -> None:
        """Delete a template at the platform."""
        ...

    async def submit_digital(self, submission: DigitalSubmission) -> str:
        """Send a new digital template to review and return its code."""
        ...

    async def look_up(self, question: Question) -> Trace:
        """Ask whether a request was taken; `taken` is False when the platform knows nothing of it.

        Not to know it now is no proof that it will not be sent.
        """
        ...

    async def receipts(self, after: str, limit: int = 1000) -> Page[Receipt]:
        """Pull receipts behind a cursor; an empty cursor begins at the oldest kept."""
        ...

    async def replies(self, after: str, limit: int = 1000) -> Page[Reply]:
        """Pull replies behind a cursor; an empty cursor begins at the oldest kept."""
        ...

    async def reviews(self, after: str, limit: int = 1000) -> Page[ReviewNotice]:
        """Pull review notices behind a cursor, where the platform keeps them in a queue."""
        ...

    async def account(self) -> Account:
        """Ask for balance, limits and capabilities."""
        ...


@dataclass(eq=False)
class NotOffered(Refusal):
    """The platform has no such call."""

    code: ClassVar[str] = "not_offered"
    platform: str
    what: str

    @property
    def sentence(self) -> str:
        return (
            f"The platform “{self.platform}” does not offer {self.what} to Textwave. Do it in the "
            "platform's own console."
        )


@dataclass(eq=False)
class PlatformUnreachable(Refusal):
    """No answer came from the platform."""

    code: ClassVar[str] = "platform_unreachable"
    platform: str
    detail: str

    @property
    def sentence(self) -> str:
        return (
            f"The platform “{self.platform}” cannot be reached ({self.detail}). Check its address "
            "and that it is running, then try again."
        )


@dataclass(eq=False)
class PlatformRefused(Refusal):
    """The platform understood the call and refused it."""

    code: ClassVar[str] = "platform_refused"
    platform: str
    outcome: Outcome
    platform_code: str
    detail: str

    @property
    def sentence(self) -> str:
        return (
            f"The platform “{self.platform}” refused: {self.platform_code} {self.detail}".rstrip()
            + f". {REMEDIES.get(self.outcome, 'Ask the platform what the code means.')}"
        )


@dataclass(eq=False)
class PlatformAnsweredNonsense(Refusal):
    """Something answered, but not as the contract says."""

    code: ClassVar[str] = "platform_answered_nonsense"
    platform: str
    detail: str

    @property
    def sentence(self) -> str:
        return (
            f"The platform “{self.platform}” did not answer as its contract says ({self.detail}). "
            "Check the address and the configured name, and run “textwave platform check”."
        )


REMEDIES: dict[Outcome, str] = {
    Outcome.throttled: "Try again a little later, or lower the rate.",
    Outcome.busy: "Try again a little later.",
    Outcome.unknown: "Look whether it was done before trying again.",
    Outcome.bad_params: "Correct the value it names.",
    Outcome.signature_not_approved: "Wait until the signature is approved.",
    Outcome.template_not_approved: "Wait until the template is approved.",
    Outcome.content_refused: "Change the text and submit it again.",
    Outcome.no_balance: "Top up the account at the platform.",
    Outcome.forbidden: "Check the key and what the account may do.",
}
