"""The way to a first campaign: what it takes, where each is done, and how far the workspace is.

Shown as long as there is no campaign. Only the newest few of each kind are looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from textwave.audiences.store import Sort, Wanted, audiences
from textwave.connections.store import platforms
from textwave.console.visit import Visit
from textwave.content.store import templates
from textwave.customers.store import tables
from textwave.kit.refusal import Refusal
from textwave.signatures.store import signatures
from textwave.storage.ledger import Connection

_LOOKED_AT: Final = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it is, where it is done, whether it is done, or waits for a review."""

    name: str
    address: str
    done: bool
    reviewing: bool = False


async def read_steps(visit: Visit) -> Sequence[Step]:
    """Return the steps in the order in which they are taken."""
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        accounts = await platforms(connection, workspace_id=visit.workspace_id)
        signed = await signatures(connection, workspace_id=visit.workspace_id, limit=_LOOKED_AT)
        written = await templates(connection, workspace_id=visit.workspace_id, limit=_LOOKED_AT)
        known = await tables(connection, visit.workspace_id)
        computed = await _has_audience(connection, visit)
    signature_states = {str(one.state) for one in signed}
    template_states = {str(one.state) for one in written}
    return [
        Step("account", "/console/platforms", bool(accounts)),
        _reviewed("signature", "/console/signatures", signature_states),
        _reviewed("template", "/console/templates", template_states),
        Step("customers", "/console/imports/new", bool(known)),
        Step("audience", "/console/audiences", computed),
        Step("campaign", "/console/campaigns/-/new", done=False),
    ]


async def _has_audience(connection: Connection, visit: Visit) -> bool:
    """Tell whether an audience was computed; a rule that nobody can read hides no first page."""
    wanted = Wanted(sort=Sort.NAME)
    try:
        found = await audiences(connection, visit.workspace_id, wanted=wanted, viewer=visit.viewer)
    except Refusal:
        return False
    return any(one.snapshot for one in found)


def _reviewed(name: str, address: str, states: set[str]) -> Step:
    done = "approved" in states
    return Step(name, address, done, reviewing=not done and "reviewing" in states)
