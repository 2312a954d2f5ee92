"""AIPL labels in the lake: a row for each customer in a stage, run and day."""

from datetime import date
from typing import Any, Final

import ibis

from textwave.audiences.calendar import Calendar
from textwave.audiences.tables import Surroundings
from textwave.models.aipl import STAGES, AiplDefinition, labels, moves
from textwave.models.rfm_store import Written, ensure_table
from textwave.storage.warehouse import Lake

AIPL_LABELS: Final = "aipl_label"
_COLUMNS: Final = (
    "run_id BIGINT NOT NULL, day DATE NOT NULL, customer VARCHAR NOT NULL, stage BIGINT NOT NULL"
)


def write_labels(
    lake: Lake,
    run_id: int,
    definition: AiplDefinition,
    *,
    day: date,
    known: Surroundings,
    calendar: Calendar,
) -> Written:
    """Label each customer who is in a stage on the day, under the run."""
    ensure_table(lake, AIPL_LABELS, _COLUMNS)
    with lake.transaction():
        version = lake.version()
        found = lake.keep(labels(definition, known=known, source=lake.table, calendar=calendar))
        labelled = found.mutate(run_id=ibis.literal(run_id, "int64"), day=ibis.literal(day))
        rows = lake.append(AIPL_LABELS, labelled)
        counted = found.group_by("stage").aggregate(customers=found.count()).to_pyarrow()
    counts = {row["stage"]: row["customers"] for row in counted.to_pylist()}
    result: dict[str, Any] = {
        "day": day.isoformat(),
        "customers": rows,
        "stages": {stage: counts.get(i, 0) for i, stage in enumerate(STAGES, start=1)},
    }
    return Written(result, rows, version)


def count_moves(lake: Lake, *, from_run: int, until_run: int) -> dict[tuple[int, int], int]:
    """Count customers by their stage in one run and in another; 0: in no stage."""
    counted = moves(lake.table(AIPL_LABELS), from_run=from_run, until_run=until_run)
    rows = counted.to_pyarrow().to_pylist()
    return {(row["was"], row["became"]): row["customers"] for row in rows}
