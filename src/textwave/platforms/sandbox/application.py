"""The sandbox over HTTP: the contract's routes, and those of the witness under `/sandbox`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import msgspec
from aiohttp import web

from textwave.kit.refusal import InvalidValue
from textwave.platforms.openapi import document
from textwave.platforms.sandbox.chance import cuts_after_accept, request_code
from textwave.platforms.sandbox.outgoing import SandboxSend, envelope
from textwave.platforms.sandbox.pushes import Pushes
from textwave.platforms.sandbox.reviews import add_review_routes
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.templates import template_status
from textwave.platforms.sandbox.witness import add_witness_routes
from textwave.platforms.sandbox.world import Sandbox
from textwave.platforms.thirdparty.wire import MESSAGES_MAX

BODY_BYTES_MAX = 16 * 1024 * 1024
STATUSES = {"THROTTLED": 429, "BUSY": 503, "INTERNAL": 500, "BAD_PARAMS": 400}
CAPABILITIES = ["variables", "short_links", "click_tokens", "opt_out_text"]
HONOURS_KEYS = "idempotency"

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_send_body = msgspec.json.Decoder(SandboxSend, strict=False)


class Doors:
    """The contract's routes that concern messages."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def answer(
        self, code: str = "OK", message: str = "", status: int = 200, **more: object
    ) -> web.Response:
        """Return an answer as the contract shapes it."""
        sandbox = self._sandbox
        request_id = f"{sandbox.settings.seed}-{sandbox.counts['requests']}"
        body = envelope(sandbox.settings.name, code, message, request_id, **more)
        return web.Response(body=body, status=status, content_type="application/json")

    @web.middleware
    async def guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Let authentic requests in, and shape what aiohttp answers by itself."""
        sandbox = self._sandbox
        try:
            if request.path.startswith("/sms/"):
                sandbox.counts["requests"] += 1
                body = await request.read()
                problem = sandbox.gate.problem(request, body, sandbox.clock())
                if problem:
                    sandbox.counts["unauthorized"] += 1
                    return self.answer("FORBIDDEN", problem, 401)
                if sandbox.settings.answer_milliseconds:
                    await asyncio.sleep(sandbox.settings.answer_milliseconds / 1000)
            return await handler(request)
        except InvalidValue as refusal:
            return self.answer("BAD_PARAMS", refusal.sentence, 400)
        except web.HTTPException as refusal:
            code = "NOT_FOUND" if refusal.status == web.HTTPNotFound.status_code else "BAD_PARAMS"
            return self.answer(code, refusal.reason, refusal.status)

    async def send(self, request: web.Request) -> web.Response:
        """Take a request, or give the answer that was given under its batch id if it honours it."""
        sandbox = self._sandbox
        send = _read_send(await request.read())
        if len(send.messages) > sandbox.settings.max_batch:
            problem = f"messages: at most {sandbox.settings.max_batch} are taken at once"
            return self.answer("BAD_PARAMS", problem, 400)
        problem = sandbox.reply_problem(send)
        if problem:
            return self.answer("BAD_PARAMS", problem, 400)
        kept = sandbox.answers.find(send.batch_id)
        if kept is not None and sandbox.settings.idempotency:
            sandbox.counts["replayed_requests"] += 1
            return web.Response(body=kept, content_type="application/json")
        refused = self._turned_away(send)
        if refused is not None:
            return refused
        response = self.answer(results=sandbox.take(send))
        assert isinstance(response.body, bytes)  # noqa: S101 - made just above
        sandbox.answers.keep(send.batch_id, response.body)
        if cuts_after_accept(sandbox.settings, send.messages[0].message_id):
            sandbox.counts["cut_after_accept"] += 1
            if request.transport is not None:
                request.transport.abort()
        return response

    def _turned_away(self, send: SandboxSend) -> web.Response | None:
        """Return the answer that turns a whole request away, if one does."""
        sandbox = self._sandbox
        status, reason = sandbox.signature_status(send.sign_name)
        if status != "approved":
            return self.answer("SIGN_NOT_APPROVED", f"The signature is {status}: {reason}.")
        template = sandbox.templates.find(send.template_code)
        if template is None:
            return self.answer("TEMPLATE_NOT_APPROVED", "There is no such template.")
        status, reason = template_status(template, sandbox.clock())
        if status != "approved":
            return self.answer("TEMPLATE_NOT_APPROVED", f"The template is {status}. {reason}")
        return self._put_off(send)

    def _put_off(self, send: SandboxSend) -> web.Response | None:
        """Return the answer of a platform that cannot take a request just now, if so."""
        sandbox, settings = self._sandbox, self._sandbox.settings
        if not sandbox.book.has_room(len(send.messages)):
            return self.answer("BUSY", "The sandbox is full. Start a new one.", 503)
        attempt = sandbox.attempt(send.batch_id)
        code = request_code(settings, f"{send.messages[0].message_id}:{attempt}")
        wait_seconds = settings.throttle_milliseconds / 1000
        if code == "OK":
            now = sandbox.clock()
            wait_seconds = sandbox.meter.wait_seconds(
                len(send.messages), settings.rate_per_second, now
            )
            if wait_seconds == 0:
                return None
            code = "THROTTLED"
        sandbox.counts[code] += 1
        more = {"retryAfterMs": max(round(wait_seconds * 1000), 1)} if code == "THROTTLED" else {}
        return self.answer(code, "Not now.", STATUSES[code], **more)

    async def receipts(self, request: web.Request) -> web.Response:
        """Give a page of receipts."""
        sandbox = self._sandbox
        after, limit = _cursor(request)
        rows = sandbox.receipt_rows[after : after + limit]
        items = [sandbox.receipt(row) for row in rows]
        return self.answer(items=items, next=str(after + len(items)))

    async def replies(self, request: web.Request) -> web.Response:
        """Give a page of replies."""
        after, limit = _cursor(request)
        items = self._sandbox.replies[after : after + limit]
        return self.answer(items=items, next=str(after + len(items)))

    async def account(self, request: web.Request) -> web.Response:  # noqa: ARG002 - a handler
        """Give balance, limits and capabilities."""
        settings = self._sandbox.settings
        return self.answer(
            balance=100_000_000,
            ratePerSecond=settings.rate_per_second,
            maxBatch=settings.max_batch,
            capabilities=[*CAPABILITIES, *[HONOURS_KEYS] * settings.idempotency],
        )


def build_application(settings: SandboxSettings, sandbox: Sandbox | None = None) -> web.Application:
    """Return the sandbox as an application; its pushes and clicks run while it runs."""
    world = sandbox or Sandbox(settings)
    doors = Doors(world)
    application = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[doors.guard])
    application.router.add_post("/sms/send", doors.send)
    application.router.add_get("/sms/receipts", doors.receipts, allow_head=False)
    application.router.add_get("/sms/replies", doors.replies, allow_head=False)
    application.router.add_get("/sms/account", doors.account, allow_head=False)
    application.router.add_get("/openapi.json", _openapi, allow_head=False)
    add_review_routes(application.router, world, doors.answer)
    add_witness_routes(application.router, world)
    application.cleanup_ctx.append(_pushing(world))
    return application


def _pushing(
    sandbox: Sandbox,
) -> Callable[[web.Application], AsyncIterator[None]]:
    async def pushing(application: web.Application) -> AsyncIterator[None]:  # noqa: ARG001 - aiohttp
        async with _strangers() as session:
            task = asyncio.create_task(Pushes(sandbox, session).run())
            task.add_done_callback(_say_why)
            yield
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return pushing


def _say_why(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("The sandbox does nothing by itself any more.", exc_info=task.exception())


def _strangers() -> aiohttp.ClientSession:
    # Many people open links: none may carry another's cookies.
    return aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())


async def _openapi(request: web.Request) -> web.Response:  # noqa: ARG001 - a handler
    return web.Response(body=msgspec.json.encode(document()), content_type="application/json")


def _read_send(body: bytes) -> SandboxSend:
    try:
        return _send_body.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidValue("body", str(error)) from None


def _cursor(request: web.Request) -> tuple[int, int]:
    after, limit = request.query.get("after", "") or "0", request.query.get("limit", "1000")
    if not (after.isascii() and after.isdigit() and len(after) <= 12):  # noqa: PLR2004 - a row
        raise InvalidValue("after", "is not a cursor of this platform")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:6]) <= MESSAGES_MAX):
        raise InvalidValue("limit", f"must be 1-{MESSAGES_MAX}")
    return int(after), int(limit)
