"""Testing the connection of an account, step by step as far as it goes.

Nothing changes by it, here or there: what is pulled stays where it is. Every step has its limit of
time, and of an answer only the head is read.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp

from textwave.accounts.key_operations import check_administrator
from textwave.accounts.store import Caller
from textwave.connections import store
from textwave.connections.accounts import OpenPlatform, PlatformAccount, ReceiptsBy
from textwave.connections.kinds import is_loopback
from textwave.connections.push import push_addresses
from textwave.connections.testing import (
    About,
    Check,
    ConnectionTest,
    Verdict,
    judge_account,
    judge_callbacks,
    judge_certificate,
    judge_clock,
    judge_refusal,
    skipped,
)
from textwave.kit.refusal import Refusal
from textwave.platforms.contract import NotOffered, Platform
from textwave.storage.ledger import Ledger
from textwave.storage.secrets import Vault

STEP_SECONDS: Final = 5.0
ANSWER_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class _Place:
    host: str
    port: int
    encrypted: bool


async def check_connection(
    ledger: Ledger,
    open_platform: OpenPlatform,
    http: aiohttp.ClientSession,
    vault: Vault,
    *,
    caller: Caller,
    name: str,
    public_url: str,
    now: datetime,
) -> ConnectionTest:
    """Test an account: from its name in the DNS to whether its callbacks are let in.

    `public_url` is where platforms reach this installation.

    Raises:
        AdministratorNeeded, NotFound.
    """
    check_administrator(caller)
    async with ledger.transaction(caller.workspace_id) as connection:
        account = await store.account_named(
            connection, organization_id=caller.organization_id, name=name
        )
        taken_at = await store.callback_taken_at(connection, account.id)
    checks = await _reach(account, now)
    if all(check.verdict is not Verdict.FAILED for check in checks):
        checks.append(await _compare_clocks(account, http))
        checks += await _ask(account, open_platform)
    reachable = not is_loopback(urlsplit(public_url).hostname or "")
    checks.append(judge_callbacks(account, taken_at, reachable=reachable))
    return ConnectionTest(skipped(checks), push_addresses(account, vault, public_url))


async def _reach(account: PlatformAccount, now: datetime) -> list[Check]:
    """Look the host up, connect, and see how it is encrypted; end with what fails."""
    parts = urlsplit(account.base_url)
    encrypted = parts.scheme == "https"
    place = _Place(parts.hostname or "", parts.port or (443 if encrypted else 80), encrypted)
    checks: list[Check] = []
    for step in (_resolve(place), _connect(place), _encrypt(place, now)):
        if checks and checks[-1].verdict is Verdict.FAILED:
            step.close()
        else:
            checks.append(await step)
    return checks


async def _resolve(place: _Place) -> Check:
    try:
        async with asyncio.timeout(STEP_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(
                place.host, place.port, type=socket.SOCK_STREAM
            )
    except (OSError, UnicodeError) as error:
        finding = f"“{place.host}” is not known ({_said(error)})."
        remedy = "Check the spelling of the address, and the DNS of this machine."
        return Check(About.RESOLVES, Verdict.FAILED, finding, remedy)
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    return Check(About.RESOLVES, Verdict.OK, f"“{place.host}” is {', '.join(addresses[:4])}.")


async def _connect(place: _Place) -> Check:
    where = f"{place.host}:{place.port}"
    try:
        async with _opened(place, None):
            return Check(About.CONNECTS, Verdict.OK, f"{where} takes connections.")
    except OSError as error:
        finding = f"{where} takes no connection ({_said(error)})."
        remedy = "Check the port, that the platform runs, and the firewalls on the way."
        return Check(About.CONNECTS, Verdict.FAILED, finding, remedy)


async def _encrypt(place: _Place, now: datetime) -> Check:
    if not place.encrypted:
        if is_loopback(place.host):
            return Check(About.ENCRYPTED, Verdict.OK, "It is on this machine.")
        finding = "Nothing is encrypted: texts and numbers can be read on the way."
        return Check(About.ENCRYPTED, Verdict.WARNING, finding, "Use an https:// address.")
    try:
        async with _opened(place, ssl.create_default_context()) as writer:
            certificate: dict[str, Any] = writer.get_extra_info("peercert") or {}
    except ssl.SSLCertVerificationError as error:
        finding = f"The certificate is not to be trusted: {error.verify_message}."
        remedy = "Have the platform renew or correct it; Textwave sends nothing there until then."
        return Check(About.ENCRYPTED, Verdict.FAILED, finding, remedy)
    except OSError as error:
        finding = f"It does not speak TLS ({_said(error)})."
        return Check(About.ENCRYPTED, Verdict.FAILED, finding, "Check the port of the address.")
    ends_at = ssl.cert_time_to_seconds(certificate["notAfter"])
    return judge_certificate(datetime.fromtimestamp(ends_at, UTC), now)


@asynccontextmanager
async def _opened(
    place: _Place, context: ssl.SSLContext | None
) -> AsyncGenerator[asyncio.StreamWriter]:
    async with asyncio.timeout(STEP_SECONDS):
        _, writer = await asyncio.open_connection(place.host, place.port, ssl=context)
    try:
        yield writer
    finally:
        writer.transport.abort()


async def _compare_clocks(account: PlatformAccount, http: aiohttp.ClientSession) -> Check:
    """Read the time of any answer; what else it says does not matter."""
    timeout = aiohttp.ClientTimeout(total=STEP_SECONDS)
    try:
        async with http.get(account.base_url, timeout=timeout, allow_redirects=False) as answer:
            theirs = _read_time(answer.headers.get("Date", ""))
    except (aiohttp.ClientError, OSError, ValueError):
        theirs = None
    return judge_clock(account.kind, theirs, datetime.now(UTC))


def _read_time(header: str) -> datetime | None:
    try:
        said = parsedate_to_datetime(header)
    except ValueError:
        return None
    return said if said.tzinfo is not None else said.replace(tzinfo=UTC)


async def _ask(account: PlatformAccount, open_platform: OpenPlatform) -> list[Check]:
    try:
        platform = open_platform(account)
        async with asyncio.timeout(ANSWER_SECONDS):
            found = await platform.account()
    except Refusal as refusal:
        return judge_refusal(account, refusal)
    except TimeoutError:
        finding = f"No answer came within {ANSWER_SECONDS:g} s."
        remedy = "Look at the load and the log of the platform."
        return [Check(About.AUTHENTIC, Verdict.FAILED, finding, remedy)]
    return [*judge_account(account, found), await _pull(account, platform)]


async def _pull(account: PlatformAccount, platform: Platform) -> Check:
    """Read one item of what is pulled; a queue keeps what nobody acknowledged."""
    if account.receipts is not ReceiptsBy.PULL:
        return Check(About.PULLED, Verdict.SKIPPED, "They are pushed, none is pulled.")
    try:
        await _bounded(platform.receipts("", 1))
        if account.takes_replies:
            await _bounded(platform.replies("", 1))
    except NotOffered as refusal:
        return Check(About.PULLED, Verdict.FAILED, refusal.sentence, "Let them be pushed.")
    except Refusal as refusal:
        remedy = "Check the options of the account and the rights of its key."
        return Check(About.PULLED, Verdict.FAILED, refusal.sentence, remedy)
    except TimeoutError:
        finding = f"No answer came within {ANSWER_SECONDS:g} s."
        return Check(About.PULLED, Verdict.FAILED, finding, "Look at the log of the platform.")
    return Check(About.PULLED, Verdict.OK, "They can be pulled.")


async def _bounded(call: Awaitable[object]) -> None:
    async with asyncio.timeout(ANSWER_SECONDS):
        await call


def _said(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return f"nothing within {STEP_SECONDS:g} s"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
