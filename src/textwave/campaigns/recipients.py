"""Where a plan's recipients come from: the snapshots, the numbers, and the lists that block.

Refuses an audience, or an excluded one, that has not been computed, and a control group that would
take everybody.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc

from textwave.audiences.store import member_ids
from textwave.campaigns import repeat_store, shares_store
from textwave.campaigns.brief import Brief
from textwave.campaigns.digital_store import approving_carriers
from textwave.campaigns.draft import NotReadyToStart, read_sources
from textwave.campaigns.numbers import NumberChoice
from textwave.campaigns.reach import Reach, find_numbers, find_reach
from textwave.campaigns.repeat_store import Retry, failed_pairs, reached_since
from textwave.campaigns.served import longest_value, served_by
from textwave.campaigns.shares import ControlTakesAll
from textwave.campaigns.shares_store import Exclusion, Rules
from textwave.campaigns.texts import Texts, held_share, texts_of
from textwave.kit.carriers import Carrier, CarrierRanges
from textwave.kit.ids import SnapshotId
from textwave.plans.draw import Held, draw_for
from textwave.plans.lake import plan_blocks
from textwave.plans.plan import (
    EXCLUDED,
    OPTED_OUT,
    Block,
    Recipients,
    count_recipients,
    drawn_first,
)
from textwave.plans.served import SERVES_ALL, Served
from textwave.platforms.contract import MessageType
from textwave.storage.ledger import Connection
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Lake
from textwave.suppression.deny_store import DENY_LIST, denied_numbers
from textwave.suppression.store import opted_out_numbers


@dataclass(frozen=True, slots=True)
class Asked:
    """What the warehouse is asked to plan."""

    brief: Brief
    snapshot_id: SnapshotId
    reach: Reach
    rules: Rules
    exclusions: Sequence[Exclusion]
    texts: Texts
    retry: Retry | None = None
    approving: frozenset[Carrier] = frozenset()
    served: Served = SERVES_ALL

    @property
    def honours_opt_outs(self) -> bool:
        """Whether opt-outs apply: to all but notifications."""
        return self.brief.type != MessageType.notification


async def find_asked(
    connection: Connection,
    vault: Vault,
    brief: Brief,
    snapshot_id: SnapshotId | None,
    ranges: CarrierRanges,
) -> Asked:
    """Find everything that a campaign's plan is made from; `ranges` tell carriers by numbers.

    Raises:
        NotReadyToStart: an audience has not been computed, or its table is gone.
        EncryptionKeyMissing: numbers are encrypted with a key that the workspace has not.
    """
    if snapshot_id is None:
        raise NotReadyToStart("audience", brief.audience, _NOT_COMPUTED)
    exclusions = await shares_store.exclusions(connection, brief.workspace_id, brief.id)
    check_computed(exclusions)
    rules = await shares_store.rules(connection, brief.workspace_id, brief.id)
    variants = await shares_store.variants(connection, brief.workspace_id, brief.id)
    approving = await approving_carriers(connection, brief.workspace_id, brief.id)
    return Asked(
        brief,
        snapshot_id,
        await find_reach(connection, vault, brief),
        rules,
        exclusions,
        texts_of(brief, rules, variants),
        await repeat_store.retry_of(connection, brief.workspace_id, brief.id),
        approving,
        served_by(brief, approving, ranges),
    )


_NOT_COMPUTED = "has not been computed yet. Refresh it and wait until it is done."


def check_computed(exclusions: Sequence[Exclusion]) -> None:
    """Accept excluded audiences that have been computed: else nobody of them would be excluded.

    Raises:
        NotReadyToStart: one has not.
    """
    for one in exclusions:
        if one.snapshot_id is None:
            problem = f"is excluded and {_NOT_COMPUTED}"
            raise NotReadyToStart("audience", one.name, problem)


def count(lake: Lake, asked: Asked, url: str) -> int:
    """Count the recipients, so that each finds its id in the campaign's block."""
    members = member_ids(lake, asked.snapshot_id)
    several = asked.reach.choice is NumberChoice.ALL or asked.retry is not None
    numbers = _numbers(lake, asked, members, url) if several else None
    return int(count_recipients(members, numbers).to_pyarrow().as_py())


def stream(lake: Lake, asked: Asked, url: str) -> Iterator[Block]:
    """Compute the plan and stream it.

    Raises:
        ControlTakesAll: nobody would be left to get a message.
    """
    given = _recipients(lake, asked, url)
    return plan_blocks(given, asked.texts.measures, _held(given, asked.rules))


def _recipients(lake: Lake, asked: Asked, url: str) -> Recipients:
    members = member_ids(lake, asked.snapshot_id)
    excluded = _excluded(lake, asked)
    blocked = _blocked(lake, asked, url)
    if excluded is not None:
        blocked.insert(0, (EXCLUDED, _numbers_of(lake, asked, excluded)))
    if asked.retry is not None:
        blocked.insert(0, (EXCLUDED, lake.hold(reached_since(url, asked.retry))))
    return Recipients(
        members=members,
        customers=asked.reach.people(lake),
        customer_column=asked.reach.root.customer_column,
        template=asked.texts.templates[0],
        sources=read_sources(asked.brief.variables),
        blocked=blocked,
        excluded=excluded,
        numbers=_numbers(lake, asked, members, url),
        division=asked.texts.division,
        served=asked.served,
        longest_value=longest_value(asked.brief.platform_kind),
    )


def _numbers(lake: Lake, asked: Asked, members: ir.Table, url: str) -> ir.Table | None:
    """Return whom a text reaches where; a retry goes to the numbers that failed, to no others."""
    if asked.retry is not None:
        return lake.hold(failed_pairs(url, asked.retry))
    return find_numbers(lake, asked.reach, members)


def _blocked(lake: Lake, asked: Asked, url: str) -> list[tuple[str, ir.Table]]:
    """Return the lists of numbers that must not hear from this campaign, with their reasons."""
    brief = asked.brief
    platform_id = brief.platform_id if asked.honours_opt_outs else None
    denied = denied_numbers(url, brief.workspace_id, platform_id)
    of_platform = denied.filter(pc.field("reason") == OPTED_OUT).select(["mobile"])
    on_list = denied.filter(pc.field("reason") == DENY_LIST).select(["mobile"])
    blocked: list[tuple[str, ir.Table]] = []
    if asked.honours_opt_outs:
        of_signature = opted_out_numbers(url, brief.signature_id)
        blocked.append((OPTED_OUT, lake.hold(pa.concat_tables([of_signature, of_platform]))))
    if len(on_list):
        blocked.append((DENY_LIST, lake.hold(on_list)))
    return blocked


def _excluded(lake: Lake, asked: Asked) -> ir.Table | None:
    """Return the customers of all excluded audiences; None: there are none."""
    snapshots = [one.snapshot_id for one in asked.exclusions if one.snapshot_id is not None]
    if not snapshots:
        return None
    tables = [member_ids(lake, snapshot_id) for snapshot_id in snapshots]
    return reduce(lambda above, below: above.union(below), tables)


def _numbers_of(lake: Lake, asked: Asked, excluded: ir.Table) -> ir.Table:
    """Return every number of excluded customers: who shares one with them is excluded too."""
    every = replace(asked.reach, choice=NumberChoice.ALL)
    numbers = find_numbers(lake, every, excluded)
    if numbers is not None:
        return numbers.select("mobile")
    people: Any = asked.reach.people(lake)
    left_out = people.semi_join(
        excluded, people[asked.reach.root.customer_column] == excluded["customer"]
    )
    mobiles = left_out.select(mobile=left_out.textwave_mobile.cast("int64"))
    return mobiles.filter(mobiles.mobile.notnull())


def _held(given: Recipients, rules: Rules) -> Held | None:
    """Return the control group; of an exact size: up to whose lot it goes."""
    if rules.control_size is None:
        return held_share(rules)
    size, draw = rules.control_size, draw_for(rules.seed, "control")
    drawn = drawn_first(given, draw, size + 1).to_pyarrow()
    if len(drawn) <= size:
        raise ControlTakesAll(size, len(drawn))
    return Held(draw, drawn["lot"][size - 1].as_py(), drawn["mobile"][size - 1].as_py())
