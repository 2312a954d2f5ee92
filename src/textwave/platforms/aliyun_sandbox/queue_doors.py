"""The queues over HTTP: receiving with a long poll, and deleting, in XML as the service does it."""

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from xml.sax.saxutils import escape

from aiohttp import web

from textwave.platforms.aliyun_sandbox.queues import Queue, Received
from textwave.platforms.aliyun_sandbox.signing import queue_signature
from textwave.platforms.aliyun_sandbox.world import StandIn

NAMESPACE: Final = "http://mns.aliyuncs.com/doc/v1/"
HOST: Final = "https://mns.cn-hangzhou.aliyuncs.com"
BATCH_MAX: Final = 16
WAIT_SECONDS_MAX: Final = 30
LOOK_EVERY_SECONDS: Final = 0.02
CLOCK_SKEW: Final = timedelta(minutes=15)
_authorization = re.compile(r"MNS +([^:\s]{1,200}):([A-Za-z0-9+/=]{1,100})")
_handles = re.compile(r"<ReceiptHandle>([^<]{1,200})</ReceiptHandle>")


class QueueRefused(Exception):
    """A call to a queue is answered with an error."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.code, self.message = status, code, message


class QueueDoors:
    """Handlers of the queues' routes."""

    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in

    async def receive(self, request: web.Request) -> web.Response:
        """Hand out messages, or wait for some."""
        try:
            queue = self._queue(request, b"")
            most = _whole(request, "numOfMessages", 1, BATCH_MAX)
            found = await self._received(
                queue, most, _whole(request, "waitseconds", 0, WAIT_SECONDS_MAX)
            )
        except QueueRefused as refused:
            return _error(refused)
        batch = "numOfMessages" in request.query
        written = "".join(self._written(one, root=not batch) for one in found)
        return _xml(f'<Messages xmlns="{NAMESPACE}">{written}</Messages>' if batch else written)

    async def _received(self, queue: Queue, most: int, wait_seconds: int) -> list[Received]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_seconds
        visible = self._stand_in.settings.visibility_seconds
        while not (found := queue.receive(most, self._stand_in.clock(), visible)):
            if loop.time() >= deadline:
                raise QueueRefused(404, "MessageNotExist", "Message not exist.")
            await asyncio.sleep(LOOK_EVERY_SECONDS)
        return found

    async def delete(self, request: web.Request) -> web.Response:
        """Forget messages by their handles."""
        body = await request.read()
        try:
            queue = self._queue(request, body)
            handles = _handles_of(request, body)
        except QueueRefused as refused:
            return _error(refused)
        now = self._stand_in.clock()
        stale = [handle for handle in handles if not queue.delete(handle, now)]
        batch = "ReceiptHandle" not in request.query
        return _stale(stale, batch=batch) if stale else web.Response(status=204, headers=_headers())

    def _queue(self, request: web.Request, body: bytes) -> Queue:
        """Return the queue that the credentials of a call are good for."""
        name = request.match_info["queue"]
        found = self._stand_in.queues.find(name)
        if found is None:
            raise QueueRefused(404, "QueueNotExist", "The queue you provided is not exist.")
        self._check(request, name, body)
        return found[1]

    def _check(self, request: web.Request, name: str, body: bytes) -> None:
        claimed = _authorization.fullmatch(request.headers.get("Authorization", "").strip())
        token = self._stand_in.queues.token(claimed[1]) if claimed else None
        if claimed is None or token is None:
            raise QueueRefused(403, "InvalidAccessKeyId", "The AccessKeyId is not known.")
        headers = {key.lower(): value for key, value in request.headers.items()}
        _check_date(headers.get("date", ""), self._stand_in.clock())
        signature = queue_signature(token.secret, request.method, headers, request.raw_path)
        if not hmac.compare_digest(signature, claimed[2]):
            raise QueueRefused(403, "SignatureDoesNotMatch", "The signature does not match.")
        if headers.get("security-token", "") != token.security_token or token.queue != name:
            raise QueueRefused(403, "AccessDenied", "The token is not for this queue.")
        if self._stand_in.clock() >= token.expires_at:
            raise QueueRefused(403, "SecurityTokenExpired", "The token has expired.")
        _check_digest(headers.get("content-md5", ""), body)

    def _written(self, one: Received, *, root: bool) -> str:
        body = base64.b64encode(self._stand_in.report_body(one.held)).decode()
        digest = hashlib.md5(body.encode(), usedforsecurity=False).hexdigest().upper()
        fields = {
            "MessageId": f"{one.number:032X}",
            "ReceiptHandle": one.handle,
            "MessageBody": body,
            "MessageBodyMD5": digest,
            "EnqueueTime": round(one.enqueued_at * 1000),
            "NextVisibleTime": round(one.visible_at * 1000),
            "FirstDequeueTime": round(self._stand_in.clock() * 1000),
            "DequeueCount": one.times,
            "Priority": 8,
        }
        written = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items())
        namespace = f' xmlns="{NAMESPACE}"' if root else ""
        return f"<Message{namespace}>{written}</Message>"


def add_queue_routes(router: web.UrlDispatcher, stand_in: StandIn) -> None:
    """Add the routes of the queues."""
    doors = QueueDoors(stand_in)
    router.add_get("/queues/{queue}/messages", doors.receive, allow_head=False)
    router.add_delete("/queues/{queue}/messages", doors.delete)


def _handles_of(request: web.Request, body: bytes) -> list[str]:
    one = request.query.get("ReceiptHandle")
    handles = [one] if one else _handles.findall(body.decode(errors="replace"))
    if not 1 <= len(handles) <= BATCH_MAX:
        raise QueueRefused(400, "InvalidArgument", "1-16 receipt handles are needed.")
    return handles


def _check_date(text: str, now: float) -> None:
    try:
        sent_at = parsedate_to_datetime(text)
    except ValueError:
        raise QueueRefused(400, "InvalidArgument", "The Date is not well formed.") from None
    if abs(datetime.fromtimestamp(now, UTC) - sent_at) > CLOCK_SKEW:
        raise QueueRefused(408, "TimeExpired", "The Date is too far away.")


def _check_digest(claimed: str, body: bytes) -> None:
    """Accept a body whose digest is that of its header, in either of the two usual forms."""
    if not claimed:
        return
    digest = hashlib.md5(body, usedforsecurity=False)
    if claimed not in {
        base64.b64encode(digest.digest()).decode(),
        base64.b64encode(digest.hexdigest().encode()).decode(),
    }:
        raise QueueRefused(400, "InvalidDigest", "The Content-MD5 is not that of the body.")


def _stale(handles: list[str], *, batch: bool) -> web.Response:
    message = "The receipt handle you provided has expired."
    if not batch:
        return _error(QueueRefused(404, "MessageNotExist", message))
    errors = "".join(
        f"<Error><ErrorCode>MessageNotExist</ErrorCode><ErrorMessage>{message}</ErrorMessage>"
        f"<ReceiptHandle>{escape(handle)}</ReceiptHandle></Error>"
        for handle in handles
    )
    return _xml(f'<Errors xmlns="{NAMESPACE}">{errors}</Errors>', 404)


def _error(refused: QueueRefused) -> web.Response:
    fields = (
        f"<Code>{refused.code}</Code><Message>{escape(refused.message)}</Message>"
        f"<RequestId>{secrets.token_hex(12).upper()}</RequestId><HostId>{HOST}</HostId>"
    )
    return _xml(f'<Error xmlns="{NAMESPACE}">{fields}</Error>', refused.status)


def _xml(written: str, status: int = 200) -> web.Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>{written}'.encode()
    return web.Response(
        body=body,
        status=status,
        headers=_headers(),
        content_type="text/xml",
        charset="utf-8",
    )


def _headers() -> dict[str, str]:
    return {"x-mns-request-id": secrets.token_hex(12).upper(), "x-mns-version": "2015-06-06"}


def _whole(request: web.Request, name: str, default: int, most: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 4 and int(text) <= most):  # noqa: PLR2004
        raise QueueRefused(400, "InvalidArgument", f"{name} must be a whole number up to {most}.")
    return int(text)
