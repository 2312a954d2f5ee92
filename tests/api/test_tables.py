"""Tables over HTTP and from the command line: what an import says, shows, keeps and deletes."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.api.conftest import Web
from textwave.cli.main import app
from textwave.customers.operations import run_import
from textwave.customers.table_operations import measure_table, run_deletion, run_finding_values
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.storage.ledger import Ledger
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Warehouse

Work = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
TEXT = "id,phone,mail,city\na,15412345678,a@example.com,Wuhan\nb,15412345679,,Wuhan\n"
PATH = "/api/tables/customers"


@pytest.fixture
def done(
    web: Web, ledger: Ledger, warehouse: Warehouse, vault: Vault, workspace_id: WorkspaceId
) -> Work:
    """Do what an operation stands for, as a worker does, and return it ended."""

    async def work(operation: dict[str, Any]) -> dict[str, Any]:
        ids: dict[str, Any] = {
            "workspace_id": workspace_id,
            "operation_id": OperationId(operation["id"]),
        }
        stores: dict[str, Any] = {"ledger": ledger, "warehouse": warehouse}
        if operation["kind"] == "customers.import":
            await run_import(**stores, vault=vault, **ids)
        elif operation["kind"] == "customers.values":
            await run_finding_values(**stores, **ids)
        else:
            await run_deletion(**stores, **ids)
        status, ended = await web.ask("GET", f"/api/operations/{operation['id']}")
        assert status == 200
        return ended

    return work


async def import_text(web: Web, done: Work, text: str, options: str = "") -> dict[str, Any]:
    path = f"{PATH}/imports?kind=customers{options}"
    status, operation = await web.ask("POST", path, data=text.encode())
    assert status == 202, operation
    return await done(operation)


async def command(web: Web, *arguments: str) -> tuple[int, str]:
    environment = {"TEXTWAVE_URL": web.url, "TEXTWAVE_API_KEY": web.key}
    run = CliRunner().invoke
    answer = await asyncio.to_thread(run, app, ["table", *arguments], env=environment)
    return answer.exit_code, answer.output


async def test_an_import_s_ids_and_statistics_are_shown(
    web: Web, done: Work, ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId
) -> None:
    await import_text(web, done, TEXT, "&ids=email=mail&ids=mobile=phone")
    await measure_table(ledger, warehouse, workspace_id=workspace_id, table="customers")
    _, table = await web.ask("GET", PATH)
    assert (table["ids"], table["mobile_column"]) == (
        [{"type": "email", "column": "mail"}],
        "phone",
    )
    assert table["statistics"]["city"]["top"] == [["Wuhan", 2]]
    assert (table["statistics"]["mail"]["nulls"], table["statistics"]["mail"]["top"]) == (1, [])
    status, shown = await command(web, "show", "customers")
    assert status == 0
    assert "Wuhan (2)" in shown
    assert "15412345678" not in shown
    assert "example.com" not in shown


async def test_two_columns_for_one_type_are_refused_at_once(web: Web) -> None:
    for options in ("&ids=email=mail&ids=email=city", "&ids=mobile=phone&mobile=mail"):
        path = f"{PATH}/imports?kind=customers{options}"
        status, problem = await web.ask("POST", path, data=TEXT.encode())
        assert (status, problem["code"]) == (422, "invalid_value")


async def test_a_change_is_accepted_by_saying_so(web: Web, done: Work) -> None:
    await import_text(web, done, TEXT)
    changed = TEXT.replace("city", "town")
    refused = await import_text(web, done, changed)
    assert refused["problem"]["fields"]["added"] == ["town"]
    taken = await import_text(web, done, changed, "&accept_changes=true")
    assert taken["state"] == "succeeded"


async def test_values_are_searched_for_pickers(web: Web, done: Work) -> None:
    await import_text(web, done, TEXT)
    status, operation = await web.ask("GET", f"{PATH}/columns/city/values?contains=wu")
    assert status == 202
    assert (await done(operation))["result"]["values"] == [{"value": "Wuhan", "count": 2}]


async def test_a_deleted_table_is_gone(web: Web, done: Work, other_key: str) -> None:
    await import_text(web, done, TEXT)
    assert (await web.ask("DELETE", PATH, key=other_key))[0] == 404
    status, operation = await web.ask("DELETE", PATH)
    assert status == 202
    assert (await done(operation))["state"] == "succeeded"
    assert (await web.ask("GET", PATH))[0] == 404


async def test_deleting_asks_first(web: Web, done: Work) -> None:
    await import_text(web, done, TEXT)
    status, output = await command(web, "delete", "customers")
    assert (status, "with 2 rows" in output) == (1, True)
    assert (await web.ask("GET", PATH))[0] == 200
