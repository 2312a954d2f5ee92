"""The disk is full: a clear state, nothing lost, nothing half; with room again it succeeds."""

import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.faults.cluster import Cluster, cluster
from tests.faults.disk import SmallDisk, small_disk, why_not
from tests.faults.play import (
    CALM,
    assert_nothing_lost_nothing_twice,
    begin,
    ended,
    ending,
    report_of,
    templates,
    until,
)
from tests.faults.theatre import Workers, sandbox, web
from tests.stage import Stage
from textwave.accounts.operations import Founding
from textwave.cli.client import Api, ApiRefused, OperationFailed
from textwave.storage.embedded import DatabaseUrls

ROWS = 60_000
MESSAGES = 20_000

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")]


@pytest.fixture
def disk() -> Iterator[SmallDisk]:
    # not below the test's own folder, which PostgreSQL's user must not enter
    with TemporaryDirectory(prefix="tw-disk-") as folder:
        Path(folder).chmod(0o755)
        with small_disk(Path(folder) / "disk", 64) as mounted:
            yield mounted


class TestTheDataFolder:
    """Uploads, imports and snapshots."""

    @pytest.fixture
    def api(
        self, disk: SmallDisk, urls: DatabaseUrls, founding: Founding, tmp_path: Path
    ) -> Iterator[Api]:
        shutil.copy(tmp_path / "master.key", disk.folder)
        workers = Workers(disk.folder, urls)
        workers.start()
        with web(disk.folder, urls) as url:
            yield Api(url, founding.api_key)
        workers.kill()

    def test_uploads_imports_and_snapshots_say_so_and_succeed_when_there_is_room(
        self, api: Api, disk: SmallDisk, tmp_path: Path
    ) -> None:
        before, file = (
            customers(tmp_path / "before.csv", 500),
            customers(tmp_path / "all.csv", ROWS),
        )
        assert imported(api, before)["rows_kept"] == 500
        api.post("/api/audiences", {"name": "all", "table": "customers", "rule": EVERYBODY})

        disk.leave(1)
        with pytest.raises(ApiRefused) as refused:
            imported(api, file)
        assert (refused.value.status, refused.value.refusal_code) == (507, "disk_full")
        assert list((disk.folder / "uploads").iterdir()) == []

        disk.leave(file.stat().st_size / 1_000_000 + 1)
        with pytest.raises(OperationFailed) as failed:
            imported(api, file)
        assert failed.value.problem["code"] == "disk_full"
        [table] = api.get("/api/tables")["items"]
        assert table["row_count"] == 500

        disk.empty()
        assert imported(api, file)["rows_kept"] == ROWS
        [table] = api.get("/api/tables")["items"]
        assert table["row_count"] == ROWS

        disk.leave(0)
        with pytest.raises(OperationFailed) as failed:
            counted(api)
        assert failed.value.problem["code"] == "disk_full"
        disk.empty()
        assert counted(api)["size"] == ROWS


class TestTheDatabase:
    """Planning."""

    @pytest.fixture
    def postgres(self, tmp_path: Path) -> Iterator[Cluster]:
        with cluster(tmp_path) as made:
            yield made

    @pytest.fixture
    def urls(self, postgres: Cluster) -> DatabaseUrls:
        return postgres.urls

    async def test_a_plan_waits_for_room_says_so_and_goes_on_by_itself(
        self, stage: Stage, postgres: Cluster, disk: SmallDisk, tmp_path: Path
    ) -> None:
        messages_on(postgres, disk)
        disk.leave(1)
        with sandbox(tmp_path, templates_file=templates(tmp_path), **CALM) as witness:
            campaign_id = await begin(stage, witness.url, MESSAGES, pulls=True)
            workers = Workers(tmp_path, postgres.urls)
            workers.start()

            async def waits() -> bool:
                return "no room" in (await report_of(stage)).reason

            await until(waits, "a reason")
            assert (await report_of(stage)).state == "planning"
            disk.empty()
            await until(lambda: ended(stage), "the end", 120)
            workers.kill()
            end = await ending(stage, campaign_id, witness)
        assert_nothing_lost_nothing_twice(end, MESSAGES)
        assert end.report.reason == ""


EVERYBODY: dict[str, Any] = {"kind": "attribute", "column": "customer_id", "operator": "not_empty"}


def customers(file: Path, rows: int) -> Path:
    """Write customers with a word each that cannot be compressed."""
    with file.open("w") as lines:
        lines.write("customer_id,mobile,word\n")
        lines.writelines(f"c{n},{15412000000 + n},{secrets.token_hex(60)}\n" for n in range(rows))
    return file


def imported(api: Api, file: Path) -> dict[str, Any]:
    options = {"kind": "customers", "customer": "customer_id", "mobile": "mobile"}
    begun = api.upload("/api/tables/customers/imports", file, options, lambda _: None)
    return api.finished(begun, lambda _: None, every_seconds=5)


def counted(api: Api) -> dict[str, Any]:
    begun = api.post("/api/audiences/all/snapshots")
    return api.finished(begun, lambda _: None, every_seconds=5)


def messages_on(postgres: Cluster, disk: SmallDisk) -> None:
    """Move the partitions of messages to the small disk."""
    folder = disk.folder / "space"
    folder.mkdir()
    if postgres.server.system_user:
        shutil.chown(folder, postgres.server.system_user)
    url = postgres.server.superuser_url("textwave")
    with psycopg.connect(url, autocommit=True) as connection:
        space = sql.SQL("CREATE TABLESPACE small LOCATION {}").format(sql.Literal(str(folder)))
        connection.execute(space)
        connection.execute("GRANT CREATE ON TABLESPACE small TO textwave")
        connection.execute("ALTER DATABASE textwave SET default_tablespace = small")
        found = connection.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'message'::regclass"
        )
        for (name,) in found.fetchall():
            moved = sql.SQL("ALTER TABLE {} SET TABLESPACE small").format(sql.Identifier(name))
            connection.execute(moved)
