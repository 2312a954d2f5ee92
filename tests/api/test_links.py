"""Short links over HTTP: made, changed, under domains, with their clicks."""

from tests.api.conftest import Web
from tests.stage import Stage
from textwave.storage.ledger import value

LINK = {"name": "sale / spring", "long_url": "https://shop.example.com/sale"}


async def test_a_link_is_made_under_the_default_domain_changed_and_read(web: Web) -> None:
    added = {"address": "https://go.example", "is_default": True}
    assert (await web.ask("POST", "/api/link-domains", json=added))[0] == 201
    status, made = await web.ask("POST", "/api/links", json=LINK | {"days": 3})
    assert (status, made["url"]) == (201, f"https://go.example/{made['code']}")
    path = "/api/links/sale%20%2F%20spring"
    _, changed = await web.ask("PATCH", path, json={"enabled": False, "days": 30})
    assert (changed["enabled"], changed["expires_at"] > made["expires_at"]) == (False, True)
    assert await web.ask("GET", path) == (200, changed)
    _, retired = await web.ask("DELETE", "/api/link-domains/go.example")
    assert (retired["links"], retired["is_default"]) == (1, False)
    _, kept = await web.ask("GET", path)
    assert kept["url"] == made["url"]
    _, domains = await web.ask("PUT", "/api/link-domains/default", json={"host": None})
    assert [one["host"] for one in domains["items"]] == ["go.example"]


async def test_clicks_are_shown_with_the_rule_that_judged_them_and_masked_numbers(
    web: Web, stage: Stage
) -> None:
    _, made = await web.ask("POST", "/api/links", json=LINK)
    async with stage.ledger.transaction() as connection:
        await value(
            connection,
            "INSERT INTO click (id, workspace_id, link_id, human, judged_by, clicked_at)"
            " VALUES (7, %s, %s, false, 'link preview', now()) RETURNING id",
            [stage.founding.workspace_id, made["id"]],
        )
    _, page = await web.ask("GET", "/api/links/sale%20%2F%20spring/clicks")
    [click] = page["items"]
    assert (click["id"], click["human"], click["judged_by"]) == (7, False, "link preview")
    assert (click["mobile"], click["campaign"]) == (None, None)
    _, people = await web.ask("GET", "/api/links/sale%20%2F%20spring/clicks?human=true")
    assert people["items"] == []


async def test_keys_of_tokens_are_made_anew_and_never_come_out(web: Web) -> None:
    status, page = await web.ask("POST", "/api/token-keys")
    assert (status, [one["version"] for one in page["items"]]) == (201, [2, 1])
    assert all(set(one) == {"version", "created_at"} for one in page["items"])
