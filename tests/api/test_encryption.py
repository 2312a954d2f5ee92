from tests.api.conftest import Web

KEY = "the first key 01"


async def test_a_key_goes_in_and_only_its_version_comes_out(web: Web) -> None:
    status, added = await web.ask("POST", "/api/encryption-keys", json={"key": KEY})
    _, listed = await web.ask("GET", "/api/encryption-keys")

    assert (status, added["version"], added["tables"]) == (201, 1, [])
    assert listed["items"] == [added]
    assert KEY not in str(added)


async def test_a_key_that_is_refused_is_not_repeated(web: Web) -> None:
    for key in ("too short", "x" * 200):
        status, problem = await web.ask("POST", "/api/encryption-keys", json={"key": key})
        assert status == 422
        assert key not in str(problem)


async def test_an_encrypted_import_without_a_key_says_how_to_add_one(web: Web) -> None:
    path = "/api/tables/customers/imports?kind=customers&mobile_encrypted=true"
    status, problem = await web.ask("POST", path, data=b"customer_id,mobile\na,b\n")

    assert (status, problem["code"]) == (422, "encryption_key_missing")
    assert "textwave encryption add" in problem["detail"]
