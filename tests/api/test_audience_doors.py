"""Models, lists, profiles, downloads, feeds and operations over HTTP: one story each.

No worker runs: what takes long is begun, and ends where somebody ends it.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from tests.api.conftest import Web
from tests.api.test_audiences import EVERYBODY, colleague, make
from tests.audiences.stores import describe
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger, execute

STAGES = dict.fromkeys(("aware", "interested", "purchased", "loyal"), EVERYBODY["rule"])
RFM = {"table": "orders", "quantiles": 5}
AIPL = {"table": "customers", "stages": STAGES}
SOURCE = {"name": "shop", "kind": "postgres", "address": "postgresql://reader:hush@db/shop"}
OPTIONS = {"kind": "orders"}
FEED = {"name": "nightly", "source": "shop", "query": "SELECT 1", "table": "t", "options": OPTIONS}
SNAPSHOT = """INSERT INTO snapshot (workspace_id, audience_id, size, lake_version, milliseconds)
SELECT workspace_id, id, 1, 1, 1 FROM audience"""


@pytest.fixture(autouse=True)
async def tables(ledger: Ledger, workspace_id: WorkspaceId) -> None:
    async with ledger.transaction() as connection:
        await describe(connection, workspace_id)


async def ask(web: Web, line: str, body: Mapping[str, Any] | None = None, key: str = "") -> Any:
    """Ask what “POST /path” says; return the status and what identifies the answer."""
    method, path = line.split(" ", 1)
    status, answer = await web.ask(method, f"/api/{path}", json=body, key=key or web.key)
    if status >= 400:
        assert answer["status"] == status
        assert answer["detail"]
        return status, answer["code"]
    return status, answer


async def computed(web: Web, ledger: Ledger, *names: str, **more: Any) -> None:
    """Make audiences that have members as far as the ledger knows."""
    for name in names:
        assert (await make(web, name, **more))[0] == 201
    async with ledger.transaction() as connection:
        await execute(connection, "DELETE FROM snapshot")
        await execute(connection, SNAPSHOT)


async def test_models_are_made_refreshed_and_forgotten(web: Web, other_key: str) -> None:
    status, operation = await ask(web, "POST rfm/compute", RFM)
    assert (status, operation["kind"], operation["state"]) == (202, "rfm.compute", "queued")
    assert (await ask(web, "POST rfm", {"name": "worth", **RFM}))[0] == 201
    assert (await ask(web, "POST aipl", {"name": "way", **AIPL}))[0] == 201
    assert await ask(web, "POST rfm", {"name": "way", **RFM}) == (409, "already_exists")

    _, page = await ask(web, "GET models?kind=aipl")
    assert [model["name"] for model in page["items"]] == ["way"]
    for name in ("worth", "way"):
        assert (await ask(web, f"POST models/{name}/refresh", {}))[0] == 202
    assert (await ask(web, "GET aipl/way/stages"))[1]["day"] is None
    assert (await ask(web, "POST aipl/way/flow", {"from": "2026-01-01", "until": "2026-02-01"}))[
        1
    ] == "rule_day_not_labelled"
    assert (await ask(web, "GET aipl/worth/stages"))[0] == 404

    for line in ("GET models/way", "POST models/way/refresh", "DELETE models/way"):
        assert await ask(web, line, {}, other_key) == (404, "not_found")
    headers = {"Authorization": f"Bearer {web.key}"}
    async with web.http.delete(f"{web.url}/api/models/worth", headers=headers) as answer:
        assert answer.status == 204
    assert await ask(web, "GET models/worth") == (404, "not_found")


async def test_a_list_is_uploaded_and_of_its_workspace_alone(web: Web, other_key: str) -> None:
    path = "/api/lists/vip/imports?table=customers&id_type=mobile"
    status, operation = await web.ask("POST", path, data=b"mobile\n15412345678\n")
    assert (status, operation["kind"]) == (202, "lists.upload")

    unfit = await web.ask("POST", path.replace("mobile", "passport"), data=b"x\n1\n")
    assert unfit[0] in (404, 422)
    assert await ask(web, "GET lists/vip") == (404, "not_found")  # no worker has read it yet
    assert await ask(web, f"GET operations/{operation['id']}", key=other_key) == (404, "not_found")
    assert (await ask(web, "GET lists", key=other_key))[1]["items"] == []


async def test_feeds_are_kept_run_and_forgotten(web: Web, other_key: str) -> None:
    assert await ask(web, "POST feeds", FEED) == (404, "not_found")
    status, source = await ask(web, "POST sources", SOURCE)
    assert (status, source["shown_address"]) == (201, "postgresql://reader@db/shop")
    assert (await ask(web, "POST feeds", FEED))[0] == 201
    assert (await ask(web, "PUT feeds/nightly/schedule", {"schedule": "nonsense"}))[0] == 422

    assert (await ask(web, "POST sources/shop/check"))[0] == 202
    status, operation = await ask(web, "POST feeds/nightly/runs")
    assert (status, operation["kind"]) == (202, "feeds.import")
    assert await ask(web, "POST feeds/nightly/runs") == (409, "feed_running")
    for line in ("GET feeds/nightly", "POST feeds/nightly/runs", "DELETE sources/shop"):
        assert await ask(web, line, key=other_key) == (404, "not_found")
    assert (await ask(web, "DELETE sources/shop"))[0] == 409  # a feed reads it


async def test_an_operation_that_waits_is_cancelled_at_once(web: Web) -> None:
    _, begun = await ask(web, "POST audiences/estimate", EVERYBODY)

    _, cancelled = await ask(web, f"POST operations/{begun['id']}/cancel")

    assert cancelled["state"] == "cancelled"
    assert (await ask(web, f"GET operations/{begun['id']}"))[1]["state"] == "cancelled"


async def test_operations_are_listed_the_newest_first_and_by_state(web: Web) -> None:
    first, second = [(await ask(web, "POST audiences/estimate", EVERYBODY))[1]["id"] for _ in "ab"]
    await ask(web, f"POST operations/{first}/cancel")

    async def listed(query: str) -> list[int]:
        _, page = await ask(web, f"GET operations?{query}")
        return [line["id"] for line in page["items"]]

    assert await listed("limit=2") == [second, first]
    assert await listed(f"limit=1&after={second}") == [first]
    assert await listed("state=cancelled") == [first]


async def test_profiles_downloads_and_comparisons_are_begun(web: Web, ledger: Ledger) -> None:
    await computed(web, ledger, "one", "two")
    wanted = {
        "POST audiences/one/profile": {"against": "two"},
        "POST audiences/one/downloads": {"format": "parquet"},
        "POST audiences/compare": {"audiences": ["one", "two"]},
    }
    for line, body in wanted.items():
        assert (await ask(web, line, body))[1]["state"] == "queued", line

    key = await colleague(web)
    revealed = await ask(web, "POST audiences/one/downloads", {"reveal_numbers": True}, key)
    assert revealed == (403, "administrator_needed")


def private_doors() -> dict[str, Any]:
    """All that reads an audience, here the private “mine”."""
    member = {"table": "customers", "rule": {"kind": "audience", "audience": "mine"}}
    campaign = {"name": "c", "type": "promotional", "platform": "p", "signature": "s"}
    return {
        "GET audiences/mine": None,
        "GET audiences/mine/snapshots": None,
        "POST audiences/mine/snapshots": None,
        "POST audiences/mine/preview": None,
        "POST audiences/mine/profile": {},
        "POST audiences/open/profile": {"against": "mine"},
        "POST audiences/mine/downloads": {},
        "POST audiences/compare": {"audiences": ["open", "mine"]},
        "POST audiences/mine/changes": {"before": 1},
        "POST audiences/mine/copy": {"name": "taken"},
        "POST audiences/mine/rename": {"name": "taken"},
        "PATCH audiences/mine": {"version": 1},
        "POST campaigns": campaign | {"template": "t", "audience": "mine"},
        "POST audiences/estimate": member,
        "POST audiences/preview": member,
        "POST audiences": {"name": "taken", **member},
        "POST aipl": {"name": "taken", **AIPL, "stages": STAGES | {"loyal": member["rule"]}},
    }


async def test_no_door_leads_a_colleague_to_a_private_audience(web: Web, ledger: Ledger) -> None:
    key = await colleague(web)
    await computed(web, ledger, "open")
    await computed(web, ledger, "mine", is_public=False)

    for line, body in private_doors().items():
        found = await ask(web, line, body, key)
        assert found in ((404, "not_found"), (422, "rule_reference_unknown")), line


async def test_operations_on_a_private_audience_are_private_too(web: Web, ledger: Ledger) -> None:
    key = await colleague(web)
    await computed(web, ledger, "open")
    await computed(web, ledger, "mine", is_public=False)
    seen: dict[str, list[Any]] = {"open": [], "mine": []}

    for name, found in seen.items():
        rule = {"table": "customers", "rule": {"kind": "audience", "audience": name}}
        for line, body in (
            (f"POST audiences/{name}/preview", None),
            (f"POST audiences/{name}/profile", {}),
            ("POST audiences/preview", rule),
        ):
            _, begun = await ask(web, line, body)
            read = await ask(web, f"GET operations/{begun['id']}", key=key)
            ended = await ask(web, f"POST operations/{begun['id']}/cancel", key=key)
            found += [read[0], ended[0]]

    assert seen == {"open": [200] * 6, "mine": [404] * 6}
