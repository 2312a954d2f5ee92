"""The allowlist: audiences to whom no limit but opt-outs and the deny list applies.

Numbers are taken from each audience's newest snapshot by a job, at once and after every refresh.
Refuses audiences with more than 100,000 customers: such a list is no exception any more.
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from textwave.accounts.store import audit
from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.kit.ids import AudienceId, WorkspaceId
from textwave.kit.refusal import AlreadyExists, NotFound, Refusal
from textwave.limits import allowlist_store
from textwave.limits.allowlist_store import MOST_NUMBERS, AllowlistEntry
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.queue import Job, defer

FILL_TASK: Final = "campaigns.fill_allowlist"


@dataclass(eq=False)
class OnAllowlist(AlreadyExists):
    """The audience is on the allowlist already."""

    @property
    def sentence(self) -> str:
        return f"“{self.name}” is on the allowlist already."


@dataclass(eq=False)
class AllowlistTooLarge(Refusal):
    """An audience is too large for the allowlist."""

    code: ClassVar[str] = "allowlist_too_large"
    audience: str
    size: int
    most: int = MOST_NUMBERS

    @property
    def sentence(self) -> str:
        return (
            f"The audience “{self.audience}” has {self.size:,} numbers or customers, and one on "
            f"the allowlist may have {self.most:,}. Choose a smaller one; limits that are to apply "
            "to nobody are better taken away."
        )


async def entries(
    connection: Connection, workspace_id: WorkspaceId, viewer: Viewer = SEES_ALL
) -> list[AllowlistEntry]:
    """Return the audiences on the allowlist that the viewer sees."""
    return await allowlist_store.entries(connection, workspace_id, viewer.bound_name)


async def add_audience(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    audience: str,
    viewer: Viewer = SEES_ALL,
) -> AllowlistEntry:
    """Put an audience on the allowlist; its numbers follow within seconds.

    Raises:
        NotFound: there is no such audience.
        OnAllowlist: it is on the list.
        AllowlistTooLarge: it has more than 100,000 customers.
    """
    found = await allowlist_store.candidate(
        connection, workspace_id, name=audience, viewer=viewer.bound_name
    )
    if (found.size or 0) > MOST_NUMBERS:
        raise AllowlistTooLarge(found.name, found.size or 0)
    if not await allowlist_store.add(connection, workspace_id, found.id, actor):
        raise OnAllowlist("audience", audience)
    await defer(connection, _job(workspace_id, found.id))
    await _audit(connection, workspace_id, actor, "allowlist.add", audience)
    kept = await allowlist_store.entries(connection, workspace_id, None)
    return next(one for one in kept if one.audience_id == found.id)


async def delete_audience(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    audience: str,
    viewer: Viewer = SEES_ALL,
) -> None:
    """Take an audience off the allowlist.

    Raises:
        NotFound: there is no such audience, or it is not on the list.
    """
    found = await allowlist_store.candidate(
        connection, workspace_id, name=audience, viewer=viewer.bound_name
    )
    if not await allowlist_store.delete(connection, workspace_id, found.id):
        raise NotFound("audience on the allowlist", audience)
    await _audit(connection, workspace_id, actor, "allowlist.delete", audience)


async def defer_stale(ledger: Ledger) -> int:
    """Defer the filling of entries whose audiences have been computed anew; return how many."""
    async with ledger.transaction() as connection:
        stale = await allowlist_store.stale(connection)
        return await defer(connection, *(_job(one.workspace_id, one.audience_id) for one in stale))


def _job(workspace_id: WorkspaceId, audience_id: AudienceId) -> Job:
    args = {"workspace_id": workspace_id, "audience_id": audience_id}
    lock = f"allowlist-{audience_id}"
    return Job(FILL_TASK, "compute", args, lock=lock, queueing_lock=lock)


async def _audit(
    connection: Connection, workspace_id: WorkspaceId, actor: str, action: str, audience: str
) -> None:
    await audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action=action,
        object_name=audience,
    )
