"""Uploaded lists from the file to the audience, on real stores."""

import random
from collections import Counter
from typing import Any

import pytest

from tests.people_stage import LI, WANG, Customer, PeopleStage
from textwave.customers.key_operations import add_key
from textwave.kit.mobile import read_mobile
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound
from textwave.lists import store
from textwave.lists.operations import ListInUse, delete_list, start_upload
from textwave.lists.request import IdTypeUnknown, ListTableUnfit, NumbersEncrypted, UploadRequest

NUMBERS = "mobile\n15400000001\n+86 154 0000 0001\n15400000002\n15400000009\nnone\n"
COUNTED = {"rows_read": 5, "invalid": 1, "duplicates": 1, "matched": 2, "unmatched": 1}


async def add_a_key(shop: PeopleStage) -> None:
    async with shop.ledger.transaction() as connection:
        await add_key(
            connection,
            shop.using.vault,
            workspace_id=shop.workspace_id,
            actor="admin",
            secret="0123456789abcdef",
        )


async def test_a_list_becomes_an_audience_of_those_who_have_its_ids(shop: PeopleStage) -> None:
    result = await shop.uploaded(NUMBERS)
    assert {name: result[name] for name in COUNTED} == COUNTED
    assert result["invalid_rows"] == [{"line": 6, "reason": "no mobile number"}]
    assert await shop.members() == ["C1", "C2", "C3"]  # two of them share a number
    assert result["size"] == 3


async def test_ids_of_any_declared_type_are_matched(shop: PeopleStage) -> None:
    result = await shop.uploaded("LI@EXAMPLE.com\nno@example.com\n", id_type="email")
    assert (result["matched"], result["unmatched"]) == (1, 1)
    assert await shop.members() == ["C1"]
    await shop.uploaded(" C3 \nC9\n", id_type="customer", name="keys", file_name="keys.txt")
    assert await shop.members("keys") == ["C3"]


async def test_encrypted_numbers_are_decrypted_to_be_matched(shop: PeopleStage) -> None:
    await add_a_key(shop)
    await shop.fill([("C1", 8613800138000, None)])
    content = "mobile\nF1F22B193600433151FAD3765ADD320D\n8fIrGTYAQzFR+tN2Wt0yDQ==\n13800138000\n"
    result = await shop.uploaded(content, encrypted=True)
    assert (result["matched"], result["duplicates"], result["invalid"]) == (1, 1, 1)
    assert await shop.members() == ["C1"]
    problem = await shop.refused(NUMBERS, name="plain", encrypted=True)
    assert problem["code"] == "no_usable_id"
    assert "decrypt" in problem["sentence"]


async def test_unmatched_ids_can_be_kept_as_new_people(shop: PeopleStage) -> None:
    result = await shop.uploaded(NUMBERS, keeps_unmatched=True)
    assert result["size"] == 4
    assert await shop.members() == ["C1", "C2", "C3", "mobile:8615400000009"]
    assert await shop.rows("new_person") == [
        {
            "table_name": "customers",
            "customer": "mobile:8615400000009",
            "id_type": "mobile",
            "value": "8615400000009",
            "mobile": 8615400000009,
        }
    ]


async def test_a_new_person_who_became_a_customer_is_not_counted_twice(shop: PeopleStage) -> None:
    await shop.uploaded(NUMBERS, keeps_unmatched=True)
    await shop.fill([LI, WANG, ("C9", 8615400000009, None)])
    await shop.uploaded(NUMBERS, keeps_unmatched=True, replace=True)
    assert await shop.members() == ["C1", "C2", "C9"]


async def test_the_same_file_twice_is_said_and_doubles_nothing(shop: PeopleStage) -> None:
    first = await shop.uploaded(NUMBERS, keeps_unmatched=True)
    before = await shop.rows("list_id"), await shop.rows("new_person")
    again = await shop.uploaded(NUMBERS, keeps_unmatched=True)
    assert (first["already_uploaded"], again["already_uploaded"]) == (False, True)
    assert {name: again[name] for name in COUNTED} == COUNTED
    assert (await shop.rows("list_id"), await shop.rows("new_person")) == before


async def test_another_file_replaces_the_list_only_when_asked(shop: PeopleStage) -> None:
    await shop.uploaded(NUMBERS, keeps_unmatched=True)
    problem = await shop.refused("15400000002\n15400000008\n")
    assert problem["code"] == "list_exists"
    assert await shop.members() == ["C1", "C2", "C3", "mobile:8615400000009"]
    await shop.uploaded("15400000002\n15400000008\n", keeps_unmatched=True, replace=True)
    assert await shop.members() == ["C2", "C3", "mobile:8615400000008"]
    await shop.sweep()
    assert sorted(row["value"] for row in await shop.rows("list_id")) == [
        "8615400000002",
        "8615400000008",
    ]
    assert [row["value"] for row in await shop.rows("new_person")] == ["8615400000008"]


async def test_a_sweep_spares_people_whom_another_list_keeps(shop: PeopleStage) -> None:
    await shop.uploaded("15400000009\n", keeps_unmatched=True, name="one")
    await shop.uploaded("15400000009\n", keeps_unmatched=True, name="two")
    assert len(await shop.rows("new_person")) == 1
    async with shop.ledger.transaction() as connection:
        await store.remove(connection, shop.workspace_id, "one")
    await shop.sweep()
    assert len(await shop.rows("new_person")) == 1
    async with shop.ledger.transaction() as connection:
        await store.remove(connection, shop.workspace_id, "two")
    await shop.sweep()
    assert await shop.rows("new_person") == []
    assert await shop.rows("list_id") == []


async def test_a_refused_file_leaves_nothing_behind(shop: PeopleStage) -> None:
    problem = await shop.refused("abc\n")
    assert problem["code"] == "no_usable_id"
    assert [path.name for path in shop.folder.glob("upload*")] == []
    async with shop.ledger.transaction() as connection:
        with pytest.raises(NotFound):
            await store.read(connection, shop.workspace_id, "vip")


async def test_numbers_are_not_matched_with_ciphertexts(shop: PeopleStage) -> None:
    await add_a_key(shop)
    async with shop.ledger.transaction() as connection:
        await connection.execute("UPDATE customer_table SET mobile_key = 1, mobile_region = 'CN'")
    with pytest.raises(NumbersEncrypted):
        await shop.upload(NUMBERS)
    assert (await shop.uploaded("C1\n", id_type="customer"))["matched"] == 1


async def test_a_list_that_a_rule_names_is_not_deleted(shop: PeopleStage) -> None:
    await shop.uploaded(NUMBERS)
    async with shop.web_ledger.transaction(shop.workspace_id) as connection:
        with pytest.raises(ListInUse, match="“vip”"):
            await delete_list(
                connection, workspace_id=shop.workspace_id, actor="marketer", name="vip"
            )
        await connection.execute("UPDATE audience SET archived_at = now()")
        await delete_list(connection, workspace_id=shop.workspace_id, actor="marketer", name="vip")
        with pytest.raises(NotFound):
            await store.read(connection, shop.workspace_id, "vip")


async def test_what_cannot_succeed_is_refused_before_the_file_is_read(shop: PeopleStage) -> None:
    await shop.uploaded(NUMBERS)
    async with shop.ledger.transaction() as connection:
        await connection.execute(
            "INSERT INTO audience (workspace_id, name, table_name, rule, created_by)"
            " VALUES (%s, 'taken', 'customers', '{\"kind\": \"all\", \"of\": []}', 'x')",
            [shop.workspace_id],
        )
        await connection.execute(
            "INSERT INTO customer_table (workspace_id, name, kind, customer_column)"
            " VALUES (%s, 'orders', 'orders', 'id')",
            [shop.workspace_id],
        )
    wrong = [
        ({"list": "taken"}, AlreadyExists),
        ({"list": "a/b"}, InvalidValue),
        ({"list": " a"}, InvalidValue),
        ({"id_type": "open_id"}, IdTypeUnknown),
        ({"table": "orders"}, ListTableUnfit),
        ({"table": "nowhere"}, NotFound),
    ]
    for options, refusal in wrong:
        given: dict[str, Any] = {"list": "new", "table": "customers", "id_type": "mobile"} | options
        request = UploadRequest(path="", file_name="f", actor="a", **given)
        async with shop.web_ledger.transaction(shop.workspace_id) as connection:
            with pytest.raises(refusal):
                await start_upload(connection, workspace_id=shop.workspace_id, request=request)


def written(mobile: int, chance: random.Random) -> str:
    """Write a mainland number in one of the ways people do."""
    local = str(mobile)[2:]
    forms = (local, f"+86{local}", f"86 {local}", f"{local[:3]}-{local[3:7]}-{local[7:]}")
    return chance.choice(forms)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_matching_agrees_with_a_look_at_row_by_row(shop: PeopleStage, seed: int) -> None:
    chance = random.Random(seed)
    numbers = [8615400000000 + n for n in range(60)]
    customers: list[Customer] = [
        (f"K{n}", chance.choice([None, *numbers[:40]]), None) for n in range(50)
    ]
    await shop.fill(customers)
    lines = [written(chance.choice(numbers), chance) for _ in range(200)]
    lines += chance.choices(["", "x", "12", "+1 555-0100"], k=20)
    chance.shuffle(lines)
    result = await shop.uploaded(
        "mobile,n\n" + "".join(f"{line},1\n" for line in lines), keeps_unmatched=True
    )

    read = [read_mobile(line, "CN") for line in lines]
    distinct = Counter(mobile for mobile in read if mobile is not None)
    known = {mobile for _, mobile, _ in customers}
    matched = {mobile for mobile in distinct if mobile in known}
    assert {name: result[name] for name in COUNTED} == {
        "rows_read": len(lines),
        "invalid": read.count(None),
        "duplicates": distinct.total() - len(distinct),
        "matched": len(matched),
        "unmatched": len(distinct) - len(matched),
    }
    expected = [key for key, mobile, _ in customers if mobile in matched]
    expected += [f"mobile:{mobile}" for mobile in distinct if mobile not in matched]
    assert await shop.members() == sorted(expected)
