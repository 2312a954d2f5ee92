"""AIPL as Ibis expressions: who is in which stage on a day, and how they moved between two days.

A customer is in the highest stage whose rule holds at the end of the day, as things then were.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from textwave.audiences.calendar import Calendar
from textwave.audiences.compile import CUSTOMER, select_customers
from textwave.audiences.rule import Rule, RuleMalformed, read_rule, write_rule
from textwave.audiences.tables import Source, Surroundings
from textwave.kit.refusal import InvalidValue

STAGES: Final = ("aware", "interested", "purchased", "loyal")
"""From the lowest to the highest; in the lake they are the numbers 1 to 4."""
NONE: Final = "none"
MOST_KEPT_DAYS: Final = 3_660
_NOON: Final = time(12)
_FIELDS: Final = ("table", "stages", "keep_days")


@dataclass(frozen=True, slots=True)
class AiplDefinition:
    """An AIPL model over a table of customers: a rule for each stage, the lowest first.

    `keep_days`: labels of so many days are kept; None: all of them.
    """

    table: str
    stages: tuple[Rule, ...]
    keep_days: int | None = None


def read_aipl(given: Mapping[str, Any]) -> AiplDefinition:
    """Read a definition as the API takes it and the ledger keeps it.

    Raises:
        InvalidValue, RuleMalformed: with the place.
    """
    stages = given.get("stages")
    if not isinstance(stages, Mapping) or set(cast("Mapping[str, Any]", stages)) != set(STAGES):
        problem = f"an object with a rule for each of {', '.join(STAGES)} is needed."
        raise InvalidValue("stages", problem)
    for name in given:
        if name not in _FIELDS:
            problem = f"there is no such field; there are {', '.join(_FIELDS)}."
            raise InvalidValue(str(name)[:60], problem)
    rules = cast("Mapping[str, Any]", stages)
    return AiplDefinition(
        table=str(given.get("table") or ""),
        stages=tuple(_read_stage(stage, rules[stage]) for stage in STAGES),
        keep_days=_keep_days(given.get("keep_days")),
    )


def write_aipl(definition: AiplDefinition) -> dict[str, Any]:
    """Write a definition as `read_aipl` reads it."""
    rules = zip(STAGES, definition.stages, strict=True)
    kept = {} if definition.keep_days is None else {"keep_days": definition.keep_days}
    return {
        "table": definition.table,
        "stages": {stage: write_rule(rule) for stage, rule in rules},
    } | kept


def calendar_of(day: date, zone: ZoneInfo) -> Calendar:
    """Return the calendar in which that day is today and nothing after it has happened."""
    noon = datetime.combine(day, _NOON, tzinfo=zone)
    return Calendar(
        noon, zone, until=datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    )


def labels(
    definition: AiplDefinition, *, known: Surroundings, source: Source, calendar: Calendar
) -> ir.Table:
    """Return one row for each customer who is in a stage: customer, stage (1 to 4)."""
    of_stages = [
        select_customers(
            rule, table=definition.table, known=known, source=source, calendar=calendar
        ).mutate(stage=ibis.literal(number, "int64"))
        for number, rule in enumerate(definition.stages, start=1)
    ]
    every = ibis.union(of_stages[0], *of_stages[1:], distinct=False)
    stage: Any = every["stage"]
    return every.group_by(CUSTOMER).aggregate(stage=stage.max())


def moves(rows: ir.Table, *, from_run: int, until_run: int) -> ir.Table:
    """Count the labelled customers of two runs: was, became (0: in no stage), customers."""
    of_runs = cast("Any", rows["run_id"]).isin([from_run, until_run])
    both = rows.filter(of_runs)
    run, stage = cast("Any", both["run_id"]), cast("Any", both["stage"])
    of_customers = both.group_by(CUSTOMER).aggregate(
        was=(run == from_run).ifelse(stage, 0).max(),
        became=(run == until_run).ifelse(stage, 0).max(),
    )
    return of_customers.group_by(["was", "became"]).aggregate(customers=of_customers.count())


def describe_flow(counts: Mapping[tuple[int, int], int]) -> dict[str, Any]:
    """Tell how customers moved, from counts by stage before and after (0: in no stage).

    For each stage: start = stayed + converted + lost. `new` were in no stage before.
    """
    numbered = {stage: number for number, stage in enumerate((NONE, *STAGES))}
    matrix = {
        was: {became: counts.get((i, j), 0) for became, j in numbered.items()}
        for was, i in numbered.items()
    }
    matrix[NONE].pop(NONE)  # nobody counts those who are in no stage on either day
    return {
        "matrix": matrix,
        "stages": {stage: _flow_of(stage, matrix) for stage in STAGES},
        "new": {stage: matrix[NONE][stage] for stage in STAGES},
    }


def _flow_of(stage: str, matrix: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    row = matrix[stage]
    start, end = sum(row.values()), sum(matrix[was][stage] for was in (NONE, *STAGES))
    return {
        "start": start,
        "end": end,
        "difference": end - start,
        "stayed": row[stage],
        "converted": sum(row[other] for other in STAGES if other != stage),
        "lost": row[NONE],
        "new": matrix[NONE][stage],
    }


def _read_stage(stage: str, given: object) -> Rule:
    try:
        return read_rule(given)
    except RuleMalformed as refusal:
        refusal.place = f"stages.{stage}: {refusal.place}"
        raise


def _keep_days(given: object) -> int | None:
    if given is None:
        return None
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= MOST_KEPT_DAYS:
        problem = f"a whole number of days from 1 to {MOST_KEPT_DAYS:,} is needed."
        raise InvalidValue("keep_days", problem)
    return given
