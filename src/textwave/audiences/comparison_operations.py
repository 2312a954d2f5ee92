"""Comparing audiences with each other, and two snapshots of one audience, as long-running work.

Compared are members that have been computed: the newest snapshots, or those that are named.
Refused are audiences without one, and audiences over different tables, whose keys say nothing of
each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

from textwave.audiences import life_store, store
from textwave.audiences.comparison import (
    FEWEST,
    MOST,
    change,
    count_combinations,
    overlap,
    read_combinations,
)
from textwave.audiences.store import Audience
from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.kit.ids import OperationId, SnapshotId, WorkspaceId
from textwave.kit.refusal import InvalidValue, NotFound, Refusal
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.warehouse import Lake, Warehouse

COMPARE: Final = "audiences.compare"
CHANGE: Final = "audiences.change"


@dataclass(eq=False)
class AudienceNotComputed(Refusal):
    """The audience has no members that could be looked at."""

    code: ClassVar[str] = "audience_not_computed"
    audience: str
    snapshot_id: int | None

    @property
    def sentence(self) -> str:
        if self.snapshot_id is None:
            return f"The audience “{self.audience}” has not been computed yet. Refresh it first."
        return (
            f"The members of snapshot {self.snapshot_id} of “{self.audience}” are not kept any "
            "more. Choose a newer one from its history."
        )


@dataclass(eq=False)
class AudiencesNotComparable(Refusal):
    """The audiences are over different tables of customers."""

    code: ClassVar[str] = "audiences_not_comparable"
    tables: dict[str, str]

    @property
    def sentence(self) -> str:
        over = ", ".join(f"“{name}” over {table}" for name, table in self.tables.items())
        return (
            "Only audiences over one table of customers have members in common, and these are "
            f"over several: {over}."
        )


async def start_comparison(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    names: Sequence[str],
    viewer: Viewer = SEES_ALL,
) -> OperationId:
    """Begin to count how 2 to 5 audiences overlap, by their newest snapshots.

    The result is `{audiences, pairs, in_all, in_any, snapshots}`; see `comparison.overlap`.

    Raises:
        InvalidValue: not 2 to 5 different names.
        NotFound: one of them is no audience that the viewer sees.
        AudienceNotComputed, AudiencesNotComparable: as named.
    """
    if not FEWEST <= len(names) <= MOST or len(set(names)) != len(names):
        raise InvalidValue("audiences", f"Name {FEWEST} to {MOST} different audiences.")
    found = [await store.audience(connection, workspace_id, name, viewer) for name in names]
    tables = {audience.name: audience.definition.table for audience in found}
    if len(set(tables.values())) > 1:
        raise AudiencesNotComparable(tables)
    request = {"audiences": list(names), "snapshots": [_newest(audience) for audience in found]}
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=COMPARE, request=request
    )


async def start_change(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    name: str,
    before: SnapshotId,
    after: SnapshotId | None = None,
    viewer: Viewer = SEES_ALL,
) -> OperationId:
    """Begin to count who joined, left and stayed between two snapshots (default: the newest).

    The result is `{audience, before, after, joined, left, stayed}`.

    Raises:
        NotFound: no such audience that the viewer sees, or it has no such snapshot.
        AudienceNotComputed: members of one of them are not there.
        InvalidValue: it is twice the same snapshot.
    """
    audience = await store.audience(connection, workspace_id, name, viewer)
    later = after or _newest(audience)
    if before == later:
        raise InvalidValue("before", "Name two different snapshots; the history lists them.")
    for wanted in (before, later):
        await _check_kept(connection, audience, wanted)
    request = {"audience": name, "snapshots": [before, later]}
    return await progress.begin(connection, workspace_id=workspace_id, kind=CHANGE, request=request)


async def run_comparison(
    *, ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId, operation_id: OperationId
) -> None:
    """Do the job of `start_comparison`."""

    async def work(request: dict[str, Any]) -> dict[str, Any]:
        counted = await _counted(warehouse, workspace_id, request)
        return {**overlap(request["audiences"], counted), "snapshots": request["snapshots"]}

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


async def run_change(
    *, ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId, operation_id: OperationId
) -> None:
    """Do the job of `start_change`."""

    async def work(request: dict[str, Any]) -> dict[str, Any]:
        counted = await _counted(warehouse, workspace_id, request)
        before, after = request["snapshots"]
        named = {"audience": request["audience"], "before": before, "after": after}
        return {**named, **asdict(change(counted))}

    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


async def _counted(
    warehouse: Warehouse, workspace_id: WorkspaceId, request: Mapping[str, Any]
) -> dict[frozenset[int], int]:
    snapshots = [SnapshotId(one) for one in request["snapshots"]]

    def count(lake: Lake) -> list[dict[str, Any]]:
        counted = count_combinations(lake.table(store.MEMBERS), snapshots)
        return counted.to_pyarrow().to_pylist()

    return read_combinations(await warehouse.run(workspace_id, count))


def _newest(audience: Audience) -> SnapshotId:
    if audience.snapshot is None:
        raise AudienceNotComputed(audience.name, None)
    return audience.snapshot.id


async def _check_kept(connection: Connection, audience: Audience, wanted: SnapshotId) -> None:
    page = await life_store.snapshots(connection, audience, before=SnapshotId(wanted + 1), limit=1)
    if not page or page[0].id != wanted:
        raise NotFound("snapshot", str(wanted))
    if page[0].members_removed_at is not None:
        raise AudienceNotComputed(audience.name, wanted)
