"""Who must hear no more under a signature."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import pytest

from textwave.kit.ids import SignatureId, WorkspaceId
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.storage.ledger import Ledger, value
from textwave.suppression import store
from textwave.suppression.operations import NotOptedOut, lift, opt_out
from textwave.suppression.store import NewOptOut, OptOutSource, opted_out, opted_out_numbers

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
MOBILE = 8615400000000


@dataclass(frozen=True)
class Speaker:
    workspace_id: WorkspaceId
    signature_id: SignatureId
    stranger_id: WorkspaceId


@pytest.fixture
async def speaker(ledger: Ledger, workspace_id: WorkspaceId) -> Speaker:
    """A signature of the workspace, and another workspace."""
    async with ledger.transaction() as connection:
        await connection.execute(
            "INSERT INTO platform (organization_id, name, kind, base_url, sealed_key,"
            " rate_per_second, max_batch, counting) SELECT organization_id, 'gateway',"
            " 'thirdparty', '', '', 1, 1, 'mainland' FROM workspace WHERE id = %s",
            [workspace_id],
        )
        signature_id = await value(
            connection,
            "INSERT INTO signature (workspace_id, platform_id, name, state) SELECT %s, id, 'Shop',"
            " 'approved' FROM platform RETURNING id",
            [workspace_id],
        )
        stranger_id = await value(
            connection,
            "INSERT INTO workspace (organization_id, name) SELECT organization_id, 'second' FROM"
            " workspace WHERE id = %s RETURNING id",
            [workspace_id],
        )
    return Speaker(workspace_id, signature_id, stranger_id)


async def block(ledger: Ledger, speaker: Speaker, *mobiles: int) -> set[tuple[int, int]]:
    asked = [NewOptOut(speaker.workspace_id, speaker.signature_id, m, "x", NOW) for m in mobiles]
    async with ledger.transaction() as connection:
        return await store.add_opt_outs(connection, source=OptOutSource.imported, opt_outs=asked)


async def test_an_opt_out_by_hand_blocks_at_once_and_is_audited(
    web_ledger: Ledger, ledger: Ledger, speaker: Speaker
) -> None:
    async with web_ledger.transaction(speaker.workspace_id) as connection:
        by_hand = partial(
            opt_out,
            connection,
            workspace_id=speaker.workspace_id,
            signature_id=speaker.signature_id,
            mobile=MOBILE,
            evidence="called us",
            actor="mei",
            now=NOW,
        )
        first, again = await by_hand(), await by_hand()
        assert await opted_out(connection, speaker.signature_id, [MOBILE, MOBILE + 1]) == {MOBILE}
    assert first == again
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM audit_event") == 1
        assert str(MOBILE) not in await value(connection, "SELECT detail::text FROM audit_event")


async def test_an_opt_out_is_lifted_by_a_new_consent_only(
    web_ledger: Ledger, ledger: Ledger, speaker: Speaker
) -> None:
    await block(ledger, speaker, MOBILE)
    async with web_ledger.transaction(speaker.workspace_id) as connection:
        raise_again = partial(
            lift,
            connection,
            workspace_id=speaker.workspace_id,
            signature_id=speaker.signature_id,
            mobile=MOBILE,
            actor="mei",
            now=NOW,
        )
        with pytest.raises(InvalidValue):
            await raise_again(evidence="  ")
        await raise_again(evidence="signed in the shop")
        with pytest.raises(NotOptedOut):
            await raise_again(evidence="signed in the shop")
        assert await opted_out(connection, speaker.signature_id, [MOBILE]) == set()
    assert await block(ledger, speaker, MOBILE) == {(speaker.signature_id, MOBILE)}


async def test_another_workspace_neither_blocks_nor_lifts_nor_sees(
    web_ledger: Ledger, ledger: Ledger, speaker: Speaker
) -> None:
    await block(ledger, speaker, MOBILE)
    async with web_ledger.transaction(speaker.stranger_id) as connection:
        key = {"workspace_id": speaker.stranger_id, "signature_id": speaker.signature_id}
        rest = {"mobile": MOBILE, "evidence": "x", "actor": "x", "now": NOW}
        with pytest.raises(NotFound):
            await opt_out(connection, **key, **rest)  # pyright: ignore[reportArgumentType] - mixed
        with pytest.raises(NotFound):
            await lift(connection, **key, **rest)  # pyright: ignore[reportArgumentType] - mixed
        assert await store.opt_outs(connection, workspace_id=speaker.stranger_id) == []
        assert await store.opt_outs(connection, workspace_id=speaker.workspace_id) == []
        assert await opted_out(connection, speaker.signature_id, [MOBILE]) == set()


async def test_only_new_opt_outs_are_returned(ledger: Ledger, speaker: Speaker) -> None:
    await block(ledger, speaker, MOBILE)
    new = await block(ledger, speaker, MOBILE + 1, MOBILE, MOBILE + 1)
    assert new == {(speaker.signature_id, MOBILE + 1)}


async def test_pages_show_every_opt_out_in_force_once_newest_first(
    ledger: Ledger, speaker: Speaker
) -> None:
    await block(ledger, speaker, *range(MOBILE, MOBILE + 7))
    seen: list[int] = []
    async with ledger.transaction() as connection:
        after = None
        while page := await store.opt_outs(
            connection, workspace_id=speaker.workspace_id, after=after, limit=3
        ):
            seen += [row.mobile for row in page]
            after = page[-1].id
    assert seen == list(reversed(range(MOBILE, MOBILE + 7)))


async def test_the_planner_reads_every_number_of_a_signature(
    ledger: Ledger, speaker: Speaker
) -> None:
    await block(ledger, speaker, *range(MOBILE, MOBILE + 100))
    numbers = opted_out_numbers(ledger.url, speaker.signature_id).column("mobile").to_pylist()
    assert sorted(numbers) == list(range(MOBILE, MOBILE + 100))
