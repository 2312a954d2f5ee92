"""The redirect: no 302 without a durable click, small pages for everything else."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from textwave.kit.clock import FixedClock
from textwave.kit.ids import LinkId, WorkspaceId
from textwave.links.app import Redirect, Site, build, open_redirect
from textwave.links.clicks import ClickNotKept, ClickWriter
from textwave.links.store import LinkTarget, NewClick
from textwave.links.targets import LinkTargets
from textwave.storage.embedded import DatabaseUrls
from textwave.storage.ledger import Ledger, value

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
HERE = Site("https://d.example.cn")
CLICK = NewClick(LinkId(1), "token", "GET", "agent", NOW)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


async def ask(
    app: Redirect,
    path: str,
    *,
    query: str = "",
    method: str = "GET",
    agent: str = "a phone",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Make one request as the server does."""
    sent: list[Any] = []

    async def send(event: Any) -> None:
        sent.append(event)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [
            (name.encode(), text.encode())
            for name, text in {"user-agent": agent, **(headers or {})}.items()
        ],
        "client": ("127.0.0.1", 5000),
    }
    await app(scope, send)
    answered = {name.decode(): found.decode() for name, found in sent[0]["headers"]}
    return Answer(sent[0]["status"], answered, sent[1]["body"])


@pytest.fixture
async def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def redirect(
    ledger: Ledger, urls: DatabaseUrls, workspace_id: WorkspaceId, clock: FixedClock
) -> AsyncIterator[Redirect]:
    """The redirect with links good01, gone01 (expired) and shut01 (disabled)."""
    async with ledger.transaction() as connection:
        for code, expires, enabled in (
            ("good01", NOW + timedelta(days=1), True),
            ("gone01", NOW, True),
            ("shut01", NOW + timedelta(days=1), False),
        ):
            await connection.execute(
                "INSERT INTO short_link (workspace_id, name, code, long_url, expires_at, enabled)"
                " VALUES (%s, %s, %s, 'https://shop.example/spring', %s, %s)",
                [workspace_id, code, code, expires, enabled],
            )
    async with open_redirect(database_url=urls.web, clock=clock, site=HERE) as opened:
        yield opened


async def kept(ledger: Ledger) -> list[tuple[str, str, str]]:
    async with ledger.transaction() as connection:
        cursor = await connection.execute(
            "SELECT token, method, user_agent FROM click_inbox ORDER BY id"
        )
        return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]


@pytest.mark.parametrize(
    ("path", "query", "token"),
    [
        ("/good01", "", ""),
        ("/good01/AbCd1234", "", "AbCd1234"),
        ("/good01", "ph=AbCd1234", "AbCd1234"),
        ("/good01", "x=1&ph=AbCd1234&y", "AbCd1234"),
        ("/good01/" + "x" * 500, "", "x" * 32),
        ("/good01/\x00", "", ""),
    ],
)
async def test_every_form_of_a_link_redirects_with_its_click_kept(
    redirect: Redirect, ledger: Ledger, path: str, query: str, token: str
) -> None:
    answer = await ask(redirect, path, query=query)
    assert (answer.status, answer.headers["location"]) == (302, "https://shop.example/spring")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert await kept(ledger) == [(token, "GET", "a phone")]


async def test_a_head_request_is_redirected_and_kept_as_such(
    redirect: Redirect, ledger: Ledger
) -> None:
    assert (await ask(redirect, "/good01/AbCd1234", method="HEAD")).status == 302
    assert await kept(ledger) == [("AbCd1234", "HEAD", "a phone")]


@pytest.mark.parametrize(
    ("path", "status"),
    [("/gone01", 410), ("/shut01/AbCd1234", 410), ("/nobody", 404), ("/", 404), ("/a/b/c", 404)],
)
async def test_ended_and_unknown_links_get_a_page_and_keep_nothing(
    redirect: Redirect, ledger: Ledger, path: str, status: int
) -> None:
    answer = await ask(redirect, path)
    assert answer.status == status
    assert "链接" in answer.body.decode()
    assert await kept(ledger) == []


async def test_other_methods_are_refused(redirect: Redirect) -> None:
    assert (await ask(redirect, "/good01", method="POST")).status == 405


async def test_a_disabled_link_ends_within_seconds(
    redirect: Redirect, ledger: Ledger, clock: FixedClock
) -> None:
    assert (await ask(redirect, "/good01")).status == 302
    async with ledger.transaction() as connection:
        await connection.execute("UPDATE short_link SET enabled = false")
    clock.advance(timedelta(seconds=4))
    assert (await ask(redirect, "/good01")).status == 410


async def test_no_redirect_leaves_while_the_ledger_does_not_take_clicks(
    redirect: Redirect, ledger: Ledger
) -> None:
    assert (await ask(redirect, "/good01")).status == 302
    async with ledger.transaction() as connection:
        await connection.execute("ALTER FUNCTION record_clicks RENAME TO lost")
    answer = await ask(redirect, "/good01/AbCd1234")
    assert (answer.status, answer.headers["retry-after"]) == (503, "2")
    assert "location" not in answer.headers
    async with ledger.transaction() as connection:
        await connection.execute("ALTER FUNCTION lost RENAME TO record_clicks")
    assert (await ask(redirect, "/good01/AbCd1234")).status == 302
    assert len(await kept(ledger)) == 2


async def test_a_lost_connection_is_replaced_and_clicks_go_on(
    redirect: Redirect, web_ledger: Ledger
) -> None:
    assert (await ask(redirect, "/good01")).status == 302
    async with web_ledger.transaction() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user"
            " AND pid <> pg_backend_pid() AND datname = current_database()"
        )
    statuses = {(await ask(redirect, "/good01")).status for _ in range(3)}
    assert statuses <= {302, 503}
    assert (await ask(redirect, "/good01")).status == 302


async def test_many_clicks_at_once_are_all_kept(redirect: Redirect, ledger: Ledger) -> None:
    answers = await asyncio.gather(*(ask(redirect, f"/good01/{i:08}") for i in range(300)))
    assert {answer.status for answer in answers} == {302}
    assert sorted(token for token, _, _ in await kept(ledger)) == [f"{i:08}" for i in range(300)]


async def test_the_merge_of_clicks_is_deferred_once_while_it_waits(
    ledger: Ledger, urls: DatabaseUrls, workspace_id: WorkspaceId, clock: FixedClock
) -> None:
    async with ledger.transaction() as connection:
        await connection.execute(
            "INSERT INTO short_link (workspace_id, name, code, long_url, expires_at) VALUES"
            " (%s, 'x', 'good01', 'https://shop.example/', %s)",
            [workspace_id, NOW + timedelta(days=1)],
        )
    async with open_redirect(database_url=urls.web, clock=clock, site=HERE) as opened:
        for _ in range(5):
            assert (await ask(opened, "/good01")).status == 302
    async with ledger.transaction() as connection:
        jobs = await value(
            connection,
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'responses.merge_clicks'",
        )
    assert jobs == 1


async def test_the_application_opens_and_closes_with_its_server(urls: DatabaseUrls) -> None:
    told: list[str] = []
    events = iter(({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}))

    async def receive() -> Any:
        return next(events)

    async def send(event: Any) -> None:
        told.append(event["type"])

    app = build(database_url=urls.web, clock=FixedClock(NOW), site=HERE)
    await app({"type": "lifespan"}, receive, send)
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def nothing() -> None:
    """Announce to nobody."""


async def test_clicks_that_come_during_a_commit_go_together_in_the_next() -> None:
    groups: list[int] = []
    may_go, began = asyncio.Event(), asyncio.Event()

    async def commit(clicks: Sequence[NewClick]) -> None:
        groups.append(len(clicks))
        began.set()
        await may_go.wait()

    writer = ClickWriter(commit, nothing)
    async with writer.running():
        first = asyncio.create_task(writer.keep(CLICK))
        await began.wait()
        rest = [asyncio.create_task(writer.keep(CLICK)) for _ in range(20)]
        await asyncio.sleep(0)
        assert not first.done()
        may_go.set()
        await asyncio.gather(first, *rest)
    assert groups == [1, 20]


async def test_more_than_the_limit_does_not_wait() -> None:
    writer = ClickWriter(lambda _: asyncio.sleep(0), nothing, waiting=1)
    first = asyncio.create_task(writer.keep(CLICK))
    await asyncio.sleep(0)
    with pytest.raises(ClickNotKept):
        await writer.keep(CLICK)
    async with writer.running():
        await first


async def test_the_memory_of_targets_is_bounded_and_knows_what_nobody_knows() -> None:
    asked: list[str] = []

    async def look_up(code: str) -> LinkTarget | None:
        asked.append(code)
        return None

    clock = FixedClock(NOW)
    targets = LinkTargets(look_up, clock, seconds=3, codes=2)
    for code in ("a", "a", "b", "c", "a", "c"):
        assert await targets.get(code) is None
    assert asked == ["a", "b", "c", "a"]
    clock.advance(timedelta(seconds=3))
    await targets.get("c")
    assert asked[-1] == "c"
