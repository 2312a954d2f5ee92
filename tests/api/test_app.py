import io
from typing import Any

from tests.api.conftest import Web
from tests.stage import Stage


async def test_without_a_key_nothing_is_shown(web: Web) -> None:
    status, problem = await web.ask("GET", "/api/tables", key="")

    assert (status, problem["code"]) == (401, "key_missing")


async def test_an_unknown_key_opens_nothing(web: Web) -> None:
    status, problem = await web.ask("GET", "/api/tables", key="tw_wrong")

    assert (status, problem["code"]) == (401, "key_unknown")


async def test_every_route_asks_for_a_key(web: Web) -> None:
    for path, methods in web.app.openapi()["paths"].items():
        for method in methods:
            address = path.replace("{name}", "x").replace("{import_id}", "1")
            address = address.replace("{operation_id}", "1")
            status, _ = await web.ask(method.upper(), address, key="", json={})
            assert status == 401, f"{method} {path}"


async def test_the_document_is_openapi_3_1(web: Web) -> None:
    status, document = await web.ask("GET", "/api/openapi.json", key="")

    assert status == 200
    assert document["openapi"].startswith("3.1")


async def test_health_says_that_the_database_answers(web: Web) -> None:
    assert await web.ask("GET", "/healthz", key="") == (200, {"status": "ok"})


async def test_metrics_name_routes_and_no_values_of_paths(web: Web) -> None:
    await web.ask("GET", "/api/tables/15412345678")

    async with web.http.get(web.url + "/metrics") as answer:
        text = await answer.text()

    assert 'route="/api/tables/{name}",status="404"' in text
    assert "15412345678" not in text


async def test_an_address_that_is_none_is_a_problem_too(web: Web) -> None:
    status, problem = await web.ask("GET", "/api/nothing")

    assert (status, problem["code"]) == (404, "not_found")


async def test_a_body_over_the_limit_is_refused(web: Web) -> None:
    status, problem = await web.ask("POST", "/api/count", data=io.BytesIO(b"x" * 1_100_000))

    assert (status, problem["code"]) == (413, "body_too_large")


async def test_a_file_over_the_limit_is_refused_and_leaves_nothing(web: Web, tmp_path: Any) -> None:
    async def pieces() -> Any:
        for _ in range(40):
            yield b"x" * 32_000

    path = "/api/tables/customers/imports?kind=customers"
    status, problem = await web.ask("POST", path, data=pieces())

    assert (status, problem["code"]) == (413, "body_too_large")
    assert not list((tmp_path / "uploads").iterdir())


async def test_an_import_begins_with_the_file_stored(web: Web, tmp_path: Any) -> None:
    path = "/api/tables/customers/imports?kind=customers&customer=id"
    status, operation = await web.ask("POST", path, data=b"id,mobile\n1,15412345678\n")

    assert (status, operation["state"]) == (202, "queued")
    [stored] = (tmp_path / "uploads").iterdir()
    assert stored.read_bytes().startswith(b"id,mobile")
    status, same = await web.ask("GET", f"/api/operations/{operation['id']}?wait_seconds=0.1")
    assert (status, same["id"]) == (200, operation["id"])


async def test_a_count_counts(web: Web) -> None:
    body = {"text": "x" * 69, "signature": "测试", "rule": "mainland"}

    status, counted = await web.ask("POST", "/api/count", json=body)
    assert status == 200
    asked = {name: counted[name] for name in ("encoding", "units", "parts", "price_milli")}
    assert asked == {"encoding": "mainland", "units": 73, "parts": 2, "price_milli": None}
    assert counted["worst"]["parts"] == 2


async def test_a_number_that_is_opted_out_comes_back_masked(web: Web, stage: Stage) -> None:
    await stage.set([])
    _, signatures = await web.ask("GET", "/api/signatures")
    [signature] = signatures["items"]
    body = {
        "platform": signature["platform"],
        "signature": signature["name"],
        "mobile": "154 1234 5678",
        "evidence": "by phone",
    }

    status, _ = await web.ask("POST", "/api/opt-outs", json=body)
    _, page = await web.ask("GET", "/api/opt-outs")

    assert status == 201
    assert [one["mobile"] for one in page["items"]] == ["*******5678"]


async def test_pages_follow_each_other(web: Web) -> None:
    link = {"long_url": "https://shop.example.com/"}
    for name in ("one", "two", "three"):
        assert (await web.ask("POST", "/api/links", json={**link, "name": name}))[0] == 201

    _, first = await web.ask("GET", "/api/links?limit=2")
    _, second = await web.ask("GET", f"/api/links?limit=2&after={first['next']}")

    assert [one["name"] for one in first["items"] + second["items"]] == ["one", "two", "three"]
    assert second["next"] is None


async def test_another_workspace_s_operation_is_not_found(web: Web, other_key: str) -> None:
    path = "/api/tables/customers/imports?kind=customers"
    _, operation = await web.ask("POST", path, data=b"id\n1\n")

    status, _ = await web.ask("GET", f"/api/operations/{operation['id']}", key=other_key)

    assert status == 404
