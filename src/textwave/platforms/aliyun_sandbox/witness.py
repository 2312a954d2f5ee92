"""The stand-in as a witness: what it really took and did, and knobs to turn while it runs."""

import dataclasses
from typing import Annotated, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta, Struct

from textwave.kit.refusal import InvalidValue
from textwave.platforms.aliyun_sandbox.book import Taken
from textwave.platforms.aliyun_sandbox.faults import Turn, refusals
from textwave.platforms.aliyun_sandbox.numbers import read_number, write_number
from textwave.platforms.aliyun_sandbox.records import (
    OPERATORS,
    VENDORS,
    Registration,
    Standing,
    VendorStanding,
)
from textwave.platforms.aliyun_sandbox.reports import KINDS
from textwave.platforms.aliyun_sandbox.settings import FIXED
from textwave.platforms.aliyun_sandbox.world import StandIn
from textwave.platforms.sandbox.changes import changed

BodyT = TypeVar("BodyT")
PAGE_MAX = 10_000
ROW_DIGITS_MAX = 12
STEPS = ("pushed", "acknowledged", "given_up")
CLICKS = ("made", "failed", "skipped")
TROUBLES = ("dropped", "cut_after_accept", "error_after_accept")
OTHERS = ("calls", "SendSms", "SendBatchSms", "duplicate_receipts", "push_failures", "replies")
SKIPPED = ("events_skipped", "reports_skipped")


class ReplyNow(Struct, rename="camel"):
    """The body of `POST /sandbox/reply`."""

    phone_number: str
    content: Annotated[str, Meta(min_length=1, max_length=1000)]
    sign_name: str = ""


class Decision(Struct):
    """The body of `POST /sandbox/decide`: a signature or a template, and how it stands now.

    `carriers` are those of a signature (mobile, unicom, telecom) or of a digital template
    (MOBILE_VENDOR …) with the service's numbers for how it stands there.
    """

    status: int
    signature: str = ""
    template: str = ""
    reason: str = ""
    carriers: dict[str, int] = msgspec.field(default_factory=dict[str, int])


class Witness:
    """Handlers of the witness's routes."""

    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in

    async def counts(self, request: web.Request) -> web.Response:  # noqa: ARG002 - a handler
        """Say what was received and done."""
        return _json(counts_of(self._stand_in))

    async def messages(self, request: web.Request) -> web.Response:
        """List what was taken, in the order in which it came."""
        book = self._stand_in.book
        after = _whole(request, "after", 0)
        last = min(after + min(_whole(request, "limit", 1000), PAGE_MAX), len(book))
        items = [_listed(book.message(row)) for row in range(after, last)]
        return _json({"items": items, "next": str(after + len(items))})

    async def settings(self, request: web.Request) -> web.Response:
        """Change settings while running."""
        stand_in = self._stand_in
        stand_in.use(changed(stand_in.settings, await request.read(), FIXED))
        shown = dataclasses.asdict(stand_in.settings)
        del shown["key_secret"]
        return _json(shown)

    async def fail(self, request: web.Request) -> web.Response:
        """Let the next calls fail."""
        self._stand_in.faults.next(await _body(request, Turn))
        return _json({})

    async def reply(self, request: web.Request) -> web.Response:
        """Let one phone reply now, to the last signature that it got a message from."""
        wanted = await _body(request, ReplyNow)
        mobile = read_number(wanted.phone_number)
        if mobile is None:
            raise InvalidValue("phoneNumber", "is not a phone number")
        row = next(self._stand_in.book.rows_of(mobile), None)
        if row is None and not wanted.sign_name:
            raise InvalidValue("signName", "must be given: this phone got no message yet")
        signature = wanted.sign_name or self._stand_in.book.signature_of(row or 0)
        return _json({"sequenceId": self._stand_in.reply(mobile, wanted.content, signature)})

    async def decide(self, request: web.Request) -> web.Response:
        """Decide about a signature or a template by hand, and report it."""
        wanted = await _body(request, Decision)
        shelf = self._stand_in.shelf
        signature = shelf.signatures.get(wanted.signature)
        template = shelf.templates.get(wanted.template)
        record = signature or template
        if record is None or wanted.status not in set(Standing):
            raise InvalidValue("body", "must name a signature or a template, and how it stands")
        _check_carriers(wanted)
        record.standing, record.reason = Standing(wanted.status), wanted.reason
        if signature is not None:
            signature.registrations |= wanted.carriers
        if template is not None:
            template.vendors |= wanted.carriers
        shelf.save()
        self._stand_in.announce(record)
        return _json({})


def counts_of(stand_in: StandIn) -> dict[str, object]:
    """Return everything that was counted; `twice` must be 0.

    `twice` counts numbers that came again under an OutId that they had come under before.
    """
    counts, book = stand_in.counts, stand_in.book
    return {
        "messages": len(book),
        "distinct": len(book) - book.twice,
        "twice": book.twice,
        "numbers": book.numbers,
        "accepted_calls": book.calls,
        "statuses": {name: counts[name] for name in ("delivered", "failed")},
        "refused": refusals(stand_in.refused),
        "queues": {kind: len(stand_in.queues.by_kind[kind]) for kind in KINDS},
        "deleted": {kind: stand_in.queues.by_kind[kind].deleted for kind in KINDS},
        **{name: counts[name] for name in (*TROUBLES, *OTHERS, *SKIPPED)},
        **{kind: {step: counts[f"{kind}_{step}"] for step in STEPS} for kind in KINDS},
        "clicks": {end: counts[f"clicks_{end}"] for end in CLICKS},
    }


def add_witness_routes(router: web.UrlDispatcher, stand_in: StandIn) -> None:
    """Add the routes of the witness."""
    witness = Witness(stand_in)
    router.add_get("/sandbox/counts", witness.counts, allow_head=False)
    router.add_get("/sandbox/messages", witness.messages, allow_head=False)
    router.add_post("/sandbox/settings", witness.settings)
    router.add_post("/sandbox/fail", witness.fail)
    router.add_post("/sandbox/reply", witness.reply)
    router.add_post("/sandbox/decide", witness.decide)


def _check_carriers(wanted: Decision) -> None:
    """Accept carriers as the service names and numbers them, for what is decided about."""
    names = set(OPERATORS) if wanted.signature else set(VENDORS)
    states = set(Registration) if wanted.signature else set(VendorStanding)
    if not (set(wanted.carriers) <= names and set(wanted.carriers.values()) <= states):
        raise InvalidValue("carriers", f"must be some of {', '.join(names)} with known numbers")


def _listed(message: Taken) -> dict[str, object]:
    return {
        "phoneNumber": write_number(message.mobile),
        "content": message.content,
        "signName": message.signature,
        "templateCode": message.call.template_code,
        "outId": message.call.out_id,
        "bizId": message.call.biz_id,
        "fate": message.fate.name,
        "error": message.error,
        "parts": message.parts,
    }


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")


async def _body(request: web.Request, type_: type[BodyT]) -> BodyT:
    try:
        return msgspec.json.decode(await request.read(), type=type_)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidValue("body", str(error)) from None


def _whole(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= ROW_DIGITS_MAX):
        raise InvalidValue(name, "must be a whole number")
    return int(text)
