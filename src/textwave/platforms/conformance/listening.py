"""Where the battery takes what a platform pushes, as Textwave would: it refuses the first push.

Keeps what came for the rules to judge, up to a limit; it answers everything behind that with 503.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from textwave.platforms.signing import QA_HEADER, TEXTWAVE_HEADER, SignedRequest

PUSHES_MAX = 1_000
BODY_BYTES_MAX = 16 * 1024 * 1024
KINDS = ("receipts", "replies", "reviews")


@dataclass(frozen=True, slots=True)
class Push:
    """One callback as it came; `seconds` is the UNIX time of its arrival."""

    kind: str
    request: SignedRequest
    seconds: float


class Listener:
    """Takes pushes under any prefix; `clock` is the UNIX time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.pushes: list[Push] = []
        self._clock = clock
        self._changed = asyncio.Condition()

    def application(self) -> web.Application:
        """Return what is to be served at the address that the platform pushes to."""
        application = web.Application(client_max_size=BODY_BYTES_MAX)
        application.router.add_post("/callbacks/{platform}/{kind}", self._take)
        return application

    async def until(self, holds: Callable[[], bool], wait_seconds: float) -> bool:
        """Wait until something holds of the pushes; False if it does not in time."""
        try:
            async with asyncio.timeout(wait_seconds), self._changed:
                await self._changed.wait_for(holds)
        except TimeoutError:
            return False
        return True

    async def _take(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        if kind not in KINDS or len(self.pushes) >= PUSHES_MAX:
            return web.json_response({"code": 1, "msg": "not taken"}, status=503)
        is_first = not self.pushes
        self.pushes.append(Push(kind, await _signed(request), self._clock()))
        async with self._changed:
            self._changed.notify_all()
        if is_first:
            return web.json_response({"code": 1, "msg": "once more, please"}, status=503)
        return web.json_response({"code": 0, "msg": "OK"})


async def _signed(request: web.Request) -> SignedRequest:
    return SignedRequest(
        request.method,
        request.raw_path.partition("?")[0],
        request.query.get("timestamp", ""),
        request.query.get("nonce", ""),
        request.headers.get(QA_HEADER, ""),
        request.headers.get(TEXTWAVE_HEADER, ""),
        await request.read(),
    )
