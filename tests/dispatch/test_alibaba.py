"""Campaigns through Alibaba Cloud's call, which is taken or refused as a whole."""

from tests.dispatch.alibaba import alibaba
from tests.dispatch.doubtful import added_up
from tests.stage import Stage
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
