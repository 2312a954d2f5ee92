"""Signatures created with papers, at the stand-in for Alibaba Cloud."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.aliyun_stage import SIGNATURE, AliyunStage
from tests.content.conftest import NOW, Place, actions
from tests.content.gateway import NAME
from textwave.connections import store as connection_store
from textwave.connections.asking_operations import Asking
from textwave.connections.reviews import LAST_ATTEMPT
from textwave.kit.carriers import Carrier
from textwave.kit.refusal import AlreadyExists, InvalidValue
from textwave.kit.states import MoveNotAllowed
from textwave.platforms.contract import CarrierState, NotOffered, Review, ReviewState
from textwave.signatures import operations, store
from textwave.signatures.operations import SignatureShared, SignatureUnderReview
from textwave.signatures.papers import Papers, Source
from textwave.signatures.registration import warnings
from textwave.signatures.review_operations import (
    ask_for_signatures,
    decide_signatures,
    hand_over_signature,
    withdraw_signature,
)
from textwave.signatures.store import Signature
from textwave.signatures.wording import SignatureNotAcceptable

PAPERS = Papers(Source.ENTERPRISE, 4711, "for members of the shop")
NEW = "云裳服饰"


async def create(place: Place, name: str = NEW, papers: Papers = PAPERS) -> Signature:
    async with place.people.transaction(place.workspace_id) as connection:
        return await operations.create_signature(
            connection,
            workspace_id=place.workspace_id,
            actor="wang",
            platform="ali",
            name=name,
            papers=papers,
            now=NOW,
        )


async def edit(place: Place, papers: Papers = PAPERS) -> Signature:
    async with place.people.transaction(place.workspace_id) as connection:
        return await operations.edit_signature(
            connection,
            workspace_id=place.workspace_id,
            actor="wang",
            platform="ali",
            name=NEW,
            papers=papers,
            now=NOW,
        )


async def delete(place: Place, name: str = NEW, *, at_platform: bool = True) -> None:
    async with place.people.transaction(place.workspace_id) as connection:
        await operations.delete_signature(
            connection,
            workspace_id=place.workspace_id,
            actor="wang",
            platform="ali",
            name=name,
            now=NOW,
            at_platform=at_platform,
        )


async def hand_over(place: Place, signature: Signature, attempt: int = 0) -> None:
    await hand_over_signature(
        place.jobs,
        place.open_platform,
        workspace_id=place.workspace_id,
        signature_id=signature.id,
        now=NOW,
        attempt=attempt,
    )


async def ask(place: Place, now: datetime = NOW) -> int:
    return len(await ask_for_signatures(Asking(place.jobs, place.open_platform), now=now))


async def read(place: Place, signature: Signature) -> Signature:
    async with place.people.transaction(place.workspace_id) as connection:
        return await store.signature(
            connection, workspace_id=place.workspace_id, signature_id=signature.id
        )


async def handed_over(place: Place) -> Signature:
    made = await create(place)
    await hand_over(place, made)
    return await read(place, made)


async def decided(place: Place, stand_in: AliyunStage, status: int, reason: str = "") -> Signature:
    """A signature on which the platform has decided: 1 approved, 2 rejected."""
    made = await handed_over(place)
    await stand_in.post("decide", signature=NEW, status=status, reason=reason)
    await ask(place)
    return await read(place, made)


async def test_a_created_signature_reaches_the_reviewers_with_its_papers(
    ali: Place, stand_in: AliyunStage
) -> None:
    made = await create(ali)
    assert (made.state, made.papers, made.submitted_at) == ("reviewing", PAPERS, None)
    assert await ask(ali) == 0
    await hand_over(ali, made)
    kept = stand_in.stand_in.shelf.signatures[NEW]
    assert kept.qualification_id == 4711
    assert (await read(ali, made)).submitted_at == NOW
    await hand_over(ali, made)
    assert len(stand_in.stand_in.shelf.signatures) == 2


async def test_an_approved_one_knows_how_each_carrier_registers_it(
    ali: Place, stand_in: AliyunStage
) -> None:
    made = await handed_over(ali)
    carriers = {"mobile": 3, "unicom": 1, "telecom": -1}
    await stand_in.post("decide", signature=NEW, status=1, carriers=carriers)
    assert await ask(ali) == 1
    approved = await read(ali, made)
    assert (approved.state, approved.verified) == ("approved", True)
    assert {carrier: said.state for carrier, said in approved.carriers.items()} == {
        Carrier.MOBILE: CarrierState.approved,
        Carrier.UNICOM: CarrierState.unverified,
        Carrier.TELECOM: CarrierState.reviewing,
    }
    await stand_in.post("decide", signature=NEW, status=1, carriers={"telecom": 3})
    await ask(ali, NOW + timedelta(hours=11))
    later = await read(ali, made)
    assert later.carriers[Carrier.TELECOM].state is CarrierState.reviewing
    await ask(ali, NOW + timedelta(hours=12))
    assert (await read(ali, made)).carriers[Carrier.TELECOM].state is CarrierState.approved


async def test_carriers_are_asked_about_at_once_when_an_approval_is_pushed_without_them(
    ali: Place, stand_in: AliyunStage
) -> None:
    made = await handed_over(ali)
    await stand_in.post("decide", signature=NEW, status=1, carriers={"mobile": 3})
    pushed = {NEW: Review(ReviewState.approved)}
    async with ali.jobs.transaction() as connection:
        account = await connection_store.platform_account(connection, made.platform_id)
        await decide_signatures(connection, account, pushed, NOW)

    await ask(ali, NOW + timedelta(seconds=1))

    assert (await read(ali, made)).carriers[Carrier.MOBILE].state is CarrierState.approved


async def test_an_approved_one_that_the_platform_gave_up_stays_and_says_so(
    ali: Place, stand_in: AliyunStage
) -> None:
    approved = await decided(ali, stand_in, 1)
    await stand_in.post("decide", signature=NEW, status=10)
    await ask(ali, NOW + timedelta(hours=13))
    after = await read(ali, approved)
    assert (after.state, after.verified) == ("approved", False)
    assert after.reason.startswith("The platform says now that it is rejected.")
    assert [warned.code for warned in warnings(after, NOW)] == ["not_verified", *carriers(after)]
    await stand_in.post("decide", signature=NEW, status=1)
    await ask(ali, NOW + timedelta(hours=26))
    assert (await read(ali, approved)).verified


def carriers(signature: Signature) -> list[str]:
    return [
        f"carrier_{said.state}"
        for said in signature.carriers.values()
        if said.state is not CarrierState.approved
    ]


async def test_a_rejected_one_is_edited_and_goes_to_the_same_reviewers_again(
    ali: Place, stand_in: AliyunStage
) -> None:
    rejected = await decided(ali, stand_in, 2, "the qualification has expired")
    assert (rejected.state, rejected.reason) == ("rejected", "the qualification has expired")
    better = replace(PAPERS, qualification_id=4712)
    edited = await edit(ali, better)
    assert (edited.state, edited.papers, edited.reason) == ("reviewing", better, "")
    await hand_over(ali, edited)
    kept = stand_in.stand_in.shelf.signatures[NEW]
    assert (kept.qualification_id, kept.standing) == (4712, 0)
    await stand_in.post("decide", signature=NEW, status=1)
    await ask(ali)
    assert (await read(ali, edited)).state == "approved"
    assert await actions(ali) == [
        "platform.add",
        "platform.add",
        "signature.create",
        "signature.rejected",
        "signature.edit",
        "signature.approved",
    ]


async def test_the_word_on_the_old_papers_does_not_count_for_the_new(
    ali: Place, stand_in: AliyunStage
) -> None:
    await decided(ali, stand_in, 2)
    edited = await edit(ali)
    await ask(ali, NOW + timedelta(hours=1))
    assert (await read(ali, edited)).state == "reviewing"


async def test_after_a_crash_before_the_commit_nothing_is_created_twice(
    ali: Place, stand_in: AliyunStage
) -> None:
    made = await handed_over(ali)
    async with ali.jobs.transaction() as connection:
        await connection.execute("UPDATE signature SET submitted_at = NULL")
    await hand_over(ali, made)
    assert (await read(ali, made)).submitted_at == NOW
    assert len(stand_in.stand_in.shelf.signatures) == 2


async def test_a_platform_that_is_down_is_tried_again_later_and_given_up_in_the_end(
    ali: Place,
) -> None:
    made = await create(ali)
    async with ali.jobs.transaction() as connection:
        await connection.execute("UPDATE platform SET base_url = 'http://127.0.0.1:1'")
    await hand_over(ali, made, attempt=2)
    delayed = await read(ali, made)
    assert delayed.state == "reviewing"
    assert "cannot be reached" in delayed.reason
    async with ali.jobs.transaction() as connection:
        cursor = await connection.execute(
            "SELECT (args ->> 'attempt')::int, scheduled_at FROM procrastinate_jobs"
            " WHERE scheduled_at IS NOT NULL"
        )
        assert await cursor.fetchall() == [(3, NOW + timedelta(seconds=4))]
    await hand_over(ali, made, attempt=LAST_ATTEMPT)
    assert (await read(ali, made)).state == "rejected"


@pytest.mark.parametrize(
    ("name", "papers", "refusal"),
    [
        ("云", PAPERS, SignatureNotAcceptable),
        ("云裳服饰旗舰店官方会员中心号", PAPERS, SignatureNotAcceptable),
        ("云裳测试", PAPERS, SignatureNotAcceptable),
        ("Test云裳", PAPERS, SignatureNotAcceptable),
        ("云裳.cn", PAPERS, SignatureNotAcceptable),
        ("【云裳】", PAPERS, SignatureNotAcceptable),
        (NEW, replace(PAPERS, qualification_id=0), InvalidValue),
        (NEW, replace(PAPERS, source=Source.TRADEMARK), InvalidValue),
        (NEW, replace(PAPERS, trademark_id=1), InvalidValue),
        (NEW, replace(PAPERS, source=Source.APP), InvalidValue),
        (NEW, replace(PAPERS, remark="字" * 201), InvalidValue),
    ],
)
async def test_what_would_be_sent_back_is_refused_before_it_is_kept(
    ali: Place, name: str, papers: Papers, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        await create(ali, name, papers)
    async with ali.people.transaction(ali.workspace_id) as connection:
        assert await store.signatures(connection, workspace_id=ali.workspace_id) == []


async def test_a_platform_that_takes_no_new_signatures_says_where_to_do_it(ali: Place) -> None:
    async with ali.people.transaction(ali.workspace_id) as connection:
        with pytest.raises(NotOffered, match="console"):
            await operations.create_signature(
                connection,
                workspace_id=ali.workspace_id,
                actor="wang",
                platform=NAME,
                name=NEW,
                papers=PAPERS,
                now=NOW,
            )


async def test_of_two_who_create_or_edit_at_once_one_is_refused(
    ali: Place, stand_in: AliyunStage
) -> None:
    made = await asyncio.gather(*(create(ali) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(one, Signature) for one in made) == 1
    assert sum(isinstance(one, AlreadyExists) for one in made) == 2
    signature = next(one for one in made if isinstance(one, Signature))
    await hand_over(ali, signature)
    await stand_in.post("decide", signature=NEW, status=2)
    await ask(ali)
    edited = await asyncio.gather(*(edit(ali) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(one, Signature) for one in edited) == 1
    assert sum(isinstance(one, MoveNotAllowed) for one in edited) == 2


async def test_deleted_at_the_platform_it_is_gone_there(ali: Place, stand_in: AliyunStage) -> None:
    approved = await decided(ali, stand_in, 1)
    await delete(ali)
    await withdraw(ali, approved)
    assert NEW not in stand_in.stand_in.shelf.signatures
    await withdraw(ali, approved)
    assert SIGNATURE in stand_in.stand_in.shelf.signatures


async def test_deleted_here_alone_it_stays_at_the_platform(
    ali: Place, stand_in: AliyunStage
) -> None:
    await decided(ali, stand_in, 1)
    await delete(ali, at_platform=False)
    assert NEW in stand_in.stand_in.shelf.signatures


async def test_under_review_it_cannot_be_deleted_at_the_platform(
    ali: Place, stand_in: AliyunStage
) -> None:
    await handed_over(ali)
    with pytest.raises(SignatureUnderReview):
        await delete(ali)
    await delete(ali, at_platform=False)
    assert NEW in stand_in.stand_in.shelf.signatures


async def test_one_that_another_workspace_speaks_under_is_not_deleted_at_the_platform(
    ali: Place, stand_in: AliyunStage
) -> None:
    approved = await decided(ali, stand_in, 1)
    async with ali.jobs.transaction() as connection:
        await connection.execute(
            "WITH other AS (INSERT INTO workspace (organization_id, name) SELECT organization_id,"
            " 'other' FROM workspace LIMIT 1 RETURNING id) INSERT INTO signature (workspace_id,"
            " platform_id, name, state) SELECT id, %s, %s, 'approved' FROM other",
            [ali.account.id, NEW],
        )
    with pytest.raises(SignatureShared):
        await delete(ali)
    await delete(ali, at_platform=False)
    await withdraw(ali, approved)
    assert NEW in stand_in.stand_in.shelf.signatures


async def withdraw(place: Place, signature: Signature) -> None:
    await withdraw_signature(
        place.jobs,
        place.open_platform,
        workspace_id=place.workspace_id,
        signature_id=signature.id,
    )
