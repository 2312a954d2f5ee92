"""Two machines, each with a folder of its own, over one database and one shared folder."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from textwave.storage.embedded import DatabaseUrls

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 120.0
CUSTOMERS = "customer_id,mobile,city\na,15412345678,Wuhan\nb,15412345679,Wuhan\n"
RULE = {"kind": "attribute", "column": "city", "operator": "is", "value": "Wuhan"}


class Machines:
    """The command line on several machines; the first one serves, the second one works."""

    def __init__(self, folder: Path, urls: DatabaseUrls) -> None:
        self.folder = folder
        self.environment = {
            "TEXTWAVE_SHARED": str(folder / "shared"),
            "TEXTWAVE_DATABASE_URL": urls.owner,
            "TEXTWAVE_DATABASE_WEB_URL": urls.web,
            "TEXTWAVE_WEB_PORT": "0",
            "TEXTWAVE_LINKS_PORT": "0",
            "TEXTWAVE_WAREHOUSE_MEMORY_MEGABYTES": "300",
        }

    def start(self, machine: str, *arguments: str, **changed: str) -> subprocess.Popen[str]:
        own = {"TEXTWAVE_DATA": str(self.folder / machine)}
        return subprocess.Popen(
            [sys.executable, "-m", "textwave.cli", *arguments],
            env={**os.environ, **self.environment, **own, **changed},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, machine: str, *arguments: str, **changed: str) -> str:
        process = self.start(machine, *arguments, **changed)
        output, errors = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, errors
        return output


@pytest.fixture
def machines(urls: DatabaseUrls) -> Iterator[Machines]:
    with tempfile.TemporaryDirectory(prefix="tw-machines-") as folder:
        made = Machines(Path(folder), urls)
        yield made
        made.run("first", "down")


def test_files_taken_by_one_machine_are_worked_on_by_another(
    machines: Machines, tmp_path: Path
) -> None:
    machines.run("first", "up", "--detach", "--workers", "0")
    worker = machines.start("second", "worker")
    try:
        file = tmp_path / "customers.csv"
        file.write_text(CUSTOMERS)
        machines.run("first", "table", "import", "customers", str(file), "--customer",
                     "customer_id", "--mobile", "mobile")  # fmt: skip
        machines.run("first", "audience", "create", "everyone", "--table", "customers",
                     "--rule", json.dumps(RULE))  # fmt: skip
        written = tmp_path / "everyone.csv"
        machines.run("first", "audience", "download", "everyone", "--to", str(written))
        assert len(written.read_text().splitlines()) == 3
        assert not (machines.folder / "second" / "lake").exists()
    finally:
        worker.send_signal(signal.SIGTERM)
        worker.communicate(timeout=PATIENCE_SECONDS)


def test_a_machine_that_comes_later_writes_no_key_of_its_own(machines: Machines) -> None:
    machines.run("first", "up", "--detach", "--workers", "0")
    key = machines.run("first", "key", "show").strip()
    machines.run("second", "up", "--detach", "--workers", "0")
    try:
        refused = machines.start("second", "key", "show")
        _, errors = refused.communicate(timeout=PATIENCE_SECONDS)
        assert "There is no API key" in errors
        listed = machines.run("second", "table", "list", "--json", TEXTWAVE_API_KEY=key)
        assert json.loads(listed) == []
    finally:
        machines.run("second", "down")
