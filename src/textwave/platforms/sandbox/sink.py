"""The leanest platform that is honest about keys, for benchmarks: takes everything, counts it.

Same contract for sends, signatures and templates; no authentication, no receipts.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
from aiohttp import web
from msgspec import Struct

from textwave.platforms.sandbox.outgoing import envelope
from textwave.platforms.sandbox.program import run

BODY_BYTES_MAX = 16 * 1024 * 1024
BATCHES_MAX = 2_000_000


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """Where the sink listens; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 0
    name: str = "sink"


class SinkMessage(Struct, rename="camel", gc=False):
    """Of a message only the id matters here."""

    message_id: str


class SinkSend(Struct, rename="camel", gc=False):
    """Of a request only the key and the ids matter here."""

    batch_id: str
    messages: list[SinkMessage]


class SinkResult(Struct, rename="camel", gc=False):
    """Every message is taken."""

    message_id: str
    code: str = "OK"
    message: str = ""


class SinkAnswer(Struct, rename="camel", gc=False):
    """The answer to a send."""

    platform_name: str
    results: list[SinkResult]
    code: str = "OK"
    message: str = ""
    request_id: str = "sink"


_send = msgspec.json.Decoder(SinkSend)
_encode = msgspec.json.Encoder().encode


class Sink:
    """Counts; a batch id seen before counts as a repetition and gets the same answer."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._batches: dict[str, None] = {}
        self._requests = 0
        self._messages = 0
        self._repeated = 0

    async def send(self, request: web.Request) -> web.Response:
        """Take everything."""
        try:
            send = _send.decode(await request.read())
        except msgspec.DecodeError as error:
            return self._answer("BAD_PARAMS", str(error), 400)
        self._requests += 1
        if send.batch_id in self._batches:
            self._repeated += 1
        else:
            if len(self._batches) >= BATCHES_MAX:
                del self._batches[next(iter(self._batches))]
            self._batches[send.batch_id] = None
            self._messages += len(send.messages)
        results = [SinkResult(message.message_id) for message in send.messages]
        body = _encode(SinkAnswer(self._name, results))
        return web.Response(body=body, content_type="application/json")

    async def signature(self, request: web.Request) -> web.Response:  # noqa: ARG002 - a handler
        """Approve."""
        return self._answer(signStatus="approved", reason="")

    async def template(self, request: web.Request) -> web.Response:
        """Approve."""
        code = request.match_info.get("templateCode", "SINK")
        return self._answer(templateCode=code, templateStatus="approved", reason="")

    async def account(self, request: web.Request) -> web.Response:  # noqa: ARG002 - a handler
        """Allow much."""
        return self._answer(
            balance=0, ratePerSecond=10_000_000, maxBatch=1000, capabilities=["variables"]
        )

    async def page(self, request: web.Request) -> web.Response:
        """Have no receipts and no replies."""
        return self._answer(items=[], next=request.query.get("after") or "0")

    async def counts(self, request: web.Request) -> web.Response:  # noqa: ARG002 - a handler
        """Say what came."""
        counted = {
            "requests": self._requests,
            "messages": self._messages,
            "repeated_requests": self._repeated,
        }
        return web.Response(body=_encode(counted), content_type="application/json")

    def _answer(
        self, code: str = "OK", message: str = "", status: int = 200, **more: object
    ) -> web.Response:
        body = envelope(self._name, code, message, "sink", **more)
        return web.Response(body=body, status=status, content_type="application/json")


def build_sink(settings: SinkSettings) -> web.Application:
    """Return the sink as an application."""
    sink = Sink(settings.name)
    application = web.Application(client_max_size=BODY_BYTES_MAX)
    router = application.router
    router.add_post("/sms/send", sink.send)
    router.add_get("/sms/smsSign/{signName}", sink.signature)
    router.add_post("/sms/smsTemplate", sink.template)
    router.add_route("*", "/sms/smsTemplate/{templateCode}", sink.template)
    router.add_get("/sms/account", sink.account)
    router.add_get("/sms/receipts", sink.page)
    router.add_get("/sms/replies", sink.page)
    router.add_get("/sandbox/counts", sink.counts)
    return application


async def serve_sink(settings: SinkSettings, *, ready: Callable[[str], None] | None = None) -> None:
    """Serve until cancelled; `ready` is called once with the base URL."""
    await run(build_sink(settings), host=settings.host, port=settings.port, ready=ready)
