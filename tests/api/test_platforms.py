"""Accounts at platforms over HTTP and from the command line: what administrators do with them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.conftest import Web
from tests.api.test_shares import command, shown
from tests.connections.place import served
from textwave.accounts import store as accounts
from textwave.accounts.operations import Founding, digest_of
from textwave.platforms.sandbox import SandboxSettings, build_application
from textwave.storage.ledger import Ledger

KEY = "a shared key"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """Where a platform called gate answers, with that key."""
    async with served(build_application(SandboxSettings(key=KEY, name="gate"))) as found:
        yield found


@pytest.fixture
async def marketer_key(ledger: Ledger, founding: Founding) -> str:
    async with ledger.transaction() as connection:
        await accounts.add_api_key(
            connection,
            workspace_id=founding.workspace_id,
            name="marketer",
            digest=digest_of("tw_marketer"),
            is_administrator=False,
        )
    return "tw_marketer"


async def add(web: Web, url: str, **more: Any) -> dict[str, Any]:
    body = {"name": "gate", "base_url": url, "key": KEY, **more}
    status, made = await web.ask("POST", "/api/platforms", json=body)
    assert status == 201, made
    return made


async def test_an_account_is_added_changed_and_taken_away(web: Web, url: str) -> None:
    made = await add(web, url, price_milli=45)
    assert (made["workspaces"], made["takes_replies"], made["kind"]) == (
        ["main"],
        True,
        "thirdparty",
    )
    status, kept = await web.ask(
        "PATCH", "/api/platforms/gate", json={"opt_out_text": "回T退订", "takes_replies": False}
    )
    assert (status, kept["opt_out_text"], kept["price_milli"]) == (200, "回T退订", 45)
    status, kept = await web.ask("PUT", "/api/platforms/gate/key", json={"key": "another"})
    assert (status, kept["previous_key_until"] is not None) == (200, True)
    _, found = await web.ask("GET", "/api/platforms/gate")
    assert found["callback_addresses"]["receipts"].endswith("/callbacks/gate/receipts")
    assert KEY not in json.dumps([made, kept, found])
    assert "another" not in json.dumps([kept, found])
    status, problem = await web.ask("DELETE", "/api/platforms/gate?confirm=gat")
    assert (status, problem["code"]) == (409, "deletion_unconfirmed")
    status, gone = await web.ask("DELETE", "/api/platforms/gate?confirm=gate")
    assert (status, gone) == (200, {"name": "gate", "gone": True})


async def test_an_alibaba_account_has_an_address_of_its_own_and_checked_options(web: Web) -> None:
    body: dict[str, Any] = {
        "name": "ali",
        "kind": "aliyun",
        "key": "secret",
        "key_id": "LTAIexample",
        "options": {"report_queue": "Alicom-Queue-1-SmsReport"},
    }
    status, made = await web.ask("POST", "/api/platforms", json=body)
    assert (status, made["base_url"]) == (201, "https://dysmsapi.aliyuncs.com")
    assert made["capabilities"] == ["opt_out_text", "short_links"]
    _, known = await web.ask("GET", "/api/platforms/ali")
    status, renewed = await web.ask("POST", "/api/platforms/ali/renew-address")
    before, after = known["callback_addresses"], renewed["callback_addresses"]
    assert (status, set(before)) == (200, set(after))
    assert not set(before.values()) & set(after.values())
    for wrong, place in (
        ({"options": {"queue": "x"}}, "options"),
        ({"key_id": ""}, "key_id"),
        ({"base_url": "http://dysmsapi.example.com"}, "base_url"),
        ({"capabilities": ["idempotency"]}, "capabilities"),
        ({"receipts": "pull"}, "options.reply_queue"),
    ):
        status, problem = await web.ask(
            "POST", "/api/platforms", json={**body, "name": "other", **wrong}
        )
        assert (status, problem["fields"].get("place")) == (422, place), problem


async def test_who_is_no_administrator_sees_an_account_and_changes_nothing(
    web: Web, url: str, marketer_key: str
) -> None:
    await add(web, url)
    status, seen = await web.ask("GET", "/api/platforms/gate", key=marketer_key)
    assert (status, seen["workspaces"], seen["callback_addresses"]) == (200, [], {})
    for method, path, body in (
        ("PATCH", "/api/platforms/gate", {"max_batch": 1}),
        ("PUT", "/api/platforms/gate/key", {"key": "x"}),
        ("PUT", "/api/platforms/gate/workspaces/main", {}),
        ("DELETE", "/api/platforms/gate?confirm=gate", None),
        ("POST", "/api/platforms/gate/test", {}),
        ("POST", "/api/platforms/gate/connect", {}),
        ("GET", "/api/platforms?of=organization", None),
    ):
        status, problem = await web.ask(method, path, key=marketer_key, json=body)
        assert (status, problem["code"]) == (403, "administrator_needed"), path


async def test_an_account_is_tested_and_changed_from_the_command_line(web: Web, url: str) -> None:
    status, said = await command(web, "platform", "add", "gate", url, "--key", KEY, "--json")
    assert status == 0, said
    status, said = await command(web, "platform", "test", "gate")
    assert status == 0, said
    assert "To enter at the platform" in said
    status, said = await command(
        web, "platform", "edit", "gate", "--rate", "7", "--no-replies", "--json"
    )
    kept = shown(said)
    assert (kept["rate_per_second"], kept["takes_replies"]) == (7, False)
    assert (await command(web, "platform", "key", "gate", "--key", "wrong"))[0] == 0
    status, said = await command(web, "platform", "test", "gate", "--json")
    found = shown(said)
    assert (status, found["passed"]) == (1, False)
    assert [one["about"] for one in found["checks"] if one["verdict"] == "failed"] == ["key"]
    status, said = await command(web, "platform", "withdraw", "gate", "main", "--json")
    assert shown(said)["workspaces"] == []
    assert "gate" not in (await command(web, "platform", "list"))[1]
    status, said = await command(web, "platform", "list", "--all")
    assert "gate" in said
    assert (await command(web, "platform", "admit", "gate", "main"))[0] == 0
    status, said = await command(web, "platform", "delete", "gate", "--yes")
    assert (status, "“gate” is deleted." in said) == (0, True)


async def test_the_command_says_that_an_account_it_could_not_ask_is_there_all_the_same(
    web: Web,
) -> None:
    nowhere = "http://127.0.0.1:9"

    status, said = await command(web, "platform", "add", "gate", nowhere, "--key", KEY)

    assert status == 1
    assert "“gate” is added, but could not be asked for its limits." in said
    assert "gate" in (await command(web, "platform", "list"))[1]
