"""The rules of receipts, replies and review notices, pulled and pushed.

What was pulled is walked once and judged by several rules. That nothing came is no fault, since
the numbers are fictitious; then the rule says that it could not be checked.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from textwave.platforms.conformance.listening import Listener, Push
from textwave.platforms.conformance.trial import POLL_SECONDS, RuleBroken, Step, Trial, Unchecked
from textwave.platforms.contract import Receipt
from textwave.platforms.signing import (
    CLOCK_SKEW_SECONDS,
    RequestNotAuthentic,
    SignatureMode,
    verify,
)
from textwave.platforms.thirdparty.callbacks import (
    parse_receipts,
    parse_replies,
    parse_reviews,
    read_items,
    receipt_of,
    reply_of,
)
from textwave.platforms.thirdparty.mobiles import read_mobile
from textwave.platforms.thirdparty.wire import WirePage, WireReceipt, WireReply, legible

PAGES_MAX = 20
PAGE_LIMIT = 2
HTTP_NOT_FOUND = 404
STREAMS = ("receipts", "replies")
PARSERS: dict[str, Callable[[bytes], Sequence[Any]]] = {
    "receipts": parse_receipts,
    "replies": parse_replies,
    "reviews": parse_reviews,
}


async def receipts_are_told(trial: Trial) -> str:
    """Let receipts be pulled in pages, or push them."""
    return await _walk(trial, "receipts", trial.target.receipt_wait_seconds)


async def replies_are_told(trial: Trial) -> str:
    """Let replies be pulled in pages, or push them."""
    return await _walk(trial, "replies", 0)


async def pages_keep_their_limit(trial: Trial) -> str:
    """Give no more items in a page than were asked for."""
    for stream, step in _steps(trial):
        if len(step.items) > PAGE_LIMIT:
            told = f"limit {PAGE_LIMIT} was asked, {len(step.items)} {stream} came"
            raise RuleBroken(told)
    return _seen(trial)


async def cursors_lead_on(trial: Trial) -> str:
    """Give a cursor that leads on with every page, and one that stays put with an empty page."""
    for stream in STREAMS:
        steps = trial.walks.get(stream, [])
        used = set[str]()
        for step in steps:
            used.add(step.after)
            if step.items and step.next in used:
                told = f"{stream}: the cursor “{legible(step.next, 50)}” came twice"
                raise RuleBroken(f"{told}: pages go round")
        for before, after in pairwise(steps):
            if not before.items and after.items and after.items == steps[0].items:
                raise RuleBroken(f"{stream}: behind an empty page it began from the first again")
    return _seen(trial)


async def same_cursor_gives_the_same_page(trial: Trial) -> str:
    """Give the same items to the same cursor, so that a page that got lost can be asked again."""
    full = 0
    for stream, step in _steps(trial):
        # A page that was not full may have got more since; one that was too long is judged above.
        if len(step.items) != PAGE_LIMIT:
            continue
        if (await _page(trial, stream, step.after)).items != step.items:
            raise RuleBroken(f"{stream}: the same cursor gave other items the second time")
        full += 1
    if not full:
        raise Unchecked(f"no page was full: fewer than {PAGE_LIMIT} items came")
    return f"{full} pages came twice"


async def receipts_name_accepted_messages_only(trial: Trial) -> str:
    """Report no message that was not accepted, and none to another number than its own."""
    receipts = _receipts(trial)
    for receipt in receipts:
        if receipt.message_id in trial.never_sent:
            raise RuleBroken(f"message {receipt.message_id} has a receipt but was never accepted")
        number = trial.sent.get(receipt.message_id)
        if number is None or receipt.mobile is None:
            continue
        if receipt.mobile != read_mobile(number):
            raise RuleBroken(f"message {receipt.message_id} is reported with another number")
    return f"{len(receipts)} receipts fit"


async def receipts_have_their_time(trial: Trial) -> str:
    """Report when a message arrived, by a clock that is right and in a zone that is said."""
    mine = [receipt for receipt in _receipts(trial) if receipt.message_id in trial.sent]
    now = time.time()
    for receipt in mine:
        at = receipt.reported_at.timestamp()
        if not trial.started_at - CLOCK_SKEW_SECONDS <= at <= now + CLOCK_SKEW_SECONDS:
            said = receipt.reported_at.isoformat()
            told = f"message {receipt.message_id} was reported at {said}, now is {_utc(now)}"
            raise RuleBroken(f"{told}; is the zone right?")
    return f"{len(mine)} times fit"


async def refused_push_comes_again(trial: Trial) -> str:
    """Push again, signed anew, what was not acknowledged with 200 and code 0."""
    listener = await _pushed_to(trial)
    first = listener.pushes[0]
    items = PARSERS[first.kind](first.request.body)

    def came_again() -> bool:
        return any(_holds(push, first.kind, items[0]) for push in listener.pushes[1:])

    if not await listener.until(came_again, trial.target.push_wait_seconds):
        seconds = f"{trial.target.push_wait_seconds:g} s"
        raise RuleBroken(f"a push of {first.kind} was refused and did not come again in {seconds}")
    return "came again"


async def pushes_are_signed(trial: Trial) -> str:
    """Sign every push, with a nonce of its own."""
    if not trial.target.key:
        raise Unchecked("authentication is off")
    pushes = (await _pushed_to(trial)).pushes
    mode = SignatureMode.qa_only if trial.target.qa_only else SignatureMode.strict
    nonces = set[str]()
    for push in pushes:
        now = datetime.fromtimestamp(push.seconds, UTC)
        try:
            nonce = verify(push.request, key=trial.target.key, now=now, mode=mode)
        except RequestNotAuthentic as refusal:
            raise RuleBroken(f"a push of {push.kind}: {refusal.sentence}") from None
        if nonce in nonces:
            raise RuleBroken(f"a push of {push.kind} used a nonce for the second time")
        nonces.add(nonce)
    return f"{len(pushes)} pushes were signed"


async def pushes_are_readable(trial: Trial) -> str:
    """Push arrays of 1-1000 items that have their fields."""
    pushes = (await _pushed_to(trial)).pushes
    for push in pushes:
        PARSERS[push.kind](push.request.body)
    kinds = sorted({push.kind for push in pushes})
    return f"{len(pushes)} pushes of {', '.join(kinds)} could be read"


async def _walk(trial: Trial, stream: str, wait_seconds: float) -> str:
    """Follow the cursors, and once behind the first empty page, and keep what came."""
    if trial.listener is not None:
        answered = await trial.ask("GET", f"/sms/{stream}", query=_query(""))
        if answered.status == HTTP_NOT_FOUND:
            await _until_pushed(trial.listener, stream, wait_seconds)
            raise Unchecked(f"{stream} cannot be pulled; they are awaited as pushes")
    first = await _first(trial, stream, wait_seconds)
    steps, cursors = [first], {first.after}
    while len(steps) < PAGES_MAX and steps[-1].next not in cursors:
        cursors.add(steps[-1].next)
        steps.append(await _page(trial, stream, steps[-1].next))
        if not steps[-1].items:
            break
    if not steps[-1].items:
        steps.append(await _page(trial, stream, steps[-1].next))
    trial.walks[stream] = steps
    return f"{sum(len(step.items) for step in steps)} items seen"


async def _until_pushed(listener: Listener, stream: str, wait_seconds: float) -> None:
    def came() -> bool:
        return any(push.kind == stream for push in listener.pushes)

    await listener.until(came, wait_seconds)


async def _first(trial: Trial, stream: str, wait_seconds: float) -> Step:
    deadline = time.monotonic() + wait_seconds
    while True:
        first = await _page(trial, stream, "")
        if len(first.items) >= PAGE_LIMIT or time.monotonic() >= deadline:
            return first
        await asyncio.sleep(POLL_SECONDS)


async def _page(trial: Trial, stream: str, after: str) -> Step:
    query = _query(after)
    if stream == "receipts":
        page = await trial.get("/sms/receipts", WirePage[WireReceipt], query=query)
        return Step(after, read_items(page.items, receipt_of), page.next)
    found = await trial.get("/sms/replies", WirePage[WireReply], query=query)
    return Step(after, read_items(found.items, reply_of), found.next)


def _query(after: str) -> str:
    return f"&after={quote(after, safe='')}&limit={PAGE_LIMIT}"


def _steps(trial: Trial) -> list[tuple[str, Step]]:
    found = [(stream, step) for stream in STREAMS for step in trial.walks.get(stream, [])]
    if not found:
        raise Unchecked("no page could be pulled")
    return found


def _seen(trial: Trial) -> str:
    items = sum(len(step.items) for _, step in _steps(trial))
    if not items:
        raise Unchecked("all pages were empty")
    return f"{items} items in pages of at most {PAGE_LIMIT}"


def _receipts(trial: Trial) -> list[Receipt]:
    """Return every receipt that was pulled or pushed."""
    pulled = [item for step in trial.walks.get("receipts", []) for item in step.items]
    pushes = [] if trial.listener is None else trial.listener.pushes
    bodies = [push.request.body for push in pushes if push.kind == "receipts"]
    found = pulled + [item for body in bodies for item in parse_receipts(body)]
    if not found:
        raise Unchecked("no receipt came: the numbers may be unknown to the carriers")
    return found


async def _pushed_to(trial: Trial) -> Listener:
    listener = trial.listener
    if listener is None:
        raise Unchecked("no address to listen on was given")
    if not await listener.until(lambda: bool(listener.pushes), trial.target.receipt_wait_seconds):
        raise Unchecked("nothing was pushed; is the address entered at the platform?")
    return listener


def _holds(push: Push, kind: str, item: object) -> bool:
    return push.kind == kind and item in PARSERS[kind](push.request.body)


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
