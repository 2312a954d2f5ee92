"""Sending batches to a simulated platform over HTTP; the platform's own count is the witness."""

from typing import Any

import pytest

from tests.dispatch.conftest import StartShow
from tests.stage import SHANGHAI, people
from textwave.connections.store import platform_account
from textwave.dispatch.serving_operations import serve
from textwave.responses.operations import merge_receipts
from textwave.responses.pull_operations import pull_receipts
from textwave.storage.ledger import Ledger, execute


class Died(BaseException):
    """What kill -9 looks like from inside: nothing after it happens."""


async def die(*_: Any) -> bool:
    """Die where something is recorded."""
    raise Died


async def test_every_message_reaches_the_platform_once(show: StartShow) -> None:
    playing = await show()
    await playing.planned(250)
    await playing.send()
    counts = await playing.counts()
    report = await playing.report()
    assert (counts["distinct"], counts["twice"]) == (250, 0)
    assert (report.state, report.submitted, report.waiting) == ("completed", 250, 250)


async def test_texts_go_out_with_values_and_a_click_token_of_their_own(
    show: StartShow,
) -> None:
    playing = await show()
    text = "Dear ${name}: http://d.example.cn/abc123/${sp_link} 拒收请回复R"
    await playing.planned(3, content=text)
    await playing.send()
    async with playing.session.get(f"{playing.stage.platform_url}/sandbox/messages") as response:
        received = (await response.json())["items"]
    texts = sorted(message["content"] for message in received)
    tokens = {text.split("abc123/")[1][:8] for text in texts}
    assert [text[:8] for text in texts] == ["Dear N0:", "Dear N1:", "Dear N2:"]
    assert len(tokens) == 3
    assert all(text.endswith(" 拒收请回复R") for text in texts)


async def test_a_request_cut_off_after_it_was_accepted_is_sent_again_under_its_key_only(
    show: StartShow,
) -> None:
    playing = await show(unknown_after_accept=0.5)
    await playing.planned(600, max_batch=20)
    await playing.send()
    counts = await playing.counts()
    report = await playing.report()
    assert counts["requests"] > 30
    assert (counts["distinct"], counts["twice"]) == (600, 0)
    assert (report.state, report.in_doubt) == ("completed", 0)


async def test_a_worker_that_dies_after_preparing_loses_nothing_and_sends_nothing_twice(
    show: StartShow, monkeypatch: pytest.MonkeyPatch
) -> None:
    playing = await show()
    await playing.planned(200)
    job_id = await playing.job()
    with monkeypatch.context() as patch:
        patch.setattr("textwave.dispatch.store.record", die)
        for _ in range(2):
            with pytest.raises(Died):
                await serve(playing.sender, playing.platform_id, job_id=job_id)
    assert (await playing.counts())["distinct"] == 100  # it was given its batch back
    await playing.send(rounds=2)  # another job leaves it alone as long as it seems to live
    assert (await playing.report()).in_doubt == 100
    await playing.execute("DELETE FROM procrastinate_jobs")
    await playing.send()
    counts, report = await playing.counts(), await playing.report()
    assert (counts["distinct"], counts["twice"]) == (200, 0)
    assert (report.state, report.submitted) == ("completed", 200)


async def test_where_no_keys_are_honoured_an_interrupted_request_stays_in_doubt_until_receipts(
    show: StartShow, monkeypatch: pytest.MonkeyPatch
) -> None:
    playing = await show(receipt_seconds=(0.0, 0.0), no_receipt=0.0, duplicate_receipts=0.0)
    await playing.planned(100)
    await playing.execute("UPDATE platform SET capabilities = '{variables}'")
    job_id = await playing.job()
    with monkeypatch.context() as patch:
        patch.setattr("textwave.dispatch.store.record", die)
        with pytest.raises(Died):
            await serve(playing.sender, playing.platform_id, job_id=job_id)
    await playing.execute("DELETE FROM procrastinate_jobs")
    await playing.send()
    counts, report = await playing.counts(), await playing.report()
    assert (counts["requests"], counts["distinct"], counts["twice"]) == (1, 100, 0)
    assert (report.in_doubt, report.waiting) == (100, 0)

    async with playing.ledger.transaction() as connection:
        account = await platform_account(connection, playing.platform_id)
    platform = playing.sender.open_platform(account)
    pulled = 0
    while pulled < 100:
        pulled += await pull_receipts(playing.ledger, platform_id=account.id, platform=platform)
    await merge_receipts(playing.ledger)
    report = await playing.report()
    assert (report.in_doubt, report.delivered + report.failed) == (0, 100)


@pytest.mark.parametrize("trouble", ["throttled", "busy", "error_500"])
async def test_a_platform_in_trouble_gets_the_same_requests_again_later(
    show: StartShow, trouble: str
) -> None:
    playing = await show(**{trouble: 0.4})
    await playing.planned(300, max_batch=10)
    await playing.send()
    counts = await playing.counts()
    report = await playing.report()
    assert (counts["distinct"], counts["twice"]) == (300, 0)
    assert (report.state, report.submitted, report.failed) == ("completed", 300, 0)


async def test_numbers_that_the_platform_refuses_are_failed_with_the_cause(
    show: StartShow,
) -> None:
    playing = await show(bad_number=0.3)
    campaign_id = await playing.planned(200)
    await playing.send()
    report = await playing.report()
    counted = await playing.recount(campaign_id)
    assert 20 < report.failed < 120
    assert report.failures == {"bad number": report.failed}
    assert report.submitted == 200 - report.failed
    assert (counted.failed, counted.delivered) == (report.failed, 0)


async def test_who_opted_out_after_the_plan_is_dropped_at_the_gate(
    show: StartShow,
) -> None:
    playing = await show()
    campaign_id = await playing.planned(100)
    await playing.stage.opt_out(SHANGHAI)
    await playing.send()
    report = await playing.report()
    counts = await playing.counts()
    assert report.drops == {"opted out": 1}
    assert (report.audience, report.messages, counts["distinct"]) == (100, 99, 99)
    counted = await playing.recount(campaign_id)
    assert (counted.messages, counted.drops, counted.parts) == (99, 1, report.parts)


async def test_notifications_go_to_people_who_opted_out_of_promotions(
    show: StartShow,
) -> None:
    playing = await show()
    await playing.stage.set(people(0))  # the signature to opt out of
    await playing.stage.opt_out(SHANGHAI)
    async with playing.stage.ledger.transaction() as connection:
        await execute(
            connection, "UPDATE template SET type = 'notification', content = 'Hi ${name}'"
        )
    await playing.stage.warehouse.run(
        playing.stage.founding.workspace_id,
        lambda lake: lake.duckdb.execute(
            f"INSERT INTO {lake.qualified('customers')} "
            f"VALUES ('c', '1', 'Li', 3, {SHANGHAI}, false)"
        ).execute(f"INSERT INTO {lake.qualified('audience_member')} VALUES (1, 'c')"),
    )
    async with playing.stage.ledger.transaction() as connection:
        await execute(connection, "UPDATE snapshot SET size = 1")
    campaign_id = await playing.stage.campaign(message_type="notification")
    await playing.stage.start()
    await playing.stage.plan(campaign_id)
    await playing.send()
    assert (await playing.counts())["distinct"] == 1


async def test_a_refusal_of_the_whole_campaign_pauses_it_and_loses_nothing(
    show: StartShow, ledger: Ledger
) -> None:
    playing = await show()
    await playing.planned(50)
    async with ledger.transaction() as connection:
        await execute(connection, "UPDATE template SET code = 'unknown'")
    await playing.send()
    report = await playing.report()
    assert (report.state, report.waiting, report.failed) == ("paused", 50, 0)
    assert "template" in report.reason
    async with ledger.transaction() as connection:
        await execute(connection, "UPDATE template SET code = 'T1'")
        await execute(connection, "UPDATE campaign SET state = 'sending'")
    await playing.send()
    assert (await playing.counts())["distinct"] == 50


async def test_nothing_leaves_a_cancelled_campaign(show: StartShow, ledger: Ledger) -> None:
    playing = await show()
    await playing.planned(100)
    async with ledger.transaction() as connection:
        await execute(connection, "UPDATE campaign SET state = 'cancelled'")
    await playing.send()
    assert (await playing.counts())["requests"] == 0
