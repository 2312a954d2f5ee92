"""Looking at an AIPL model: how many are in each stage, the trend, and flows between two days."""

from datetime import date, timedelta
from typing import Any, Final

from textwave.audiences.refusals import DayNotLabelled
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.models import store
from textwave.models.aipl import STAGES, describe_flow
from textwave.models.aipl_store import count_moves
from textwave.models.operations import DaysUnfit
from textwave.models.store import AIPL, ModelId, Run
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.warehouse import Warehouse

FLOW: Final = "aipl.flow"
TREND_DAYS: Final = 30


async def stages_at(
    connection: Connection, *, workspace_id: WorkspaceId, name: str, day: date | None = None
) -> dict[str, Any]:
    """Return the counts of a day (default: the newest), the difference, and 30 days before it.

    The result is `{day, stages, customers, previous_day, difference, trend}`; everything is None or
    empty before the first refresh.

    Raises:
        NotFound: there is no AIPL model of that name.
        DayNotLabelled: the model has no labels of the day.
    """
    model = await store.model(connection, workspace_id, name, AIPL)
    found = await store.runs(
        connection, workspace_id, model.id, until=day or date.max, limit=TREND_DAYS + 1
    )
    if day is not None and (not found or found[0].day != day):
        raise await _not_labelled(connection, workspace_id, model.id, name, day, "day")
    if not found:
        empty = {"stages": None, "customers": None, "difference": None}
        return {"day": None, "previous_day": None, "trend": [], **empty}
    newest, previous = found[0], found[1] if len(found) > 1 else None
    counts = newest.result["stages"]
    return {
        "day": newest.day.isoformat(),
        "stages": counts,
        "customers": newest.result["customers"],
        "previous_day": previous and previous.day.isoformat(),
        "difference": previous and _difference(counts, previous.result["stages"]),
        "trend": _trend(found),
    }


async def start_flow(
    connection: Connection, *, workspace_id: WorkspaceId, name: str, first: date, last: date
) -> OperationId:
    """Begin to count who moved from which stage to which between two labelled days.

    The result is `{from, until, matrix, stages, new}`; a stage has `start`, `end`, `difference`,
    `stayed`, `converted`, `lost` and `new`.

    Raises:
        NotFound: there is no AIPL model of that name.
        DayNotLabelled: the model has no labels of one of the days.
        DaysUnfit: they are out of order.
    """
    if first > last:
        problem = "the first day comes after the last; turn them round."
        raise DaysUnfit(first.isoformat(), last.isoformat(), problem)
    model = await store.model(connection, workspace_id, name, AIPL)
    runs: list[Run] = []
    for day, place in ((first, "from"), (last, "until")):
        found = await store.runs(connection, workspace_id, model.id, until=day, limit=1)
        if not found or found[0].day != day:
            raise await _not_labelled(connection, workspace_id, model.id, name, day, place)
        runs += found
    request = {
        "from": first.isoformat(),
        "until": last.isoformat(),
        "from_run": runs[0].id,
        "until_run": runs[1].id,
    }
    return await progress.begin(connection, workspace_id=workspace_id, kind=FLOW, request=request)


async def run_flow(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
) -> None:
    """Do the job of `start_flow`."""

    async def work(request: dict[str, Any]) -> dict[str, Any]:
        from_run, until_run = request["from_run"], request["until_run"]
        counts = await warehouse.run(
            workspace_id, lambda lake: count_moves(lake, from_run=from_run, until_run=until_run)
        )
        return {"from": request["from"], "until": request["until"], **describe_flow(counts)}

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


def _trend(found: list[Run]) -> list[dict[str, Any]]:
    """Return the days of the last 30 that are labelled, the earliest first."""
    first = found[0].day - timedelta(days=TREND_DAYS)
    return [
        {"day": run.day.isoformat(), **run.result["stages"]}
        for run in found[::-1]
        if run.day >= first
    ]


def _difference(counts: dict[str, int], before: dict[str, int]) -> dict[str, int]:
    return {stage: counts[stage] - before[stage] for stage in STAGES}


async def _not_labelled(
    connection: Connection,
    workspace_id: WorkspaceId,
    model_id: ModelId,
    name: str,
    day: date,
    place: str,
) -> DayNotLabelled:
    newest = await store.runs(connection, workspace_id, model_id, limit=TREND_DAYS)
    known = tuple(run.day.isoformat() for run in newest)
    return DayNotLabelled(place, name, day.isoformat(), known)
