"""A connection test finds the one thing that is wrong, and says what to do about it."""

import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.connections.place import GOOD, KEY, NAME, Place, served
from textwave.accounts.key_operations import AdministratorNeeded
from textwave.connections.accounts import NewPlatform, ReceiptsBy, open_platform
from textwave.connections.testing import About, Check, ConnectionTest, Verdict
from textwave.connections.testing_operations import check_connection
from textwave.platforms.sandbox import SandboxSettings, build_application
from textwave.settings import Settings
from textwave.storage.ledger import execute

PUBLIC = "https://sms.example.com"
NOW = datetime.now(UTC)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def look(
    place: Place, http: aiohttp.ClientSession, *, public_url: str = PUBLIC
) -> ConnectionTest:
    opener = partial(open_platform, vault=place.vault, session=http, settings=Settings())
    return await check_connection(
        place.people,
        opener,
        http,
        place.vault,
        caller=place.caller,
        name=NAME,
        public_url=public_url,
        now=datetime.now(UTC),
    )


def on(found: ConnectionTest, about: About) -> Check:
    return next(check for check in found.checks if check.about is about)


def answering(**account: object) -> web.Application:
    """Build a platform whose account says this."""
    made = web.Application()
    body = {
        "platformName": NAME, "code": "OK", "message": "", "requestId": "1", "balance": 5_000,
        "ratePerSecond": 1_000, "maxBatch": 1_000,
        "capabilities": sorted(GOOD.capabilities), **account,
    }  # fmt: skip

    async def said(request: web.Request) -> web.Response:
        del request
        return web.json_response(body, status=200 if body["code"] == "OK" else 403)

    made.router.add_get("/sms/account", said)
    return made


def sandbox(**settings: object) -> web.Application:
    known = SandboxSettings(key=KEY, name=NAME, rate_per_second=500, max_batch=500)
    return build_application(replace(known, **settings))


async def test_a_good_account_passes_and_is_told_what_to_enter(
    place: Place, http: aiohttp.ClientSession
) -> None:
    async with served(sandbox()) as url:
        await place.add(replace(GOOD, base_url=url))
        found = await look(place, http)
    assert found.passed
    assert {check.about for check in found.checks if check.verdict is Verdict.OK} >= {
        About.RESOLVES, About.CONNECTS, About.ENCRYPTED, About.CLOCK, About.AUTHENTIC, About.NAME,
        About.RIGHTS, About.CAPABILITIES, About.LIMITS,
    }  # fmt: skip
    assert found.addresses["receipts"] == f"{PUBLIC}/callbacks/{NAME}/receipts"
    assert on(found, About.CALLBACKS).verdict is Verdict.WARNING


async def test_a_name_that_is_not_known_is_said_and_nothing_else_is_tried(
    place: Place, http: aiohttp.ClientSession
) -> None:
    await place.add(replace(GOOD, base_url="http://nowhere.invalid"))
    found = await look(place, http)
    check = on(found, About.RESOLVES)
    assert (check.verdict, found.passed) == (Verdict.FAILED, False)
    assert "nowhere.invalid" in check.finding
    assert "spelling" in check.remedy
    assert on(found, About.AUTHENTIC).verdict is Verdict.SKIPPED


async def test_a_port_where_nobody_listens_is_said(
    place: Place, http: aiohttp.ClientSession
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        await place.add(replace(GOOD, base_url=f"http://127.0.0.1:{free.getsockname()[1]}"))
        found = await look(place, http)
    assert on(found, About.RESOLVES).verdict is Verdict.OK
    check = on(found, About.CONNECTS)
    assert check.verdict is Verdict.FAILED
    assert "firewall" in check.remedy


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    place: Place, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    runner = web.AppRunner(answering(), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=self_signed(tmp_path)).start()
        await place.add(replace(GOOD, base_url=f"https://127.0.0.1:{runner.addresses[0][1]}"))
        found = await look(place, http)
    finally:
        await runner.cleanup()
    check = on(found, About.ENCRYPTED)
    assert check.verdict is Verdict.FAILED
    assert "self-signed" in check.finding


async def test_plain_http_where_tls_was_meant_is_said(
    place: Place, http: aiohttp.ClientSession
) -> None:
    async with served(answering()) as url:
        await place.add(replace(GOOD, base_url=url.replace("http://", "https://")))
        found = await look(place, http)
    check = on(found, About.ENCRYPTED)
    assert check.verdict is Verdict.FAILED
    assert "TLS" in check.finding


async def test_a_wrong_key_is_said_to_be_one(place: Place, http: aiohttp.ClientSession) -> None:
    async with served(sandbox(key="another key")) as url:
        await place.add(replace(GOOD, base_url=url))
        found = await look(place, http)
    check = on(found, About.AUTHENTIC)
    assert check.verdict is Verdict.FAILED
    assert "Replace the key" in check.remedy


async def test_another_platform_name_is_said_with_both(
    place: Place, http: aiohttp.ClientSession
) -> None:
    async with served(sandbox(name="other")) as url:
        await place.add(replace(GOOD, base_url=url))
        found = await look(place, http)
    check = on(found, About.NAME)
    assert check.verdict is Verdict.FAILED
    assert "“other”" in check.finding
    assert f"“{NAME}”" in check.remedy


@pytest.mark.parametrize(
    ("said", "about", "verdict", "words"),
    [
        ({"balance": 0}, About.BALANCE, Verdict.FAILED, "Top up"),
        ({"balance": None}, About.BALANCE, Verdict.SKIPPED, ""),
        ({"capabilities": ["variables"]}, About.CAPABILITIES, Verdict.FAILED, "connect"),
        ({"ratePerSecond": 3}, About.LIMITS, Verdict.WARNING, "Connect"),
        ({"maxBatch": 3}, About.LIMITS, Verdict.WARNING, "Connect"),
        ({"code": "FORBIDDEN"}, About.AUTHENTIC, Verdict.FAILED, "key"),
        ({"code": "NO_BALANCE"}, About.BALANCE, Verdict.FAILED, "Top up"),
        ({"code": "BUSY"}, About.RIGHTS, Verdict.WARNING, "later"),
        ({"ratePerSecond": "many"}, About.CONNECTS, Verdict.FAILED, "something else"),
    ],
)
async def test_what_the_platform_says_of_the_account_is_compared(
    place: Place,
    http: aiohttp.ClientSession,
    said: dict[str, object],
    about: About,
    verdict: Verdict,
    words: str,
) -> None:
    async with served(answering(**said)) as url:
        await place.add(replace(GOOD, base_url=url))
        found = await look(place, http)
    check = on(found, about)
    assert check.verdict is verdict
    assert words in check.remedy


@pytest.mark.parametrize(
    ("off_seconds", "verdict"), [(60, Verdict.WARNING), (-400, Verdict.FAILED)]
)
async def test_a_clock_that_is_off_is_said(
    place: Place, http: aiohttp.ClientSession, off_seconds: int, verdict: Verdict
) -> None:
    async def tell_time(request: web.Request, answer: web.StreamResponse) -> None:
        del request
        there = datetime.now(UTC) + timedelta(seconds=off_seconds)
        answer.headers["Date"] = there.strftime("%a, %d %b %Y %H:%M:%S GMT")

    application = answering()
    application.on_response_prepare.append(tell_time)
    async with served(application) as url:
        await place.add(replace(GOOD, base_url=url))
        found = await look(place, http)
    check = on(found, About.CLOCK)
    assert check.verdict is verdict
    assert "NTP" in check.remedy


async def test_receipts_that_are_to_be_pulled_are_tried(
    place: Place, http: aiohttp.ClientSession
) -> None:
    pulled: NewPlatform = replace(GOOD, receipts=ReceiptsBy.PULL)
    async with served(sandbox()) as url:
        await place.add(replace(pulled, base_url=url))
        found = await look(place, http)
        assert on(found, About.PULLED).verdict is Verdict.OK
        assert on(found, About.CALLBACKS).verdict is Verdict.SKIPPED
    async with served(answering()) as url:
        other = "UPDATE platform SET base_url = %(url)s"
        async with place.owner.transaction() as connection:
            await execute(connection, other, {"url": url})
        assert on(await look(place, http), About.PULLED).verdict is Verdict.FAILED


async def test_callbacks_that_were_not_let_in_are_said_with_their_reason(
    place: Place, http: aiohttp.ClientSession
) -> None:
    platform = await place.add()
    async with place.people.transaction() as connection:
        for problem in ("it does not fit", "a second one in the same moment"):
            note = "SELECT note_refused_callback(%(id)s, %(problem)s)"
            await connection.execute(note, {"id": platform, "problem": problem})
    check = on(await look(place, http), About.CALLBACKS)
    assert check.verdict is Verdict.FAILED
    assert check.remedy.startswith("it does not fit")
    async with place.owner.transaction() as connection:
        await connection.execute("SELECT store_callback(%s, 'receipts', '')", [platform])
    check = on(await look(place, http), About.CALLBACKS)
    assert check.verdict is Verdict.OK


async def test_addresses_that_only_this_machine_can_call_are_warned_of(
    place: Place, http: aiohttp.ClientSession
) -> None:
    await place.add()
    found = await look(place, http, public_url="http://127.0.0.1:8600")
    assert "TEXTWAVE_PUBLIC_URL" in on(found, About.CALLBACKS).remedy


async def test_who_is_no_administrator_is_not_told(
    place: Place, http: aiohttp.ClientSession
) -> None:
    await place.add()
    with pytest.raises(AdministratorNeeded):
        await look(replace(place, caller=place.marketer), http)


def self_signed(folder: Path) -> ssl.SSLContext:
    """Make a certificate for this machine that only it vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=90))
        .sign(key, hashes.SHA256())
    )
    whole = folder / "certificate.pem"
    form = serialization.Encoding.PEM
    private = key.private_bytes(
        form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    whole.write_bytes(private + made.public_bytes(form))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(whole)
    return context
