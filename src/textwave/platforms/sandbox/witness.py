"""The sandbox as a witness: what it really received and did, and knobs to turn while it runs."""

import dataclasses
import itertools

import msgspec
from aiohttp import web
from msgspec import Struct

from textwave.kit.refusal import InvalidValue
from textwave.platforms.sandbox.chance import Fate
from textwave.platforms.sandbox.changes import changed
from textwave.platforms.sandbox.settings import FIXED
from textwave.platforms.sandbox.world import Sandbox
from textwave.platforms.thirdparty.mobiles import read_mobile, write_mobile
from textwave.platforms.thirdparty.wire import ReplyText

PAGE_MAX = 10_000
ROW_DIGITS_MAX = 12
STATUSES = ("DELIVERED", "FAILED", "EXPIRED")
REFUSALS = ("THROTTLED", "BUSY", "INTERNAL", "BAD_NUMBER", "BLACKLISTED", "BAD_PARAMS")
STREAMS = ("receipts", "replies", "reviews")
STEPS = ("pushed", "acknowledged", "given_up")
CLICKS = ("made", "failed", "skipped")
OTHERS = (
    "requests",
    "unauthorized",
    "replayed_requests",
    "cut_after_accept",
    "duplicate_receipts",
    "push_failures",
    "events_skipped",
    "answers_to_replies",
)


class ReplyNow(Struct, rename="camel"):
    """The body of `POST /sandbox/reply`."""

    phone_number: str
    content: ReplyText
    sign_name: str = ""


class Witness:
    """Handlers of the witness's routes."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._replies = itertools.count(1)

    async def counts(self, request: web.Request) -> web.Response:  # noqa: ARG002 - a handler
        """Say what was received and done."""
        return _json(counts_of(self._sandbox))

    async def messages(self, request: web.Request) -> web.Response:
        """List what was received, in the order in which it came."""
        after, limit = _row(request, "after", 0), _row(request, "limit", 1000)
        items = self._sandbox.book.page(after, min(limit, PAGE_MAX))
        listed = [
            {
                "messageId": str(item.message_id),
                "phoneNumber": write_mobile(item.mobile),
                "content": item.content,
                "signName": item.signature,
                "timesSeen": item.times_seen,
                "fate": Fate(item.fate).name,
            }
            for item in items
        ]
        return _json({"items": listed, "next": str(after + len(items))})

    async def settings(self, request: web.Request) -> web.Response:
        """Change settings while running."""
        sandbox = self._sandbox
        sandbox.settings = changed(sandbox.settings, await request.read(), FIXED)
        shown = dataclasses.asdict(sandbox.settings)
        del shown["key"], shown["push_key"]
        return _json(shown)

    async def reply(self, request: web.Request) -> web.Response:
        """Let one phone reply now, to the last signature that it got a message from."""
        try:
            wanted = msgspec.json.decode(await request.read(), type=ReplyNow)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidValue("body", str(error)) from None
        mobile = read_mobile(wanted.phone_number)
        if mobile is None:
            raise InvalidValue("phoneNumber", "is not a phone number")
        signature = wanted.sign_name or self._last_signature(mobile)
        started = int(self._sandbox.started_at * 1000)
        reply_id = f"now-{started}-{next(self._replies)}"
        kept = self._sandbox.reply(reply_id, mobile, wanted.content, signature)
        return _json({"replyId": reply_id}, 200 if kept else 503)

    def _last_signature(self, mobile: int) -> str:
        row = self._sandbox.book.last_row_of(mobile)
        if row is None:
            raise InvalidValue("signName", "must be given: this phone got no message yet")
        return self._sandbox.book.signature_of(row)


def counts_of(sandbox: Sandbox) -> dict[str, object]:
    """Return everything that was counted; `twice` must be 0."""
    counts, book = sandbox.counts, sandbox.book
    return {
        "messages": book.seen,
        "distinct": len(book),
        "twice": book.twice,
        "statuses": {status: counts[status] for status in STATUSES},
        "refused": {code: counts[code] for code in REFUSALS},
        "waiting_pushes": len(sandbox.unpushed_receipts) + len(sandbox.unpushed_replies),
        "received_replies": len(sandbox.replies),
        **{name: counts[name] for name in OTHERS},
        **{name: {step: counts[f"{name}_{step}"] for step in STEPS} for name in STREAMS},
        "clicks": {end: counts[f"clicks_{end}"] for end in CLICKS},
    }


def add_witness_routes(router: web.UrlDispatcher, sandbox: Sandbox) -> None:
    """Add the routes of the witness."""
    witness = Witness(sandbox)
    router.add_get("/sandbox/counts", witness.counts, allow_head=False)
    router.add_get("/sandbox/messages", witness.messages, allow_head=False)
    router.add_post("/sandbox/settings", witness.settings)
    router.add_post("/sandbox/reply", witness.reply)


def _json(value: object, status: int = 200) -> web.Response:
    body = msgspec.json.encode(value)
    return web.Response(body=body, status=status, content_type="application/json")


def _row(request: web.Request, name: str, default: int) -> int:
    text = request.query.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= ROW_DIGITS_MAX):
        raise InvalidValue(name, "must be a whole number")
    return int(text)
