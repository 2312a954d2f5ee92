"""Opting a number out by hand, and lifting an opt-out; both are written into the audit log.

Refuses to lift without evidence of a new consent: opening a link or a purchase is none.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textwave.accounts.store import audit
from textwave.kit.ids import SignatureId, WorkspaceId
from textwave.kit.mobile import Mobile, masked
from textwave.kit.refusal import InvalidValue, NotFound, Refusal
from textwave.suppression import store
from textwave.suppression.store import NewOptOut, OptOut, OptOutSource


@dataclass(eq=False)
class NotOptedOut(Refusal):
    """There is no opt-out in force to be lifted."""

    code: ClassVar[str] = "not_opted_out"
    signature_id: int
    mobile_masked: str

    @property
    def sentence(self) -> str:
        return f"The number {self.mobile_masked} is not opted out of this signature."


async def opt_out(
    connection: store.Connection,
    *,
    workspace_id: WorkspaceId,
    signature_id: SignatureId,
    mobile: int,
    evidence: str,
    actor: str,
    now: datetime,
) -> OptOut:
    """Block a number for a signature by hand; one that is blocked already stays as it is.

    Raises:
        NotFound: the workspace has no such signature.
    """
    await _require_signature(connection, workspace_id, signature_id)
    asked = NewOptOut(workspace_id, signature_id, mobile, evidence, now)
    new = await store.add_opt_outs(connection, source=OptOutSource.by_hand, opt_outs=[asked])
    found = await store.in_force(
        connection, workspace_id=workspace_id, signature_id=signature_id, mobile=mobile
    )
    if found is None:  # lifted by another in this very moment
        raise NotOptedOut(signature_id, masked(Mobile(mobile)))
    if new:
        await audit(
            connection,
            workspace_id=workspace_id,
            actor=actor,
            action="opt-out.add",
            object_name=f"opt-out {found.id}",
            detail={"signature_id": signature_id, "mobile": masked(Mobile(mobile))},
        )
    return found


async def lift(
    connection: store.Connection,
    *,
    workspace_id: WorkspaceId,
    signature_id: SignatureId,
    mobile: int,
    evidence: str,
    actor: str,
    now: datetime,
) -> None:
    """End an opt-out because its owner consented anew; `evidence` says where and when.

    Raises:
        InvalidValue: there is no evidence.
        NotFound: the workspace has no such signature.
        NotOptedOut: the number is not opted out.
    """
    if not evidence.strip():
        raise InvalidValue("evidence", "say where and when the person consented anew.")
    await _require_signature(connection, workspace_id, signature_id)
    lifted = await store.lift(
        connection,
        workspace_id=workspace_id,
        signature_id=signature_id,
        mobile=mobile,
        evidence=evidence.strip(),
        now=now,
    )
    if not lifted:
        raise NotOptedOut(signature_id, masked(Mobile(mobile)))
    await audit(
        connection,
        workspace_id=workspace_id,
        actor=actor,
        action="opt-out.lift",
        object_name=f"signature {signature_id}",
        detail={"mobile": masked(Mobile(mobile)), "evidence": evidence.strip()},
    )


async def _require_signature(
    connection: store.Connection, workspace_id: WorkspaceId, signature_id: SignatureId
) -> None:
    if not await store.signature_exists(
        connection, workspace_id=workspace_id, signature_id=signature_id
    ):
        raise NotFound("signature", str(signature_id))
