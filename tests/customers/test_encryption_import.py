"""Importing encrypted mobile numbers: they stay encrypted, and a wrong key is noticed first."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from tests.customers.conftest import Import
from tests.customers.test_encryption import encrypted

from textwave.customers.columns import ColumnType
from textwave.customers.key_operations import EncryptionKeyMissing, add_key, keys
from textwave.customers.operations import tables
from textwave.customers.request import ImportMode
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger
from textwave.storage.secrets import Vault

OLD, NEW = "the first key 01", "the second key 2"
Rows = Callable[..., list[Any]]


@pytest.fixture
async def _two_keys(ledger: Ledger, vault: Vault, workspace_id: WorkspaceId) -> None:
    async with ledger.transaction() as connection:
        for secret in (OLD, NEW):
            await add_key(connection, vault, workspace_id=workspace_id, actor="x", secret=secret)


def cell(number: object, key: str = NEW) -> str:
    return encrypted(str(number).encode(), key.encode()).hex()


def file(*cells: str) -> str:
    rows = (f"c{place},{text}" for place, text in enumerate(cells))
    return "\n".join(["customer_id,mobile", *rows]) + "\n"


@pytest.mark.usefixtures("_two_keys")
async def test_numbers_stay_encrypted_and_those_that_hide_no_mobile_number_are_marked(
    do_import: Import, rows_of: Rows, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    cells = [
        cell(15412345678).upper(),
        base64.b64encode(encrypted(b"+8615412345679", NEW.encode())).decode(),
        cell("+447700900123"),
        cell(12345),
        "15412345678",
        "",
        "nonsense",
        cell("154 1234 5670"),
        cell(15412345671),
    ]
    done = await do_import(file(*cells), mobile_encrypted=True)
    assert done.result is not None, done.problem
    assert done.result["numbers"] == {"encrypted": 5, "bad": 3, "missing": 1}
    columns = "customer_id, mobile, textwave_mobile, textwave_bad_mobile"
    rows = rows_of("customers", columns)
    assert [(row[1] or "", row[2]) for row in rows] == [(text, None) for text in cells]
    assert [row[0] for row in rows if row[3]] == ["c3", "c4", "c6"]
    async with ledger.transaction() as connection:
        [table] = await tables(connection, workspace_id)
        newest, oldest = await keys(connection, workspace_id)
    assert (table.mobile_key, table.mobile_region) == (2, "CN")
    assert (newest.tables, oldest.tables) == (["customers"], [])


@pytest.mark.usefixtures("_two_keys")
async def test_a_wrong_key_is_noticed_before_anything_is_taken(
    do_import: Import, rows_of: Rows
) -> None:
    await do_import("customer_id,mobile\nold,15412345678\n")
    cells = [cell(15400000000 + n, OLD if n % 3 else NEW) for n in range(30)]
    done = await do_import(file(*cells), mobile_encrypted=True)
    assert done.problem is not None
    assert done.problem["code"] == "encryption_key_wrong"
    sentence = done.problem["sentence"]
    assert "Of 30 values of column “mobile” of table “customers”, 10 decrypt" in sentence
    assert "key version 2 (not that of line 3, for example)" in sentence
    assert rows_of("customers", "customer_id") == [("old",)]


@pytest.mark.usefixtures("_two_keys")
async def test_the_version_may_be_named(do_import: Import, rows_of: Rows) -> None:
    done = await do_import(file(cell(15412345678, OLD)), mobile_encrypted=True, key_version=1)
    assert done.result is not None, done.problem
    assert rows_of("customers", "textwave_bad_mobile") == [(False,)]


@pytest.mark.usefixtures("_two_keys")
async def test_rows_join_a_table_only_as_it_is_encrypted(do_import: Import) -> None:
    old = {"mobile_encrypted": True, "key_version": 1}
    await do_import(file(cell(15412345678, OLD)), **old)
    added = await do_import(
        "customer_id,mobile\nz," + cell(15412345679, OLD),
        mode=ImportMode.UPSERT,
        mobile_encrypted=True,
    )
    plain = await do_import("customer_id,mobile\ny,15412345670\n", mode=ImportMode.UPSERT)
    newer = await do_import(
        file(cell(15412345670)), mode=ImportMode.UPSERT, mobile_encrypted=True, key_version=2
    )
    assert added.result is not None, added.problem
    assert added.result["row_count"] == 2
    for refused in (plain, newer):
        assert refused.problem is not None
        assert "encrypted with key version 1" in refused.problem["sentence"]


async def test_without_a_key_the_import_does_not_begin(do_import: Import) -> None:
    with pytest.raises(EncryptionKeyMissing, match="textwave encryption add"):
        await do_import(file(cell(15412345678)), mobile_encrypted=True)


@pytest.mark.usefixtures("_two_keys")
async def test_a_cell_of_several_encrypted_numbers_is_refused(do_import: Import) -> None:
    both = f"{cell(15412345678)}|{cell(15412345679)}"
    done = await do_import(
        file(both), mobile_encrypted=True, types={"mobile": ColumnType.MULTI_VALUE}, separator="|"
    )
    assert done.problem is not None
    assert "holds one number" in done.problem["sentence"]
