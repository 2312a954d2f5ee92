"""Headers on every console answer: a strict Content Security Policy, no sniffing, no referrer.

Pages are never stored by a browser; static files with their version in the address always are.
"""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "media-src 'self'; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class SecurityHeaders:
    """Wrap an application so that no answer leaves without the headers."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers["Cache-Control"] = _caching(scope, message["status"])
            await send(message)

        await self._application(scope, receive, send_guarded)


def _caching(scope: Scope, status: int) -> str:
    static = "/static/" in scope.get("path", "") and status < 400  # noqa: PLR2004 - errors begin here
    if not static:
        return "no-store"
    versioned = scope.get("query_string", b"").startswith(b"v=")
    return "public, max-age=31536000, immutable" if versioned else "no-cache"
