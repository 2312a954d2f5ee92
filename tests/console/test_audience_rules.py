"""The rule builder's side of the server: choices, the live count, saving, and schedules."""

import json
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from textwave.audiences.life_store import Folder
from textwave.audiences.operators import OPERATORS
from textwave.audiences.rule import All, InCampaign, Outcome, read_rule
from textwave.console.audience_reading import branches
from textwave.console.refreshing import read_refresh, refresh_in_words, shown_refresh
from textwave.customers.columns import ColumnType
from textwave.customers.schedule import check_refresh
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger

from .audience_shop import IN_SHANGHAI, Jobs, get, import_shop, make, post
from .conftest import NAME

NEW = "/console/audiences/-/new"


@pytest.fixture
async def shop(ledger: Ledger, workspace_id: WorkspaceId, tmp_path: Path, do_jobs: Jobs) -> None:
    await import_shop(ledger, workspace_id, tmp_path, do_jobs)


async def count(client: aiohttp.ClientSession, rule: str, before: str = "") -> dict[str, Any]:
    address = "/console/audiences/-/count"
    _, _, told = await post(client, address, table="customers", rule=rule, before=before)
    answer: dict[str, Any] = json.loads(told)
    return answer


@pytest.mark.usefixtures("shop")
async def test_the_choices_are_those_that_the_rules_are_checked_by(
    member: aiohttp.ClientSession,
) -> None:
    choices = json.loads(await get(member, "/console/audiences/-/choices"))
    assert set(choices["operators"]["text"]) == set(OPERATORS[ColumnType.TEXT])
    assert set(choices["words"]["operators"]) >= set(choices["time_comparisons"])
    assert choices["tables"]["orders"]["amount"] == "amount"
    values = json.loads(
        await get(member, "/console/audiences/-/values?table=customers&column=city")
    )
    assert ["Shanghai", 4] in values["values"]


@pytest.mark.usefixtures("shop")
async def test_a_rule_is_said_and_counted(member: aiohttp.ClientSession, do_jobs: Jobs) -> None:
    told = await count(member, IN_SHANGHAI)
    assert told["sentence"] == "Customers of “customers” for whom “city” is one of “Shanghai”."
    await do_jobs()
    counted = json.loads(await get(member, f"/console/audiences/-/counts/{told['operation']}"))
    assert (counted["state"], counted["size"], counted["of"]) == ("succeeded", 4, 12)


@pytest.mark.usefixtures("shop")
async def test_a_new_count_gives_the_one_before_up(
    member: aiohttp.ClientSession,
) -> None:
    first = await count(member, IN_SHANGHAI)
    await count(member, '{"kind":"all","of":[]}', before=str(first["operation"]))
    given_up = json.loads(await get(member, f"/console/audiences/-/counts/{first['operation']}"))
    assert given_up["state"] == "cancelled"


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("rule", "place"),
    [
        ("no JSON", "$"),
        ("[" * 100_000, "$"),
        ('{"kind":"all","of":[{"kind":"attribute"}]}', "$.of[0].column"),
        (
            '{"kind":"all","of":[{"kind":"attribute","column":"level","operator":"is","value":"a"}]}',
            "$.of[0].value",
        ),
    ],
)
async def test_what_is_wrong_with_a_rule_comes_with_its_place(
    member: aiohttp.ClientSession, rule: str, place: str
) -> None:
    told = await count(member, rule)
    assert told["problem"]["place"] == place
    assert told["operation"] is None


@pytest.mark.usefixtures("shop")
async def test_a_refused_form_keeps_all_that_was_typed(member: aiohttp.ClientSession) -> None:
    await make(member, "VIP")
    given = {"name": "VIP", "table": "customers", "rule": IN_SHANGHAI, "folder": "a/b"}
    weekly = {"refresh": "weekly", "refresh_weekday": "fri", "refresh_time": "07:00"}
    status, _, page = await post(member, NEW, **given, **weekly)
    assert status == 409
    assert "already" in page
    assert 'value="a/b"' in page
    assert "&#34;Shanghai&#34;" in page
    assert '<option value="fri" selected>' in page


@pytest.mark.usefixtures("shop")
async def test_an_edit_changes_rule_name_and_schedule_once(member: aiohttp.ClientSession) -> None:
    await make(member, "VIP")
    form = await get(member, "/console/audiences/VIP/edit")
    version = re.search('name="version" value="([0-9]+)"', form)
    assert version is not None
    given = {"version": version[1], "table": "customers", "rule": '{"kind":"all","of":[]}'}
    address = "/console/audiences/VIP/edit"
    _, place, page = await post(member, address, name="Everybody", refresh="import", **given)
    assert place == "/console/audiences/Everybody"
    assert "there is no condition" in page
    assert "after each import" in page
    address = "/console/audiences/Everybody/edit"
    status, _, page = await post(member, address, name="Everybody", **given)
    assert status == 409
    assert "has been changed since you read it" in page


@pytest.mark.usefixtures("shop", "campaign_id")
async def test_a_campaigns_outcome_leads_to_a_rule_of_it(
    member: aiohttp.ClientSession, ledger: Ledger
) -> None:
    async with ledger.transaction() as connection:
        await connection.execute("UPDATE campaign SET state = 'completed'")
    board = await get(member, f"/console/campaigns/{NAME.replace('/', '%2F')}")
    links = re.findall(r'class="audience-of" href="([^"]+)"', board)
    page = await get(member, next(link for link in links if "opted" in link).replace("&amp;", "&"))
    written = re.search(r"<textarea[^>]+name=\"rule\"[^>]*>([^<]*)</textarea>", page)
    assert written is not None
    rule = read_rule(json.loads(written[1].replace("&#34;", '"')))
    reasons = ("opted out",)
    assert rule == All(of=(InCampaign(campaign=NAME, outcome=Outcome.DROPPED, reasons=reasons),))


@pytest.mark.parametrize(
    ("form", "written", "words"),
    [
        ({}, "", "by hand"),
        ({"refresh": "import"}, "after_import", "after each import"),
        ({"refresh": "daily", "refresh_time": "06:05"}, "5 6 * * *", "every day at 06:05"),
        (
            {"refresh": "weekly", "refresh_time": "8:30", "refresh_weekday": "sun"},
            "30 8 * * sun",
            "every Sunday at 08:30",
        ),
        (
            {"refresh": "monthly", "refresh_time": "00:00", "refresh_day": "15"},
            "0 0 15 * *",
            "on day 15 of each month at 00:00",
        ),
        (
            {"refresh": "cron", "refresh_cron": "*/30 9-18 * * mon-fri"},
            "*/30 9-18 * * mon-fri",
            "on the schedule */30 9-18 * * mon-fri",
        ),
    ],
)
def test_a_schedule_is_written_read_back_and_said(
    form: dict[str, str], written: str, words: str
) -> None:
    assert read_refresh(form) == written
    assert check_refresh(written) == written
    assert refresh_in_words(written, "en") == words
    again = shown_refresh(written)
    fields = {
        "refresh": again.how, "refresh_time": again.time, "refresh_day": again.day,
        "refresh_weekday": again.weekday, "refresh_cron": again.cron,
    }  # fmt: skip
    assert read_refresh(fields) == written


def test_both_numbers_of_sunday_are_sunday() -> None:
    assert {shown_refresh(f"0 6 * * {day}").weekday for day in "07"} == {"sun"}


def test_a_folder_counts_what_lies_in_it_and_stands_before_it() -> None:
    folders = [
        Folder("", 3),
        Folder("2026/spring", 2),
        Folder("2026/spring/vip", 1),
        Folder("b", 4),
    ]
    shown = [(one.path, one.name, one.depth, one.audiences) for one in branches(folders)]
    assert shown == [
        ("2026", "2026", 0, 3),
        ("2026/spring", "spring", 1, 3),
        ("2026/spring/vip", "vip", 2, 1),
        ("b", "b", 0, 4),
    ]
