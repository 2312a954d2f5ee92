"""RFM computed in the lake: its distribution alone, or with a row for each customer."""

from dataclasses import dataclass
from typing import Any, Final

import duckdb
import ibis
import ibis.expr.types as ir

from textwave.models.distribution import Cell, describe, means_of
from textwave.models.rfm import (
    Analysis,
    Edges,
    cells,
    customers,
    quantile_edges,
    with_band_scores,
    with_edge_scores,
    with_type,
)
from textwave.models.scoring import Bands
from textwave.storage.warehouse import Lake

RFM_SCORES: Final = "rfm_score"
_COLUMNS: Final = (
    "run_id BIGINT NOT NULL, customer VARCHAR NOT NULL, recency_days BIGINT, frequency BIGINT, "
    "monetary DOUBLE, r BIGINT, f BIGINT, m BIGINT, type VARCHAR"
)


@dataclass(frozen=True, slots=True)
class Written:
    """What a run has written: its rows are in the lake, its result is for the ledger."""

    result: dict[str, Any]
    rows: int
    lake_version: int


def compute(lake: Lake, analysis: Analysis) -> dict[str, Any]:
    """Compute the distribution and write nothing."""
    measured = customers(analysis, lake.table)
    if not isinstance(analysis.definition.scoring, Bands):
        measured = lake.keep(measured)  # read for the quantiles and again for the cells
    scored, edges = _scored(measured, analysis)
    return _describe(_read_cells(scored), edges, analysis)


def write_scores(lake: Lake, run_id: int, analysis: Analysis) -> Written:
    """Compute the scores and write a row for each customer under the run."""
    ensure_table(lake, RFM_SCORES, _COLUMNS)
    with lake.transaction():
        version = lake.version()
        measured = lake.keep(customers(analysis, lake.table))
        scored, edges = _scored(measured, analysis)
        found = _read_cells(scored)
        means = means_of(found, analysis.definition.baseline)
        typed = with_type(scored, means.least_high).mutate(run_id=ibis.literal(run_id, "int64"))
        rows = lake.append(RFM_SCORES, typed)
    return Written(_describe(found, edges, analysis), rows, version)


def ensure_table(lake: Lake, name: str, columns: str) -> None:
    """Make a table of the lake unless it is there."""
    statement = f"CREATE TABLE IF NOT EXISTS {lake.qualified(name)} ({columns})"
    try:
        if not lake.has_table(name):
            lake.duckdb.execute(statement)
    except duckdb.Error:
        if not lake.has_table(name):  # else another worker made it in the same moment
            raise


def _scored(measured: ir.Table, analysis: Analysis) -> tuple[ir.Table, Edges]:
    scoring = analysis.definition.scoring
    if isinstance(scoring, Bands):
        return with_band_scores(measured, scoring), ()
    edges = quantile_edges(measured, scoring)
    return with_edge_scores(measured, edges, scoring), edges


def _read_cells(scored: ir.Table) -> list[Cell]:
    return [Cell(**row) for row in cells(scored).to_pyarrow().to_pylist()]


def _describe(found: list[Cell], edges: Edges, analysis: Analysis) -> dict[str, Any]:
    definition = analysis.definition
    described = describe(
        found,
        day=analysis.day,
        scoring=definition.scoring,
        baseline=definition.baseline,
        edges=edges,
    )
    return described | {"id_type": analysis.purchases.id_type}
