"""The adapter for any platform that implements the third-party contract over HTTP.

Protocol only: build the request, sign it, read the answer within limits, translate. It refuses
to retry, to pace, to store, to follow redirects and to read endless answers.
"""

import secrets
import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from textwave.kit.refusal import InvalidValue
from textwave.platforms.contract import (
    Account,
    DigitalSubmission,
    NotOffered,
    Page,
    PlatformAnsweredNonsense,
    PlatformRefused,
    PlatformUnreachable,
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
from textwave.platforms.exchange import USUAL_LIMITS, Letter, Limits, NoAnswer, exchange
from textwave.platforms.outcomes import Outcome
from textwave.platforms.signing import signature_headers
from textwave.platforms.thirdparty.answers import (
    Answered,
    AnswerT,
    read_answer,
    read_send_answer,
)
from textwave.platforms.thirdparty.callbacks import parse_receipts, parse_replies, read_each
from textwave.platforms.thirdparty.codes import NOT_FOUND, REVIEW_STATES, SMS_TYPES
from textwave.platforms.thirdparty.wire import (
    WireAccount,
    WireAnswer,
    WirePage,
    WireSignature,
    WireTemplateCode,
    WireTemplateState,
    encode_send,
    encode_template,
    legible,
)

JSON_TYPE = "application/json"

_plain = msgspec.json.Decoder(WireAnswer, strict=False)
_signature = msgspec.json.Decoder(WireSignature, strict=False)
_template_state = msgspec.json.Decoder(WireTemplateState, strict=False)
_template_code = msgspec.json.Decoder(WireTemplateCode, strict=False)
_account = msgspec.json.Decoder(WireAccount, strict=False)
_page = msgspec.json.Decoder(WirePage[msgspec.Raw], strict=False)

ItemT = TypeVar("ItemT")


class ThirdPartyPlatform:
    """One account at one third-party platform; the session belongs to the caller.

    `name` must be the platformName of every answer; `key` empty turns authentication off.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        url: str,
        name: str,
        key: str,
        limits: Limits = USUAL_LIMITS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._session = session
        self._base = base_url(url)
        self._name = name
        self._key = key
        self._limits = limits
        self._clock = clock

    async def send(self, request: SendRequest) -> SendAnswer:
        """Hand the messages over once; every trouble ends as an outcome."""
        if request.message_type not in SMS_TYPES:
            detail = f"The contract has no {request.message_type} messages."
            return SendAnswer(Outcome.content_refused, detail=detail)
        try:
            answered = await self._exchange("POST", "/sms/send", body=encode_send(request))
        except NoAnswer as nothing:
            return SendAnswer(nothing.outcome, detail=nothing.detail)
        return read_send_answer(answered, request, self._name)

    async def signature_review(self, signature: str) -> Review:
        """Ask how the review of a signature stands."""
        try:
            answer = await self._call("GET", f"/sms/smsSign/{_segment(signature)}", _signature)
        except PlatformRefused as refused:
            return _missing(refused)
        return self._review(answer.sign_status, answer.reason)

    async def create_signature(self, submission: SignatureSubmission) -> None:
        """Refuse: the contract has no such call."""
        raise NotOffered(self._name, f"creating the signature “{submission.name}”")

    async def change_signature(self, submission: SignatureSubmission) -> None:
        """Refuse: the contract has no such call."""
        raise NotOffered(self._name, f"changing the signature “{submission.name}”")

    async def delete_signature(self, signature: str) -> None:
        """Refuse: the contract has no such call."""
        raise NotOffered(self._name, f"deleting the signature “{signature}”")

    async def submit_digital(self, submission: DigitalSubmission) -> str:
        """Refuse: the contract has no digital messages."""
        raise NotOffered(self._name, f"digital templates such as “{submission.name}”")

    async def look_up(self, question: Question) -> Trace:
        """Refuse: the contract has no such call."""
        raise NotOffered(self._name, f"looking up the request {question.key}")

    async def submit_template(self, submission: TemplateSubmission) -> str:
        """Send a new template to review and return its code."""
        body = encode_template(submission)
        return (await self._call("POST", "/sms/smsTemplate", _template_code, body)).template_code

    async def change_template(self, template_code: str, submission: TemplateSubmission) -> str:
        """Send a changed template to review and return its code."""
        path = f"/sms/smsTemplate/{_segment(template_code)}"
        answer = await self._call("PUT", path, _template_code, encode_template(submission))
        return answer.template_code

    async def template_review(self, template_code: str) -> Review:
        """Ask how the review of a template stands."""
        path = f"/sms/smsTemplate/{_segment(template_code)}"
        try:
            answer = await self._call("GET", path, _template_state)
        except PlatformRefused as refused:
            return _missing(refused)
        return self._review(answer.template_status, answer.reason)

    async def delete_template(self, template_code: str) -> None:
        """Delete a template at the platform."""
        await self._call("DELETE", f"/sms/smsTemplate/{_segment(template_code)}", _plain)

    async def receipts(self, after: str, limit: int = 1000) -> Page[Receipt]:
        """Pull receipts behind a cursor."""
        return await self._page("/sms/receipts", parse_receipts, after, limit)

    async def replies(self, after: str, limit: int = 1000) -> Page[Reply]:
        """Pull replies behind a cursor."""
        return await self._page("/sms/replies", parse_replies, after, limit)

    async def reviews(self, after: str, limit: int = 1000) -> Page[ReviewNotice]:
        """Refuse: the contract pushes them, and lets them be asked for one by one."""
        _ = after, limit
        raise NotOffered(self._name, "review notices in pages")

    async def account(self) -> Account:
        """Ask for balance, limits and capabilities."""
        answer = await self._call("GET", "/sms/account", _account)
        capabilities = frozenset(answer.capabilities)
        return Account(answer.balance, answer.rate_per_second, answer.max_batch, capabilities)

    async def _page(
        self, path: str, parse: Callable[[bytes], list[ItemT]], after: str, limit: int
    ) -> Page[ItemT]:
        page = await self._call("GET", path, _page, query=_cursor(after, limit))
        items, unread = read_each([bytes(item) for item in page.items], parse)
        return Page(items, page.next, unread=unread)

    def _review(self, status: str, reason: str | None) -> Review:
        state = REVIEW_STATES.get(status)
        if state is None:
            detail = f"the review state “{legible(status, 30)}” is not known"
            raise PlatformAnsweredNonsense(self._name, detail)
        return Review(state, legible(reason) if state is ReviewState.rejected else "")

    async def _call(
        self,
        method: str,
        path: str,
        decoder: msgspec.json.Decoder[AnswerT],
        body: bytes = b"",
        query: str = "",
    ) -> AnswerT:
        try:
            answered = await self._exchange(method, path, body=body, query=query)
        except NoAnswer as nothing:
            raise PlatformUnreachable(self._name, nothing.detail) from nothing
        return read_answer(answered, self._name, decoder)

    async def _exchange(
        self, method: str, path: str, *, body: bytes = b"", query: str = ""
    ) -> Answered:
        """Make one signed exchange.

        Raises:
            NoAnswer: no whole answer came; its outcome says whether the request left.
        """
        timestamp, nonce = str(int(self._clock())), secrets.token_hex(16)
        url = self._address(path, query, timestamp, nonce)
        headers = self._headers(method, path, timestamp, nonce, body)
        heard = await exchange(self._session, Letter(method, url, headers, body), self._limits)
        return Answered(
            heard.status,
            heard.headers.get("Content-Type", ""),
            heard.headers.get("Retry-After", ""),
            heard.body,
        )

    def _address(self, path: str, query: str, timestamp: str, nonce: str) -> URL:
        rest = f"{path}?timestamp={timestamp}&nonce={nonce}{query}"
        return URL(self._base + rest, encoded=True)

    def _headers(
        self, method: str, path: str, timestamp: str, nonce: str, body: bytes
    ) -> dict[str, str]:
        # An uncompressed answer is what the limit on bytes means.
        headers = {"Accept": JSON_TYPE, "Accept-Encoding": "identity"}
        if body:
            headers["Content-Type"] = JSON_TYPE
        signed_path = URL(self._base + path, encoded=True).raw_path
        return headers | signature_headers(
            self._key, method=method, path=signed_path, timestamp=timestamp, nonce=nonce, body=body
        )


def base_url(url: str) -> str:
    """Return the base of all addresses, without a slash at its end.

    Raises:
        InvalidValue: it is no whole http or https address, or has a user, query or fragment.
    """
    try:
        parsed = URL(url)
    except ValueError:
        parsed = URL()
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise InvalidValue("platform URL", "must be a whole http:// or https:// address")
    if parsed.query_string or parsed.fragment or parsed.user:
        raise InvalidValue("platform URL", "must have no user, query or fragment")
    return str(parsed).rstrip("/")


def _segment(text: str) -> str:
    return quote(text, safe="")


def _cursor(after: str, limit: int) -> str:
    return f"&after={_segment(after)}&limit={limit}"


def _missing(refused: PlatformRefused) -> Review:
    if refused.platform_code == NOT_FOUND:
        return Review(ReviewState.missing)
    raise refused
