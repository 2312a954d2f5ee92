"""Numbers that get nothing at a platform, or in the whole workspace."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from textwave.kit.ids import PlatformId, WorkspaceId
from textwave.storage.ledger import Ledger, value
from textwave.suppression import deny_store
from textwave.suppression.deny_store import NewDenial, denied, denied_numbers, drop_reasons
from textwave.suppression.store import OptOutSource

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MOBILE = 8615400000000


@dataclass(frozen=True)
class Place:
    workspace_id: WorkspaceId
    platform_id: PlatformId
    other_id: PlatformId


@pytest.fixture
async def place(ledger: Ledger, workspace_id: WorkspaceId) -> Place:
    """A workspace with two platforms."""
    statement = (
        "INSERT INTO platform (organization_id, name, kind, base_url, sealed_key, rate_per_second,"
        " max_batch, counting) SELECT organization_id, %s, 'thirdparty', '', '', 1, 1, 'mainland'"
        " FROM workspace WHERE id = %s RETURNING id"
    )
    async with ledger.transaction() as connection:
        first = await value(connection, statement, ["one", workspace_id])
        second = await value(connection, statement, ["two", workspace_id])
    return Place(workspace_id, first, second)


async def deny(ledger: Ledger, place: Place, platform_id: PlatformId | None, *mobiles: int) -> None:
    async with ledger.transaction() as connection:
        await deny_store.add_denials(
            connection,
            workspace_id=place.workspace_id,
            platform_id=platform_id,
            source=OptOutSource.by_hand,
            reason="asked for it",
            actor="mei",
            denials=[NewDenial(mobile, "called", NOW) for mobile in mobiles],
        )


async def test_a_denied_number_is_denied_everywhere_and_an_opted_out_one_at_its_platform(
    ledger: Ledger, place: Place
) -> None:
    await deny(ledger, place, None, MOBILE)
    await deny(ledger, place, place.platform_id, MOBILE, MOBILE + 1)
    asked = [MOBILE, MOBILE + 1, MOBILE + 2]
    async with ledger.transaction() as connection:
        here, there, nowhere = [
            await drop_reasons(connection, place.workspace_id, platform, asked)
            for platform in (place.platform_id, place.other_id, None)
        ]
        assert await denied(connection, place.workspace_id, place.other_id, asked) == {MOBILE}
    assert here == {MOBILE: "opted out", MOBILE + 1: "opted out"}
    assert there == nowhere == {MOBILE: "deny list"}


async def test_the_plan_reads_the_same_reasons_as_the_gate(ledger: Ledger, place: Place) -> None:
    await deny(ledger, place, None, MOBILE, MOBILE + 5)
    await deny(ledger, place, place.platform_id, MOBILE, MOBILE + 1)
    for platform in (place.platform_id, place.other_id, None):
        async with ledger.transaction() as connection:
            expected = await drop_reasons(
                connection, place.workspace_id, platform, range(MOBILE, MOBILE + 9)
            )
        rows = denied_numbers(ledger.url, place.workspace_id, platform).to_pylist()
        assert len(rows) == len(expected)
        assert {row["mobile"]: row["reason"] for row in rows} == expected


async def test_a_number_is_on_a_list_once_and_again_after_it_was_lifted(
    ledger: Ledger, place: Place
) -> None:
    key: dict[str, Any] = {
        "workspace_id": place.workspace_id,
        "platform_id": None,
        "mobile": MOBILE,
    }
    await deny(ledger, place, None, MOBILE)
    await deny(ledger, place, None, MOBILE)
    async with ledger.transaction() as connection:
        assert (
            len(
                await deny_store.entries(
                    connection, workspace_id=place.workspace_id, platform_id=None
                )
            )
            == 1
        )
        said: dict[str, Any] = {"evidence": "a new contract", "actor": "mei", "now": NOW}
        assert await deny_store.lift(connection, **key, **said)
        assert not await deny_store.lift(connection, **key, **said)
        assert await denied(connection, place.workspace_id, None, [MOBILE]) == set()
    await deny(ledger, place, None, MOBILE)
    async with ledger.transaction() as connection:
        assert await deny_store.in_force(connection, **key) is not None
