"""The outermost layer of the web process: request ids, body limits, and what is measured.

No path, name or number goes into a log or a metric: only the template of the route.
"""

import time
import uuid
from collections.abc import MutableMapping
from typing import Any, Final

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from textwave.api.problems import problem_response

BODY_BYTES_MAX: Final = 1_000_000
_DRAINED_BYTES_MAX: Final = 16_000_000
_UPLOAD_ENDING: Final = "/imports"
_MEASURED_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 30.0)
log = structlog.get_logger(__name__)


class Edge:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, registry: CollectorRegistry) -> None:
        self._app = app
        self._requests = Counter(
            "textwave_requests", "Requests answered.", ("method", "route", "status"),
            registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "textwave_request_seconds", "Time to answer.", ("method", "route"),
            buckets=_MEASURED_SECONDS, registry=registry,
        )  # fmt: skip

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = uuid.uuid4().hex
        began, status = time.perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", []), (b"x-request-id", request_id.encode())
                ]  # fmt: skip
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._limited(scope, receive, send_with_id)
            finally:
                self._measure(scope, status, time.perf_counter() - began)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope["path"].startswith("/api/") or scope["path"].endswith(_UPLOAD_ENDING):
            await self._app(scope, receive, send)
            return
        body = await _read_body(receive)
        if body is None:
            detail = f"A body may have {BODY_BYTES_MAX:,} bytes. Send less at once."
            answer = problem_response(413, "body_too_large", detail)
            await answer(scope, receive, send)
            return
        await self._app(scope, _Replay(body, receive), send)

    def _measure(self, scope: Scope, status: int, seconds: float) -> None:
        route = route_template(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)
        if route not in ("/healthz", "/metrics"):
            milliseconds = round(seconds * 1000, 1)
            log.info(
                "request", method=method, route=route, status=status, milliseconds=milliseconds
            )


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def route_template(scope: MutableMapping[str, Any]) -> str:
    """Return the route's template, the mount of a sub-application, or “other”."""
    found = getattr(scope.get("route"), "path", None)
    if isinstance(found, str):
        # a route of an included router knows its own part only
        below_api = scope["path"].startswith("/api/") and not found.startswith("/api/")
        return f"/api{found}" if below_api else found
    return "/console" if scope["path"].startswith("/console/") else "other"


class _Replay:
    """Gives a body that was read to the application, then what comes after it."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _read_body(receive: Receive) -> bytes | None:
    """Read the body; None when it is larger than the limit.

    A body that is too large is read on for a while, so that whoever sends it hears the answer.
    """
    pieces: list[bytes] = []
    length = 0
    while length <= _DRAINED_BYTES_MAX:
        message = await receive()
        if message["type"] != "http.request":
            break
        piece: bytes = message.get("body", b"")
        length += len(piece)
        if length <= BODY_BYTES_MAX:
            pieces.append(piece)
        if not message.get("more_body", False):
            break
    return b"".join(pieces) if length <= BODY_BYTES_MAX else None
