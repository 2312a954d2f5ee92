"""Importing opt-outs and deny lists: counted, harmless when repeated, nothing lost."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.stage import Stage
from textwave.accounts.key_operations import AdministratorNeeded
from textwave.downloads import opt_out_operations as exports
from textwave.downloads.opt_out_files import SheetFormat
from textwave.kit.clock import SystemClock
from textwave.kit.ids import OperationId, PlatformId, SignatureId
from textwave.storage import progress
from textwave.storage.ledger import Ledger, execute, value
from textwave.suppression import deny_store, store
from textwave.suppression.export_store import Exported
from textwave.suppression.import_operations import (
    ImportRequest,
    rejected_lines,
    run_import,
    start_import,
)

MOBILE = 8615412345678
FILE = (
    b"mobile,time,evidence\n15412345678,2026-03-01,shop\n15412345679,,\nnobody,,\n15412345678,,\n"
)


@dataclass(frozen=True)
class Desk:
    """Where files are taken: as the web role asks and the worker does."""

    ledger: Ledger
    web: Ledger
    stage: Stage
    folder: Path

    @property
    def signature_id(self) -> SignatureId:
        return SignatureId(self.stage.ids["signature"])

    @property
    def platform_id(self) -> PlatformId:
        return PlatformId(self.stage.ids["platform"])

    async def take(self, content: bytes, **place: Any) -> tuple[OperationId, dict[str, Any]]:
        path = self.folder / "stored"
        path.write_bytes(content)
        request = ImportRequest(path=str(path), file_name="list.csv", actor="mei", **place)
        workspace_id = self.stage.founding.workspace_id
        async with self.web.transaction(workspace_id) as connection:
            operation_id = await start_import(
                connection, workspace_id=workspace_id, request=request
            )
        key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
        await run_import(ledger=self.ledger, clock=SystemClock(), **key)
        assert not path.exists()
        async with self.web.transaction(workspace_id) as connection:
            operation = await progress.read(connection, **key)
        assert operation.result is not None, operation.problem
        return operation_id, operation.result

    async def blocked(self) -> int:
        async with self.ledger.transaction() as connection:
            found: int = await value(connection, "SELECT count(*) FROM denied_number")
        return found

    async def export(self, *, reveal: bool, form: SheetFormat, **more: Any) -> Path:
        workspace_id = self.stage.founding.workspace_id
        asker = exports.ExportAsker("mei", is_administrator=True)
        async with self.web.transaction(workspace_id) as connection:
            operation_id = await exports.start_export(
                connection,
                workspace_id=workspace_id,
                asker=asker,
                exported=Exported(**more),
                form=form,
                reveal_numbers=reveal,
            )
        key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
        await exports.run_export(ledger=self.ledger, folder=self.folder, **key)
        async with self.web.transaction(workspace_id) as connection:
            return await exports.find_export(connection, asker=asker, folder=self.folder, **key)


@pytest.fixture
async def desk(ledger: Ledger, web_ledger: Ledger, stage: Stage, tmp_path: Path) -> Desk:
    await stage.set([])
    return Desk(ledger, web_ledger, stage, tmp_path)


async def test_an_import_counts_every_line_and_keeps_what_it_did_not_take(desk: Desk) -> None:
    operation_id, result = await desk.take(
        FILE, signature_id=desk.signature_id, platform_id=desk.platform_id
    )
    counts = ("rows_read", "added", "duplicates", "overtaken", "invalid", "without_time")
    assert [result[name] for name in counts] == [4, 2, 1, 0, 1, 2]
    async with desk.web.transaction(desk.stage.founding.workspace_id) as connection:
        asked = [MOBILE, MOBILE + 1, MOBILE + 2]
        blocked = await store.opted_out(connection, desk.signature_id, asked)
        lines = await rejected_lines(
            connection,
            workspace_id=desk.stage.founding.workspace_id,
            operation_id=operation_id,
            after=0,
            limit=10,
        )
    assert blocked == {MOBILE, MOBILE + 1}
    assert [(line.line, line.content) for line in lines] == [(4, "nobody,,")]


async def test_the_same_file_twice_adds_nothing(desk: Desk) -> None:
    place = {"platform_id": desk.platform_id}
    await desk.take(FILE, **place)
    _, again = await desk.take(FILE, **place)
    assert (again["added"], again["duplicates"]) == (0, 3)
    async with desk.ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM denied_number") == 2


async def test_a_cancelled_import_keeps_what_it_took_and_the_file_again_adds_the_rest(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textwave.suppression.import_operations._BLOCK_RECORDS", 20)
    lines, workspace_id = 20_000, desk.stage.founding.workspace_id
    content = "".join(f"154{n:08d}\n" for n in range(lines)).encode()
    (desk.folder / "big").write_bytes(content)
    request = ImportRequest(
        path=str(desk.folder / "big"), file_name="big.txt", actor="mei", reason="complaints"
    )
    async with desk.web.transaction(workspace_id) as connection:
        operation_id = await start_import(connection, workspace_id=workspace_id, request=request)
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
    job = asyncio.ensure_future(run_import(ledger=desk.ledger, clock=SystemClock(), **key))
    async with asyncio.timeout(60):
        while not await desk.blocked():  # noqa: ASYNC110 - rows of the database are waited for
            await asyncio.sleep(0.02)
        async with desk.web.transaction(workspace_id) as connection:
            await progress.cancel(connection, **key)
        await job
    async with desk.web.transaction(workspace_id) as connection:
        assert (await progress.read(connection, **key)).state == "cancelled"
    taken = await desk.blocked()
    assert 0 < taken < lines
    monkeypatch.undo()
    _, result = await desk.take(content, reason="complaints")
    assert (result["added"], result["duplicates"]) == (lines - taken, taken)


async def test_an_old_opt_out_does_not_undo_a_later_consent(desk: Desk) -> None:
    place = {"signature_id": desk.signature_id, "platform_id": desk.platform_id}
    old = b"mobile,time\n15412345678,2026-03-01\n"
    await desk.take(old, **place)
    async with desk.ledger.transaction() as connection:
        await store.lift(
            connection,
            workspace_id=desk.stage.founding.workspace_id,
            signature_id=desk.signature_id,
            mobile=MOBILE,
            evidence="signed again",
            now=datetime(2026, 4, 1, tzinfo=UTC),
        )
    _, result = await desk.take(old, **place)
    assert (result["added"], result["overtaken"], result["duplicates"]) == (0, 1, 0)
    _, result = await desk.take(b"mobile,time\n15412345678,2026-05-01\n", **place)
    assert result["added"] == 1


async def test_an_import_that_died_runs_again_and_counts_the_same(desk: Desk) -> None:
    operation_id, result = await desk.take(FILE, reason="complaints")
    workspace_id = desk.stage.founding.workspace_id
    (desk.folder / "stored").write_bytes(FILE)
    async with desk.ledger.transaction() as connection:
        reset = "UPDATE operation SET state = 'running', finished_at = NULL, result = NULL"
        await execute(connection, reset)
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
    await run_import(ledger=desk.ledger, clock=SystemClock(), **key)
    async with desk.ledger.transaction() as connection:
        again = (await progress.read(connection, **key)).result
        entries = await deny_store.entries(connection, workspace_id=workspace_id, platform_id=None)
    assert again is not None
    assert {**again, "seconds": 0} == {**result, "seconds": 0}
    assert {entry.reason for entry in entries} == {"complaints"}


@pytest.mark.parametrize("form", list(SheetFormat))
async def test_what_was_exported_can_be_imported_again(desk: Desk, form: SheetFormat) -> None:
    await desk.take(FILE, reason="complaints")
    path = await desk.export(reveal=True, form=form, kind="deny list")
    content = path.read_bytes()
    async with desk.ledger.transaction() as connection:
        await execute(connection, "DELETE FROM denied_number")
    stored = desk.folder / "again"
    stored.write_bytes(content)
    workspace_id = desk.stage.founding.workspace_id
    request = ImportRequest(
        path=str(stored), file_name=f"again.{form}", actor="mei", reason="complaints"
    )
    async with desk.web.transaction(workspace_id) as connection:
        operation_id = await start_import(connection, workspace_id=workspace_id, request=request)
    key: dict[str, Any] = {"workspace_id": workspace_id, "operation_id": operation_id}
    await run_import(ledger=desk.ledger, clock=SystemClock(), **key)
    async with desk.ledger.transaction() as connection:
        entries = await deny_store.entries(connection, workspace_id=workspace_id, platform_id=None)
    at = datetime(2026, 2, 28, 16, tzinfo=UTC)
    shop = next(entry for entry in entries if entry.mobile == MOBILE)
    assert (shop.evidence, shop.denied_at) == ("shop", at)
    assert {entry.mobile for entry in entries} == {MOBILE, MOBILE + 1}


async def test_an_export_masks_numbers_is_audited_and_safe_in_a_spreadsheet(desk: Desk) -> None:
    await desk.take(b'mobile,evidence\n15412345678,"=cmd()"\n', reason="complaints")
    path = await desk.export(reveal=False, form=SheetFormat.CSV, kind="deny list")
    text = path.read_text(encoding="utf-8-sig")
    assert "*******5678" in text
    assert "5412345678" not in text
    assert "'=cmd()" in text
    async with desk.ledger.transaction() as connection:
        statement = "SELECT count(*) FROM audit_event WHERE action = 'opt-out.exported'"
        assert await value(connection, statement) == 1


async def test_whole_numbers_are_for_administrators(desk: Desk) -> None:
    asker = exports.ExportAsker("intern", is_administrator=False)
    workspace_id = desk.stage.founding.workspace_id
    wanted: dict[str, Any] = {"exported": Exported("opt-outs"), "form": SheetFormat.CSV}
    async with desk.web.transaction(workspace_id) as connection:
        with pytest.raises(AdministratorNeeded):
            await exports.start_export(
                connection, workspace_id=workspace_id, asker=asker, reveal_numbers=True, **wanted
            )
    path = await desk.export(reveal=True, form=SheetFormat.CSV, kind="opt-outs")
    async with desk.web.transaction(workspace_id) as connection:
        with pytest.raises(AdministratorNeeded):
            await exports.find_export(
                connection,
                workspace_id=workspace_id,
                asker=replace(asker),
                operation_id=OperationId(int(path.stem)),
                folder=desk.folder,
            )
