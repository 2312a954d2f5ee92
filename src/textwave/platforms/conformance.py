"""The battery that tells whether a platform keeps the third-party contract.

It asks a running implementation over HTTP, rule by rule, and says of each what failed and why.
It sends only to fictitious numbers unless others are given, and deletes the templates it makes.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp

from textwave.kit.refusal import Refusal
from textwave.platforms.contract import PlatformAnsweredNonsense, PlatformRefused
from textwave.platforms.signing import CLOCK_SKEW_SECONDS
from textwave.platforms.thirdparty.adapter import base_url
from textwave.platforms.thirdparty.answers import Answered
from textwave.platforms.thirdparty.callbacks import read_items, receipt_of, reply_of
from textwave.platforms.thirdparty.codes import NOT_FOUND, OK, OUTCOMES, REVIEW_STATES
from textwave.platforms.thirdparty.wire import (
    CONTENT_MAX,
    MESSAGES_MAX,
    REMARK_MAX,
    TEMPLATE_NAME_MAX,
    WireAccount,
    WireAnswer,
    WirePage,
    WireReceipt,
    WireReply,
    WireSignature,
    WireTemplateCode,
    WireTemplateState,
    legible,
)
from textwave.platforms.trial import CONTENT, POLL_SECONDS, RuleBroken, Trial

FICTITIOUS = (8615400000001, 8615400000002, 8615400000003)
PAGES_MAX = 20
PAGE_LIMIT = 2
UNAUTHORIZED = 401


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one rule; `why` says what failed, or what was seen."""

    rule: str
    passed: bool
    why: str


async def check(
    url: str,
    key: str,
    *,
    name: str | None = None,
    signature: str = "Textwave",
    template_code: str = "",
    numbers: Sequence[int] = FICTITIOUS,
    wait_seconds: float = 30.0,
    receipt_wait_seconds: float = 5.0,
    timeout_seconds: float = 15.0,
) -> list[Finding]:
    """Check a platform rule by rule and return a finding for each.

    `name` is the platformName it must answer with; without, it must only be the same everywhere.
    `template_code` is an approved template to send with; without, one is submitted and its
    approval awaited for `wait_seconds`. Receipts are awaited for `receipt_wait_seconds`; that none
    comes is no fault, since the numbers are fictitious.

    Raises:
        InvalidValue: the address is none.
    """
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        trial = Trial(
            session=session,
            url=base_url(url),
            key=key,
            name=name,
            signature=signature,
            template_code=template_code,
            numbers=numbers,
            wait_seconds=wait_seconds,
            receipt_wait_seconds=receipt_wait_seconds,
        )
        findings = [await _try(rule, trial) for rule in RULES if key or rule not in NEED_KEY]
        for code in trial.made:
            await _try(lambda trial, code=code: _forget(trial, code), trial)
        return findings


async def _try(rule: Callable[[Trial], Awaitable[str]], trial: Trial) -> Finding:
    name = getattr(rule, "__name__", "")
    try:
        return Finding(name, passed=True, why=await rule(trial))
    except RuleBroken as broken:
        return Finding(name, passed=False, why=str(broken))
    except PlatformRefused as refused:
        told = f"must succeed, was refused: {refused.platform_code} {refused.detail}"
        return Finding(name, passed=False, why=told)
    except PlatformAnsweredNonsense as nonsense:
        return Finding(name, passed=False, why=nonsense.detail)
    except Refusal as refusal:
        return Finding(name, passed=False, why=legible(refusal.sentence, 300))


async def account_is_told(trial: Trial) -> str:
    account = await trial.get("/sms/account", WireAccount)
    if account.max_batch > MESSAGES_MAX:
        raise RuleBroken(f"maxBatch is {account.max_batch}; at most {MESSAGES_MAX} are allowed")
    return f"{account.rate_per_second} messages/s, {account.max_batch} a request"


async def unsigned_is_refused(trial: Trial) -> str:
    return _refused_401(await trial.ask("GET", "/sms/account", signed=False))


async def wrong_key_is_refused(trial: Trial) -> str:
    return _refused_401(await trial.ask("GET", "/sms/account", key=trial.key + "x"))


async def stale_is_refused(trial: Trial) -> str:
    age_seconds = 2 * CLOCK_SKEW_SECONDS
    _refused_401(await trial.ask("GET", "/sms/account", age_seconds=age_seconds))
    return _refused_401(await trial.ask("GET", "/sms/account", age_seconds=-age_seconds))


async def replayed_is_refused(trial: Trial) -> str:
    nonce = secrets.token_hex(16)
    trial.read(await trial.ask("GET", "/sms/account", nonce=nonce), WireAnswer)
    return _refused_401(await trial.ask("GET", "/sms/account", nonce=nonce))


async def signature_state_is_told(trial: Trial) -> str:
    path = f"/sms/smsSign/{_segment(trial.signature)}"
    answer = await trial.get(path, WireSignature)
    return _known_state("signStatus", answer.sign_status)


async def template_is_created_and_read(trial: Trial) -> str:
    code = await _create(trial)
    answer = await trial.get(f"/sms/smsTemplate/{_segment(code)}", WireTemplateState)
    return _known_state("templateStatus", answer.template_status)


async def template_is_changed(trial: Trial) -> str:
    code = await _create(trial)
    changed = _template(content="Textwave check, changed.")
    answered = await trial.ask("PUT", f"/sms/smsTemplate/{_segment(code)}", changed)
    now = trial.read(answered, WireTemplateCode).template_code
    if now != code:
        trial.made.append(now)
    answer = await trial.get(f"/sms/smsTemplate/{_segment(now)}", WireTemplateState)
    return _known_state("templateStatus", answer.template_status)


async def template_is_deleted(trial: Trial) -> str:
    code = await _create(trial)
    await _forget(trial, code)
    trial.made.remove(code)
    answered = await trial.ask("GET", f"/sms/smsTemplate/{_segment(code)}")
    told = trial.refusal_code(answered)
    if answered.status != 404 or told != NOT_FOUND:  # noqa: PLR2004 - HTTP not found
        raise RuleBroken(
            f"a deleted template must answer 404 {NOT_FOUND}, not {answered.status} {told}"
        )
    return "a deleted template is not found"


async def template_limits_are_kept(trial: Trial) -> str:
    for what, template in (
        ("an empty name", _template(name="")),
        (f"a name of {TEMPLATE_NAME_MAX + 1}", _template(name="n" * (TEMPLATE_NAME_MAX + 1))),
        ("an empty content", _template(content="")),
        (f"a content of {CONTENT_MAX + 1}", _template(content="字" * (CONTENT_MAX + 1))),
        ("an empty remark", _template(remark="")),
        (f"a remark of {REMARK_MAX + 1}", _template(remark="r" * (REMARK_MAX + 1))),
    ):
        answered = await trial.ask("POST", "/sms/smsTemplate", template)
        _must_refuse(trial, answered, what)
    longest = _template("n" * TEMPLATE_NAME_MAX, "字" * CONTENT_MAX, "r" * REMARK_MAX)
    answered = await trial.ask("POST", "/sms/smsTemplate", longest)
    trial.made.append(trial.read(answered, WireTemplateCode).template_code)
    return "the longest are taken, longer and empty ones refused"


async def template_is_reviewed(trial: Trial) -> str:
    if trial.template_code:
        return "an approved template was given"
    code = await _create(trial)
    deadline = time.monotonic() + trial.wait_seconds
    while True:
        answer = await trial.get(f"/sms/smsTemplate/{_segment(code)}", WireTemplateState)
        if answer.template_status == "approved":
            trial.template_code = code
            return "approved"
        if answer.template_status == "rejected" or time.monotonic() > deadline:
            raise RuleBroken(
                f"the template is {answer.template_status} {answer.reason or ''}; name an approved "
                "one, so that sending can be checked"
            )
        await asyncio.sleep(POLL_SECONDS)


async def send_answers_every_message(trial: Trial) -> str:
    messages = [trial.new_message() for _ in range(5)]
    results = await trial.results(messages, secrets.token_hex(16))
    missing = [message for message in messages if int(message["messageId"]) not in results]
    if missing or len(results) != len(messages):
        raise RuleBroken(f"{len(messages)} messages were sent, {len(results)} results came")
    unknown = {code for code in results.values() if code not in OUTCOMES}
    if unknown:
        raise RuleBroken(f"results have codes that the contract does not know: {sorted(unknown)}")
    return "each message has its result"


async def bad_number_is_refused_alone(trial: Trial) -> str:
    good, bad = trial.new_message(), trial.new_message(number="12")
    results = await trial.results([good, bad], secrets.token_hex(16))
    code = results.get(int(bad["messageId"]), "nothing")
    if code != "BAD_NUMBER":
        raise RuleBroken(f"the number “12” must be refused with BAD_NUMBER, not {code}")
    trial.never_sent.add(int(bad["messageId"]))
    return "only the bad one"


async def same_batch_sends_nothing_twice(trial: Trial) -> str:
    account = await trial.get("/sms/account", WireAccount)
    if "idempotency" not in account.capabilities:
        return "not claimed: requests without an answer will be in doubt until receipts settle them"
    batch_id, messages = secrets.token_hex(16), [trial.new_message(), trial.new_message()]
    first = await trial.results(messages, batch_id)
    if await trial.results(messages, batch_id) != first:
        raise RuleBroken("the same batchId got another answer the second time")
    other = trial.new_message()
    if await trial.results([other], batch_id) != first:
        raise RuleBroken("a used batchId with another message did not get its first answer")
    trial.never_sent.add(int(other["messageId"]))
    return "the first answer, again"


async def send_limits_are_kept(trial: Trial) -> str:
    _must_refuse(trial, await trial.send([]), "a send of 0 messages")
    many = [trial.new_message() for _ in range(MESSAGES_MAX + 1)]
    _must_refuse(trial, await trial.send(many), f"a send of {MESSAGES_MAX + 1} messages")
    trial.never_sent.update(int(message["messageId"]) for message in many)
    return f"0 and {MESSAGES_MAX + 1} messages are refused"


async def unknown_template_is_refused_by_code(trial: Trial) -> str:
    message = trial.new_message()
    answered = await trial.send([message], template_code="no-such-template")
    code = trial.refusal_code(answered)
    if code != "TEMPLATE_NOT_APPROVED":
        raise RuleBroken(f"the code must be TEMPLATE_NOT_APPROVED, not {code}")
    trial.never_sent.add(int(message["messageId"]))
    return code


async def receipts_are_paged(trial: Trial) -> str:
    async def page(after: str) -> tuple[list[Any], str]:
        found = await trial.get(
            "/sms/receipts", WirePage[WireReceipt], query=_cursor(after, PAGE_LIMIT)
        )
        items = read_items(found.items, receipt_of)
        wrong = trial.never_sent & {item.message_id for item in items}
        if wrong:
            raise RuleBroken(f"message {min(wrong)} has a receipt but was never accepted")
        return items, found.next

    deadline = time.monotonic() + trial.receipt_wait_seconds
    while not (await page(""))[0] and time.monotonic() < deadline:  # noqa: ASYNC110 - another program
        await asyncio.sleep(POLL_SECONDS)
    return await _walk(page)


async def replies_are_paged(trial: Trial) -> str:
    async def page(after: str) -> tuple[list[Any], str]:
        found = await trial.get(
            "/sms/replies", WirePage[WireReply], query=_cursor(after, PAGE_LIMIT)
        )
        return read_items(found.items, reply_of), found.next

    return await _walk(page)


async def platform_name_is_always_the_same(trial: Trial) -> str:
    seen = sorted(trial.names_seen)
    if not seen:
        raise RuleBroken("no answer could be read")
    if len(seen) > 1:
        raise RuleBroken(f"different answers had different names: {seen}")
    if trial.name is not None and seen != [trial.name]:
        raise RuleBroken(f"platformName is {seen}, configured is “{trial.name}”")
    return f"always {seen}"


async def _walk(page: Callable[[str], Awaitable[tuple[list[Any], str]]]) -> str:
    """Follow the cursors; a page may be empty only if its cursor stays, and pages are stable."""
    after, cursors, count = "", set[str](), 0
    for _ in range(PAGES_MAX):
        items, following = await page(after)
        if len(items) > PAGE_LIMIT:
            raise RuleBroken(f"limit {PAGE_LIMIT} was asked, {len(items)} items came")
        if not items:
            return f"{count} items seen"
        if following in cursors or following == after:
            raise RuleBroken(f"the cursor “{legible(following, 50)}” came twice: pages go round")
        if len(items) == PAGE_LIMIT and (await page(after))[0] != items:
            raise RuleBroken("the same cursor gave other items the second time")
        cursors.add(following)
        after, count = following, count + len(items)
    return f"{count} items seen"


async def _create(trial: Trial) -> str:
    answered = await trial.ask("POST", "/sms/smsTemplate", _template())
    code = trial.read(answered, WireTemplateCode).template_code
    trial.made.append(code)
    return code


async def _forget(trial: Trial, code: str) -> str:
    path = f"/sms/smsTemplate/{_segment(code)}"
    trial.read(await trial.ask("DELETE", path), WireAnswer)
    return "deleted"


def _template(
    name: str = "textwave check",
    content: str = CONTENT,
    remark: str = "conformance check",
) -> dict[str, Any]:
    return {
        "templateName": name,
        "templateContent": content,
        "templateType": 1,
        "remark": remark,
    }


def _refused_401(answered: Answered) -> str:
    if answered.status != UNAUTHORIZED:
        raise RuleBroken(f"must be refused with 401, was answered {answered.status}")
    return "refused with 401"


def _must_refuse(trial: Trial, answered: Answered, what: str) -> None:
    if trial.refusal_code(answered) == OK:
        raise RuleBroken(f"{what} was accepted")


def _known_state(where: str, state: str) -> str:
    if state not in REVIEW_STATES:
        raise RuleBroken(f"{where} is “{legible(state, 30)}”, not one of {sorted(REVIEW_STATES)}")
    return state


def _segment(text: str) -> str:
    return quote(text, safe="")


def _cursor(after: str, limit: int) -> str:
    return f"&after={_segment(after)}&limit={limit}"


NEED_KEY = (unsigned_is_refused, wrong_key_is_refused, stale_is_refused, replayed_is_refused)
RULES: tuple[Callable[[Trial], Awaitable[str]], ...] = (
    account_is_told,
    *NEED_KEY,
    signature_state_is_told,
    template_is_created_and_read,
    template_is_changed,
    template_is_deleted,
    template_limits_are_kept,
    template_is_reviewed,
    send_answers_every_message,
    bad_number_is_refused_alone,
    same_batch_sends_nothing_twice,
    send_limits_are_kept,
    unknown_template_is_refused_by_code,
    receipts_are_paged,
    replies_are_paged,
    platform_name_is_always_the_same,
)
