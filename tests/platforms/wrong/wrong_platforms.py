"""A deliberately wrong platform for each rule of the battery: the sandbox with one thing broken."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from platform_stage import APPROVED, KEY, QUIET

from textwave.platforms.sandbox.gate import Gate, signed_request
from textwave.platforms.sandbox.messages import AnswerBook
from textwave.platforms.sandbox.outgoing import SandboxReceipt, SandboxSend
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.templates import Template, TemplateShelf
from textwave.platforms.sandbox.world import Sandbox
from textwave.platforms.signing import RequestNotAuthentic, SignatureMode, SignedRequest, verify

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Middleware = Callable[..., Awaitable[web.StreamResponse]]
Change = Callable[[web.Request, dict[str, Any]], int | None]


@dataclass
class Wrong:
    """What is broken, and which rules more than the one it is for cannot hold either.

    `given`: it is checked with a template that is approved already. `pushing`: with a listener.
    """

    sandbox: type[Sandbox] = Sandbox
    settings: dict[str, Any] = field(default_factory=dict[str, Any])
    prepare: Callable[[Sandbox], None] = lambda _: None
    middleware: Middleware | None = None
    also: frozenset[str] = frozenset()
    given: bool = False
    pushing: bool = False

    def world(self, **more: Any) -> Sandbox:
        """Return the sandbox with its fault."""
        world = self.sandbox(SandboxSettings(**(QUIET | self.settings | more)))
        if self.given:
            world.templates.put(Template(APPROVED, "a", "b", 1, "c", 0.0))
        self.prepare(world)
        return world


def answering(change: Change) -> Middleware:
    """Return a middleware that changes the JSON of every answer, and the status if one comes."""

    @web.middleware
    async def alter(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        assert isinstance(response, web.Response)
        assert isinstance(response.body, bytes)
        body = json.loads(response.body)
        status = change(request, body)
        return web.json_response(body, status=status or response.status)

    return alter


def setting(path: str, **values: Any) -> Middleware:
    """Return a middleware that sets fields in the answers of a path."""

    def change(request: web.Request, body: dict[str, Any]) -> None:
        if request.path == path:
            body.update(values)

    return answering(change)


class LaxGate(Gate):
    """Takes as authentic what `view` makes of a request, under any of its keys."""

    keys: tuple[str, ...] = (KEY,)

    def problem(self, request: web.Request, body: bytes, now: float) -> str:
        seen, now = self.view(signed_request(request, body), request, now)
        mode = SignatureMode.strict if seen.textwave_signature else SignatureMode.qa_only
        problem = ""
        for key in self.keys:
            try:
                nonce = verify(seen, key=key, now=datetime.fromtimestamp(now, UTC), mode=mode)
            except RequestNotAuthentic as refusal:
                problem = refusal.sentence
            else:
                return "" if self._is_new(nonce, now) else "replayed"
        return problem

    def view(
        self, seen: SignedRequest, request: web.Request, now: float
    ) -> tuple[SignedRequest, float]:
        assert request
        return seen, now


def blind(seen: SignedRequest) -> SignedRequest:
    """Return a request as if nobody had signed its body and path."""
    return SignedRequest(
        seen.method, seen.path, seen.timestamp, seen.nonce, seen.qa_signature, "", seen.body
    )


class OpenGate(LaxGate):
    def problem(self, request: web.Request, body: bytes, now: float) -> str:
        signed = "X-QA-Hmac-Signature" in request.headers
        return super().problem(request, body, now) if signed else ""


class GateOfTwoKeys(LaxGate):
    keys = (KEY, KEY + "x")


class TimelessGate(LaxGate):
    def view(
        self, seen: SignedRequest, request: web.Request, now: float
    ) -> tuple[SignedRequest, float]:
        assert request
        return seen, float(seen.timestamp) if seen.timestamp.isdigit() else now


class ForgetfulGate(Gate):
    def _is_new(self, nonce: str, now: float) -> bool:
        return bool(nonce) and now > 0


class BlindToBodies(LaxGate):
    def view(
        self, seen: SignedRequest, request: web.Request, now: float
    ) -> tuple[SignedRequest, float]:
        assert request
        return (blind(seen) if seen.body else seen), now


class BlindToPaths(LaxGate):
    def view(
        self, seen: SignedRequest, request: web.Request, now: float
    ) -> tuple[SignedRequest, float]:
        assert request
        return (seen if seen.body else blind(seen)), now


class DecodingGate(LaxGate):
    def view(
        self, seen: SignedRequest, request: web.Request, now: float
    ) -> tuple[SignedRequest, float]:
        decoded = SignedRequest(
            seen.method,
            request.path,
            seen.timestamp,
            seen.nonce,
            seen.qa_signature,
            seen.textwave_signature,
            seen.body,
        )
        return decoded, now


def with_gate(gate: type[Gate]) -> Wrong:
    def prepare(world: Sandbox) -> None:
        world.gate = gate(KEY)

    return Wrong(prepare=prepare)


class CodeByName(TemplateShelf):
    def new_code(self, name: str) -> str:
        return f"SMS_{len(name)}"


class KeepingShelf(TemplateShelf):
    def remove(self, code: str) -> None:
        assert code


def with_shelf(shelf: type[TemplateShelf]) -> Wrong:
    def prepare(world: Sandbox) -> None:
        world.templates = shelf(1, "")

    return Wrong(prepare=prepare)


class ForgetfulBook(AnswerBook):
    def keep(self, batch_id: str, answer: bytes) -> None:
        assert batch_id
        assert answer


def forget_answers(world: Sandbox) -> None:
    world.answers = ForgetfulBook(1)


class RacingBook(AnswerBook):
    """Forgets what it knows while two sends are under way."""

    under_way = 0

    def find(self, batch_id: str) -> bytes | None:
        return None if self.under_way > 1 else super().find(batch_id)


def race() -> Wrong:
    book = RacingBook(1000)

    @web.middleware
    async def slowly(request: web.Request, handler: Handler) -> web.StreamResponse:
        book.under_way += request.path == "/sms/send"
        await asyncio.sleep(0.02)
        try:
            return await handler(request)
        finally:
            await asyncio.sleep(0.02)
            book.under_way -= request.path == "/sms/send"

    def prepare(world: Sandbox) -> None:
        world.answers = book

    return Wrong(prepare=prepare, middleware=slowly)


def remembering_refusals() -> Middleware:
    refused: dict[str, bytes] = {}

    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = await handler(request)
        if request.path != "/sms/send" or response.status >= 400:
            return response
        assert isinstance(response, web.Response)
        assert isinstance(response.body, bytes)
        key = json.loads(await request.read())["batchId"]
        if json.loads(response.body)["code"] != "OK":
            refused[key] = response.body
        body = refused.get(key, response.body)
        return web.Response(body=body, content_type="application/json")

    return refuse


def throttling_once() -> Middleware:
    seen = set[str]()

    @web.middleware
    async def throttle(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path == "/sms/send":
            key = json.loads(await request.read())["batchId"]
            if key not in seen:
                seen.add(key)
                body = {"platformName": "sandbox", "code": "THROTTLED", "message": ""}
                return web.json_response(body | {"requestId": "1"}, status=429)
        return await handler(request)

    return throttle


class AnswersManyAtOnce(Sandbox):
    def reply_problem(self, send: SandboxSend) -> str:
        assert send
        return ""


class PushesOnce(Sandbox):
    @property
    def pushes(self) -> bool:
        return not self.counts["push_failures"]


class ReportsDone(Sandbox):
    def receipt(self, row: int) -> SandboxReceipt:
        receipt = super().receipt(row)
        receipt.status = "DONE"
        return receipt


# What is said on the wire, answer by answer.


def missing_result(_: web.Request, body: dict[str, Any]) -> None:
    if len(body.get("results", [])) == 5:
        body["results"].pop()


def takes_bad_numbers(_: web.Request, body: dict[str, Any]) -> None:
    for result in body.get("results", []):
        result["code"] = "OK"


def ids_as_floats(_: web.Request, body: dict[str, Any]) -> None:
    for result in body.get("results", []):
        result["messageId"] = int(float(result["messageId"]))


def takes_empty_sends(request: web.Request, body: dict[str, Any]) -> int | None:
    if request.path == "/sms/send" and body["code"] == "BAD_PARAMS" and "length" in body["message"]:
        body["code"] = "OK"
        return 200
    return None


def takes_any_template(request: web.Request, body: dict[str, Any]) -> int | None:
    too_long = body["code"] == "BAD_PARAMS" and "length" in body["message"]
    if request.path == "/sms/smsTemplate" and too_long:
        body.update(code="OK", templateCode="T")
        return 200
    return None


def breaks_down(request: web.Request, body: dict[str, Any]) -> int | None:
    malformed = "length" not in body.get("message", "") and "int" not in body.get("message", "")
    if request.path == "/sms/smsTemplate" and body["code"] == "BAD_PARAMS" and malformed:
        body["code"] = "INTERNAL"
        return 500
    return None


def changes_anything(request: web.Request, body: dict[str, Any]) -> int | None:
    if request.method == "PUT" and body["code"] == "NOT_FOUND":
        body.update(code="OK", templateCode="T")
        return 200
    return None


def changed_without_code(request: web.Request, body: dict[str, Any]) -> None:
    if request.method == "PUT" and body["code"] == "OK":
        del body["templateCode"]


def states_of_its_own(_: web.Request, body: dict[str, Any]) -> None:
    if "templateStatus" in body:
        body["templateStatus"] = "AUDIT_STATE_PASS"


def refuses_in_other_words(_: web.Request, body: dict[str, Any]) -> None:
    if body["code"] == "TEMPLATE_NOT_APPROVED":
        body["code"] = "NO"


def duplicate_batch() -> Change:
    known = set[str]()

    def change(request: web.Request, body: dict[str, Any]) -> None:
        if request.path == "/sms/send" and body["code"] == "OK":
            if body["requestId"] in known:
                body.update(code="DUPLICATE_BATCH", results=[])
            known.add(body["requestId"])

    return change


def receipts_changed(change: Callable[[dict[str, Any]], None]) -> Middleware:
    def alter(request: web.Request, body: dict[str, Any]) -> None:
        if request.path == "/sms/receipts":
            for item in body["items"]:
                change(item)

    return answering(alter)


def without_zone(item: dict[str, Any]) -> None:
    item["reportedAt"] = item["reportedAt"].removesuffix("Z")


def in_another_zone(item: dict[str, Any]) -> None:
    item["reportedAt"] = item["reportedAt"].replace("Z", "+08:00")


def of_another_number(item: dict[str, Any]) -> None:
    item["phoneNumber"] = "16412345678"


def never_the_same() -> Callable[[dict[str, Any]], None]:
    count = iter(range(10_000))

    def change(item: dict[str, Any]) -> None:
        item["errorCode"] = str(next(count))

    return change


def long_pages(request: web.Request, body: dict[str, Any]) -> None:
    if request.path == "/sms/receipts":
        body["items"] = body["items"] * 3


def cursors_go_round(request: web.Request, body: dict[str, Any]) -> None:
    if request.path == "/sms/receipts":
        body["next"] = "0"


def nameless_requests(_: web.Request, body: dict[str, Any]) -> None:
    del body["requestId"]


NEED_TEMPLATE = frozenset(
    {
        "send_answers_every_message",
        "bad_number_is_refused_alone",
        "large_ids_are_kept",
        "largest_send_is_taken",
        "same_batch_sends_nothing_twice",
        "same_batch_at_once_is_sent_once",
        "refused_batch_may_come_again",
    }
)
READ_RECEIPTS = frozenset(
    {
        "receipts_are_told",
        "receipts_name_accepted_messages_only",
        "receipts_have_their_time",
        "refused_push_comes_again",
    }
)
WRONG: dict[str, Callable[[], Wrong]] = {
    "account_is_told": lambda: Wrong(
        middleware=setting("/sms/account", maxBatch=1001),
        also=frozenset({"largest_send_is_taken"}),
    ),
    "unsigned_is_refused": lambda: with_gate(OpenGate),
    "wrong_key_is_refused": lambda: with_gate(GateOfTwoKeys),
    "stale_is_refused": lambda: with_gate(TimelessGate),
    "replayed_is_refused": lambda: with_gate(ForgetfulGate),
    "altered_body_is_refused": lambda: with_gate(BlindToBodies),
    "signature_of_another_request_is_refused": lambda: with_gate(BlindToPaths),
    "path_is_signed_as_sent": lambda: with_gate(DecodingGate),
    "signature_state_is_told": lambda: Wrong(
        middleware=setting("/sms/smsSign/Textwave", signStatus="AUDIT_STATE_PASS")
    ),
    "template_is_created_and_read": lambda: Wrong(
        middleware=answering(states_of_its_own),
        given=True,
        also=frozenset({"template_is_changed"}),
    ),
    "each_template_has_its_own_code": lambda: with_shelf(CodeByName),
    "template_is_changed": lambda: Wrong(middleware=answering(changed_without_code)),
    "template_is_deleted": lambda: with_shelf(KeepingShelf),
    "unknown_template_is_not_found": lambda: Wrong(middleware=answering(changes_anything)),
    "template_limits_are_kept": lambda: Wrong(middleware=answering(takes_any_template)),
    "malformed_body_is_refused": lambda: Wrong(middleware=answering(breaks_down)),
    "template_is_reviewed": lambda: Wrong(settings={"review_seconds": 3600.0}, also=NEED_TEMPLATE),
    "send_answers_every_message": lambda: Wrong(middleware=answering(missing_result)),
    "bad_number_is_refused_alone": lambda: Wrong(middleware=answering(takes_bad_numbers)),
    "large_ids_are_kept": lambda: Wrong(middleware=answering(ids_as_floats)),
    "largest_send_is_taken": lambda: Wrong(
        settings={"max_batch": 500}, middleware=setting("/sms/account", maxBatch=1000)
    ),
    "send_limits_are_kept": lambda: Wrong(middleware=answering(takes_empty_sends)),
    "reply_takes_one_message": lambda: Wrong(sandbox=AnswersManyAtOnce),
    "unknown_template_is_refused_by_code": lambda: Wrong(
        middleware=answering(refuses_in_other_words)
    ),
    "same_batch_sends_nothing_twice": lambda: Wrong(
        prepare=forget_answers, also=frozenset({"same_batch_at_once_is_sent_once"})
    ),
    "same_batch_at_once_is_sent_once": race,
    "refused_batch_may_come_again": lambda: Wrong(middleware=remembering_refusals()),
    "throttled_says_when": lambda: Wrong(middleware=throttling_once()),
    "receipts_are_told": lambda: Wrong(middleware=receipts_changed(without_zone)),
    "replies_are_told": lambda: Wrong(middleware=setting("/sms/replies", items=[{"content": "T"}])),
    "pages_keep_their_limit": lambda: Wrong(middleware=answering(long_pages)),
    "cursors_lead_on": lambda: Wrong(middleware=answering(cursors_go_round)),
    "same_cursor_gives_the_same_page": lambda: Wrong(middleware=receipts_changed(never_the_same())),
    "receipts_name_accepted_messages_only": lambda: Wrong(
        middleware=receipts_changed(of_another_number)
    ),
    "receipts_have_their_time": lambda: Wrong(middleware=receipts_changed(in_another_zone)),
    "refused_push_comes_again": lambda: Wrong(sandbox=PushesOnce, pushing=True),
    "pushes_are_signed": lambda: Wrong(settings={"push_key": "another"}, pushing=True),
    "pushes_are_readable": lambda: Wrong(
        sandbox=ReportsDone,
        settings={"review_seconds": 3600.0},
        given=True,
        pushing=True,
        also=READ_RECEIPTS,
    ),
    "every_answer_is_whole": lambda: Wrong(middleware=answering(nameless_requests)),
    "platform_name_is_always_the_same": lambda: Wrong(
        middleware=setting("/sms/send", platformName="sms gateway")
    ),
}
"""A wrong platform by the rule that must catch it."""
