"""Named models: made, computed anew, deleted.

What the API calls serves the web role; `run_…` are what a worker's job does. A definition is
checked when it is given and again when it is computed, because tables change in between.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from textwave.accounts import store as accounts
from textwave.audiences.check import check_rule
from textwave.audiences.store import surroundings
from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.customers.schedule import check_refresh, next_refresh
from textwave.kit.clock import Clock
from textwave.kit.ids import OperationId, WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound, Refusal
from textwave.models import store
from textwave.models.aipl import STAGES, AiplDefinition, calendar_of, read_aipl, write_aipl
from textwave.models.aipl_store import AIPL_LABELS, write_labels
from textwave.models.definition import RfmDefinition, read_definition, write_definition
from textwave.models.rfm_operations import analysis_of, checked_purchases
from textwave.models.rfm_store import RFM_SCORES, Written, write_scores
from textwave.models.store import AIPL, RFM, Finished, Model, NewModel, RunId
from textwave.models.sweep import remove_runs, written_runs
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.queue import Job, defer
from textwave.storage.warehouse import Lake, Warehouse
from textwave.storage.watching import probing

REFRESH: Final = "models.refresh"
SWEEP_TASK: Final = "models.sweep"
MOST_DAYS: Final = 366
Definition = RfmDefinition | AiplDefinition
_TABLES: Final = {RFM: RFM_SCORES, AIPL: AIPL_LABELS}
_LONGEST_NAME: Final = 100


@dataclass(eq=False)
class ModelInUse(Refusal):
    """Rules name the model."""

    code: ClassVar[str] = "model_in_use"
    model: str
    users: list[str]

    @property
    def sentence(self) -> str:
        return (
            f"The model “{self.model}” is named by the rules of {', '.join(self.users)}. Change or "
            "delete those first."
        )


@dataclass(eq=False)
class RefreshOvertaken(Refusal):
    """Another refresh of the model began while this one was under way."""

    code: ClassVar[str] = "refresh_overtaken"
    model: str

    @property
    def sentence(self) -> str:
        return (
            f"Another refresh of “{self.model}” began after this one, or the model was deleted; "
            "what this one found was dropped. Nothing has to be done."
        )


@dataclass(eq=False)
class DaysUnfit(Refusal):
    """The model cannot be computed for these days."""

    code: ClassVar[str] = "days_unfit"
    first: str
    last: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"From {self.first} to {self.last}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Days:
    """Days to label, both included; None: today, or only the last one."""

    last: date | None = None
    first: date | None = None

    def of(self, today: date, kind: str) -> list[date]:
        """Return the days, the earliest first.

        Raises:
            DaysUnfit: they are out of order, in the future, too many, or the model is RFM.
        """
        last = self.last or today
        first = self.first or last
        if kind == RFM and (first, last) != (today, today):
            self._refuse(first, last, "an RFM model is computed for today only; leave days out.")
        if first > last or last > today:
            self._refuse(first, last, f"give days in their order, none after today, {today}.")
        if (last - first).days >= MOST_DAYS:
            self._refuse(first, last, f"at most {MOST_DAYS} days are labelled at once.")
        return [first + timedelta(days=i) for i in range((last - first).days + 1)]

    def _refuse(self, first: date, last: date, problem: str) -> None:
        raise DaysUnfit(first.isoformat(), last.isoformat(), problem)


async def create_model(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    definition: Definition,
    now: datetime,
    refresh: str = "",
    viewer: Viewer = SEES_ALL,
) -> Model:
    """Add a model that fits the workspace's tables; it has no rows before its first refresh.

    Raises:
        InvalidValue: the name is empty, longer than 100 characters or holds “/”.
        RefreshUnfit: see `check_refresh`.
        AlreadyExists: the name is taken.
        ScoringMalformed, and whatever `check_rule` refuses.
    """
    name = _checked_name(name)
    refresh = check_refresh(refresh)
    await _check(connection, workspace_id, definition, viewer)
    kind, written = _written(definition)
    zone = ZoneInfo((await accounts.workspace(connection, workspace_id)).time_zone)
    due = next_refresh(refresh, after=now, zone=zone)
    added = await store.add_model(
        connection, workspace_id, NewModel(name, kind, written, refresh, due, created_by=actor)
    )
    if not added:
        raise AlreadyExists("model", name)
    await accounts.audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action="model.created",
        object_name=name,
        detail={"kind": kind, "table": definition.table, "refresh": refresh},
    )
    return await store.model(connection, workspace_id, name)


async def delete_model(
    connection: Connection, *, workspace_id: WorkspaceId, actor: str, name: str
) -> None:
    """Delete a model; its rows in the warehouse are removed by a job.

    Raises:
        NotFound: there is no model of that name.
        ModelInUse: a rule names it.
    """
    model = await store.model(connection, workspace_id, name)
    users = await store.users(connection, workspace_id, name)
    if users:
        raise ModelInUse(name, [f"the {user.kind} “{user.name}”" for user in users])
    await store.delete_model(connection, workspace_id, model.id)
    await accounts.audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action="model.deleted",
        object_name=name,
        detail={"kind": model.kind},
    )
    lock = f"sweep-models-{workspace_id}"
    await defer(
        connection,
        Job(SWEEP_TASK, "compute", {"workspace_id": workspace_id}, queueing_lock=lock),
    )


async def start_refresh(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    name: str,
    now: datetime,
    days: Days | None = None,
) -> OperationId:
    """Begin to compute a model for today, or an AIPL model for some days.

    The result is that of the last day, and `runs`, their number.

    Raises:
        NotFound: there is no model of that name.
        DaysUnfit: it cannot be computed for these days.
    """
    days = days or Days()
    model = await store.model(connection, workspace_id, name)
    workspace = await accounts.workspace(connection, workspace_id)
    days.of(_today(now, workspace), model.kind)
    request = {
        "model": name,
        "first": days.first and days.first.isoformat(),
        "last": days.last and days.last.isoformat(),
    }
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=REFRESH, request=request
    )


async def run_refresh(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    clock: Clock,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
) -> None:
    """Do the job of `start_refresh`."""

    async def work(request: dict[str, Any]) -> dict[str, Any]:
        last, first = (
            date.fromisoformat(request[name]) if request[name] else None
            for name in ("last", "first")
        )

        refreshing = Refreshing(ledger, warehouse, clock, workspace_id)
        return await refresh_model(refreshing, request["model"], Days(last, first))

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


@dataclass(frozen=True, slots=True)
class Refreshing:
    """Where models are refreshed, and with what."""

    ledger: Ledger
    warehouse: Warehouse
    clock: Clock
    workspace_id: WorkspaceId


async def refresh_model(
    refreshing: Refreshing, name: str, days: Days | None = None
) -> dict[str, Any]:
    """Compute a model for its days, or say on the model why it could not be.

    Raises:
        NotFound: there is no model of that name.
        RefreshOvertaken: another refresh began meanwhile.
        DaysUnfit, ScoringMalformed, and whatever `check_rule` refuses.
    """
    async with refreshing.ledger.transaction(refreshing.workspace_id) as connection:
        model = await store.model(connection, refreshing.workspace_id, name)
        workspace = await accounts.workspace(connection, refreshing.workspace_id)
    today = _today(refreshing.clock.now(), workspace)
    result: dict[str, Any] = {}
    try:
        wanted = (days or Days()).of(today, model.kind)
        for done, day in enumerate(wanted):
            with probing(partial(_told, done, len(wanted))):
                result = await _run(refreshing, model, day)
    except RefreshOvertaken:
        raise
    except Exception as error:
        await _note_failure(refreshing, model, error)
        raise
    await sweep(refreshing.ledger, refreshing.warehouse, refreshing.workspace_id, model.kind)
    return result | {"model": name, "runs": len(wanted)}


async def sweep(ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId, kind: str) -> None:
    """Remove rows of old runs and of runs that never ended; safe at any moment."""
    table = _TABLES[kind]
    # first what is in the lake, then what is kept: a run is known before its rows are there
    found = await warehouse.run(workspace_id, lambda lake: written_runs(lake, table))
    async with ledger.transaction(workspace_id) as connection:
        kept = await store.kept_runs(connection, workspace_id, kind)
    removed = found.difference(kept)
    if removed:
        await warehouse.run(workspace_id, lambda lake: remove_runs(lake, table, removed))


def _today(now: datetime, workspace: accounts.Workspace) -> date:
    return now.astimezone(ZoneInfo(workspace.time_zone)).date()


def _told(done: int, days: int) -> dict[str, int]:
    return {"days_done": done, "days": days}


async def _run(refreshing: Refreshing, model: Model, day: date) -> dict[str, Any]:
    """Write the rows of a day to the lake, then make the run visible in the ledger."""
    workspace_id, ledger = refreshing.workspace_id, refreshing.ledger
    async with ledger.transaction(workspace_id) as connection:
        run_id = await store.begin_run(connection, workspace_id, model.id)
        if run_id is None:
            raise NotFound("model", model.name)
        write = await _writing(connection, refreshing, model, run_id, day)
    began = refreshing.clock.monotonic()
    written = await refreshing.warehouse.run(workspace_id, write)
    milliseconds = round((refreshing.clock.monotonic() - began) * 1000)
    run = Finished(run_id, model.id, day, written.lake_version, written.result, milliseconds)
    async with ledger.transaction(workspace_id) as connection:
        if not await store.add_run(connection, workspace_id, run):
            raise RefreshOvertaken(model.name)
        keep_days = model.definition.get("keep_days")
        if keep_days is not None:
            await store.forget_labels(connection, workspace_id, model.id, days=keep_days)
    return written.result


async def _writing(
    connection: Connection, refreshing: Refreshing, model: Model, run_id: RunId, day: date
) -> Callable[[Lake], Written]:
    """Fit the model to the tables as they are; return what writes its rows."""
    workspace_id = refreshing.workspace_id
    if model.kind == RFM:
        now = refreshing.clock.now()
        rfm = read_definition(model.definition)
        analysis = await analysis_of(connection, workspace_id, rfm, now=now, day=day)
        return lambda lake: write_scores(lake, run_id, analysis)
    aipl = read_aipl(model.definition)
    known = await surroundings(connection, workspace_id)
    zone = ZoneInfo((await accounts.workspace(connection, workspace_id)).time_zone)
    _check_stages(aipl, known)
    calendar = calendar_of(day, zone)
    return lambda lake: write_labels(lake, run_id, aipl, day=day, known=known, calendar=calendar)


async def _check(
    connection: Connection, workspace_id: WorkspaceId, definition: Definition, viewer: Viewer
) -> None:
    if isinstance(definition, RfmDefinition):
        await checked_purchases(connection, workspace_id, definition)
    else:
        _check_stages(definition, await surroundings(connection, workspace_id, viewer))


def _check_stages(definition: AiplDefinition, known: Any) -> None:
    for stage, rule in zip(STAGES, definition.stages, strict=True):
        try:
            check_rule(rule, table=definition.table, known=known)
        except Refusal as refusal:
            if isinstance(place := getattr(refusal, "place", None), str) and place != "$table":
                refusal.place = f"stages.{stage}: {place}"  # pyright: ignore[reportAttributeAccessIssue] - asked for just above
            raise


def _written(definition: Definition) -> tuple[str, Mapping[str, Any]]:
    if isinstance(definition, RfmDefinition):
        return RFM, write_definition(definition)
    return AIPL, write_aipl(definition)


async def _note_failure(refreshing: Refreshing, model: Model, error: Exception) -> None:
    unexpected = {
        "code": "internal",
        "sentence": "Something unexpected went wrong; the worker's log has the details.",
        "fields": {},
    }
    problem = progress.as_problem(error) if isinstance(error, Refusal) else unexpected
    async with refreshing.ledger.transaction(refreshing.workspace_id) as connection:
        await store.note_failure(connection, refreshing.workspace_id, model.id, problem)


def _checked_name(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable() or "/" in name:
        problem = f"A model has a name of 1 to {_LONGEST_NAME} printable characters without “/”."
        raise InvalidValue("name", problem)
    return name
