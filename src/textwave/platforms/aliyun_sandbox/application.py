"""The stand-in over HTTP: the service at `/`, its queues, and the witness under `/sandbox`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import aiohttp
import msgspec
from aiohttp import web

from textwave.kit.refusal import InvalidValue
from textwave.platforms.aliyun_sandbox import contents, inquiries, sends
from textwave.platforms.aliyun_sandbox.errors import ERRORS, OK, CallRefused
from textwave.platforms.aliyun_sandbox.faults import SENDS, Fault, Trouble
from textwave.platforms.aliyun_sandbox.gate import Gate
from textwave.platforms.aliyun_sandbox.pushes import Pushes
from textwave.platforms.aliyun_sandbox.queue_doors import add_queue_routes
from textwave.platforms.aliyun_sandbox.sends import Answer, Parameters
from textwave.platforms.aliyun_sandbox.settings import StandInSettings
from textwave.platforms.aliyun_sandbox.signing import SignedCall
from textwave.platforms.aliyun_sandbox.witness import add_witness_routes
from textwave.platforms.aliyun_sandbox.world import StandIn

BODY_BYTES_MAX: Final = 16 * 1024 * 1024
FORM: Final = "application/x-www-form-urlencoded"
PARAMETERS_MAX: Final = 2_000

Action = Callable[[StandIn, Parameters], Answer]
ACTIONS: Final[dict[str, Action]] = {
    "SendSms": sends.send_sms,
    "SendBatchSms": sends.send_batch_sms,
    "QuerySendDetails": inquiries.query_send_details,
    "QuerySendStatistics": inquiries.query_send_statistics,
    "QueryTokenForMnsQueue": inquiries.query_token_for_queue,
    "CreateSmsSign": contents.create_sign,
    "UpdateSmsSign": contents.update_sign,
    "GetSmsSign": contents.get_sign,
    "QuerySmsSignList": contents.list_signs,
    "DeleteSmsSign": contents.delete_sign,
    "CreateSmsTemplate": contents.create_template,
    "UpdateSmsTemplate": contents.update_template,
    "GetSmsTemplate": contents.get_template,
    "QuerySmsTemplateList": contents.list_templates,
    "DeleteSmsTemplate": contents.delete_template,
    "CreateDigitalSmsTemplate": contents.create_digital,
}
"""What the stand-in can do of what the service can."""

logger = logging.getLogger(__name__)


class Door:
    """The one address of the service."""

    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in
        settings = stand_in.settings
        self._gate = Gate(settings.key_id, settings.key_secret)

    async def call(self, request: web.Request) -> web.StreamResponse:
        """Do what a call asks for, or refuse it."""
        stand_in = self._stand_in
        stand_in.counts["calls"] += 1
        body = await request.read()
        await _pause(stand_in.settings.answer_milliseconds / 1000)
        try:
            action = self._action(request, body)
            parameters = _parameters(request, body)
            fault = stand_in.faults.of(action, parameters)
            dropped = fault.trouble is Trouble.dropped
            answer = {} if dropped else self._done(action, parameters, fault)
        except CallRefused as refused:
            stand_in.refused[refused.code] += 1
            return self._refusal(refused)
        await _pause(fault.late_seconds)
        if dropped or fault.trouble is Trouble.cut_after_accept:
            stand_in.counts[fault.trouble] += 1
            if request.transport is not None:
                request.transport.abort()
        return self._json(answer)

    def _action(self, request: web.Request, body: bytes) -> str:
        action = self._gate.action_of(_signed(request, body), self._stand_in.clock())
        if action not in ACTIONS:
            raise CallRefused("InvalidAction.NotFound")
        self._stand_in.counts[action] += 1
        return action

    def _done(self, action: str, parameters: Parameters, fault: Fault) -> Answer:
        stand_in = self._stand_in
        if action in SENDS:
            self._meter()
        stand_in.decide_reviews()
        answer = ACTIONS[action](stand_in, parameters)
        if fault.trouble is Trouble.error_after_accept:
            stand_in.counts[fault.trouble] += 1
            raise CallRefused("isp.SYSTEM_ERROR")
        return {"Code": OK, "Message": OK} | answer

    def _meter(self) -> None:
        stand_in = self._stand_in
        rate = stand_in.settings.calls_per_second
        wait_seconds = stand_in.meter.wait_seconds(1, rate, stand_in.clock())
        if wait_seconds > 0:
            raise CallRefused("Throttling.User", "", max(round(wait_seconds * 1000), 1))

    def _refusal(self, refused: CallRefused) -> web.Response:
        more: dict[str, Any] = {"Code": refused.code, "Message": refused.message}
        status = ERRORS[refused.code].status
        if status != 200:  # noqa: PLR2004 - the gateway's own say where they come from
            more["HostId"] = "dysmsapi.aliyuncs.com"
        headers: dict[str, str] = {}
        if refused.retry_after_milliseconds:
            headers["x-acs-retry-after"] = str(refused.retry_after_milliseconds)
        return self._json(more, status, headers)

    def _json(
        self, answer: Answer, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        settings, calls = self._stand_in.settings, self._stand_in.counts["calls"]
        body = msgspec.json.encode({"RequestId": f"{settings.seed}-{calls}"} | answer)
        return web.Response(
            body=body, status=status, headers=headers, content_type="application/json"
        )


def build_application(
    settings: StandInSettings, stand_in: StandIn | None = None
) -> web.Application:
    """Return the stand-in as an application; its pushes and clicks run while it runs."""
    world = stand_in or StandIn(settings)
    application = web.Application(client_max_size=BODY_BYTES_MAX, middlewares=[_explained])
    application.router.add_post("/", Door(world).call)
    add_queue_routes(application.router, world)
    add_witness_routes(application.router, world)
    application.cleanup_ctx.append(_pushing(world))
    return application


@web.middleware
async def _explained(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        return await handler(request)
    except InvalidValue as refusal:
        return web.json_response({"error": refusal.sentence}, status=400)


def _signed(request: web.Request, body: bytes) -> SignedCall:
    path, _, query = request.raw_path.partition("?")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return SignedCall(request.method, path, query, headers, body)


def _parameters(request: web.Request, body: bytes) -> dict[str, str]:
    """Return the parameters of the query and of a form."""
    query = request.raw_path.partition("?")[2]
    form = body.decode(errors="replace") if request.content_type == FORM else ""
    try:
        return {
            name: value
            for text in (query, form)
            for name, value in parse_qsl(
                text, keep_blank_values=True, max_num_fields=PARAMETERS_MAX
            )
        }
    except ValueError:
        raise CallRefused("isv.INVALID_PARAMETERS", "Too many parameters.") from None


async def _pause(seconds: float) -> None:
    if seconds > 0:
        await asyncio.sleep(seconds)


def _pushing(stand_in: StandIn) -> Callable[[web.Application], AsyncIterator[None]]:
    async def pushing(application: web.Application) -> AsyncIterator[None]:  # noqa: ARG001 - aiohttp
        # Many people open links: none may carry another's cookies.
        async with aiohttp.ClientSession(
            auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            task = asyncio.create_task(Pushes(stand_in, session).run())
            task.add_done_callback(_say_why)
            yield
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return pushing


def _say_why(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error("The stand-in does nothing by itself any more.", exc_info=task.exception())
