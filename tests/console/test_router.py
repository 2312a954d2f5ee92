"""Who gets in, what a form may do, and that no answer leaves without its rules."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import aiohttp
import pytest

from textwave.accounts.operations import Founding
from textwave.accounts.store import add_workspace
from textwave.console.addresses import sign_in_address
from textwave.console.security import POLICY
from textwave.console.session import (
    console_secret,
    console_ticket,
    form_token,
    new_session,
    seal_session,
)
from textwave.console.visit import SESSION_COOKIE
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger

from .conftest import NAME, Served, seed_campaign

BOARD = f"/console/campaigns/{quote(NAME, safe='')}"


def token_of(served: Served, workspace_id: WorkspaceId, ends_at: datetime) -> str:
    secret = console_secret(served.vault.key)
    session = new_session(workspace_id, ends_at - timedelta(hours=12))
    return form_token(secret, session)


async def text_of(client: aiohttp.ClientSession, address: str, status: int = 200) -> str:
    async with client.get(address) as answer:
        assert answer.status == status
        return await answer.text()


async def test_the_root_leads_to_the_sign_in_and_on_to_the_campaigns(
    visitor: aiohttp.ClientSession, served: Served
) -> None:
    async with visitor.get("/") as answer:
        assert answer.url.path == "/console/login"
    form = {"api_key": f" {served.api_key}\n", "next": "/console/campaigns"}
    async with visitor.post("/console/login", data=form) as answer:
        assert answer.url.path == "/console/campaigns"


async def test_a_wrong_key_is_refused_and_opens_nothing(visitor: aiohttp.ClientSession) -> None:
    async with visitor.post("/console/login", data={"api_key": "tw_wrong"}) as answer:
        assert answer.status == 401
        assert SESSION_COOKIE not in answer.cookies
        assert "unknown or was revoked" in await answer.text()


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    visitor: aiohttp.ClientSession, served: Served
) -> None:
    form = {"api_key": served.api_key}
    async with visitor.post("/console/login", data=form, allow_redirects=False) as answer:
        cookie = answer.cookies[SESSION_COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "strict"
    assert cookie["path"] == "/console"
    assert not cookie["secure"]


async def test_behind_an_encrypting_proxy_the_session_cookie_stays_encrypted(
    visitor: aiohttp.ClientSession, served: Served
) -> None:
    form, headers = {"api_key": served.api_key}, {"X-Forwarded-Proto": "https"}
    async with visitor.post(
        "/console/login", data=form, headers=headers, allow_redirects=False
    ) as answer:
        assert answer.cookies[SESSION_COOKIE]["secure"]


@pytest.mark.usefixtures("campaign_id")
async def test_a_ticket_opens_the_board_at_once(
    visitor: aiohttp.ClientSession, served: Served
) -> None:
    link = sign_in_address(
        served.address,
        vault_key=served.vault.key,
        workspace_id=served.workspace_id,
        now=datetime.now(UTC),
        campaign=NAME,
    )
    page = await text_of(visitor, link)
    assert f"url={BOARD}" in page
    assert NAME in await text_of(visitor, BOARD)


async def test_an_old_ticket_leads_to_the_key(
    visitor: aiohttp.ClientSession, served: Served
) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)
    ticket = console_ticket(console_secret(served.vault.key), served.workspace_id, yesterday)
    assert "has ended" in await text_of(visitor, f"/console/login?ticket={ticket}", 401)


async def test_an_ended_session_leads_to_the_sign_in(
    visitor: aiohttp.ClientSession, served: Served
) -> None:
    secret = console_secret(served.vault.key)
    ended = new_session(served.workspace_id, datetime.now(UTC) - timedelta(hours=13))
    visitor.cookie_jar.update_cookies({SESSION_COOKIE: seal_session(secret, ended)})
    async with visitor.get("/console/campaigns") as answer:
        assert answer.url.path == "/console/login"


@pytest.mark.parametrize(
    "next_address",
    ["https://evil.example/", "//evil.example/console/", "/console/\\evil.example", "/api/keys"],
)
async def test_signing_in_never_leads_out_of_the_console(
    visitor: aiohttp.ClientSession, served: Served, next_address: str
) -> None:
    form = {"api_key": served.api_key, "next": next_address}
    async with visitor.post("/console/login", data=form, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/console/campaigns"


@pytest.mark.usefixtures("campaign_id")
async def test_another_workspace_sees_neither_the_campaign_nor_its_numbers(
    visitor: aiohttp.ClientSession, served: Served, ledger: Ledger, founding: Founding
) -> None:
    async with ledger.transaction() as connection:
        other = await add_workspace(
            connection,
            organization_id=founding.organization_id,
            name="other",
            time_zone="UTC",
            default_region="CN",
        )
    sealed = seal_session(console_secret(served.vault.key), new_session(other, datetime.now(UTC)))
    visitor.cookie_jar.update_cookies({SESSION_COOKIE: sealed})
    assert NAME not in await text_of(visitor, "/console/campaigns")
    for page in ("", "/live", "/numbers", "/cancel", "%00"):
        await text_of(visitor, BOARD + page, 404)


@pytest.mark.usefixtures("campaign_id")
@pytest.mark.parametrize("token", ["", "made-up", "of another session"])
async def test_a_form_without_the_sessions_own_token_changes_nothing(
    member: aiohttp.ClientSession, served: Served, ledger: Ledger, token: str
) -> None:
    if token == "of another session":
        token = token_of(served, WorkspaceId(999), datetime.now(UTC) + timedelta(hours=1))
    async with member.post(f"{BOARD}/cancel", data={"token": token}) as answer:
        assert answer.status == 403
    assert await state_of(ledger) == "sending"


@pytest.mark.usefixtures("campaign_id")
async def test_a_form_from_another_site_is_refused(member: aiohttp.ClientSession) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with member.post(f"{BOARD}/pause", headers=headers) as answer:
        assert answer.status == 403


async def test_a_form_is_read_up_to_a_limit(visitor: aiohttp.ClientSession) -> None:
    async with visitor.post("/console/login", data={"api_key": "x" * 10_000}) as answer:
        assert answer.status == 413


@pytest.mark.usefixtures("campaign_id")
async def test_a_move_that_came_too_late_is_explained_on_the_board(
    member: aiohttp.ClientSession, ledger: Ledger
) -> None:
    token = (await text_of(member, BOARD)).split('name="token" value="')[1].split('"')[0]
    async with ledger.transaction() as connection:
        await connection.execute("UPDATE campaign SET state = 'completed'")
    async with member.post(f"{BOARD}/pause", data={"token": token}) as answer:
        assert answer.status == 409
        assert "completed cannot pause" in await answer.text()


@pytest.mark.usefixtures("campaign_id")
async def test_the_board_is_whole_without_javascript(member: aiohttp.ClientSession) -> None:
    page = await text_of(member, BOARD)
    for piece in ("183,114", "云杉小铺", "Phone out of service", "Opted out", "&lt;b&gt;How long"):
        assert piece in page


@pytest.mark.usefixtures("campaign_id")
async def test_a_finished_board_is_refreshed_less_often(
    member: aiohttp.ClientSession, ledger: Ledger
) -> None:
    assert 'hx-trigger="every 1s"' in await text_of(member, f"{BOARD}/live")
    async with ledger.transaction() as connection:
        await connection.execute("UPDATE campaign SET state = 'completed'")
    assert 'hx-trigger="every 5s"' in await text_of(member, f"{BOARD}/live")


async def test_a_second_workspace_page_of_campaigns_follows_the_first(
    member: aiohttp.ClientSession, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    async with ledger.transaction() as connection:
        await seed_campaign(connection, workspace_id, "number 0")
        await connection.execute(
            """
            INSERT INTO campaign (workspace_id, name, type, platform_id, signature_id, template_id,
                                  audience_id, created_by)
            SELECT workspace_id, 'number ' || n, type, platform_id, signature_id, template_id,
                   audience_id, 'test'
            FROM campaign, generate_series(1, 100) n
            """
        )
    first = await text_of(member, "/console/campaigns")
    assert ">number 100</a>" in first
    assert ">number 0</a>" not in first
    older = first.split("?before=")[1].split('"')[0]
    assert ">number 0</a>" in await text_of(member, f"/console/campaigns?before={older}")


@pytest.mark.usefixtures("campaign_id")
@pytest.mark.parametrize(
    "address",
    ["/console/login", "/console/campaigns", BOARD, f"{BOARD}/numbers", "/console/nowhere"],
)
async def test_every_answer_carries_the_strict_policy(
    member: aiohttp.ClientSession, address: str
) -> None:
    async with member.get(address) as answer:
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"


async def test_static_files_are_kept_by_their_version(visitor: aiohttp.ClientSession) -> None:
    page = await text_of(visitor, "/console/login")
    address = page.split('rel="stylesheet" href="')[2].split('"')[0]
    async with visitor.get(address) as answer:
        assert answer.status == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["Content-Security-Policy"] == POLICY


async def test_the_language_can_be_switched(visitor: aiohttp.ClientSession) -> None:
    page = await text_of(visitor, "/console/language?to=zh_CN&next=/console/campaigns")
    assert 'lang="zh-CN"' in page
    assert "登录" in page


async def state_of(ledger: Ledger) -> str:
    async with ledger.transaction() as connection:
        cursor = await connection.execute("SELECT state FROM campaign")
        row = await cursor.fetchone()
    assert row is not None
    return str(row[0])
