"""The adapter for Alibaba Cloud's SMS service, on the vendor's own client.

Protocol only: say each call in the service's words and what it answers in ours. It refuses to
retry, to pace and to store.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import aiohttp

from textwave.platforms.aliyun.applications import (
    file_fields,
    signature_fields,
    signature_review,
    template_fields,
    template_review,
)
from textwave.platforms.aliyun.callbacks import (
    CHINA,
    PushedReceipt,
    PushedReply,
    PushedReview,
    notice_of,
    receipt_of,
    reply_of,
)
from textwave.platforms.aliyun.calls import (
    Line,
    ask,
    endpoint_of,
    letter_for,
    load_client,
    refusal_of,
)
from textwave.platforms.aliyun.errors import NO_SUCH_SIGNATURE, NO_SUCH_TEMPLATE, Meaning
from textwave.platforms.aliyun.inquiry import look_up
from textwave.platforms.aliyun.queues import QUEUE_ENDPOINT, TOKEN_ENDPOINT, Reader
from textwave.platforms.aliyun.sending import Messages, Told, call_for, send_all
from textwave.platforms.aliyun.tokens import Source
from textwave.platforms.aliyun.wire import (
    AnswerT,
    Unreadable,
    WireAnswer,
    WireDetails,
    WireSent,
    WireSignature,
    WireTemplate,
    WireTemplateCode,
    read,
)
from textwave.platforms.contract import (
    Account,
    DigitalSubmission,
    NotOffered,
    Page,
    PlatformAnsweredNonsense,
    PlatformRefused,
    Question,
    Receipt,
    Reply,
    Review,
    ReviewNotice,
    ReviewState,
    SendAnswer,
    SendRequest,
    SignatureSubmission,
    TemplateSubmission,
    Trace,
)
from textwave.platforms.exchange import USUAL_LIMITS, Heard, Limits, NoAnswer, exchange, legible
from textwave.platforms.outcomes import Outcome
from textwave.platforms.thirdparty.callbacks import ItemMalformed

WireT = TypeVar("WireT")
ItemT = TypeVar("ItemT")


class AliyunPlatform:
    """One account at Alibaba Cloud; the session belongs to the caller.

    `key_id` and `key`: AccessKeyId and AccessKeySecret. `options`: those of `aliyun.options`.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        name: str,
        endpoint: str,
        key_id: str,
        key: str,
        options: Mapping[str, str],
        is_international: bool = False,
        limits: Limits = USUAL_LIMITS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._line = Line(session, name, key_id, key, limits, clock)
        self._endpoint = endpoint_of("base_url", endpoint)
        self._options = options
        self._is_international = is_international

    async def send(self, request: SendRequest) -> SendAnswer:
        """Hand the messages over once; every trouble ends as an outcome."""

        async def make_call(messages: Messages) -> Told:
            return await self._send(request, messages)

        late_at = time.monotonic() + self._line.limits.total_seconds
        return await send_all(request, make_call, is_late=lambda: time.monotonic() > late_at)

    async def signature_review(self, signature: str) -> Review:
        """Ask how the review of a signature stands, and its registration at each carrier."""
        try:
            answer = await self._ask(WireSignature, "get_sms_sign", sign_name=signature)
        except PlatformRefused as refused:
            return _missing(refused, NO_SUCH_SIGNATURE)
        return self._review(signature_review, answer)

    async def create_signature(self, submission: SignatureSubmission) -> None:
        """Send a new signature with its papers to review."""
        await self._ask(WireAnswer, "create_sms_sign", **signature_fields(submission))

    async def change_signature(self, submission: SignatureSubmission) -> None:
        """Send a rejected signature to review again."""
        await self._ask(WireAnswer, "update_sms_sign", **signature_fields(submission))

    async def delete_signature(self, signature: str) -> None:
        """Delete a signature at the platform; it takes none that is in review."""
        await self._ask(WireAnswer, "delete_sms_sign", sign_name=signature)

    async def submit_template(self, submission: TemplateSubmission) -> str:
        """Send a new template to review and return its code."""
        fields = self._template(submission)
        return (await self._ask(WireTemplateCode, "create_sms_template", **fields)).template_code

    async def change_template(self, template_code: str, submission: TemplateSubmission) -> str:
        """Send a rejected template to review again and return its code."""
        fields = self._template(submission) | {"template_code": template_code}
        return (await self._ask(WireTemplateCode, "update_sms_template", **fields)).template_code

    async def template_review(self, template_code: str) -> Review:
        """Ask how the review of a template stands; of a digital one, at each carrier."""
        try:
            answer = await self._ask(WireTemplate, "get_sms_template", template_code=template_code)
        except PlatformRefused as refused:
            return _missing(refused, NO_SUCH_TEMPLATE)
        return self._review(template_review, answer)

    async def delete_template(self, template_code: str) -> None:
        """Delete a template at the platform; it takes none that is in review."""
        await self._ask(WireAnswer, "delete_sms_template", template_code=template_code)

    async def submit_digital(self, submission: DigitalSubmission) -> str:
        """Send a new digital template to review at the carriers and return its code."""
        client = await load_client()
        files = [client.digital_file(**fields) for fields in file_fields(submission.parts)]
        answer = await self._ask(
            WireTemplateCode,
            "create_digital_sms_template",
            template_name=submission.name,
            sign_name=submission.signature,
            remark=submission.remark,
            template_contents=files,
        )
        return answer.template_code

    async def look_up(self, question: Question) -> Trace:
        """Ask for a few numbers of a request whether they have a message with its key."""

        async def ask(**fields: Any) -> WireDetails:
            return await self._ask(WireDetails, "query_send_details", **fields)

        try:
            return await look_up(question, ask)
        except ItemMalformed as malformed:
            raise PlatformAnsweredNonsense(self._line.name, str(malformed)) from malformed

    async def receipts(self, after: str, limit: int = 1000) -> Page[Receipt]:
        """Take receipts from their queue; `after` says nothing to a queue."""
        reader = self._reader("SmsReport", "report_queue", PushedReceipt, receipt_of)
        return await self._page([reader], after, limit)

    async def replies(self, after: str, limit: int = 1000) -> Page[Reply]:
        """Take replies from their queue; `after` says nothing to a queue."""
        reader = self._reader("SmsUp", "reply_queue", PushedReply, reply_of)
        return await self._page([reader], after, limit)

    async def reviews(self, after: str, limit: int = 1000) -> Page[ReviewNotice]:
        """Take review notices from their queues, those that are named in the options."""
        queues = {"SignSmsReport": "signature_queue", "TemplateSmsReport": "template_queue"}
        readers = [
            self._reader(report, option, PushedReview, notice_of)
            for report, option in queues.items()
            if self._options.get(option)
        ]
        if not readers:
            raise NotOffered(self._line.name, "review notices, because no queue of them is named")
        return await self._page(readers, after, limit)

    async def account(self) -> Account:
        """Prove by a count of today's messages that key and rights are good.

        The service says neither balance nor limits: what is configured stays.
        """
        today = self._line.now.astimezone(CHINA).strftime("%Y%m%d")
        await self._ask(
            WireAnswer,
            "query_send_statistics",
            is_globe=2 if self._is_international else 1,
            start_date=today,
            end_date=today,
            page_index=1,
            page_size=1,
        )
        return Account(None, 0, 0, frozenset())

    async def _ask(self, kind: type[AnswerT], operation: str, **fields: Any) -> AnswerT:
        return await ask(self._line, self._endpoint, kind, operation, **fields)

    def _template(self, submission: TemplateSubmission) -> dict[str, Any]:
        return template_fields(
            submission, is_international=self._is_international, options=self._options
        )

    def _review(self, read_review: Callable[[AnswerT], Review], answer: AnswerT) -> Review:
        try:
            return read_review(answer)
        except KeyError as unknown:
            detail = f"the state {legible(str(unknown), 30)} is not known"
            raise PlatformAnsweredNonsense(self._line.name, detail) from unknown

    def _reader(
        self, report: str, option: str, kind: type[WireT], read_item: Callable[[WireT], ItemT]
    ) -> Reader[WireT, ItemT]:
        queue = self._options.get(option, "")
        if not queue:
            raise NotOffered(self._line.name, f"pulling, because the option {option} is not set")
        token = endpoint_of(
            "options.token_endpoint", self._options.get("token_endpoint") or TOKEN_ENDPOINT
        )
        place = endpoint_of(
            "options.queue_endpoint", self._options.get("queue_endpoint") or QUEUE_ENDPOINT
        )
        return Reader(self._line, Source(report, queue, token, place), kind, read_item)

    async def _page(
        self, readers: Sequence[Reader[WireT, ItemT]], after: str, limit: int
    ) -> Page[ItemT]:
        taken = [await reader.take(limit) for reader in readers]

        async def acknowledge() -> None:
            for _, forget in taken:
                await forget()

        items = [item for found, _ in taken for item in found]
        return Page(items, after or "queue", acknowledge)

    async def _send(self, request: SendRequest, messages: Messages) -> Told:
        operation, fields = call_for(request, messages)
        has_left = False
        try:
            letter = await letter_for(self._line, self._endpoint, operation, **fields)
            has_left = True
            return told(
                await exchange(self._line.session, letter, self._line.limits), self._line.now
            )
        except NoAnswer as nothing:
            return Told(Meaning(nothing.outcome), detail=nothing.detail)
        except Exception as error:  # noqa: BLE001 - what raised here would be sent once more
            outcome = Outcome.unknown if has_left else Outcome.unreachable
            return Told(Meaning(outcome), detail=legible(f"{type(error).__name__}: {error}"))


def told(heard: Heard, now: datetime) -> Told:
    """Return what an answer to a send comes to; never raises, whatever it holds."""
    refusal, said = refusal_of(heard, now)
    if refusal is None:
        return _accepted(heard)
    if said is None or not said.code:
        return Told(refusal, detail=f"HTTP {heard.status}: no answer of the service")
    code = legible(said.code, 100)
    return Told(refusal, code=code, detail=legible(f"{code} {said.message or ''}"))


def _accepted(heard: Heard) -> Told:
    try:
        biz_id = read(heard, WireSent).biz_id or ""
    except Unreadable:
        biz_id = ""
    return Told(Meaning(Outcome.accepted), biz_id=legible(biz_id, 100))


def _missing(refused: PlatformRefused, codes: frozenset[str]) -> Review:
    if refused.platform_code in codes:
        return Review(ReviewState.missing)
    raise refused
