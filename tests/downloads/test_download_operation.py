"""Downloads from the request to the file, on real stores."""

import csv
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.people_stage import PeopleStage
from textwave.accounts.key_operations import AdministratorNeeded
from textwave.audiences.visibility import Viewer
from textwave.downloads.operations import (
    DownloadNotReady,
    Wanted,
    find_download,
    forget_downloads,
    run_download,
    start_download,
)
from textwave.downloads.writing import FileFormat
from textwave.kit.ids import OperationId
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.storage import progress

ADMINISTRATOR, MARKETER = Viewer("admin"), Viewer("marketer", is_administrator=False)


async def begin(shop: PeopleStage, viewer: Viewer, wanted: Wanted) -> OperationId:
    async with shop.web_ledger.transaction(shop.workspace_id) as connection:
        return await start_download(
            connection,
            workspace_id=shop.workspace_id,
            viewer=viewer,
            name="vip",
            wanted=wanted,
        )


async def find(
    shop: PeopleStage, operation_id: OperationId, *, viewer: Viewer = MARKETER, name: str = "vip"
) -> Path:
    async with shop.web_ledger.transaction(shop.workspace_id) as connection:
        return await find_download(
            connection,
            workspace_id=shop.workspace_id,
            viewer=viewer,
            name=name,
            operation_id=operation_id,
            folder=shop.folder / "downloads",
        )


async def written(shop: PeopleStage, operation_id: OperationId) -> dict[str, Any]:
    (shop.folder / "downloads").mkdir(exist_ok=True)
    key: dict[str, Any] = {"workspace_id": shop.workspace_id, "operation_id": operation_id}
    await run_download(
        ledger=shop.ledger,
        warehouse=shop.using.warehouse,
        folder=shop.folder / "downloads",
        **key,
    )
    async with shop.ledger.transaction() as connection:
        operation = await progress.read(connection, **key)
    assert operation.result is not None, operation.problem
    return operation.result


def rows_of(path: Path) -> list[tuple[str, ...]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return sorted(tuple(row) for row in csv.reader(file))


async def test_a_file_has_the_members_with_masked_numbers_and_is_audited(
    shop: PeopleStage,
) -> None:
    await shop.uploaded("15400000001\n15400000099\n", keeps_unmatched=True)
    operation_id = await begin(shop, MARKETER, Wanted(FileFormat.CSV, ("id", "phone")))
    with pytest.raises(DownloadNotReady):
        await find(shop, operation_id)
    result = await written(shop, operation_id)
    path = await find(shop, operation_id)
    assert rows_of(path) == [
        ("C1", "*******0001"),
        ("id", "phone"),
        ("mobile:*******0099", "*******0099"),
    ]
    assert (result["rows"], result["bytes"]) == (2, path.stat().st_size)
    assert path.stat().st_mode & 0o077 == 0
    async with shop.ledger.transaction() as connection:
        cursor = await connection.execute(
            "SELECT actor, object, detail FROM audit_event WHERE action = 'audience.downloaded'"
        )
        assert await cursor.fetchall() == [
            (
                "marketer",
                "vip",
                {"format": "csv", "columns": ["id", "phone"], "reveal_numbers": False, "rows": 2},
            )
        ]


async def test_whole_numbers_are_for_administrators_only(shop: PeopleStage) -> None:
    await shop.uploaded("15400000001\n")
    wanted = Wanted(FileFormat.CSV, ("phone",), reveal_numbers=True)
    with pytest.raises(AdministratorNeeded):
        await begin(shop, MARKETER, wanted)
    operation_id = await begin(shop, ADMINISTRATOR, wanted)
    await written(shop, operation_id)
    assert ("8615400000001",) in rows_of(await find(shop, operation_id, viewer=ADMINISTRATOR))
    with pytest.raises(AdministratorNeeded):
        await find(shop, operation_id)


async def test_a_file_is_gone_after_a_day(shop: PeopleStage) -> None:
    await shop.uploaded("15400000001\n")
    operation_id = await begin(shop, MARKETER, Wanted(FileFormat.PARQUET))
    await written(shop, operation_id)
    path, now = await find(shop, operation_id), datetime.now(UTC)
    assert await forget_downloads(path.parent, now=now) == 0
    os.utime(path, (0, (now - timedelta(hours=25)).timestamp()))
    assert await forget_downloads(path.parent, now=now) == 1
    with pytest.raises(NotFound):
        await find(shop, operation_id)


async def test_only_a_download_of_that_audience_is_found(shop: PeopleStage) -> None:
    await shop.uploaded("15400000001\n")
    await shop.uploaded("15400000002\n", name="other")
    operation_id = await begin(shop, MARKETER, Wanted(FileFormat.CSV))
    await written(shop, operation_id)
    with pytest.raises(NotFound):
        await find(shop, operation_id, name="other")
    with pytest.raises(NotFound):
        await find(shop, OperationId(operation_id - 1))
    with pytest.raises(InvalidValue, match="no column “town”"):
        await begin(shop, MARKETER, Wanted(FileFormat.CSV, ("town",)))
