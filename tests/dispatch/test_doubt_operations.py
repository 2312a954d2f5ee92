"""Requests in doubt: never twice, every one listed with its evidence, and each way to settle it."""

import asyncio

import pytest

from tests.dispatch.conftest import StartShow
from tests.dispatch.doubtful import added_up, doubtful, listed, pass_hours, receive
from tests.dispatch.show import Show
from textwave.campaigns.operations import cancel_campaign
from textwave.connections.store import platform_account
from textwave.dispatch.cancelling_operations import settle_campaign as settle_cancelled
from textwave.dispatch.doubt import (
    AlreadySettled,
    DoubtCase,
    SendAgainUnconfirmed,
    SendsNoMore,
    SettledAs,
    SettlesItself,
)
from textwave.dispatch.doubt_operations import doubts, settle, settle_campaign
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import NotFound
from textwave.responses.operations import merge_receipts
from textwave.responses.pull_operations import pull_receipts
from textwave.storage.ledger import Ledger


async def say(
    ledger: Ledger, playing: Show, request: str, settled_as: SettledAs, *, confirmed: bool = False
) -> DoubtCase:
    async with ledger.transaction(playing.workspace_id) as connection:
        return await settle(
            connection,
            workspace_id=playing.workspace_id,
            actor="wang",
            request=request,
            settled_as=settled_as,
            confirmed=confirmed,
        )


async def test_cut_requests_are_never_sent_again_and_all_settled_by_receipts(
    show: StartShow,
) -> None:
    playing, campaign_id = await doubtful(show, 400, cuts=0.4)
    counts, report = await playing.counts(), await added_up(playing, campaign_id)
    cut = counts["cut_after_accept"]
    assert cut > 2
    assert (counts["distinct"], counts["twice"]) == (400, 0)
    assert (report.state, report.in_doubt, report.waiting) == ("sending", 20 * cut, 400 - 20 * cut)
    assert "in doubt" in report.stalled_reason or "worker" in report.stalled_reason
    assert len(await listed(playing)) == cut

    await receive(playing, 400)
    report = await added_up(playing, campaign_id)
    assert (report.state, report.delivered, report.submitted) == ("completed", 400, 400)
    assert (await playing.counts())["twice"] == 0
    assert await listed(playing) == []


async def test_a_case_shows_all_that_is_known_of_it(show: StartShow) -> None:
    playing, _ = await doubtful(show, 20)
    [case] = await listed(playing)
    assert (case.campaign, case.campaign_state, case.platform) == ("Spring", "sending", "sandbox")
    assert (case.messages, case.unsettled, case.delivered, case.failed) == (20, 20, 0, 0)
    assert case.outcome == "unknown"
    assert case.detail
    assert case.attempts >= 1
    assert case.choices == list(SettledAs)


async def test_one_receipt_shows_that_the_whole_request_was_taken(
    show: StartShow, ledger: Ledger
) -> None:
    playing, campaign_id = await doubtful(show, 20)
    first = "UPDATE message SET state = 'failed', cause = 'no route', finished_at = now()"
    async with ledger.transaction() as connection:
        await connection.execute(f"{first} WHERE id = (SELECT min(id) FROM message)".encode())
        await connection.execute("UPDATE campaign_tally SET failed = 1")
        await connection.execute(
            b"INSERT INTO campaign_failure_tally "
            b"SELECT id, workspace_id, 'no route', 1 FROM campaign"
        )
    [case] = await listed(playing)
    assert (case.unsettled, case.failed) == (19, 1)
    await pass_hours(playing, 0)
    report = await added_up(playing, campaign_id)
    assert (report.state, report.in_doubt, report.waiting, report.failed) == (
        "completed", 0, 19, 1)  # fmt: skip
    assert report.submitted == 20


async def test_what_a_person_calls_sent_waits_for_receipts(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing, campaign_id = await doubtful(show, 40)
    for case in await listed(playing):
        said = await say(web_ledger, playing, str(case.key), SettledAs.SENT)
        assert (said.settled_as, said.settled_by, said.choices) == ("sent", "wang", [])
    await pass_hours(playing, 0)
    report = await added_up(playing, campaign_id)
    assert (report.state, report.submitted, report.waiting) == ("completed", 40, 40)
    assert (
        await playing.value("SELECT count(*) FROM audit_event WHERE action = 'doubt.settle'") == 2
    )


async def test_what_a_person_calls_not_sent_fails_and_a_late_receipt_still_wins(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing, campaign_id = await doubtful(show, 20)
    [case] = await listed(playing)
    await say(web_ledger, playing, str(case.key), SettledAs.NOT_SENT)
    await pass_hours(playing, 0)
    report = await added_up(playing, campaign_id)
    assert (report.state, report.failures, report.submitted) == ("completed", {"not sent": 20}, 0)
    await receive(playing, 20)
    report = await added_up(playing, campaign_id)
    assert (report.delivered, report.failed, report.failures, report.submitted) == (20, 0, {}, 20)


async def test_sending_again_is_confirmed_first_and_then_exact(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing, campaign_id = await doubtful(show, 40)
    again, other = [str(case.key) for case in await listed(playing)]
    with pytest.raises(SendAgainUnconfirmed):
        await say(web_ledger, playing, again, SettledAs.SEND_AGAIN)
    await say(web_ledger, playing, again, SettledAs.SEND_AGAIN, confirmed=True)
    await pass_hours(playing, 0)
    report = await added_up(playing, campaign_id)
    assert (report.state, report.waiting, report.in_doubt) == ("sending", 20, 20)
    async with playing.session.post(
        f"{playing.stage.platform_url}/sandbox/settings", json={"unknown_after_accept": 0.0}
    ) as changed:
        assert changed.status == 200
    await playing.send()
    report = await added_up(playing, campaign_id)
    assert (report.submitted, report.in_doubt) == (20, 20)
    counts = await playing.counts()
    assert (counts["messages"], counts["twice"]) == (60, 20)
    await say(web_ledger, playing, other, SettledAs.SENT)
    await pass_hours(playing, 0)
    assert (await added_up(playing, campaign_id)).state == "completed"


async def test_what_is_sent_again_may_be_in_doubt_again(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing, campaign_id = await doubtful(show, 20)
    for attempt in range(2):
        [case] = await listed(playing)
        assert case.key.attempt == attempt
        await say(web_ledger, playing, str(case.key), SettledAs.SEND_AGAIN, confirmed=True)
        await pass_hours(playing, 0)
        await playing.send()
        assert (await added_up(playing, campaign_id)).in_doubt == 20
    await receive(playing, 20)
    report = await added_up(playing, campaign_id)
    assert (report.state, report.delivered, report.in_doubt) == ("completed", 20, 0)


async def test_of_two_people_at_once_one_settles(show: StartShow, web_ledger: Ledger) -> None:
    playing, campaign_id = await doubtful(show, 20)
    [case] = await listed(playing)
    said = await asyncio.gather(
        *(
            say(web_ledger, playing, str(case.key), as_)
            for as_ in [SettledAs.SENT, SettledAs.NOT_SENT] * 3
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(one, DoubtCase) for one in said) == 1
    assert sum(isinstance(one, AlreadySettled) for one in said) == 5
    await pass_hours(playing, 0)
    await added_up(playing, campaign_id)
    with pytest.raises(AlreadySettled):
        await say(web_ledger, playing, str(case.key), SettledAs.SENT)


async def test_a_whole_campaign_is_settled_at_once(show: StartShow, web_ledger: Ledger) -> None:
    playing, campaign_id = await doubtful(show, 100)
    async with web_ledger.transaction(playing.workspace_id) as connection:
        settled = await settle_campaign(
            connection,
            workspace_id=playing.workspace_id,
            actor="wang",
            campaign="Spring",
            settled_as=SettledAs.NOT_SENT,
        )
    assert settled == 5
    await pass_hours(playing, 0)
    report = await added_up(playing, campaign_id)
    assert (report.state, report.failures) == ("completed", {"not sent": 100})


async def test_what_nobody_settles_fails_when_its_time_is_over(show: StartShow) -> None:
    playing, campaign_id = await doubtful(show, 40)
    assert await pass_hours(playing, 71) == 0
    assert await pass_hours(playing, 73) == 2
    report = await added_up(playing, campaign_id)
    assert (report.state, report.failures) == ("completed", {"in doubt": 40})


async def test_in_a_cancelled_campaign_nothing_is_sent_again(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing, campaign_id = await doubtful(show, 40)
    async with web_ledger.transaction(playing.workspace_id) as connection:
        await cancel_campaign(
            connection, workspace_id=playing.workspace_id, actor="wang", name="Spring"
        )
    await settle_cancelled(
        playing.ledger,
        workspace_id=playing.workspace_id,
        campaign_id=campaign_id,
        now=playing.stage.clock.now(),
    )
    assert (await added_up(playing, campaign_id)).in_doubt == 40
    case, other = await listed(playing)
    with pytest.raises(SendsNoMore):
        await say(web_ledger, playing, str(case.key), SettledAs.SEND_AGAIN, confirmed=True)
    await say(web_ledger, playing, str(case.key), SettledAs.NOT_SENT)
    await pass_hours(playing, 0)
    assert (await added_up(playing, campaign_id)).failures == {"not sent": 20}
    await pass_hours(playing, 73)
    report = await added_up(playing, campaign_id)
    assert (report.state, report.in_doubt) == ("cancelled", 0)
    assert report.failures == {"not sent": 20, "in doubt": 20}
    assert await playing.value("SELECT count(*) FROM batch WHERE state <> 'done'") == 0
    assert other.messages == 20


async def test_where_keys_are_honoured_a_sending_campaign_asks_again_by_itself(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing, _ = await doubtful(show, 20)
    await playing.execute("UPDATE platform SET capabilities = '{idempotency}'")
    [case] = await listed(playing)
    with pytest.raises(SettlesItself):
        await say(web_ledger, playing, str(case.key), SettledAs.NOT_SENT)


async def test_requests_of_another_workspace_are_not_there(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing, _ = await doubtful(show, 20)
    [case] = await listed(playing)
    other = WorkspaceId(playing.workspace_id + 1)
    async with web_ledger.transaction(other) as connection:
        assert await doubts(connection, other) == []
        with pytest.raises(NotFound):
            await settle(
                connection,
                workspace_id=other,
                actor="mallory",
                request=str(case.key),
                settled_as=SettledAs.SENT,
            )


@pytest.mark.parametrize("request_name", ["", "1", "1-2", "0-0-0", "1-2-3-4", "x-1-0", "１-1-0"])
async def test_a_name_that_is_none_is_not_found(
    web_ledger: Ledger, workspace_id: WorkspaceId, request_name: str
) -> None:
    async with web_ledger.transaction(workspace_id) as connection:
        with pytest.raises(NotFound):
            await settle(
                connection,
                workspace_id=workspace_id,
                actor="wang",
                request=request_name,
                settled_as=SettledAs.SENT,
            )


async def test_whoever_settles_first_and_in_whatever_order_everything_adds_up(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing, campaign_id = await doubtful(show, 240)
    async with playing.ledger.transaction() as connection:
        account = await platform_account(connection, playing.platform_id)
    platform = playing.sender.open_platform(account)
    said = [
        say(web_ledger, playing, str(case.key), SettledAs.NOT_SENT if n % 2 else SettledAs.SENT)
        for n, case in enumerate(await listed(playing))
    ]
    await asyncio.gather(
        *said,
        pull_receipts(playing.ledger, platform_id=account.id, platform=platform),
        *(pass_hours(playing, 0) for _ in range(3)),
        *(merge_receipts(playing.ledger) for _ in range(3)),
    )
    await added_up(playing, campaign_id)
    await receive(playing, 0)
    report = await added_up(playing, campaign_id)
    assert (report.state, report.in_doubt) == ("completed", 0)
    assert report.submitted == 240 - report.failures.get("not sent", 0)
    assert (await playing.counts())["twice"] == 0
