import asyncio

import pytest

from tests.content.conftest import NOW, Place, actions
from tests.content.gateway import NAME
from textwave.kit.in_use import InUse
from textwave.kit.refusal import AlreadyExists, NotFound
from textwave.kit.states import MoveNotAllowed
from textwave.platforms.contract import PlatformRefused
from textwave.signatures import store
from textwave.signatures.operations import (
    SignatureMissing,
    add_signature,
    ask_again_for_signature,
    delete_signature,
)
from textwave.signatures.store import Signature
from textwave.signatures.wording import SignatureNotAcceptable


async def add(place: Place, name: str = "云裳") -> Signature:
    return await add_signature(
        place.people,
        place.open_platform,
        workspace_id=place.workspace_id,
        actor="wang",
        platform=NAME,
        name=name,
        now=NOW,
    )


async def delete(place: Place) -> None:
    async with place.people.transaction(place.workspace_id) as connection:
        await delete_signature(
            connection,
            workspace_id=place.workspace_id,
            actor="wang",
            platform=NAME,
            name="云裳",
            now=NOW,
        )


@pytest.mark.parametrize(
    ("told", "verified"), [("approved", True), ("rejected", True), ("reviewing", False)]
)
async def test_a_signature_is_added_in_the_state_that_the_platform_says(
    place: Place,
    told: str,
    verified: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    place.gateway.signatures["云裳"] = told
    place.gateway.reason = "papers missing"
    added = await add(place)
    assert (added.state, added.verified) == (told, verified)
    assert added.reason == ("papers missing" if told == "rejected" else "")
    assert (added.decided_at is not None) is verified
    assert await actions(place) == ["platform.add", "signature.add"]


async def test_a_signature_that_the_platform_does_not_know_is_refused(place: Place) -> None:
    with pytest.raises(SignatureMissing, match="knows no signature “云裳”"):
        await add(place)


async def test_a_signature_typed_with_brackets_is_refused_before_anybody_is_asked(
    place: Place,
) -> None:
    with pytest.raises(SignatureNotAcceptable, match="without brackets"):
        await add(place, "【云裳】")
    assert place.gateway.calls["signature"] == 0


async def test_where_the_platform_is_down_a_signature_is_not_verified_and_not_approved(
    place: Place,
) -> None:
    place.gateway.signatures["云裳"] = "approved"
    async with place.jobs.transaction() as connection:
        await connection.execute("UPDATE platform SET base_url = 'http://127.0.0.1:1'")
    added = await add(place)
    assert (added.state, added.verified) == ("reviewing", False)
    assert added.reason.startswith("not verified: The platform “gate” cannot be reached")


async def test_a_platform_that_refuses_us_adds_nothing(place: Place) -> None:
    place.gateway.trouble = (403, "FORBIDDEN")
    with pytest.raises(PlatformRefused):
        await add(place)
    async with place.people.transaction(place.workspace_id) as connection:
        assert await store.signatures(connection, workspace_id=place.workspace_id) == []


async def test_of_two_who_add_the_same_signature_at_once_one_is_refused(place: Place) -> None:
    place.gateway.signatures["云裳"] = "approved"
    outcomes = await asyncio.gather(*(add(place) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(outcome, Signature) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadyExists) for outcome in outcomes) == 3


async def test_a_rejected_signature_can_be_asked_about_again_an_approved_one_not(
    place: Place,
) -> None:
    place.gateway.signatures["云裳"] = "rejected"
    await add(place)
    again = await ask_again(place)
    assert (again.state, again.reason, again.verified) == ("reviewing", "", False)
    with pytest.raises(MoveNotAllowed):
        await ask_again(place)


async def ask_again(place: Place) -> Signature:
    async with place.people.transaction(place.workspace_id) as connection:
        return await ask_again_for_signature(
            connection,
            workspace_id=place.workspace_id,
            actor="wang",
            platform=NAME,
            name="云裳",
            now=NOW,
        )


async def test_a_deleted_signature_is_gone_and_its_name_free(place: Place) -> None:
    place.gateway.signatures["云裳"] = "approved"
    first = await add(place)
    outcomes = await asyncio.gather(*(delete(place) for _ in range(3)), return_exceptions=True)
    assert outcomes.count(None) == 1
    assert all(isinstance(o, NotFound | MoveNotAllowed) for o in outcomes if o is not None)
    second = await add(place)
    assert second.id != first.id


async def test_a_signature_of_a_campaign_under_way_is_not_deleted(place: Place) -> None:
    place.gateway.signatures["云裳"] = "approved"
    signature = await add(place)
    await campaign(place, signature_id=signature.id)
    with pytest.raises(InUse, match="used by the campaign “spring”"):
        await delete(place)


async def campaign(place: Place, *, signature_id: int, template_id: int | None = None) -> None:
    """Put a campaign under way, as the rows that campaigns write."""
    async with place.jobs.transaction() as connection:
        if template_id is None:
            cursor = await connection.execute(
                "INSERT INTO template (workspace_id, platform_id, name, type, content, remark)"
                " VALUES (%s, %s, 't', 'promotional', 'x', 'x') RETURNING id",
                [place.workspace_id, place.account.id],
            )
            row = await cursor.fetchone()
            assert row is not None
            template_id = row[0]
        cursor = await connection.execute(
            "INSERT INTO audience (workspace_id, name, table_name, rule, created_by)"
            " VALUES (%s, 'all', 'customers', '{}', 'wang') RETURNING id",
            [place.workspace_id],
        )
        row = await cursor.fetchone()
        assert row is not None
        await connection.execute(
            "INSERT INTO campaign (workspace_id, name, type, platform_id, signature_id,"
            " template_id, audience_id, state, created_by)"
            " VALUES (%s, 'spring', 'promotional', %s, %s, %s, %s, 'sending', 'wang')",
            [place.workspace_id, place.account.id, signature_id, template_id, row[0]],
        )
