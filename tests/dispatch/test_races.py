"""What happens when two things come at once, or one after another that nobody expected."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from tests.dispatch.conftest import StartShow
from tests.dispatch.doubtful import added_up, doubtful, listed, pass_hours, receive
from tests.dispatch.show import Show
from tests.dispatch.test_control import act
from textwave.campaigns.operations import cancel_campaign, pause_campaign, resume_campaign
from textwave.campaigns.planning import resume_sending
from textwave.connections.accounts import PlatformAccount
from textwave.dispatch import store
from textwave.dispatch.cancelling_operations import settle_campaign
from textwave.dispatch.doubt import SettledAs
from textwave.dispatch.doubt_operations import settle
from textwave.dispatch.requests import Request, RequestState, Verdict
from textwave.dispatch.serving import Batch, BatchKey
from textwave.dispatch.serving_operations import serve_unserved
from textwave.dispatch.store import Ending
from textwave.kit.ids import CampaignId
from textwave.platforms.contract import Platform, Receipt, ReceiptState, SendAnswer
from textwave.platforms.outcomes import Outcome
from textwave.responses.operations import merge_receipts
from textwave.responses.pulled import body_of
from textwave.responses.store import store_payload

NOW_DUE = (
    "SELECT count(*) FROM procrastinate_jobs"
    " WHERE status = 'todo' AND coalesce(scheduled_at, now()) <= now()"
)


async def settle_cancelled(playing: Show, campaign_id: CampaignId) -> None:
    await settle_campaign(
        playing.ledger,
        workspace_id=playing.workspace_id,
        campaign_id=campaign_id,
        now=playing.stage.clock.now(),
    )


async def delivered(playing: Show, *message_ids: int) -> None:
    """Let the platform say that it delivered these messages."""
    now = datetime.now(UTC)
    told = [Receipt(i, None, ReceiptState.delivered, "", None, now) for i in message_ids]
    async with playing.ledger.transaction() as connection:
        await store_payload(
            connection,
            platform_id=playing.platform_id,
            kind="receipts",
            body=body_of(told),
            form="pulled",
        )
    await merge_receipts(playing.ledger)


async def ids_of(playing: Show) -> list[int]:
    found: list[int] = await playing.value("SELECT array_agg(id ORDER BY id) FROM message")
    return found


async def test_messages_that_were_held_and_messages_asked_for_again_have_attempts_of_their_own(
    show: StartShow,
) -> None:
    playing = await show()
    campaign_id = await playing.planned(20, max_batch=20)
    await playing.serve()
    key, ids = BatchKey(playing.workspace_id, campaign_id, 0), await ids_of(playing)
    await playing.execute("UPDATE request SET state = 'in doubt'")
    await playing.execute(
        """INSERT INTO request (campaign_id, workspace_id, batch_number, number, attempt, first_id,
               last_id, message_ids, size, outcome)
           SELECT campaign_id, workspace_id, 0, 0, 1, id, id, ARRAY[id], 1, 'unsent'
           FROM message WHERE id = %s""",
        [ids[0]],
    )
    verdict = Verdict(
        accepted=[Request(0, 0, ids[0], ids[-1], None, 20, RequestState.IN_DOUBT)],
        again=[Request(0, 1, ids[5], ids[5], [ids[5]], 1)],
        answers={(0, 0): SendAnswer(Outcome.accepted)},
        submitted=19,
    )
    async with playing.ledger.transaction() as connection:
        await store.record(connection, key, Batch(0, ids[0], ids[-1], 1, ""), verdict, set())
    attempts = await playing.value(
        "SELECT array_agg(message_ids ORDER BY attempt) FROM request WHERE attempt > 0"
    )
    assert attempts == [[ids[0]], [ids[5]]]


async def test_who_has_a_receipt_is_not_sent_to_again_though_somebody_said_so(
    show: StartShow,
) -> None:
    playing, campaign_id = await doubtful(show, 20)
    [case] = await listed(playing)
    async with playing.ledger.transaction(playing.workspace_id) as connection:
        await settle(
            connection,
            workspace_id=playing.workspace_id,
            actor="wang",
            request=str(case.key),
            settled_as=SettledAs.SEND_AGAIN,
            confirmed=True,
        )
    await pass_hours(playing, 0)
    first, *others = await ids_of(playing)
    await delivered(playing, first)
    playing.sandbox.settings = replace(playing.sandbox.settings, unknown_after_accept=0.0)
    await playing.send()
    assert (await playing.counts())["twice"] == len(others)
    report = await added_up(playing, campaign_id)
    assert (report.submitted, report.delivered) == (20, 1)
    await receive(playing, 20)
    assert (await added_up(playing, campaign_id)).state == "completed"


async def test_a_receipt_for_what_a_cancelled_campaign_never_sent_stops_no_other(
    show: StartShow,
) -> None:
    playing = await show()
    campaign_id = await playing.planned(20, batch_size=10, max_batch=10, rate_per_second=10)
    await playing.serve()
    await act(playing, cancel_campaign)
    await settle_cancelled(playing, campaign_id)
    assert (await playing.report()).failures == {"cancelled": 10}
    await delivered(playing, *await ids_of(playing))
    report = await added_up(playing, campaign_id)
    assert (report.delivered, report.failures) == (10, {"cancelled": 10})
    assert await playing.value("SELECT count(*) FROM callback_inbox WHERE merged_at IS NULL") == 0


async def test_a_receipt_before_its_message_was_sent_keeps_nobody_from_cancelling(
    show: StartShow,
) -> None:
    playing = await show()
    campaign_id = await playing.planned(20, batch_size=10, max_batch=10, rate_per_second=10)
    await playing.serve()
    await delivered(playing, *await ids_of(playing))
    await act(playing, cancel_campaign)
    await settle_cancelled(playing, campaign_id)
    report = await added_up(playing, campaign_id)
    assert (report.state, report.delivered, report.failed) == ("cancelled", 20, 0)


async def test_a_campaign_resumed_while_its_last_batch_ends_is_completed(show: StartShow) -> None:
    playing = await show()
    campaign_id = await playing.planned(10)
    key, job_id = BatchKey(playing.workspace_id, campaign_id, 0), await playing.job()
    await playing.execute("UPDATE batch SET state = 'prepared', held_by = %s", [job_id])
    await act(playing, pause_campaign)
    ids = await ids_of(playing)
    async with playing.ledger.transaction() as connection:
        await store.record(connection, key, Batch(0, ids[0], ids[-1], 1, ""), Verdict(), set())
        await store.close(connection, key, Ending(job_id, honours_keys=True), Verdict())
        await act(playing, resume_campaign)
        resuming = asyncio.create_task(
            resume_sending(
                playing.ledger, workspace_id=playing.workspace_id, campaign_id=campaign_id
            )
        )
        await asyncio.wait([resuming], timeout=0.3)
    await resuming
    assert (await playing.report()).state == "completed"


async def test_a_campaign_whose_end_nobody_noticed_is_completed_by_the_clock(
    show: StartShow,
) -> None:
    playing = await show()
    await playing.planned(20, batch_size=10, max_batch=10)
    await playing.execute("UPDATE batch SET state = 'done' WHERE number = 0")
    await serve_unserved(playing.ledger)
    assert (await playing.report()).state == "sending"
    await playing.execute("UPDATE batch SET state = 'done'")
    await serve_unserved(playing.ledger)
    assert (await playing.report()).state == "completed"


async def test_a_batch_whose_job_died_waits_for_no_later_one(show: StartShow) -> None:
    playing = await show()
    await playing.planned(20, batch_size=10, max_batch=10)
    dead = await playing.job()
    await playing.execute("UPDATE batch SET due_at = now() + interval '8 hours' WHERE number = 1")
    await playing.execute(
        "UPDATE batch SET held_by = %s, held_until = now() + interval '5 minutes' WHERE number = 0",
        [dead],
    )
    await playing.execute("DELETE FROM procrastinate_jobs WHERE status = 'todo'")
    assert await playing.serve() == 0  # the next one comes in eight hours
    await playing.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [dead])
    assert await playing.value(NOW_DUE) == 0
    assert await serve_unserved(playing.ledger) == 1
    assert await playing.value(NOW_DUE) == 1
    assert await playing.serve() == 1


async def test_who_was_held_and_cancelled_is_not_counted_with_the_request_around_him(
    show: StartShow,
) -> None:
    playing, campaign_id = await doubtful(show, 20)
    ids = await ids_of(playing)
    await playing.execute("UPDATE message SET state = 'held' WHERE id = %s", [ids[7]])
    await playing.execute("UPDATE request SET size = 19")
    await act(playing, cancel_campaign)
    await settle_cancelled(playing, campaign_id)
    await delivered(playing, *(i for i in ids if i != ids[7]))
    await pass_hours(playing, 0)
    report = await added_up(playing, campaign_id)
    assert (report.submitted, report.delivered, report.failures) == (19, 19, {"cancelled": 1})


async def test_what_has_not_left_because_of_our_own_settings_is_not_in_doubt(
    show: StartShow,
) -> None:
    playing = await show()
    await playing.planned(20)
    await playing.execute("UPDATE platform SET capabilities = '{variables,click_tokens}'")

    def broken(account: PlatformAccount) -> Platform:
        raise ValueError(f"the key of {account.name}, +86 15412345678, cannot be read")

    await playing.serve(sender=replace(playing.sender, open_platform=broken))
    report = await playing.report()
    assert (report.in_doubt, report.waiting) == (0, 20)
    assert "cannot be read" in report.trouble
    assert "15412345678" not in report.trouble
    await playing.send()
    assert (await playing.report()).state == "completed"


async def test_a_resting_account_is_tried_again_at_once_when_nothing_was_there_to_try_it_with(
    show: StartShow,
) -> None:
    playing = await show()
    await playing.planned(10)
    await playing.execute("UPDATE platform SET failures_in_a_row = 2, resting_until = now()")
    await playing.execute(
        """INSERT INTO opt_out (workspace_id, signature_id, mobile, source)
           SELECT workspace_id, %s, mobile, 'by hand' FROM message""",
        [playing.stage.ids["signature"]],
    )
    await playing.serve()
    assert await playing.value("SELECT resting_until <= clock_timestamp() FROM platform") is True
    assert await playing.value("SELECT failures_in_a_row FROM platform") == 2
