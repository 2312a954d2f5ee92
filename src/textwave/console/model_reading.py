"""What the pages of models show: types of customers, scores as a heat map, stages and a trend."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from textwave.accounts.store import workspace
from textwave.console.board import part_of
from textwave.customers import operations as customers
from textwave.customers.columns import TableKind
from textwave.customers.store import CustomerTable
from textwave.kit.ids import WorkspaceId
from textwave.models import aipl_operations, store
from textwave.models.distribution import TYPES
from textwave.models.scoring import DIMENSIONS, MEASURES
from textwave.models.store import Model
from textwave.storage.ledger import Connection, Ledger

SHOWN_DAYS: Final = 366
_FAINTEST: Final = 0.06


@dataclass(frozen=True, slots=True)
class TypeLine:
    """One of the eight types; shares are of all customers that have scores."""

    letters: str
    name: str
    users: int
    amount: float
    orders: int
    share: float
    amount_share: float
    amount_a_head: float
    orders_a_head: float


@dataclass(frozen=True, slots=True)
class Warmth:
    """The customers of a pair of scores, and how dark their cell is (0 to 1)."""

    users: int
    opacity: float


@dataclass(frozen=True, slots=True)
class Threshold:
    """Of a dimension: its mean, from where it is high, and where its scores end or begin."""

    dimension: str
    mean: float | None
    baseline: float | None
    bounds: Sequence[tuple[float | None, int | None]]


@dataclass(frozen=True, slots=True)
class ShownModel:
    """A model with what its page needs besides its result."""

    model: Model
    zone: str
    stages: Mapping[str, Any]
    days: Sequence[date]


async def read_models(ledger: Ledger, workspace_id: WorkspaceId) -> tuple[Sequence[Model], str]:
    """Read the models in the order in which they were made, and the time zone to show them in."""
    async with ledger.transaction(workspace_id) as connection:
        found: list[Model] = []
        while len(page := await store.models(connection, workspace_id, after=_last(found))) > 0:
            found += page
        zone = (await workspace(connection, workspace_id)).time_zone
    return found, zone


async def read_model(ledger: Ledger, workspace_id: WorkspaceId, name: str) -> ShownModel:
    """Read a model; of an AIPL model its stages at the newest day, its trend and labelled days.

    Raises:
        NotFound: there is none of that name.
    """
    async with ledger.transaction(workspace_id) as connection:
        model = await store.model(connection, workspace_id, name)
        zone = (await workspace(connection, workspace_id)).time_zone
        if model.kind == store.RFM:
            return ShownModel(model, zone, {}, ())
        stages = await aipl_operations.stages_at(connection, workspace_id=workspace_id, name=name)
        runs = await store.runs(connection, workspace_id, model.id, limit=SHOWN_DAYS)
    return ShownModel(model, zone, stages, [run.day for run in runs])


async def tables_of_kinds(
    connection: Connection, workspace_id: WorkspaceId, *kinds: TableKind
) -> list[CustomerTable]:
    """Return the tables of these kinds, by name."""
    found = await customers.tables(connection, workspace_id)
    return [table for table in found if table.kind in kinds and not table.is_system]


def type_lines(result: Mapping[str, Any], language: str) -> Sequence[TypeLine]:
    """Return the types of an RFM result in their order, named in a language."""
    named = "name_chinese" if language == "zh_CN" else "name"
    return [
        TypeLine(
            letters=letters,
            name=told[named],
            users=told["users"],
            amount=told["amount"],
            orders=told["orders"],
            share=part_of(told["users"], result["users"]),
            amount_share=told["amount"] / result["amount"] if result["amount"] > 0 else 0.0,
            amount_a_head=told["amount"] / told["users"] if told["users"] else 0.0,
            orders_a_head=part_of(told["orders"], told["users"]),
        )
        for letters, told in ((letters, result["types"][letters]) for letters in TYPES)
    ]


def warmth(result: Mapping[str, Any]) -> tuple[Sequence[int], Mapping[int, Mapping[int, Warmth]]]:
    """Return the scores of frequency, and for each of recency (highest first) its cells."""
    users: dict[tuple[int, int], int] = {}
    for name, told in result["scores"].items():
        recency, frequency, _ = _scores(name)
        pair = (recency, frequency)
        users[pair] = users.get(pair, 0) + told["users"]
    most = max(users.values(), default=1)
    columns = sorted({frequency for _, frequency in users})
    return columns, {
        recency: {
            frequency: _warm(users.get((recency, frequency), 0), most) for frequency in columns
        }
        for recency in sorted({recency for recency, _ in users}, reverse=True)
    }


def thresholds(result: Mapping[str, Any]) -> Sequence[Threshold]:
    """Return means, baselines and bounds by dimension; a bound without a score is a quantile's."""
    return [
        Threshold(
            dimension,
            result["means"][dimension],
            result["baseline"][dimension],
            [
                (bound[0], bound[1]) if isinstance(bound, list) else (bound, None)
                for bound in result["thresholds"].get(measure, ())
            ],
        )
        for dimension, measure in zip(DIMENSIONS, MEASURES, strict=True)
    ]


def _last(found: Sequence[Model]) -> int:
    return found[-1].id if found else 0


def _scores(name: str) -> tuple[int, int, int]:
    recency, frequency, monetary = name.split("-") if "-" in name else name
    return int(recency), int(frequency), int(monetary)


def _warm(users: int, most: int) -> Warmth:
    share = users / most
    return Warmth(users, round(_FAINTEST + (1 - _FAINTEST) * share, 3) if users else 0.0)
