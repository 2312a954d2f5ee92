"""The adapter for Alibaba Cloud's SMS service, on the vendor's own client.

Protocol only: say each call in the service's words and what it answers in ours. It refuses to
retry, to pace and to store.
"""

import time
from collections.abc import Callable, Mapping

import aiohttp

from textwave.platforms.aliyun.calls import Line, call, endpoint_of, refusal_of
from textwave.platforms.aliyun.errors import Meaning
from textwave.platforms.aliyun.sending import Messages, Told, call_for, send_all
from textwave.platforms.aliyun.wire import Unreadable, WireSent, read
from textwave.platforms.contract import SendAnswer, SendRequest
from textwave.platforms.exchange import USUAL_LIMITS, Heard, Limits, NoAnswer, legible
from textwave.platforms.outcomes import Outcome


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

        return await send_all(request, make_call)

    async def _send(self, request: SendRequest, messages: Messages) -> Told:
        operation, fields = call_for(request, messages)
        try:
            heard = await call(self._line, self._endpoint, operation, **fields)
        except NoAnswer as nothing:
            return Told(Meaning(nothing.outcome), detail=nothing.detail)
        return self._told(heard)

    def _told(self, heard: Heard) -> Told:
        refusal, said = refusal_of(heard, self._line.now)
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
