"""Run the benchmarks: `make bench`, `make bench ONLY=plan N=1000000`.

Each gets a PostgreSQL cluster of its own with the settings of production, an empty folder, and
prints one JSON line.
"""

import logging
import os
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import structlog

from tests.bench.measurement import Measurement, Place
from textwave.storage.embedded import embedded_postgres
from textwave.storage.migrate import migrate

MODULES = {
    "import": "imports",
    "audience": "audience",
    "rfm": "rfm",
    "plan": "plan",
    "memory": "memory",
    "dispatch": "dispatch_gate",
    "dispatch-notify": "dispatch",
    "receipts": "receipts",
    "receipts-by-key": "keyed_receipts",
    "redirect": "redirect",
    "report": "report",
    "growth": "growth",
    "workers": "workers",
    "capacity": "capacity",
}


def main() -> int:
    """Run what ONLY names, or all; N is the number of rows."""
    if sys.argv[1:]:
        print("Use `make bench ONLY=name N=rows`; arguments are not taken.", file=sys.stderr)
        return 2
    only = os.environ.get("ONLY", "")
    rows = int(os.environ["N"]) if os.environ.get("N") else None
    if only and only not in MODULES:
        print(f"There is no benchmark “{only}”. There are: {', '.join(MODULES)}.", file=sys.stderr)
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    for name, module in MODULES.items():
        if only in ("", name):
            print(_measure(module, rows).line(), flush=True)
    return 0


def _measure(module: str, rows: int | None) -> Measurement:
    folder = Path(tempfile.mkdtemp(prefix="tw-bench-"))
    folder.chmod(0o755)
    cluster = embedded_postgres(folder)
    try:
        urls = cluster.start()
        migrate(urls.owner)
        (folder / "work").mkdir()
        found: Measurement = import_module(f"tests.bench.{module}").measure(
            Place(urls, folder / "work"), rows
        )
        return found
    finally:
        cluster.stop()
        shutil.rmtree(cluster.cluster, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    raise SystemExit(main())
