"""What people do with audiences that exist: edit, rename, copy, archive, look back.

Called by the API as the web role. Who edits says which version was read: of two edits at once the
second is refused, and no change is lost. What an audience is used by keeps it from being archived.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from textwave.accounts import store as accounts
from textwave.audiences import life_store, store
from textwave.audiences.check import check_rule
from textwave.audiences.life_store import Folder, PastSnapshot
from textwave.audiences.operations import create_audience, due_after_now, told
from textwave.audiences.particulars import check_name, check_not_archived, check_particulars
from textwave.audiences.rule import Rule
from textwave.audiences.store import Audience
from textwave.audiences.uses import check_not_circular
from textwave.audiences.visibility import AudienceOfAnother, Viewer
from textwave.kit.ids import SnapshotId, WorkspaceId
from textwave.kit.refusal import AlreadyExists, Refusal
from textwave.storage.ledger import Connection


@dataclass(frozen=True, slots=True)
class Changes:
    """What an edit changes; None leaves as it is."""

    rule: Rule | None = None
    description: str | None = None
    folder: str | None = None
    is_public: bool | None = None
    refresh: str | None = None


@dataclass(eq=False)
class ChangedMeanwhile(Refusal):
    """Somebody has changed the audience since it was read."""

    code: ClassVar[str] = "changed_meanwhile"
    audience: str
    read_version: int
    version: int

    @property
    def sentence(self) -> str:
        return (
            f"“{self.audience}” has been changed since you read it: you have version "
            f"{self.read_version}, it is at {self.version}. Read it again and repeat your change."
        )


@dataclass(eq=False)
class AudienceInUse(Refusal):
    """Something cannot do without the audience as it is."""

    code: ClassVar[str] = "audience_in_use"
    audience: str
    users: list[str]

    @property
    def sentence(self) -> str:
        return (
            f"“{self.audience}” is used by {', '.join(self.users)}. Change or archive those "
            "audiences and models first; let the campaigns end, or cancel them; delete the "
            "recurrences."
        )


async def edit_audience(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    viewer: Viewer,
    name: str,
    version: int,
    changes: Changes,
) -> Audience:
    """Change an audience that was read in that version. Its members stay until the next refresh.

    Raises:
        NotFound, AudienceOfAnother, AudienceArchived, ChangedMeanwhile: as things stand.
        AudienceNamesItself: its rule would come back to itself over other audiences.
        InvalidValue, RefreshUnfit, and whatever `check_rule` refuses: as given.
    """
    audience = await _changeable(connection, workspace_id, viewer, name)
    check_not_archived(audience)
    if audience.version != version:
        raise ChangedMeanwhile(name, version, audience.version)
    rule = changes.rule or audience.definition.rule
    said = check_particulars(
        replace(
            audience.particulars,
            **{
                field: given
                for field in ("description", "folder", "is_public", "refresh")
                if (given := getattr(changes, field)) is not None
            },
        )
    )
    due = audience.refreshing.next_at
    if said.refresh != audience.particulars.refresh:
        due = await due_after_now(connection, workspace_id, said.refresh)
    if not await life_store.edit(
        connection, audience, rule=rule, particulars=said, next_refresh_at=due
    ):
        raise ChangedMeanwhile(name, version, version + 1)
    if changes.rule is not None:
        await _check_changed_rule(connection, audience, rule, viewer)
    edited = await store.audience(connection, workspace_id, name)
    await _audit(connection, viewer, edited, "edited", _difference(audience, edited))
    return edited


async def rename_audience(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    viewer: Viewer,
    name: str,
    new_name: str,
) -> Audience:
    """Give an audience another name, in the rules of other audiences too.

    Raises:
        NotFound, AudienceOfAnother, AudienceArchived: as things stand.
        AlreadyExists, InvalidValue: the new name is taken, or is none.
        AudienceInUse: a model or a recurrence names it.
    """
    audience = await _changeable(connection, workspace_id, viewer, name)
    check_not_archived(audience)
    new_name = check_name(new_name)
    users = await life_store.users(connection, audience)
    naming = [user for user in users if user.kind in ("model", "recurrence")]
    if naming:
        raise AudienceInUse(name, [f"the {user.kind} “{user.name}”" for user in naming])
    rewritten = await life_store.rename(connection, audience, new_name)
    if rewritten is None:
        raise AlreadyExists("audience", new_name)
    named = await store.audience(connection, workspace_id, new_name)
    detail = {"from": name, "to": new_name, "rules_rewritten": rewritten}
    await _audit(connection, viewer, named, "renamed", detail)
    return named


async def copy_audience(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    viewer: Viewer,
    name: str,
    new_name: str,
) -> Audience:
    """Make an audience of one's own from one that one sees; it is refreshed by hand.

    Raises:
        NotFound, AlreadyExists, InvalidValue, and whatever `check_rule` refuses.
    """
    audience = await store.audience(connection, workspace_id, name, viewer)
    return await create_audience(
        connection,
        workspace_id=workspace_id,
        actor=viewer.name,
        name=new_name,
        table=audience.definition.table,
        rule=audience.definition.rule,
        particulars=replace(audience.particulars, refresh=""),
        viewer=viewer,
    )


async def archive_audience(
    connection: Connection, *, workspace_id: WorkspaceId, viewer: Viewer, name: str
) -> Audience:
    """Put an audience away: out of lists, schedules, rules and campaigns. Archived: no change.

    Raises:
        NotFound, AudienceOfAnother: as things stand.
        AudienceInUse: a rule, a model or a campaign under way uses it.
    """
    audience = await _changeable(connection, workspace_id, viewer, name)
    if users := await life_store.users(connection, audience):
        raise AudienceInUse(name, [f"the {user.kind} “{user.name}”" for user in users])
    if await life_store.archive(connection, audience):
        await _audit(connection, viewer, audience, "archived", {})
    return await store.audience(connection, workspace_id, name)


async def unarchive_audience(
    connection: Connection, *, workspace_id: WorkspaceId, viewer: Viewer, name: str
) -> Audience:
    """Take an audience out of the archive; its schedule goes on. Not archived: no change.

    Raises:
        NotFound, AudienceOfAnother: as things stand.
    """
    audience = await _changeable(connection, workspace_id, viewer, name)
    due = await due_after_now(connection, workspace_id, audience.particulars.refresh)
    if await life_store.unarchive(connection, audience, next_refresh_at=due):
        await _audit(connection, viewer, audience, "unarchived", {})
    return await store.audience(connection, workspace_id, name)


async def folders(
    connection: Connection, *, workspace_id: WorkspaceId, viewer: Viewer
) -> list[Folder]:
    """Return the folders with how many audiences the viewer sees directly in each."""
    return await life_store.folders(connection, workspace_id, viewer)


async def history(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    viewer: Viewer,
    name: str,
    before: SnapshotId | None = None,
    limit: int = store.LONGEST_PAGE,
) -> list[PastSnapshot]:
    """Return a page of the snapshots of an audience, newest first.

    Raises:
        NotFound: there is no audience of that name that the viewer sees.
    """
    audience = await store.audience(connection, workspace_id, name, viewer)
    return await life_store.snapshots(connection, audience, before=before, limit=limit)


async def _changeable(
    connection: Connection, workspace_id: WorkspaceId, viewer: Viewer, name: str
) -> Audience:
    """Read an audience that the viewer may change, while nobody else changes audiences."""
    await life_store.hold(connection, workspace_id)
    audience = await store.audience(connection, workspace_id, name, viewer)
    if not viewer.may_change(audience.created_by):
        raise AudienceOfAnother(name, audience.created_by)
    return audience


async def _check_changed_rule(
    connection: Connection, audience: Audience, rule: Rule, viewer: Viewer
) -> None:
    """Refuse a rule, written already in this transaction, that does not fit or is circular."""
    kept = await life_store.uses(connection, audience.workspace_id)
    check_not_circular(audience.name, {name: one.uses for name, one in kept.items()})
    known = await store.surroundings(connection, audience.workspace_id, viewer)
    check_rule(rule, table=audience.definition.table, known=known)


def _difference(before: Audience, after: Audience) -> dict[str, Any]:
    old, new = told(before), told(after)
    changed = [field for field in new if old[field] != new[field]]
    return {
        "before": {field: old[field] for field in changed},
        "after": {field: new[field] for field in changed},
    }


async def _audit(
    connection: Connection,
    viewer: Viewer,
    audience: Audience,
    what: str,
    detail: Mapping[str, Any],
) -> None:
    await accounts.audit(
        connection,
        workspace_id=audience.workspace_id,
        actor=viewer.name,
        action=f"audience.{what}",
        object_name=audience.name,
        detail=detail,
    )
