"""Models in the console: made by a form, computed by a worker, looked at, turned into audiences."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from textwave.audiences import store as audiences
from textwave.audiences.rule import write_rule
from textwave.audiences.visibility import SEES_ALL
from textwave.console.model_reading import warmth
from textwave.customers.columns import TableKind
from textwave.customers.operations import start_import
from textwave.customers.request import ImportMode, ImportRequest
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger

Jobs = Callable[[], Awaitable[None]]
TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()  # the workspace's day
CUSTOMERS = "id,level\na,1\nb,2\nc,3\nd,1\n"
ORDERS = "customer_id,ordered_at,amount\n" + "\n".join(
    f"{customer},{TODAY - timedelta(days=days)},{amount}"
    for customer, days, amount in (
        ("a", 1, 300), ("a", 3, 200), ("a", 9, 100), ("b", 2, 20), ("c", 90, 40), ("c", 200, 35),
    )
)  # fmt: skip
BOUGHT = '{"kind": "orders", "table": "orders"}'
STAGES = {
    "aware": '{"kind": "all", "of": []}',
    "interested": BOUGHT,
    "purchased": BOUGHT[:-1] + ', "operator": "at_least", "value": 2}',
    "loyal": BOUGHT[:-1] + ', "operator": "at_least", "value": 3}',
}


@pytest.fixture
async def shop(
    ledger: Ledger, workspace_id: WorkspaceId, tmp_path: Path, do_jobs: Jobs
) -> WorkspaceId:
    """A workspace with four customers, three of whom bought."""
    for table, content in (("customers", CUSTOMERS), ("orders", ORDERS)):
        path = tmp_path / f"{table}.csv"
        path.write_text(content)
        request = ImportRequest(str(path), path.name, table, TableKind(table), ImportMode.REPLACE)
        async with ledger.transaction(workspace_id) as connection:
            await start_import(connection, workspace_id=workspace_id, actor="test", request=request)
    await do_jobs()
    return workspace_id


async def text_of(client: aiohttp.ClientSession, address: str, status: int = 200) -> str:
    async with client.get(address) as answer:
        assert answer.status == status
        return await answer.text()


async def token_of(client: aiohttp.ClientSession) -> str:
    page = await text_of(client, "/console/models/new/rfm")
    return page.split('name="token" value="')[1].split('"')[0]


async def send(client: aiohttp.ClientSession, address: str, **form: str) -> tuple[int, str, str]:
    """Send a form; return the status, the address that it led to, and the page there."""
    form["token"] = await token_of(client)
    async with client.post(address, data=form) as answer:
        return answer.status, answer.url.path, await answer.text()


async def make_rfm(client: aiohttp.ClientSession, do_jobs: Jobs) -> str:
    """Make a model of two scores and return its page after the first refresh."""
    status, place, _ = await send(
        client, "/console/models/new/rfm", name="Worth 价值", table="orders",
        scoring="quantiles", quantiles="2", baseline="mean", refresh="hand",
    )  # fmt: skip
    assert (status, place) == (200, "/console/models/Worth 价值")
    await do_jobs()
    return await text_of(client, "/console/models/Worth%20%E4%BB%B7%E5%80%BC")


async def test_a_workspace_without_models_says_what_they_are_for(
    member: aiohttp.ClientSession,
) -> None:
    assert "eight types" in await text_of(member, "/console/models")


@pytest.mark.usefixtures("shop")
async def test_an_rfm_model_is_made_refreshed_and_shown(
    member: aiohttp.ClientSession, do_jobs: Jobs
) -> None:
    page = await make_rfm(member, do_jobs)
    for shown in ("High-value", "HHH", "695", "Customers by recency and frequency", "F 2"):
        assert shown in page
    assert "Worth 价值" in await text_of(member, "/console/models")


async def test_an_audience_of_a_type_is_made_over_the_chosen_table(
    member: aiohttp.ClientSession, do_jobs: Jobs, shop: WorkspaceId, ledger: Ledger
) -> None:
    await make_rfm(member, do_jobs)
    address = "/console/models/Worth%20%E4%BB%B7%E5%80%BC/audience"
    assert "Table of customers" in await text_of(member, f"{address}?types=HHH")
    status, _, page = await send(member, address, types="HHH", name="", table="customers")
    assert status == 409
    assert 'value="HHH"' in page
    await send(member, address, types="HHH", name="Best buyers", table="customers")
    await do_jobs()
    async with ledger.transaction(shop) as connection:
        made = await audiences.audience(connection, shop, "Best buyers", SEES_ALL)
    assert write_rule(made.definition.rule)["types"] == ["HHH"]
    assert made.snapshot is not None
    assert made.snapshot.size == 1


@pytest.mark.usefixtures("shop")
async def test_bands_that_do_not_fit_are_refused_with_what_was_typed(
    member: aiohttp.ClientSession,
) -> None:
    bands = {
        f"{measure}_{part}_{row}": value
        for measure in ("recency_days", "frequency", "monetary")
        for row, pair in enumerate((("30", "2"), ("7", "1"), ("", "3")))
        for part, value in zip(("until", "score"), pair, strict=True)
    }
    status, _, page = await send(
        member, "/console/models/new/rfm", name="Bands", table="orders", scoring="bands", **bands
    )
    assert status == 409
    assert "$.recency_days[1][0]: the bound 7 does not lie above 30" in page
    assert 'name="recency_days_until_1" value="7"' in page
    bands |= {name: "60" for name in bands if name.endswith("until_1")}
    status, place, _ = await send(
        member, "/console/models/new/rfm", name="Bands", table="orders", scoring="bands", **bands
    )
    assert (status, place) == (200, "/console/models/Bands")


@pytest.mark.usefixtures("shop")
async def test_stages_their_trend_and_the_flow_between_days_are_shown(
    member: aiohttp.ClientSession, do_jobs: Jobs
) -> None:
    status, place, _ = await send(
        member, "/console/models/new/aipl", name="Path", table="customers", refresh="hand", **STAGES
    )
    assert (status, place) == (200, "/console/models/Path")
    first = TODAY - timedelta(days=5)
    await do_jobs()
    past = {"from": first.isoformat(), "until": (TODAY - timedelta(days=1)).isoformat()}
    status, _, _ = await send(member, "/console/models/Path/refresh", **past)
    assert status == 200
    await do_jobs()
    page = await text_of(member, "/console/models/Path")
    assert f"Stages on {TODAY}" in page
    assert 'id="trend"' in page

    address = "/console/models/Path/flow"
    days = {"from": first.isoformat(), "until": TODAY.isoformat()}
    form = days | {"token": await token_of(member)}
    async with member.post(address, data=form) as answer:
        begun = answer.url.path_qs
    await do_jobs()
    page = await text_of(member, begun)
    link = f"audience?from={first}&amp;until={TODAY}&amp;was=aware&amp;became=interested"
    assert link in page
    made = f"/console/models/Path/{link.replace('&amp;', '&')}"
    assert "Make the audience" in await text_of(member, made)


@pytest.mark.usefixtures("shop")
async def test_a_stage_that_is_no_rule_is_refused_with_its_place(
    member: aiohttp.ClientSession,
) -> None:
    for loyal, told in (("{", "loyal: This is not JSON"), ('{"kind": "x"}', "stages.loyal")):
        given = STAGES | {"loyal": loyal}
        status, _, page = await send(
            member, "/console/models/new/aipl", name="Path", table="customers", **given
        )
        assert status == 409
        assert told in page


@pytest.mark.usefixtures("shop")
async def test_a_model_is_deleted_unless_a_rule_names_it(
    member: aiohttp.ClientSession, do_jobs: Jobs
) -> None:
    await make_rfm(member, do_jobs)
    address = "/console/models/Worth%20%E4%BB%B7%E5%80%BC"
    await send(member, f"{address}/audience", types="LLL", name="Lost", table="customers")
    status, _, page = await send(member, f"{address}/delete")
    assert status == 409
    assert "named by the rules of the audience “Lost”" in page


def test_cells_of_a_heat_map_add_up_the_scores_of_amounts() -> None:
    scores = {"2-10-1": {"users": 3}, "2-10-2": {"users": 1}, "1-1-1": {"users": 8}}
    frequencies, rows = warmth({"scores": scores})
    assert frequencies == [1, 10]
    assert {r: [cell.users for cell in cells.values()] for r, cells in rows.items()} == {
        2: [0, 4],
        1: [8, 0],
    }
