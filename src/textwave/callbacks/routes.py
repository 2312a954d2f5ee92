"""The door for platforms: `POST /callbacks/{platform}/receipts|replies|reviews`, signed.

Alibaba Cloud signs nothing and is given paths with a secret: `/callbacks/{platform}/aliyun/…`.
Answers `{"code":0,"msg":"OK"}` only after the callback is committed; any other answer means that
nothing of it was taken, and says why. Refuses bodies over 4 MiB.
"""

from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from textwave.callbacks.operations import (
    CallbackKind,
    CallbackPlatformUnknown,
    NonceSeen,
    OpenKey,
    RepliesNotTaken,
    platform_called,
    take_callback,
)
from textwave.callbacks.push_operations import PushAddressUnknown, SecretOf, take_push
from textwave.connections.push import AliyunReport
from textwave.kit.clock import Clock
from textwave.kit.refusal import Refusal
from textwave.platforms.signing import (
    QA_HEADER,
    TEXTWAVE_HEADER,
    RequestNotAuthentic,
    SignedRequest,
)
from textwave.platforms.thirdparty import MalformedCallback
from textwave.storage.ledger import Ledger

BODY_LIMIT_BYTES: Final = 4 * 1024 * 1024
_TAKEN: Final = b'{"code":0,"msg":"OK"}'


@dataclass(eq=False)
class CallbackTooLarge(Refusal):
    """The body is over the limit."""

    code: ClassVar[str] = "callback_too_large"
    limit_bytes: int

    @property
    def sentence(self) -> str:
        return f"A callback may have {self.limit_bytes} bytes. Send fewer items at once."


STATUSES: Final[dict[type[Refusal], int]] = {
    MalformedCallback: 400,
    RequestNotAuthentic: 401,
    NonceSeen: 401,
    RepliesNotTaken: 403,
    CallbackPlatformUnknown: 404,
    PushAddressUnknown: 404,
    CallbackTooLarge: 413,
}


def router(*, ledger: Ledger, clock: Clock, open_key: OpenKey, secret_of: SecretOf) -> APIRouter:
    """Build the callback routes; `ledger` may be the web login's."""
    routes = APIRouter(tags=["callbacks"])

    @routes.post("/callbacks/{platform}/{kind}", name="callback", summary="Take what came back.")
    async def callback(platform: str, kind: CallbackKind, request: Request) -> Response:
        try:
            called = await platform_called(ledger, name=platform)
            signed = _signed(request, await _read_body(request))
            await take_callback(
                ledger,
                platform=called,
                kind=kind,
                request=signed,
                open_key=open_key,
                now=clock.now(),
            )
        except tuple(STATUSES) as refusal:
            return _refused(refusal)
        return Response(_TAKEN, media_type="application/json")

    @routes.post("/callbacks/{platform}/aliyun/{secret}/{report}", name="push")
    async def push(platform: str, secret: str, report: AliyunReport, request: Request) -> Response:
        try:
            body = await _read_body(request)
            told = await take_push(
                ledger, name=platform, secret=secret, report=report, body=body, secret_of=secret_of
            )
        except tuple(STATUSES) as refusal:
            return _refused(refusal)
        return JSONResponse({"code": 0, "msg": told})

    return routes


def _refused(refusal: Refusal) -> JSONResponse:
    content = {"code": refusal.code, "msg": refusal.sentence, **_details(refusal)}
    return JSONResponse(content, status_code=STATUSES[type(refusal)])


def _details(refusal: Refusal) -> dict[str, object]:
    if isinstance(refusal, MalformedCallback):
        return {"item": refusal.item, "field": refusal.field}
    return {}


def _signed(request: Request, body: bytes) -> SignedRequest:
    raw_path: bytes | None = request.scope.get("raw_path")
    path = raw_path.decode("ascii") if raw_path else quote(request.scope["path"])
    return SignedRequest(
        method=request.method,
        path=path.partition("?")[0],
        timestamp=request.query_params.get("timestamp", ""),
        nonce=request.query_params.get("nonce", ""),
        qa_signature=request.headers.get(QA_HEADER, ""),
        textwave_signature=request.headers.get(TEXTWAVE_HEADER, ""),
        body=body,
    )


async def _read_body(request: Request) -> bytes:
    """Read the body as far as the limit.

    Raises:
        CallbackTooLarge: it goes on.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_LIMIT_BYTES:
            raise CallbackTooLarge(BODY_LIMIT_BYTES)
        chunks.append(chunk)
    return b"".join(chunks)
