"""Tables are brought up to date from databases and folders; nothing else of the machine is read."""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.feeds.conftest import CUSTOMERS, Feeding, request
from textwave.feeds import operations as feeds
from textwave.feeds import store
from textwave.feeds.address import AddressUnfit, SourceKind, shown_address
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.storage import progress
from textwave.storage.ledger import value
from textwave.storage.warehouse import Lake, Warehouse

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def people(lake: Lake) -> list[Any]:
    return lake.duckdb.execute(f"FROM {lake.qualified('people')} ORDER BY 1").fetchall()


async def test_a_query_of_a_postgresql_database_becomes_a_table(
    feeding: Feeding, postgres_address: str, warehouse: Warehouse
) -> None:
    await feeding.source(SourceKind.POSTGRES, postgres_address)
    ended = await feeding.take("SELECT id, phone, spent, seen FROM c WHERE id < 10")
    assert ended.problem is None
    rows = await warehouse.run(feeding.workspace_id, people)
    moment = datetime(2026, 1, 2, 3, 4)  # noqa: DTZ001 - the lake's UTC
    assert rows == [
        ("1", "15412345678", 9.5, moment, 8615412345678, False),
        ("2", "nobody", None, None, None, True),
    ]


async def test_a_query_of_a_mysql_database_becomes_a_table(
    feeding: Feeding, mysql_address: str, warehouse: Warehouse
) -> None:
    await feeding.source(SourceKind.MYSQL, mysql_address)
    ended = await feeding.take("SELECT id, phone, spent FROM c")
    assert ended.problem is None
    rows = await warehouse.run(feeding.workspace_id, people)
    assert [row[:3] for row in rows] == [("1", "15412345678", 12.34), ("2", "15412345679", None)]


async def test_a_query_of_a_sqlite_file_becomes_a_table(
    feeding: Feeding, sqlite_file: str, warehouse: Warehouse
) -> None:
    await feeding.source(SourceKind.SQLITE, sqlite_file)
    assert (await feeding.take("SELECT * FROM c")).problem is None
    assert len(await warehouse.run(feeding.workspace_id, people)) == 2


async def test_the_newest_file_of_a_folder_is_taken(feeding: Feeding, warehouse: Warehouse) -> None:
    for name, rows, age_seconds in (("a-1.csv", 1, 50), ("a-2.csv", 2, 10), ("b.csv", 1, 0)):
        path = feeding.folder / name
        path.write_text("".join(CUSTOMERS.splitlines(keepends=True)[: rows + 1]), "utf-8")
        changed = NOW.timestamp() - age_seconds
        os.utime(path, (changed, changed))
    await feeding.source(SourceKind.FOLDER, ".")
    assert (await feeding.take("a-*.csv")).problem is None
    assert len(await warehouse.run(feeding.workspace_id, people)) == 2


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT 1; SELECT 2",
        "CREATE TABLE t AS SELECT 1",
        "SELECT * FROM nothing",
        "nonsense",
    ],
)
async def test_a_query_that_is_no_select_of_the_source_is_refused(
    feeding: Feeding, sqlite_file: str, query: str
) -> None:
    await feeding.source(SourceKind.SQLITE, sqlite_file)
    assert refused(await feeding.take(query)) == "source_query_refused"


async def test_a_query_cannot_change_the_database(feeding: Feeding, postgres_address: str) -> None:
    await feeding.source(SourceKind.POSTGRES, postgres_address)
    changed = await feeding.take("DELETE FROM c RETURNING id, phone")
    assert refused(changed) == "source_query_refused"
    assert (await feeding.take("SELECT id, phone FROM c")).state == "succeeded"


async def test_textwaves_own_database_is_no_source(feeding: Feeding) -> None:
    address = feeding.ground.ledger.url
    parts = dict(part.split("=", 1) for part in address.split())
    await feeding.source(
        SourceKind.POSTGRES,
        f"postgresql://{parts['user']}:{parts['password']}@/{parts['dbname']}?host={parts['host']}",
    )
    ended = await feeding.take("SELECT * FROM workspace")
    assert refused(ended) == "source_unreachable"


async def test_what_goes_wrong_never_tells_the_password(feeding: Feeding) -> None:
    source = await feeding.source(
        SourceKind.POSTGRES, "postgresql://me:hidden-word@127.0.0.1:9/shop?sslmode=disable"
    )
    assert source.shown_address == "postgresql://me@127.0.0.1:9/shop"
    ended = await feeding.take("SELECT 1")
    assert refused(ended) == "source_unreachable"
    assert "hidden-word" not in str(ended.problem)
    async with feeding.web.transaction(feeding.workspace_id) as connection:
        sealed = await value(connection, "SELECT sealed_address FROM source")
    assert b"hidden-word" not in sealed


@pytest.mark.parametrize("address", ["/etc", "../up", "", "a\nb"])
def test_a_place_outside_of_the_folder_of_imports_is_refused(address: str) -> None:
    with pytest.raises(AddressUnfit):
        shown_address(SourceKind.FOLDER, address)


async def test_a_link_out_of_the_folder_of_imports_is_not_followed(feeding: Feeding) -> None:
    (feeding.folder / "people.csv").symlink_to("/etc/passwd")
    await feeding.source(SourceKind.FOLDER, ".")
    assert refused(await feeding.take("people.csv")) == "source_address_unfit"


async def test_a_due_feed_runs_once_and_is_due_again_at_its_next_time(
    feeding: Feeding, warehouse: Warehouse
) -> None:
    await feed(feeding, schedule="0 6 * * *")  # 22:00 UTC
    (feeding.folder / "people.csv").write_text(CUSTOMERS, "utf-8")
    assert await feeds.run_due(feeding.ground.ledger, now=NOW) == 0
    due = NOW + timedelta(hours=18, minutes=1)
    assert await feeds.run_due(feeding.ground.ledger, now=due) == 1
    assert await feeds.run_due(feeding.ground.ledger, now=due) == 0
    begun = await shown(feeding)
    assert begun.next_run_at == datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
    assert begun.last_operation_id is not None
    await feeding.ended(begun.last_operation_id)
    assert len(await warehouse.run(feeding.workspace_id, people)) == 2


async def test_a_feed_says_why_its_last_run_failed_until_one_succeeds(feeding: Feeding) -> None:
    await feed(feeding)
    await feeding.ended(await run(feeding))
    assert ((await shown(feeding)).problem or {})["code"] == "source_file_missing"
    (feeding.folder / "people.csv").write_text(CUSTOMERS, "utf-8")
    await feeding.ended(await run(feeding))
    assert (await shown(feeding)).problem is None


async def test_a_feed_under_way_is_not_run_a_second_time(feeding: Feeding) -> None:
    await feed(feeding)
    await run(feeding)
    with pytest.raises(feeds.FeedRunning):
        await run(feeding)


async def test_a_source_that_a_feed_reads_is_kept(feeding: Feeding) -> None:
    await feed(feeding)
    async with feeding.web.transaction(feeding.workspace_id) as connection:
        key: dict[str, Any] = {"workspace_id": feeding.workspace_id, "actor": "a test"}
        with pytest.raises(feeds.SourceInUse):
            await feeds.delete_source(connection, **key, name="shop")
        await feeds.delete_feed(connection, **key, name="daily")
        await feeds.delete_source(connection, **key, name="shop")
        with pytest.raises(NotFound):
            await store.sealed_source(connection, feeding.workspace_id, "shop")


async def test_a_feed_cannot_wait_for_imports(feeding: Feeding) -> None:
    with pytest.raises(InvalidValue):
        await feed(feeding, schedule="after_import")


async def test_a_source_is_checked_without_an_import(
    feeding: Feeding, postgres_address: str
) -> None:
    await feeding.source(SourceKind.POSTGRES, postgres_address)
    async with feeding.web.transaction(feeding.workspace_id) as connection:
        operation_id = await feeds.start_check(
            connection, workspace_id=feeding.workspace_id, name="shop"
        )
    key: dict[str, Any] = {"workspace_id": feeding.workspace_id, "operation_id": operation_id}
    await feeds.run_check(feeding.ground, **key)
    async with feeding.web.transaction(feeding.workspace_id) as connection:
        assert (await progress.read(connection, **key)).state == "succeeded"


async def feed(feeding: Feeding, schedule: str = "") -> None:
    await feeding.source(SourceKind.FOLDER, ".")
    async with feeding.web.transaction(feeding.workspace_id) as connection:
        await feeds.create_feed(
            connection,
            workspace_id=feeding.workspace_id,
            actor="a test",
            name="daily",
            source="shop",
            query="people.csv",
            request=request(),
            schedule=schedule,
            now=NOW,
        )


async def run(feeding: Feeding) -> Any:
    async with feeding.web.transaction(feeding.workspace_id) as connection:
        return await feeds.run_now(
            connection, workspace_id=feeding.workspace_id, name="daily", now=NOW
        )


async def shown(feeding: Feeding) -> store.Feed:
    async with feeding.web.transaction(feeding.workspace_id) as connection:
        return await store.feed(connection, feeding.workspace_id, "daily")


def refused(ended: progress.Operation) -> str:
    return str((ended.problem or {}).get("code"))
