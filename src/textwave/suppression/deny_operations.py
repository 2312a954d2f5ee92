"""Denying a number at a platform or in the whole workspace, and lifting that; both are audited.

Refuses to lift without evidence, as with any opt-out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textwave.accounts.store import audit
from textwave.kit.ids import PlatformId, WorkspaceId
from textwave.kit.mobile import Mobile, masked
from textwave.kit.refusal import InvalidValue, Refusal
from textwave.storage.ledger import Connection
from textwave.suppression import deny_store as store
from textwave.suppression.deny_store import DeniedNumber, NewDenial
from textwave.suppression.store import OptOutSource


@dataclass(eq=False)
class NotDenied(Refusal):
    """There is no entry in force to be lifted."""

    code: ClassVar[str] = "not_denied"
    platform_id: int | None
    mobile_masked: str

    @property
    def sentence(self) -> str:
        where = "on the deny list" if self.platform_id is None else "opted out of this platform"
        return f"The number {self.mobile_masked} is not {where}."


async def deny(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    platform_id: PlatformId | None,
    mobile: int,
    reason: str,
    evidence: str,
    actor: str,
    now: datetime,
) -> DeniedNumber:
    """Deny a number by hand; one that is denied already stays as it is.

    Without a platform it goes on the deny list, and needs a reason.

    Raises:
        InvalidValue: the deny list is given no reason.
    """
    if platform_id is None and not reason.strip():
        raise InvalidValue("reason", "say why nobody of this workspace may write to the number.")
    new = await store.add_denials(
        connection,
        workspace_id=workspace_id,
        platform_id=platform_id,
        source=OptOutSource.by_hand,
        reason=reason.strip(),
        actor=actor,
        denials=[NewDenial(mobile, evidence.strip(), now)],
    )
    found = await store.in_force(
        connection, workspace_id=workspace_id, platform_id=platform_id, mobile=mobile
    )
    if found is None:  # lifted by another in this very moment
        raise NotDenied(platform_id, masked(Mobile(mobile)))
    if new:
        await _audit(connection, workspace_id, actor, "add", platform_id, mobile, reason=reason)
    return found


async def lift_denial(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    platform_id: PlatformId | None,
    mobile: int,
    evidence: str,
    actor: str,
    now: datetime,
) -> None:
    """End an entry; `evidence` says why the number may be written to again.

    Raises:
        InvalidValue: there is no evidence.
        NotDenied: no entry is in force.
    """
    said = evidence.strip()
    if not said:
        raise InvalidValue("evidence", "say why the number may be written to again.")
    lifted = await store.lift(
        connection,
        workspace_id=workspace_id,
        platform_id=platform_id,
        mobile=mobile,
        evidence=said,
        actor=actor,
        now=now,
    )
    if not lifted:
        raise NotDenied(platform_id, masked(Mobile(mobile)))
    await _audit(connection, workspace_id, actor, "lift", platform_id, mobile, evidence=said)


async def _audit(
    connection: Connection,
    workspace_id: WorkspaceId,
    actor: str,
    action: str,
    platform_id: PlatformId | None,
    mobile: int,
    **said: str,
) -> None:
    kind = "deny-list" if platform_id is None else "opt-out"
    await audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action=f"{kind}.{action}",
        object_name="deny list" if platform_id is None else f"platform {platform_id}",
        detail={"mobile": masked(Mobile(mobile)), **said},
    )
