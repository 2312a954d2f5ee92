"""Limits in the console: set by forms, refused beside them, taken away after a question."""

import aiohttp
import pytest

from tests.stage import Stage, people
from textwave.accounts.operations import Founding
from textwave.storage.ledger import Ledger, execute, value
from textwave.storage.secrets import Vault

from .limit_shop import become_stranger, send, text_of

LIMITS = "/console/limits"
NEW = f"{LIMITS}/new-rule"


@pytest.fixture
async def shop(stage: Stage) -> Stage:
    """A workspace with an audience and a signature."""
    await stage.set(people(3))
    async with stage.ledger.transaction() as connection:
        await execute(connection, """UPDATE audience SET rule = '{"kind": "all", "of": []}'""")
    return stage


async def test_an_empty_page_says_what_a_good_beginning_is(member: aiohttp.ClientSession) -> None:
    page = await text_of(member, LIMITS)
    for said in ("one message in 24 hours", "There are none: messages leave", "0 of at most 20"):
        assert said in page


@pytest.mark.usefixtures("shop")
async def test_a_rule_is_added_changed_and_deleted_after_a_question(
    member: aiohttp.ClientSession,
) -> None:
    form = {"name": "A / B", "whole": "yes", "per_day": "1", "per_month": "8"}
    _, place, page = await send(member, NEW, **form)
    assert (place, "1 in 24 hours · 8 in 30 days" in page) == (LIMITS, True)
    rule = f"{LIMITS}/rules/A%20%2F%20B"
    _, _, page = await send(member, rule, whole="yes", per_day="2.5", per_month="")
    assert "3 in 24 hours" in page
    assert "in 30 days" not in page
    question = f"{LIMITS}/delete/rule/A%20%2F%20B"
    assert "limits nobody" in await text_of(member, question)
    _, _, page = await send(member, question)
    assert "No rule yet" in page


async def test_a_rule_of_a_signature_names_it_and_no_other_rule_may(
    member: aiohttp.ClientSession, shop: Stage
) -> None:
    chosen = {f"signature_{shop.ids['signature']}": "yes", "whole": "no", "per_week": "2"}
    _, _, page = await send(member, NEW, name="offers", **chosen)
    assert "Textwave</td>" in page
    status, _, page = await send(member, NEW, name="more", **chosen)
    assert (status, "is in the rule “offers” already" in page) == (409, True)
    assert 'value="more"' in page
    assert " checked" in page
    assert " checked" in await text_of(member, f"{LIMITS}/rules/offers")


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "x"}, "for at least one window"),
        ({"name": "x", "per_day": "-1"}, "from 0 (no limit)"),
        ({"name": "x", "per_day": "nan"}, "from 0 (no limit)"),
        ({"name": "x", "per_day": "many"}, "“many” is no number"),
        ({"name": " ", "per_day": "1"}, "printable characters"),
        ({"name": "x", "per_day": "1", "whole": "no"}, "Name at least one"),
    ],
)
async def test_a_rule_that_does_not_fit_is_refused_with_its_form(
    member: aiohttp.ClientSession, form: dict[str, str], said: str
) -> None:
    status, _, page = await send(member, NEW, **{"whole": "yes"} | form)
    assert (status, said in page) == (409, True)


async def test_a_new_rule_never_replaces_another(member: aiohttp.ClientSession) -> None:
    await send(member, NEW, name="one", whole="yes", per_day="1")
    status, _, page = await send(member, NEW, name="one", whole="yes", per_day="5")
    assert (status, "already" in page) == (409, True)
    assert "1 in 24 hours" in await text_of(member, LIMITS)


async def test_quiet_hours_are_set_refused_and_removed(member: aiohttp.ClientSession) -> None:
    hours = {"from": "21:00", "until": "09:00", "zone": "recipient"}
    _, _, page = await send(member, LIMITS, f"{LIMITS}/quiet", **hours)
    assert "from 21:00 to 09:00 each day. The recipient" in page
    wrong = {"from": "09:00", "until": "09:00", "zone": "workspace"}
    status, _, page = await send(member, LIMITS, f"{LIMITS}/quiet", **wrong)
    assert (status, "nothing could ever be sent" in page) == (409, True)
    _, _, page = await send(member, f"{LIMITS}/delete/quiet/hours")
    assert "There are none: messages leave" in page


async def test_a_holiday_may_begin_and_end_within_a_day(member: aiohttp.ClientSession) -> None:
    holiday = {"name": "New Year", "from": "2026-12-31", "from_time": "18:00"}
    _, _, page = await send(member, LIMITS, f"{LIMITS}/holidays", **holiday, until="2027-01-01")
    assert "2026-12-31 18:00" in page
    assert ">2027-01-01</td>" in page
    back = {"name": "Back", "from": "2027-01-05", "until": "2027-01-01"}
    status, _, page = await send(member, LIMITS, f"{LIMITS}/holidays", **back)
    assert (status, "Exchange them" in page, 'value="Back"' in page) == (409, True, True)
    _, _, page = await send(member, f"{LIMITS}/delete/holiday/New%20Year")
    assert "0 of at most 20" in page


@pytest.mark.usefixtures("shop")
async def test_an_audience_goes_on_the_allowlist_and_off_it(member: aiohttp.ClientSession) -> None:
    _, _, page = await send(member, LIMITS, f"{LIMITS}/allowlist", audience="everybody")
    assert "Its numbers follow within seconds" in page
    status, _, page = await send(member, LIMITS, f"{LIMITS}/allowlist", audience="nobody")
    assert (status, "There is no audience “nobody”" in page) == (409, True)
    _, _, page = await send(member, f"{LIMITS}/delete/allowlist/everybody")
    assert "Its numbers follow" not in page


@pytest.mark.usefixtures("shop")
async def test_counting_by_customer_begins_as_an_operation(member: aiohttp.ClientSession) -> None:
    await send(member, NEW, name="one", whole="yes", per_day="1")
    _, place, page = await send(member, LIMITS, f"{LIMITS}/counting", counts_by="customer")
    assert "operation=" in place
    assert "are being looked up" in page


async def test_another_workspace_reaches_none_of_it(
    member: aiohttp.ClientSession, ledger: Ledger, vault: Vault, founding: Founding
) -> None:
    await send(member, NEW, name="our own rule", whole="yes", per_day="1")
    await become_stranger(member, ledger, vault, founding)
    assert "our own rule" not in await text_of(member, LIMITS)
    for place in ("rules/our%20own%20rule", "delete/rule/our%20own%20rule"):
        await text_of(member, f"{LIMITS}/{place}", 404)
    status, _, _ = await send(member, LIMITS, f"{LIMITS}/delete/rule/our%20own%20rule")
    assert status == 404
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM fatigue_rule") == 1


async def test_a_form_without_its_token_changes_nothing(member: aiohttp.ClientSession) -> None:
    for place in ("new-rule", "quiet", "holidays", "delete/quiet/hours"):
        async with member.post(f"{LIMITS}/{place}", data={"token": "made up"}) as answer:
            assert answer.status == 403, place
