"""The assets come by the lock file, once, and a failure of npm is said."""

import json
import sys
from pathlib import Path

import pytest

from textwave.console import assets
from textwave.console.assets import KEPT, AssetsNotFetched, fetch_assets

_PACKAGES = """
import pathlib, sys
kept = {kept!r}
for name in kept:
    file = pathlib.Path("node_modules", name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(" ".join(sys.argv[1:]))
"""


def npm_that(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def test_only_the_named_files_are_kept_and_no_script_of_a_package_runs(tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    assert fetch_assets(vendor, npm=npm_that(_PACKAGES.format(kept=list(KEPT))))
    assert {file.name for file in vendor.iterdir()} == {*KEPT.values(), "stamp"}
    assert "--ignore-scripts" in (vendor / "htmx.min.js").read_text().split()


def test_a_second_run_does_nothing(tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    fetch_assets(vendor, npm=npm_that(_PACKAGES.format(kept=list(KEPT))))
    assert not fetch_assets(vendor, npm=npm_that("raise SystemExit(1)"))


def test_a_failing_npm_is_quoted_and_the_old_assets_stay(tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    vendor.mkdir()
    (vendor / "htmx.min.js").write_text("old")
    with pytest.raises(AssetsNotFetched) as refused:
        fetch_assets(vendor, npm=npm_that("import sys; sys.exit('no route to the registry')"))
    assert "no route to the registry" in refused.value.sentence
    assert (vendor / "htmx.min.js").read_text() == "old"


def test_a_missing_npm_is_said(tmp_path: Path) -> None:
    with pytest.raises(AssetsNotFetched) as refused:
        fetch_assets(tmp_path / "vendor", npm=(str(tmp_path / "npm"),))
    assert "does not start" in refused.value.sentence


def test_the_lock_file_pins_digests_and_names_no_registry() -> None:
    lock = json.loads(Path(assets.__file__).with_name("package-lock.json").read_text())
    packages = [entry for path, entry in lock["packages"].items() if path]
    assert packages
    assert all(entry["integrity"].startswith("sha512-") for entry in packages)
    assert not any("resolved" in entry for entry in packages)
