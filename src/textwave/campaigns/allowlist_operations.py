"""Filling the allowlist: the numbers by which campaigns may reach the members of its audiences.

A job, because numbers are in the warehouse. Repeated, it only does the same again.
"""

from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir

from textwave.audiences.membership import AUDIENCE_MEMBER
from textwave.campaigns.numbers import NumberChoice
from textwave.campaigns.reach import Reach, find_numbers, find_reach
from textwave.kit.ids import AudienceId, SnapshotId, WorkspaceId
from textwave.kit.refusal import Refusal
from textwave.limits import allowlist_store
from textwave.limits.allowlist_operations import AllowlistTooLarge
from textwave.limits.allowlist_store import MOST_NUMBERS
from textwave.storage.ledger import Ledger
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Lake, Warehouse


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Every number of an audience's members."""

    workspace_id: WorkspaceId
    audience: str
    table_name: str
    numbers: str = NumberChoice.ALL


async def run_fill(
    *,
    ledger: Ledger,
    warehouse: Warehouse,
    vault: Vault,
    workspace_id: WorkspaceId,
    audience_id: AudienceId,
) -> None:
    """Take the numbers of an audience's newest snapshot; what is wrong is said on the entry."""
    async with ledger.transaction() as connection:
        audience = await allowlist_store.candidate(
            connection, workspace_id, audience_id=audience_id
        )
    newest = audience.snapshot_id
    if newest is None:
        return
    mobiles, problem = list[int](), ""
    try:
        wanted = _Wanted(workspace_id, audience.name, audience.table_name)
        async with ledger.transaction() as connection:
            reach = await find_reach(connection, vault, wanted)
        mobiles = await warehouse.run(workspace_id, lambda lake: _mobiles(lake, reach, newest))
        if len(mobiles) > MOST_NUMBERS:
            raise AllowlistTooLarge(audience.name, len(mobiles))
    except Refusal as refusal:
        mobiles, problem = [], refusal.sentence
    async with ledger.transaction() as connection:
        await allowlist_store.replace_numbers(
            connection,
            workspace_id,
            audience_id,
            snapshot_id=newest,
            mobiles=mobiles,
            problem=problem,
        )


def _mobiles(lake: Lake, reach: Reach, snapshot_id: SnapshotId) -> list[int]:
    """Return the members' numbers, each once; one more than may be on the list at most."""
    of_all: Any = lake.table(AUDIENCE_MEMBER)
    members: ir.Table = of_all.filter(of_all.snapshot_id == snapshot_id).select("customer")
    numbers: Any = find_numbers(lake, reach, members)
    if numbers is None:
        people: Any = reach.people(lake)
        keyed = people.select(
            customer=people[reach.root.customer_column], mobile=people.textwave_mobile
        )
        numbers = keyed.semi_join(members, [keyed.customer == members.customer])
    distinct: Any = numbers.filter(numbers.mobile.notnull()).select("mobile").distinct()
    found = distinct.limit(MOST_NUMBERS + 1).to_pyarrow()
    return [int(mobile) for mobile in found.column("mobile").to_pylist()]
