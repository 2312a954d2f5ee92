"""Where the warehouse lies."""

from pathlib import Path

import pytest

from textwave.kit.ids import WorkspaceId
from textwave.storage.embedded import DatabaseUrls
from textwave.storage.warehouse import Lake, Warehouse, WarehouseElsewhere


def test_a_worker_with_another_folder_is_told_where_the_warehouse_lies(
    urls: DatabaseUrls, lake: Lake, tmp_path: Path
) -> None:
    assert lake.version() >= 0
    elsewhere = Warehouse(urls.owner, f"{tmp_path}/elsewhere/", tmp_path / "spill", 500, 1)
    with (
        pytest.raises(WarehouseElsewhere, match=r"elsewhere/.*TEXTWAVE_SHARED"),
        elsewhere.open(WorkspaceId(1)),
    ):
        pass
