"""The demo's simulated platforms as processes, and the whole demo over Alibaba's stand-in."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from textwave.api.platform_shapes import PlatformToAdd
from textwave.cli.installation import Addresses
from textwave.connections.change import check_platform
from textwave.demo.platform import Kind, start_sandbox, stop_sandboxes
from textwave.storage.embedded import embedded_postgres

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 300.0


# The demo leaves its platform running on purpose
@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_each_kind_runs_beside_the_other_and_is_found_again(tmp_path: Path) -> None:
    addresses = Addresses("http://127.0.0.1:1", "http://127.0.0.1:2")
    try:
        first = {kind: start_sandbox(tmp_path, addresses, kind=kind, seed=1) for kind in Kind}
        assert {kind: one.counts()["twice"] for kind, one in first.items()} == dict.fromkeys(
            Kind, 0
        )
        again = {kind: start_sandbox(tmp_path, addresses, kind=kind, seed=1) for kind in Kind}
        assert again == first
        for one in first.values():
            check_platform(PlatformToAdd(**one.account()).account())
    finally:
        assert stop_sandboxes(tmp_path)
    assert not any(one.alive for one in first.values())
    assert not stop_sandboxes(tmp_path)


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tw-demo-"))
    folder.chmod(0o755)
    yield folder / "data"
    textwave(folder / "data", "down")
    if (folder / "data").exists():
        embedded_postgres(folder / "data").stop()
    shutil.rmtree(folder, ignore_errors=True)


def textwave(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "textwave.cli", *arguments],
        env={**os.environ, "TEXTWAVE_DATA": str(data), "TEXTWAVE_WEB_PORT": "0",
             "TEXTWAVE_LINKS_PORT": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )  # fmt: skip


def test_the_main_job_goes_through_the_stand_in_for_alibaba_cloud(
    data: Path, tmp_path: Path
) -> None:
    report = tmp_path / "effect.json"
    told = textwave(
        data, "demo", "--size", "1000", "--platform", "aliyun", "--once", "--report", str(report)
    )
    assert told.returncode == 0, told.stdout + told.stderr
    effect = json.loads(report.read_text("utf-8"))
    assert effect["messages"] > 40
    assert effect["delivered"] > effect["messages"] / 2
    assert "0 of them twice" in told.stdout
