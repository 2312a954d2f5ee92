"""Keeping the lake small: what no version that is kept can need any more is deleted.

Each change leaves the version before it whole, its files included, so that whoever reads it goes
on reading. Versions are kept for some days; the newest one always.
"""

from datetime import timedelta
from typing import Final

from textwave.kit.ids import WorkspaceId
from textwave.storage.warehouse import CATALOG, Lake, Warehouse

VERSIONS_KEPT: Final = timedelta(days=7)
_FILES_KEPT: Final = timedelta(days=1)
"""After their last version has gone: whoever began to read them has ended by then."""


async def tidy_lake(warehouse: Warehouse) -> int:
    """Forget versions of the lake that are older than a week; return how many files went."""
    return await warehouse.run(
        WorkspaceId(1),  # the versions are those of the whole lake
        lambda lake: tidy(lake, versions_kept=VERSIONS_KEPT, files_kept=_FILES_KEPT),
    )


def tidy(lake: Lake, *, versions_kept: timedelta, files_kept: timedelta) -> int:
    """Forget older versions, and delete files that none needs; return how many files went."""
    lake.duckdb.execute(
        f"CALL ducklake_expire_snapshots('{CATALOG}', older_than => {_ago(versions_kept)})"
    )
    gone = lake.duckdb.execute(
        f"CALL ducklake_cleanup_old_files('{CATALOG}', older_than => {_ago(files_kept)})"
    ).fetchall()
    return len(gone)


def _ago(span: timedelta) -> str:
    return f"now() - to_seconds({int(span.total_seconds())})"
