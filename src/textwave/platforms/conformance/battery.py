"""Ask a running implementation of the third-party contract over HTTP, rule by rule.

It sends only to fictitious numbers unless others are given, and deletes the templates it makes.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from textwave.kit.refusal import InvalidValue, Refusal
from textwave.platforms.conformance import authentication, reporting, reviewing, sending
from textwave.platforms.conformance.listening import Listener
from textwave.platforms.conformance.trial import RuleBroken, Target, Trial, Unchecked
from textwave.platforms.contract import PlatformAnsweredNonsense, PlatformRefused
from textwave.platforms.thirdparty.adapter import base_url
from textwave.platforms.thirdparty.wire import legible

FICTITIOUS = (8615400000001, 8615400000002, 8615400000003)
PORT_MAX = 65_535
SAID_MAX = 300

Rule = Callable[[Trial], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one rule; `why` says what failed, or what was seen.

    A rule that could not be looked at counts as passed and is not `checked`. `demand` says what
    the rule asks for.
    """

    rule: str
    passed: bool
    why: str
    checked: bool = True
    demand: str = ""

    @property
    def verdict(self) -> str:
        """Return the finding as a word: kept, broken or not checked."""
        if not self.passed:
            return "broken"
        return "kept" if self.checked else "not checked"


async def check(
    url: str,
    key: str,
    *,
    name: str | None = None,
    signature: str = "Textwave",
    template_code: str = "",
    numbers: Sequence[int] = FICTITIOUS,
    qa_only: bool = False,
    listen: str = "",
    wait_seconds: float = 30.0,
    receipt_wait_seconds: float = 5.0,
    push_wait_seconds: float = 90.0,
    timeout_seconds: float = 15.0,
    tell: Callable[[Finding], object] = lambda _: None,
) -> list[Finding]:
    """Check a platform rule by rule and return a finding for each.

    `name` is the platformName it must answer with; without, it must only be the same everywhere.
    `template_code` is an approved template to send with; without, one is submitted and its
    approval awaited for `wait_seconds`. Receipts are awaited for `receipt_wait_seconds`; that none
    comes is no fault, since the numbers are fictitious. `qa_only`: the gateway knows the QA
    signature only. `listen` is host:port where its callbacks are taken; the first one is refused
    and awaited again for `push_wait_seconds`. `tell` hears of each finding at once.

    Raises:
        InvalidValue: the address is none.
    """
    target = Target(
        base_url(url),
        key,
        name,
        signature,
        template_code,
        numbers,
        qa_only,
        wait_seconds,
        receipt_wait_seconds,
        push_wait_seconds,
    )
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(timeout=timeout))
        listener = await stack.enter_async_context(_listening(*_place(listen))) if listen else None
        trial = Trial(session, target, listener, template_code)
        findings: list[Finding] = []
        for rule in RULES:
            if key or rule not in NEED_KEY:
                findings.append(await _try(rule, trial))
                tell(findings[-1])
        for code in trial.made:
            await _try(lambda trial, code=code: reviewing.forget(trial, code), trial)
        return findings


async def _try(rule: Rule, trial: Trial) -> Finding:
    passed, why, checked = await _judge(rule, trial)
    demand = (rule.__doc__ or "").partition("\n")[0]
    return Finding(getattr(rule, "__name__", ""), passed, why, checked, demand)


async def _judge(rule: Rule, trial: Trial) -> tuple[bool, str, bool]:
    """Return whether a rule passed, why, and whether it was looked at."""
    try:
        return True, await rule(trial), True
    except Unchecked as unchecked:
        return True, str(unchecked), False
    except RuleBroken as broken:
        return False, str(broken), True
    except PlatformRefused as refused:
        told = f"must succeed, was refused: {refused.platform_code} {refused.detail}"
        return False, told, True
    except PlatformAnsweredNonsense as nonsense:
        return False, nonsense.detail, True
    except Refusal as refusal:
        return False, legible(refusal.sentence, SAID_MAX), True


@asynccontextmanager
async def _listening(host: str, port: int) -> AsyncGenerator[Listener]:
    listener = Listener(time.time)
    runner = web.AppRunner(listener.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield listener
    finally:
        await runner.cleanup()


def _place(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not (host and port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= PORT_MAX):
        raise InvalidValue("listen", "give host:port, such as 0.0.0.0:8090")
    return host.strip("[]"), int(port)


async def every_answer_is_whole(trial: Trial) -> str:
    """Answer everything with JSON that has platformName, code, message and requestId as text."""
    if not trial.answers:
        raise RuleBroken("no answer came")
    if trial.incomplete:
        more = f" (and {len(trial.incomplete) - 1} more)" if len(trial.incomplete) > 1 else ""
        raise RuleBroken(trial.incomplete[0] + more)
    return "all four, in every answer"


async def platform_name_is_always_the_same(trial: Trial) -> str:
    """Answer with one platformName everywhere: the name that is configured in Textwave."""
    seen = sorted(trial.names_seen)
    if not seen:
        raise RuleBroken("no answer could be read")
    if len(seen) > 1:
        raise RuleBroken(f"different answers had different names: {seen}")
    if trial.target.name is not None and seen != [trial.target.name]:
        raise RuleBroken(f"platformName is {seen}, configured is “{trial.target.name}”")
    return f"always {seen}"


NEED_KEY = (
    authentication.unsigned_is_refused,
    authentication.wrong_key_is_refused,
    authentication.stale_is_refused,
    authentication.replayed_is_refused,
    authentication.altered_body_is_refused,
    authentication.signature_of_another_request_is_refused,
    authentication.path_is_signed_as_sent,
)
RULES: tuple[Rule, ...] = (
    sending.account_is_told,
    *NEED_KEY,
    reviewing.signature_state_is_told,
    reviewing.template_is_created_and_read,
    reviewing.each_template_has_its_own_code,
    reviewing.template_is_changed,
    reviewing.template_is_deleted,
    reviewing.unknown_template_is_not_found,
    reviewing.template_limits_are_kept,
    reviewing.malformed_body_is_refused,
    reviewing.template_is_reviewed,
    sending.send_answers_every_message,
    sending.bad_number_is_refused_alone,
    sending.large_ids_are_kept,
    sending.largest_send_is_taken,
    sending.send_limits_are_kept,
    sending.reply_takes_one_message,
    sending.unknown_template_is_refused_by_code,
    sending.same_batch_sends_nothing_twice,
    sending.same_batch_at_once_is_sent_once,
    sending.refused_batch_may_come_again,
    sending.throttled_says_when,
    reporting.receipts_are_told,
    reporting.replies_are_told,
    reporting.pages_keep_their_limit,
    reporting.cursors_lead_on,
    reporting.same_cursor_gives_the_same_page,
    reporting.receipts_name_accepted_messages_only,
    reporting.receipts_have_their_time,
    reporting.refused_push_comes_again,
    reporting.pushes_are_signed,
    reporting.pushes_are_readable,
    every_answer_is_whole,
    platform_name_is_always_the_same,
)
