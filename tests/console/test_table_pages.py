"""Tables in the console: importing a file, looking at what it made, and deleting it."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from textwave.audiences.operations import create_audience
from textwave.audiences.rule import read_rule
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger

Jobs = Callable[[], Awaitable[None]]
CUSTOMERS = """id,手机号,city,level,joined
a,15412345678,Wuhan,1,2026-01-05
b,15412345679,Xian,2,2026-02-05
c,12,Xian,3,not a day
,15412345670,Xian,3,2026-02-07
""".replace("not a day", "")


async def text_of(client: aiohttp.ClientSession, address: str, status: int = 200) -> str:
    async with client.get(address) as answer:
        assert answer.status == status
        return await answer.text()


async def token_of(client: aiohttp.ClientSession) -> str:
    page = await text_of(client, "/console/imports/new")
    return page.split('name="token" value="')[1].split('"')[0]


async def send(
    client: aiohttp.ClientSession, content: str, **fields: str
) -> tuple[int, dict[str, Any]]:
    """Send a file as the page's script does, with its fields in the address."""
    given = {"table": "customers", "kind": "customers", "mode": "replace", "file_name": "c.csv"}
    headers = {"X-Form-Token": await token_of(client)}
    async with client.post(
        "/console/imports", params=given | fields, data=content.encode(), headers=headers
    ) as answer:
        return answer.status, await answer.json()


async def import_whole(
    client: aiohttp.ClientSession, do_jobs: Jobs, content: str, **fields: str
) -> str:
    """Import a file and return what the page then shows of it."""
    status, answer = await send(client, content, **fields)
    assert status == 200, answer
    assert "hx-trigger" in await text_of(client, answer["operation"])
    await do_jobs()
    return await text_of(client, answer["operation"])


async def test_an_import_tells_what_was_kept_rejected_and_guessed(
    member: aiohttp.ClientSession, do_jobs: Jobs
) -> None:
    told = await import_whole(member, do_jobs, CUSTOMERS)
    assert "The file is imported" in told
    assert "hx-trigger" not in told
    assert "1, see why" in told
    assert "guessed" in told

    rejected = told.split('href="/console/tables/customers/rejected/')[1].split('"')[0]
    await text_of(member, f"/console/tables/customers/rejected/{rejected}")
    await do_jobs()
    async with member.get(f"/console/tables/customers/rejected/{rejected}") as answer:
        begun = answer.url.path_qs
    await do_jobs()
    page = await text_of(member, begun)
    assert "the key is empty" in page


async def test_a_tables_page_shows_values_but_nothing_that_identifies_people(
    member: aiohttp.ClientSession, do_jobs: Jobs
) -> None:
    await import_whole(member, do_jobs, CUSTOMERS)
    listed = await text_of(member, "/console/tables")
    assert 'href="/console/tables/customers"' in listed
    page = await text_of(member, "/console/tables/customers")
    for shown in ("Xian", "Mobile number", "A customer is known by “id”", "1 – 3"):
        assert shown in page
    assert page.count("Not shown: they identify people") == 2
    assert "15412345678" not in page


async def test_changed_columns_are_shown_and_taken_when_wanted(
    member: aiohttp.ClientSession, do_jobs: Jobs
) -> None:
    await import_whole(member, do_jobs, CUSTOMERS)
    changed = CUSTOMERS.replace("city", "town")
    told = await import_whole(member, do_jobs, changed)
    assert "The file would change the table “customers”" in told
    assert "Take the new columns" in told
    told = await import_whole(member, do_jobs, changed, accept_changes="yes")
    assert "The file is imported" in told


async def test_a_form_that_cannot_succeed_is_refused_before_the_file(
    member: aiohttp.ClientSession,
) -> None:
    form = {"token": await token_of(member), "table": "Ü", "kind": "customers", "mode": "replace"}
    async with member.post("/console/imports/check", data=form) as answer:
        assert answer.status == 422
        assert "cannot name a table" in (await answer.json())["sentence"]
    form |= {"table": "customers", "size": "99999999999999999"}
    async with member.post("/console/imports/check", data=form) as answer:
        assert "A file may have" in (await answer.json())["sentence"]


async def test_a_file_without_the_sessions_token_is_not_taken(
    member: aiohttp.ClientSession, do_jobs: Jobs
) -> None:
    params = {"table": "customers", "kind": "customers", "mode": "replace"}
    async with member.post("/console/imports", params=params, data=b"id\na\n") as answer:
        assert answer.status == 403
    await do_jobs()
    assert "No table yet" in await text_of(member, "/console/tables")


async def test_a_table_is_deleted_once_confirmed_and_unless_it_is_used(
    member: aiohttp.ClientSession, do_jobs: Jobs, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await import_whole(member, do_jobs, CUSTOMERS)
    address = "/console/tables/customers/delete"
    assert "Delete “customers”?" in await text_of(member, address)
    form = {"token": await token_of(member)}
    async with ledger.transaction(workspace_id) as connection:
        await create_audience(
            connection,
            workspace_id=workspace_id,
            actor="test",
            name="Xian",
            table="customers",
            rule=read_rule({"kind": "all", "of": []}),
        )
    async with member.post(address, data=form) as answer:
        assert answer.status == 409
        assert "is used by audience “Xian”" in await answer.text()
    async with ledger.transaction() as connection:
        await connection.execute("DELETE FROM audience")
    async with member.post(address, data=form) as answer:
        assert answer.url.path == "/console/tables"
    await do_jobs()
    assert "No table yet" in await text_of(member, "/console/tables")
