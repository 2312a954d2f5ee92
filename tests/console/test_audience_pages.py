"""Audiences in the console: the list, the page of one, and what is begun from there."""

import json
import re
from pathlib import Path

import aiohttp
import pytest

from textwave.accounts.operations import digest_of
from textwave.accounts.store import add_api_key, revoke_api_key
from textwave.kit.ids import WorkspaceId
from textwave.storage import progress
from textwave.storage.ledger import Ledger

from .audience_shop import IN_SHANGHAI, Jobs, get, import_shop, make, post
from .conftest import Served

VIP = "/console/audiences/VIP"


@pytest.fixture
async def shop(ledger: Ledger, workspace_id: WorkspaceId, tmp_path: Path, do_jobs: Jobs) -> None:
    await import_shop(ledger, workspace_id, tmp_path, do_jobs)


async def outcome(client: aiohttp.ClientSession, do_jobs: Jobs, what: str, **form: str) -> str:
    """Begin work on the audience, let the worker do it, and return the fragment of its end."""
    status, _, begun = await post(client, f"{VIP}/{what}", **form)
    assert status == 200
    found = re.search("/console/operations/[0-9]+", begun)
    assert found is not None, begun
    await do_jobs()
    return await get(client, found[0])


async def test_without_tables_the_list_leads_to_the_customers_first(
    member: aiohttp.ClientSession,
) -> None:
    page = await get(member, "/console/audiences")
    assert "First the customers, then the audiences" in page
    assert 'href="/console/tables"' in page


@pytest.mark.usefixtures("shop")
async def test_an_empty_list_offers_a_new_audience_and_an_upload(
    member: aiohttp.ClientSession,
) -> None:
    page = await get(member, "/console/audiences")
    assert 'href="/console/audiences/-/new"' in page
    assert 'href="/console/audiences/-/upload"' in page


@pytest.mark.usefixtures("shop")
async def test_the_list_shows_folders_search_privacy_and_schedules(
    member: aiohttp.ClientSession,
) -> None:
    await make(member, "VIP", folder="2026/spring", refresh="daily", refresh_time="08:30")
    await make(member, "Quiet ones", private="yes", description="asleep")
    page = await get(member, "/console/audiences")
    assert "every day at 08:30" in page
    assert "Private" in page
    inside = await get(member, "/console/audiences?folder=2026")
    assert "VIP" in inside
    assert "Quiet ones" not in inside
    assert "VIP" not in await get(member, "/console/audiences?search=ASLEEP&folder=*")


@pytest.mark.usefixtures("shop")
async def test_a_failed_refresh_is_told_with_its_reason(
    member: aiohttp.ClientSession, ledger: Ledger
) -> None:
    await make(member, "VIP")
    problem = json.dumps({"code": "x", "sentence": "The column is gone.", "fields": {}})
    async with ledger.transaction() as connection:
        await connection.execute(
            "UPDATE audience SET refresh_failed_at = now(), refresh_problem = %s", [problem]
        )
    for page in ("/console/audiences", VIP):
        assert "The column is gone." in await get(member, page)


@pytest.mark.usefixtures("shop")
async def test_refresh_preview_profile_overlap_and_download_show_what_came_of_them(
    member: aiohttp.ClientSession, do_jobs: Jobs
) -> None:
    await make(member, "VIP", compute="yes")
    await make(member, "All", '{"kind":"all","of":[]}', compute="yes")
    await do_jobs()
    assert "Computed: 4 customers" in await outcome(member, do_jobs, "refresh")
    preview = await outcome(member, do_jobs, "preview")
    assert "*******0003" in preview
    assert "15400000003" not in preview
    assert "difference" in await outcome(member, do_jobs, "profile")
    assert "100% of VIP" in await outcome(member, do_jobs, "overlap", with_1="All")
    written = await outcome(member, do_jobs, "download", format="csv")
    file = re.search(f'href="({VIP}/downloads/[0-9]+)"', written)
    assert file is not None
    assert (await get(member, file[1])).count("Shanghai") == 4
    sizes = json.loads(await get(member, f"{VIP}/sizes"))
    assert [size for _, size in sizes["points"]] == [4, 4]


@pytest.mark.usefixtures("shop")
async def test_a_refusal_is_shown_where_the_result_would_be(member: aiohttp.ClientSession) -> None:
    await make(member, "VIP")
    _, _, fragment = await post(member, f"{VIP}/profile")
    assert "has not been computed yet. Refresh it first." in fragment


@pytest.mark.usefixtures("shop")
async def test_copy_archive_and_back(member: aiohttp.ClientSession) -> None:
    await make(member, "VIP")
    assert "is used by" not in (await post(member, f"{VIP}/copy", new_name="Second"))[2]
    assert "Archive “VIP”?" in await get(member, f"{VIP}/archive")
    _, place, _ = await post(member, f"{VIP}/archive")
    assert place == "/console/audiences"
    assert "VIP" not in await get(member, "/console/audiences")
    assert "VIP" in await get(member, "/console/audiences?archived=yes")
    assert "Archive …" in (await post(member, f"{VIP}/unarchive"))[2]
    status, _, page = await post(member, f"{VIP}/copy", new_name="Second")
    assert status == 409
    assert "Second" in page


@pytest.mark.usefixtures("shop")
async def test_another_key_sees_no_private_audience_and_changes_no_public_one(
    served: Served, member: aiohttp.ClientSession, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await make(member, "Mine alone", private="yes")
    await make(member, "VIP")
    async with ledger.transaction() as connection:
        await add_api_key(
            connection,
            workspace_id=workspace_id,
            name="Wang",
            digest=digest_of("tw_wang"),
            is_administrator=False,
        )
        of_mine = await progress.begin(
            connection,
            workspace_id=workspace_id,
            kind="audiences.profile",
            request={"audience": "Mine alone"},
        )
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(served.address, cookie_jar=jar) as wang:
        await (await wang.post("/console/login", data={"api_key": "tw_wang"})).read()
        assert "Mine alone" not in await get(wang, "/console/audiences")
        await get(wang, "/console/audiences/Mine%20alone", 404)
        await get(wang, f"/console/operations/{of_mine}", 404)
        assert "Edit" not in await get(wang, VIP)
        status, _, page = await post(wang, f"{VIP}/archive")
        assert status == 409
        assert "only they and administrators change it" in page
        async with ledger.transaction() as connection:
            await revoke_api_key(connection, workspace_id, "Wang")
        async with wang.get(VIP) as answer:
            assert answer.url.path == "/console/login"


@pytest.mark.usefixtures("shop")
async def test_a_list_is_uploaded_and_its_rows_are_accounted_for(
    member: aiohttp.ClientSession, do_jobs: Jobs
) -> None:
    form = await get(member, "/console/audiences/-/upload")
    token = form.split('name="token" value="')[1].split('"')[0]
    fields = {"name": "vip list", "table": "customers", "id_type": "mobile", "file_name": "v.csv"}
    file, headers = b"mobile\n15400000001\n15400000001\nabc\n", {"X-Form-Token": token}
    address = "/console/audiences/-/upload"
    async with member.post(address, params=fields, data=file) as answer:
        assert answer.status == 403
    async with member.post(address, params=fields, data=file, headers=headers) as answer:
        begun = await answer.json()
    await do_jobs()
    shown = re.sub("<[^>]+>", " ", await get(member, begun["operation"]))
    numbers = re.findall(r"(Rows read|Not an id of this type|Occur again|Found)\s+(\d+)", shown)
    assert [int(count) for _, count in numbers] == [3, 1, 1, 1]
    assert "vip list" in await get(member, "/console/audiences/vip%20list")


@pytest.mark.usefixtures("shop")
async def test_what_is_wrong_with_an_upload_is_told_before_the_file_is_sent(
    member: aiohttp.ClientSession,
) -> None:
    fields = {"name": "vip", "table": "customers", "id_type": "open_id"}
    status, _, told = await post(member, "/console/audiences/-/upload-check", **fields)
    assert status == 422
    assert "no ids of the type “open_id”" in told


@pytest.mark.usefixtures("shop")
async def test_names_from_outside_are_escaped_and_addressed(member: aiohttp.ClientSession) -> None:
    page = await make(member, "<b>50% & more?", IN_SHANGHAI)
    assert "&lt;b&gt;50% &amp; more?" in page
    assert "/console/audiences/%3Cb%3E50%25%20%26%20more%3F" in await get(
        member, "/console/audiences"
    )
