"""Campaigns through Alibaba Cloud's call, which is taken or refused as a whole."""

from typing import Any

import pytest

from tests.dispatch.alibaba import Alibaba, alibaba
from tests.dispatch.doubtful import added_up
from tests.stage import Stage
from textwave.platforms.aliyun import adapter
from textwave.platforms.contract import SendAnswer
from textwave.platforms.exchange import Heard, Letter, Limits, NoAnswer, exchange
from textwave.platforms.outcomes import Outcome
from textwave.responses.operations import merge_receipts


async def test_numbers_that_refuse_a_call_are_found_and_all_others_sent_to_once(
    stage: Stage,
) -> None:
    async with alibaba(stage, blacklisted=0.1, refuse_together=True) as ground:
        campaign_id = await ground.planned(200)
        await ground.show.send()
        counted = await ground.show.counts()
        assert 0 < counted["messages"] < 200
        assert (counted["numbers"], counted["twice"]) == (counted["messages"], 0)
        await ground.pull()
        await merge_receipts(ground.show.ledger)
        report = await added_up(ground.show, campaign_id)
        assert (report.delivered, report.in_doubt) == (counted["messages"], 0)
        assert report.failures == {"blacklisted": 200 - counted["messages"]}


def lose_answers(monkeypatch: pytest.MonkeyPatch, *calls: int, before: bool = False) -> None:
    """Lose the answers to these sends, counted from 1; `before`: they do not arrive either."""
    made = 0

    async def lossy(session: Any, letter: Letter, limits: Limits) -> Heard:
        nonlocal made
        made += 1
        if made in calls and before:
            raise NoAnswer(Outcome.unknown, "cut off")
        heard = await exchange(session, letter, limits)
        if made in calls:
            raise NoAnswer(Outcome.unknown, "cut off")
        return heard

    monkeypatch.setattr(adapter, "exchange", lossy)


async def refuse_one(ground: Alibaba) -> None:
    """Let the platform refuse a number in the middle."""
    statement = "SELECT mobile FROM message ORDER BY id LIMIT 1 OFFSET 10"
    ground.stand_in.opted_out.add(("Textwave", await ground.show.value(statement)))


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("lost", [2, 3, 7, 9])
async def test_of_a_halved_call_whose_answer_is_lost_nothing_is_lost_or_doubled(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, lost: int, *, arrives: bool
) -> None:
    async with alibaba(stage, refuse_together=True) as ground:
        campaign_id = await ground.planned(20)
        await refuse_one(ground)
        lose_answers(monkeypatch, lost, before=not arrives)
        await ground.show.send()
        report = await added_up(ground.show, campaign_id)
        (case,) = await ground.doubts()
        assert 0 < case.messages == case.unsettled == report.in_doubt < 20
        was_taken = arrives and lost != 3  # the third call is refused
        assert await ground.look_up(seconds=61) == int(was_taken)
        counted = await ground.show.counts()
        doubtful = 0 if was_taken else report.in_doubt
        assert (counted["numbers"], counted["twice"]) == (counted["messages"], 0)
        # Who is refused may be among those of the lost call
        assert counted["messages"] in {19 - doubtful, 20 - doubtful}
        await ground.pull()
        await merge_receipts(ground.show.ledger)
        report = await added_up(ground.show, campaign_id)
        assert (report.delivered, report.in_doubt) == (counted["messages"], doubtful)
        assert report.waiting == 0


async def test_what_breaks_here_after_it_left_is_in_doubt_and_not_sent_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_send = adapter.send_all

    async def broken(*given: Any, **more: Any) -> SendAnswer:
        await really_send(*given, **more)
        raise RuntimeError("broken on our side")

    async with alibaba(stage) as ground:
        await ground.planned(20)
        monkeypatch.setattr(adapter, "send_all", broken)
        await ground.show.send(rounds=3)
        monkeypatch.setattr(adapter, "send_all", really_send)
        await ground.show.send()
        counted = await ground.show.counts()
        assert (counted["messages"], counted["twice"]) == (20, 0)
        assert [case.messages for case in await ground.doubts()] == [20]
