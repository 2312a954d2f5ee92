"""Codes and tokens cannot be walked: the misses of a client are few, and answers tell nothing."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from textwave.kit.clock import FixedClock
from textwave.kit.ids import WorkspaceId
from textwave.links.app import Redirect, Site, open_redirect
from textwave.links.misses import MISSES_AT_ONCE, Misses, client_of
from textwave.shortlinks.links import random_code
from textwave.storage.embedded import DatabaseUrls
from textwave.storage.ledger import Ledger

from .test_redirect import Answer, ask

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
WALKER, SOMEBODY = "8.8.8.8", "9.9.9.9"


@pytest.fixture
async def clock() -> FixedClock:
    return FixedClock(NOW)


async def put_link(ledger: Ledger, workspace_id: WorkspaceId, code: str, url: str) -> None:
    async with ledger.transaction() as connection:
        await connection.execute(
            "INSERT INTO short_link (workspace_id, name, code, long_url, expires_at)"
            " VALUES (%s, %s, %s, %s, %s)",
            [workspace_id, code, code, url, NOW + timedelta(days=1)],
        )


@pytest.fixture
async def redirect(
    ledger: Ledger, urls: DatabaseUrls, workspace_id: WorkspaceId, clock: FixedClock
) -> AsyncIterator[Redirect]:
    """The redirect behind a proxy, with the link good01."""
    await put_link(ledger, workspace_id, "good01", "https://shop.example/spring")
    site = Site("https://d.example.cn", client_header="X-Real-IP")
    async with open_redirect(database_url=urls.web, clock=clock, site=site) as opened:
        yield opened


async def walk(redirect: Redirect, client: str, tries: int) -> list[int]:
    """Guess codes and return the statuses."""
    return [
        (await ask(redirect, f"/{random_code()}", headers={"x-real-ip": client})).status
        for _ in range(tries)
    ]


async def follow(redirect: Redirect, client: str) -> Answer:
    return await ask(redirect, "/good01/AbCd1234", headers={"x-real-ip": client})


async def test_who_guesses_codes_is_soon_answered_nothing_and_others_are_not_held_up(
    redirect: Redirect,
) -> None:
    statuses = await walk(redirect, WALKER, 1_000)
    assert statuses == [404] * MISSES_AT_ONCE + [429] * (1_000 - MISSES_AT_ONCE)
    refused = await follow(redirect, WALKER)
    assert (refused.status, int(refused.headers["retry-after"]) > 0) == (429, True)
    assert (await follow(redirect, SOMEBODY)).status == 302


async def test_misses_come_back_with_time(redirect: Redirect, clock: FixedClock) -> None:
    await walk(redirect, WALKER, 100)
    wait = int((await follow(redirect, WALKER)).headers["retry-after"])
    clock.advance(timedelta(seconds=wait))
    assert (await follow(redirect, WALKER)).status == 302
    assert await walk(redirect, WALKER, 2) == [404, 429]


async def test_a_proxy_that_names_nobody_is_not_slowed_down(redirect: Redirect) -> None:
    for header in ("10.0.0.7", "127.0.0.1", "nonsense"):
        assert set(await walk(redirect, header, MISSES_AT_ONCE + 1)) == {404}


async def test_only_the_last_address_of_the_header_counts_because_clients_write_the_others(
    redirect: Redirect,
) -> None:
    statuses = [
        (await ask(redirect, "/nobody", headers={"x-real-ip": f"1.1.1.{n}, {WALKER}"})).status
        for n in range(MISSES_AT_ONCE + 1)
    ]
    assert statuses[-1] == 429


async def test_a_right_token_and_a_wrong_one_are_answered_alike(redirect: Redirect) -> None:
    answers = [
        await ask(redirect, f"/good01/{token}") for token in ("AbCd1234", "00000000", "x", "")
    ]
    assert len({(one.status, one.body, str(one.headers)) for one in answers}) == 1


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1/", "javascript:alert(1)", "https://d.example.cn/good01"]
)
async def test_a_link_that_came_to_lead_where_none_may_is_ended(
    redirect: Redirect, ledger: Ledger, workspace_id: WorkspaceId, url: str
) -> None:
    await put_link(ledger, workspace_id, "other1", url)
    answer = await ask(redirect, "/other1")
    assert (answer.status, "location" in answer.headers) == (410, False)


@pytest.mark.parametrize(("organization", "status"), [("Textwave", 410), ("Others", 302)])
async def test_a_link_to_a_domain_that_became_one_of_its_own_short_links_is_ended(
    redirect: Redirect, ledger: Ledger, clock: FixedClock, organization: str, status: int
) -> None:
    assert (await follow(redirect, SOMEBODY)).status == 302
    async with ledger.transaction() as connection:
        await connection.execute("INSERT INTO organization (name) VALUES ('Others')")
        await connection.execute(
            "INSERT INTO link_domain (organization_id, host, address)"
            " SELECT id, 'shop.example', 'https://shop.example' FROM organization WHERE name = %s",
            [organization],
        )
    clock.advance(timedelta(seconds=4))
    assert (await follow(redirect, SOMEBODY)).status == status


def test_clients_of_one_site_count_together_and_those_inside_a_network_not_at_all() -> None:
    assert client_of("2001:4860:4860:1::1") == client_of("2001:4860:4860:1:ffff::2") != ""
    assert client_of("2001:4860:4860:2::1") != client_of("2001:4860:4860:1::1")
    assert client_of(" ::ffff:8.8.8.8 ") == client_of("8.8.8.8") == "8.8.8.8"
    assert client_of("192.168.1.1") == client_of("") == client_of("x" * 1_000) == ""


def test_the_table_of_clients_is_bounded() -> None:
    misses = Misses(FixedClock(NOW), at_once=1, clients=2)
    for client in ("a", "b", "c"):
        misses.note(client)
    assert [misses.wait_seconds(client) > 0 for client in ("a", "b", "c")] == [False, True, True]
