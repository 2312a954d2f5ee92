"""Removing rows of runs from the lake."""

from collections.abc import Collection

import duckdb

from textwave.storage.warehouse import Lake


def written_runs(lake: Lake, table: str) -> set[int]:
    """Return the runs that have rows in the table."""
    if not lake.has_table(table):
        return set()
    runs = lake.table(table).select("run_id").distinct().to_pyarrow()
    return set(runs["run_id"].to_pylist())


def remove_runs(lake: Lake, table: str, runs: Collection[int]) -> None:
    """Remove the rows of runs.

    A conflict with another worker that writes is no matter: the next refresh removes them.
    """
    ids = ", ".join(str(int(run)) for run in sorted(runs))  # written out: whole files are skipped
    try:
        lake.duckdb.execute(f"DELETE FROM {lake.qualified(table)} WHERE run_id IN ({ids})")  # noqa: S608 - numbers
    except duckdb.TransactionException:
        return
