"""What is in doubt where keys are not honoured is asked for: the answer is proof or evidence."""

import pytest
from psycopg.errors import UndefinedFunction

from tests.dispatch.alibaba import alibaba
from tests.dispatch.conftest import StartShow
from tests.dispatch.doubtful import added_up, doubtful, listed
from tests.stage import Stage
from textwave.responses.inquiry import CANNOT_BE_ASKED, NOT_KNOWN, TAKEN
from textwave.responses.inquiry_operations import look_up_doubts
from textwave.responses.operations import merge_receipts


async def test_what_the_platform_has_was_sent_and_its_receipts_are_taken(stage: Stage) -> None:
    async with alibaba(stage, unknown_after_accept=1.0) as ground:
        campaign_id = await ground.planned()
        await ground.show.send()
        assert len(await ground.doubts()) == 2
        assert await ground.look_up(seconds=30) == 0, "a platform needs a moment"
        assert await ground.look_up(seconds=61) == 2
        assert await ground.doubts() == []
        await merge_receipts(ground.show.ledger)
        report = await added_up(ground.show, campaign_id)
        assert (report.in_doubt, report.delivered > 0) == (0, True)
        assert (await ground.pull())["receipts"] == 40
        await merge_receipts(ground.show.ledger)
        report = await added_up(ground.show, campaign_id)
        assert (report.delivered, report.waiting) == (40, 0)
        counted = await ground.show.counts()
        assert (counted["messages"], counted["numbers"]) == (40, 40)
        told = await ground.show.value("SELECT min(detail) FROM request")
        assert TAKEN in told


async def test_what_the_platform_does_not_know_stays_in_doubt_with_that_evidence(
    stage: Stage,
) -> None:
    async with alibaba(stage, dropped=1.0) as ground:
        await ground.planned()
        await ground.show.send()
        assert await ground.look_up(seconds=61) == 0
        assert await ground.look_up(seconds=62) == 0, "not asked again at once"
        cases = await ground.doubts()
        assert {(case.asked, case.answer, case.settled_as) for case in cases} == {
            (1, NOT_KNOWN, None)
        }
        assert all(case.asked_at is not None for case in cases)
        await ground.look_up(seconds=150)
        assert {case.asked for case in await ground.doubts()} == {2}
        await ground.show.send()
        assert (await ground.show.counts())["messages"] == 0, "it is for a person to say"


async def test_a_platform_that_gives_no_answer_is_not_asked_on_and_on(stage: Stage) -> None:
    trouble = "QuerySendDetails:isp.SYSTEM_ERROR=1"
    async with alibaba(stage, unknown_after_accept=1.0, errors=trouble) as ground:
        await ground.planned()
        await ground.show.send()
        assert await ground.look_up(seconds=61) == 0
        first, second = sorted(await ground.doubts(), key=lambda case: -case.asked)
        assert (first.asked, second.asked) == (1, 0)
        assert "it gave no answer" in first.answer
        assert "isp.SYSTEM_ERROR" in first.answer


async def test_a_gateway_that_cannot_be_asked_is_asked_once(show: StartShow) -> None:
    playing, _ = await doubtful(show, 20)
    for _ in range(2):
        later = playing.stage.clock.now().replace(year=playing.stage.clock.now().year + 1)
        assert await look_up_doubts(playing.ledger, playing.sender.open_platform, now=later) == 0
    (case,) = await listed(playing)
    assert (case.asked, case.answer) == (1, CANNOT_BE_ASKED)


async def test_a_queue_forgets_only_what_is_durable_here(stage: Stage) -> None:
    async with alibaba(stage) as ground:
        campaign_id = await ground.planned()
        await ground.show.send()
        signature = "store_callback(bigint, text, bytea, text)"
        await ground.show.execute(f"ALTER FUNCTION {signature} RENAME TO gone")  # pyright: ignore[reportArgumentType] - test SQL
        with pytest.raises(UndefinedFunction):
            await ground.pull()
        await ground.show.execute("ALTER FUNCTION gone RENAME TO store_callback")
        ground.clock.seconds += 60  # what was not deleted shows up again
        assert (await ground.pull())["receipts"] == 40
        ground.clock.seconds += 60
        assert (await ground.pull())["receipts"] == 0
        await merge_receipts(ground.show.ledger)
        assert (await added_up(ground.show, campaign_id)).delivered == 40
