"""Opt-outs in the console: added, listed masked, lifted with evidence, imported and exported."""

from collections.abc import Awaitable, Callable

import aiohttp
import pytest

from tests.stage import Stage, people
from textwave.accounts.operations import Founding
from textwave.storage.ledger import Ledger, value
from textwave.storage.secrets import Vault

from .limit_shop import become_stranger, send, text_of, token_of

HOME = "/console/opt-outs"
NUMBER = "15412345678"
Jobs = Callable[[], Awaitable[None]]


@pytest.fixture
async def shop(stage: Stage) -> Stage:
    """A workspace with a platform and a signature."""
    await stage.set(people(1))
    return stage


@pytest.mark.parametrize("kind", ["signatures", "platforms", "denied"])
async def test_a_number_is_added_listed_masked_and_lifted_with_evidence(
    member: aiohttp.ClientSession, shop: Stage, kind: str
) -> None:
    where = f"{HOME}/{kind}"
    form = {
        "mobile": NUMBER,
        "evidence": f"{NUMBER} called",
        "reason": "a complaint",
        "signature": str(shop.ids["signature"]),
        "platform": str(shop.ids["platform"]),
    }
    _, _, page = await send(member, where, **form)
    assert "*******5678" in page
    assert NUMBER not in page
    question = page.split(f'href="{where}/')[1].split('"')[0]
    lift = f"{where}/{question}".replace("&amp;", "&")
    status, _, page = await send(member, lift, evidence=" ")
    assert (status, "evidence:" in page) == (409, True)
    _, _, page = await send(member, lift, evidence="a form of 9 May")
    assert "Nobody is on this list" in page
    await text_of(member, lift, 404)


@pytest.mark.usefixtures("shop")
async def test_what_is_no_number_or_has_no_reason_is_refused_beside_the_form(
    member: aiohttp.ClientSession,
) -> None:
    status, _, page = await send(member, f"{HOME}/denied", mobile="12", reason="x")
    assert (status, "no number that a text could reach" in page) == (409, True)
    status, _, page = await send(member, f"{HOME}/denied", mobile=NUMBER)
    assert (status, "say why nobody" in page, f'value="{NUMBER}"' in page) == (409, True, True)


async def test_a_file_is_taken_and_every_line_is_accounted_for(
    member: aiohttp.ClientSession, shop: Stage, do_jobs: Jobs
) -> None:
    form = await text_of(member, f"{HOME}/-/import")
    headers = {"X-Form-Token": token_of(form)}
    asked = {"to": f"signature:{shop.ids['signature']}", "file_name": "list.csv"}
    body = f"mobile,evidence\n{NUMBER},called\n{NUMBER},again\n1541,wrong 15400000009\n"
    async with member.post(
        f"{HOME}/-/import", params=asked, data=body.encode(), headers=headers
    ) as answer:
        assert answer.status == 200
        operation = (await answer.json())["operation"]
    await do_jobs()
    page = await text_of(member, operation)
    for said in ("Lines read", ">3<", "1, see why"):
        assert said in page
    rejected = await text_of(member, page.split('href="')[1].split('"')[0])
    assert "wrong" in rejected
    assert "15400000009" not in rejected


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"to": "deny"}, "say why nobody"),
        ({"to": "signature:999"}, "choose one of the lists"),
        ({"to": "deny", "reason": "x", "encoding": "klingon"}, "klingon"),
        ({"to": "deny", "reason": "x", "size": "999999999999"}, "MB"),
    ],
)
async def test_an_import_is_refused_before_its_file_is_sent(
    member: aiohttp.ClientSession, asked: dict[str, str], said: str
) -> None:
    token = token_of(await text_of(member, f"{HOME}/-/import"))
    async with member.post(f"{HOME}/-/check", data=asked | {"token": token}) as answer:
        assert (answer.status, said in (await answer.json())["sentence"]) == (422, True)
    async with member.post(f"{HOME}/-/import", params=asked, data=b"1") as answer:
        assert answer.status == 403


@pytest.mark.usefixtures("shop")
async def test_an_export_is_written_and_fetched(
    member: aiohttp.ClientSession, do_jobs: Jobs
) -> None:
    await send(member, f"{HOME}/denied", mobile=NUMBER, reason="a complaint")
    wanted = {"of": "deny", "format": "csv", "reveal_numbers": "yes"}
    _, place, _ = await send(member, f"{HOME}/-/export", **wanted)
    await do_jobs()
    page = await text_of(member, place)
    assert "Mobile numbers are shown whole" in page
    file = page.split('href="/console/opt-outs/-/exports/')[1].split('"')[0]
    assert NUMBER in await text_of(member, f"{HOME}/-/exports/{file}")


async def test_another_workspace_sees_no_number_and_lifts_none(
    member: aiohttp.ClientSession, shop: Stage, ledger: Ledger, vault: Vault, founding: Founding
) -> None:
    signature = str(shop.ids["signature"])
    await send(member, f"{HOME}/signatures", mobile=NUMBER, signature=signature)
    await send(member, f"{HOME}/denied", mobile=NUMBER, reason="a complaint")
    await become_stranger(member, ledger, vault, founding)
    for kind in ("signatures", "denied"):
        assert "*******5678" not in await text_of(member, f"{HOME}/{kind}")
        await text_of(member, f"{HOME}/{kind}/1/lift", 404)
        status, _, _ = await send(member, f"{HOME}/denied", f"{HOME}/{kind}/1/lift", evidence="x")
        assert status == 404
    status, _, _ = await send(
        member, f"{HOME}/denied", f"{HOME}/signatures", mobile="15400000001", signature=signature
    )
    assert status == 409
    await text_of(member, f"{HOME}/platforms?platform={shop.ids['platform']}", 404)
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM opt_out WHERE lifted_at IS NULL") == 1
