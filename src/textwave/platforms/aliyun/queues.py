"""Take reports out of Alibaba Cloud's message queues, for installations that nobody can call.

What was received shows up again until it is deleted, so it is deleted only once it is durable. What
cannot be read is left where it is: it neither holds up the rest nor is lost while the queue lasts.
"""

import asyncio
import hmac
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from hashlib import md5, sha1
from typing import Final, Generic, TypeVar
from xml.etree.ElementTree import Element, ParseError, SubElement, fromstring, tostring

from yarl import URL

from textwave.platforms.aliyun.callbacks import read_object, read_time
from textwave.platforms.aliyun.calls import Line, call_other, understand
from textwave.platforms.aliyun.tokens import Source, forget_token, keep_token, kept_token
from textwave.platforms.aliyun.wire import WireToken, WireTokenAnswer
from textwave.platforms.contract import (
    PlatformAnsweredNonsense,
    PlatformRefused,
    PlatformUnreachable,
)
from textwave.platforms.exchange import Heard, Letter, NoAnswer, exchange, legible
from textwave.platforms.outcomes import Outcome
from textwave.platforms.thirdparty.callbacks import ItemMalformed, MalformedCallback

TOKEN_ENDPOINT: Final = "https://dybaseapi.aliyuncs.com"  # noqa: S105 - an address
QUEUE_ENDPOINT: Final = "https://1943695596114318.mns.cn-hangzhou.aliyuncs.com"
"""Where the queues of all customers of the SMS service are."""
QUEUE_VERSION: Final = "2015-06-06"
NAMESPACE: Final = "http://mns.aliyuncs.com/doc/v1/"
XML_TYPE: Final = "text/xml;charset=UTF-8"
BATCH_MAX: Final = 16
"""How many messages one call receives or deletes at most."""
LANES: Final = 8
"""How many calls are made at once where there is much to receive."""
NOTHING_THERE: Final = "MessageNotExist"
GONE: Final = 404
OK: Final = 200
NO_CONTENT: Final = 204

WireT = TypeVar("WireT")
ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Received:
    """A message that was received, and by what it is deleted."""

    handle: str
    body: bytes


@dataclass(slots=True)
class Reader(Generic[WireT, ItemT]):
    """Reads one queue, with a token that is kept while it lasts."""

    line: Line
    source: Source
    kind: type[WireT]
    read: Callable[[WireT], ItemT]

    async def take(self, limit: int) -> tuple[list[ItemT], Callable[[], Awaitable[None]]]:
        """Return about so many items at most, and what deletes them from the queue.

        Raises:
            PlatformUnreachable, PlatformRefused, PlatformAnsweredNonsense: as the service did.
        """
        received = await self._receive()
        full = len(received) == BATCH_MAX
        while full and len(received) < limit:
            left = -(-(limit - len(received)) // BATCH_MAX)
            lanes = min(LANES, left)
            groups = await asyncio.gather(*(self._receive() for _ in range(lanes)))
            received += [message for group in groups for message in group]
            full = all(len(group) == BATCH_MAX for group in groups)
        readable = [(m.handle, item) for m in received for item in self._items(m)]
        handles = list(dict.fromkeys(handle for handle, _ in readable))
        return [item for _, item in readable], lambda: self._delete(handles)

    def _items(self, message: Received) -> list[ItemT]:
        try:
            return [read_object(self.kind, message.body, self.read)]
        except MalformedCallback:
            return []

    async def _receive(self) -> list[Received]:
        path = f"/queues/{self.source.queue}/messages?numOfMessages={BATCH_MAX}&waitseconds=0"
        heard = await self._call("GET", path)
        if heard.status == GONE and _error_code(heard) == NOTHING_THERE:
            return []
        if heard.status != OK:
            raise self._refused(heard)
        try:
            return _messages(heard.body)
        except (ParseError, ValueError) as error:
            raise PlatformAnsweredNonsense(self.line.name, legible(str(error))) from error

    async def _delete(self, handles: Sequence[str]) -> None:
        """Delete what was received; what is received by somebody else by now is not."""
        for batches in _slices(_slices(handles, BATCH_MAX), LANES):
            await asyncio.gather(*(self._delete_batch(batch) for batch in batches))

    async def _delete_batch(self, handles: Sequence[str]) -> None:
        path = f"/queues/{self.source.queue}/messages"
        heard = await self._call("DELETE", path, _handles(handles))
        if heard.status not in {OK, NO_CONTENT, GONE}:
            raise self._refused(heard)

    async def _call(self, method: str, path: str, body: bytes = b"") -> Heard:
        token = await self._fresh_token()
        letter = sign_queue_call(
            method, self.source.queue_endpoint, path, body, token=token, now=self.line.now
        )
        try:
            return await exchange(self.line.session, letter, self.line.limits)
        except NoAnswer as nothing:
            raise PlatformUnreachable(self.line.name, nothing.detail) from nothing

    async def _fresh_token(self) -> WireToken:
        kept = kept_token(self.line, self.source)
        if kept is not None:
            return kept
        try:
            heard = await call_other(
                self.line,
                self.source.token_endpoint,
                "QueryTokenForMnsQueue",
                MessageType=self.source.report,
                QueueName=self.source.queue,
            )
        except NoAnswer as nothing:
            raise PlatformUnreachable(self.line.name, nothing.detail) from nothing
        token = understand(self.line, heard, WireTokenAnswer).token
        try:
            keep_token(self.line, self.source, token, read_time("ExpireTime", token.expire_time))
        except ItemMalformed:
            forget_token(self.line, self.source)
        return token

    def _refused(self, heard: Heard) -> PlatformRefused:
        forget_token(self.line, self.source)
        code = _error_code(heard) or f"HTTP {heard.status}"
        forbidden = heard.status in {401, 403, GONE}
        outcome = Outcome.forbidden if forbidden else Outcome.busy
        detail = f"queue {self.source.queue}"
        return PlatformRefused(self.line.name, outcome, legible(code, 100), detail)


def sign_queue_call(
    method: str, endpoint: URL, path: str, body: bytes, *, token: WireToken, now: datetime
) -> Letter:
    """Return the letter that makes a call of the queue service, signed; `path` has its query."""
    headers = {
        "Date": format_datetime(now, usegmt=True),
        "x-mns-version": QUEUE_VERSION,
        "Accept-Encoding": "identity",
    }
    if body:
        digest = md5(body, usedforsecurity=False).hexdigest().encode()
        headers |= {"Content-MD5": b64encode(digest).decode(), "Content-Type": XML_TYPE}
    said = "\n".join(
        (
            method,
            headers.get("Content-MD5", ""),
            headers.get("Content-Type", ""),
            headers["Date"],
            f"x-mns-version:{QUEUE_VERSION}",
            path,
        )
    )
    signature = b64encode(hmac.digest(token.access_key_secret.encode(), said.encode(), sha1))
    headers["Authorization"] = f"MNS {token.access_key_id}:{signature.decode()}"
    headers["security-token"] = token.security_token
    url = URL(str(endpoint.origin()) + path, encoded=True)
    return Letter(method, url, headers, body)


def _messages(body: bytes) -> list[Received]:
    """Return the messages of an answer.

    Raises:
        ParseError: it is no XML.
        ValueError: it declares a document type, which an honest answer never does.
    """
    found: list[Received] = []
    for message in _document(body).iter(f"{{{NAMESPACE}}}Message"):
        handle = message.findtext(f"{{{NAMESPACE}}}ReceiptHandle")
        text = message.findtext(f"{{{NAMESPACE}}}MessageBody") or ""
        if handle:
            found.append(Received(handle, _decoded(text)))
    return found


def _decoded(text: str) -> bytes:
    """Return the body of a message, which travels as base64; empty where it does not."""
    try:
        return b64decode(text.encode(), validate=True)
    except ValueError:
        return b""


def _error_code(heard: Heard) -> str:
    try:
        return _document(heard.body).findtext(f"{{{NAMESPACE}}}Code") or ""
    except (ParseError, ValueError):
        return ""


def _document(body: bytes) -> Element:
    text = body.decode()
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        problem = "the answer declares a document type"
        raise ValueError(problem)
    return fromstring(text)  # noqa: S314 - without a document type nothing can expand


def _slices(items: Sequence[ItemT], most: int) -> list[Sequence[ItemT]]:
    return [items[first : first + most] for first in range(0, len(items), most)]


def _handles(handles: Sequence[str]) -> bytes:
    root = Element("ReceiptHandles", xmlns=NAMESPACE)
    for handle in handles:
        SubElement(root, "ReceiptHandle").text = handle
    return tostring(root, encoding="utf-8", xml_declaration=True)
