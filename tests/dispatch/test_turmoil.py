"""Three campaigns over one account while everything is done to them at once; then all adds up."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from tests.dispatch.conftest import StartShow
from tests.dispatch.doubtful import SURE
from tests.dispatch.show import Show
from tests.dispatch.test_control import jobs_at_work
from tests.dispatch.test_limits import limit
from tests.dispatch.test_variants import LONG, SHORT, VARIABLES
from tests.stage import SHANGHAI, people
from textwave.campaigns.operations import cancel_campaign, pause_campaign, resume_campaign
from textwave.campaigns.planning import resume_sending
from textwave.campaigns.shares import NoWinnerOpen, Shares, Variant, WinnerRule
from textwave.campaigns.winner_operations import choose_due, choose_winner, give_winner
from textwave.connections.store import platform_account
from textwave.dispatch.cancelling_operations import settle_unsettled
from textwave.dispatch.doubt_operations import end_all_doubts
from textwave.dispatch.serving_operations import serve_unserved
from textwave.insights.operations import effect_report
from textwave.insights.store import recount
from textwave.kit.ids import CampaignId
from textwave.kit.states import MoveNotAllowed
from textwave.platforms.sandbox.agenda import SLOT_SECONDS
from textwave.platforms.sandbox.templates import Template
from textwave.responses.operations import expire_receipts, merge_receipts
from textwave.responses.pull_operations import pull_receipts
from textwave.responses.receipts import NO_RECEIPT

PEOPLE = 300
SECONDS = 4.0
STUCK_SECONDS = 60
TESTED = Shares(
    variants=(Variant("A", "welcome", 500), Variant("B", "long", 500)),
    winner=WinnerRule(300, "hand", 60),
)
NASTY = {"throttled": 0.1, "unknown_after_accept": 0.1, "bad_number": 0.02, "busy": 0.05}


async def staged(playing: Show) -> dict[str, CampaignId]:
    """Plan three campaigns to the same people, who may get two messages a day."""
    stage = playing.stage
    await stage.set(
        people(PEOPLE), content=SHORT, template_code="T1", max_batch=10, rate_per_second=600
    )
    playing.sandbox.templates.put(Template("long", "long", "text", 2, "another", 0.0))
    await stage.template("long", LONG)
    await limit(playing, per_day=2)
    names = {"Spring": None, "Summer": None, "Autumn": TESTED}
    ids = {
        name: await stage.campaign(name, variables=VARIABLES if shares else None, shares=shares)
        for name, shares in names.items()
    }
    for name, campaign_id in ids.items():
        await stage.start(name)
        await stage.plan(campaign_id, batch_size=50)
    return ids


class Turmoil:
    """What people, receipts and the clock do, in an order that follows from a seed."""

    def __init__(self, playing: Show, ids: dict[str, CampaignId], seed: int) -> None:
        self.playing, self.ids, self.chance = playing, ids, random.Random(seed)

    async def disturb(self) -> None:
        """Do something to some campaign, whether it is possible or not."""
        name = self.chance.choice([*self.ids])
        deeds: list[Callable[[str], Awaitable[object]]] = [
            self.pause, self.resume, self.resume, self.opt_out, self.choose, self.tend,
        ]  # fmt: skip
        with suppress(MoveNotAllowed, NoWinnerOpen):
            await self.chance.choice(deeds)(name)
        await asyncio.sleep(self.chance.random() * 0.05)

    async def pause(self, name: str) -> None:
        await self._do(pause_campaign, name)

    async def resume(self, name: str) -> None:
        await self._do(resume_campaign, name)
        await resume_sending(
            self.playing.ledger,
            workspace_id=self.playing.workspace_id,
            campaign_id=self.ids[name],
        )

    async def cancel(self, name: str) -> None:
        await self._do(cancel_campaign, name)

    async def opt_out(self, _: str) -> None:
        await self.playing.execute(
            """INSERT INTO opt_out (workspace_id, signature_id, mobile, source)
               VALUES (%s, %s, %s, 'by hand') ON CONFLICT DO NOTHING""",
            [
                self.playing.workspace_id,
                self.playing.stage.ids["signature"],
                SHANGHAI + self.chance.randrange(PEOPLE) * 7,
            ],
        )

    async def choose(self, _: str) -> None:
        playing = self.playing
        async with playing.ledger.transaction() as connection:
            await choose_winner(
                connection,
                workspace_id=playing.workspace_id,
                actor="test",
                name="Autumn",
                variant=self.chance.choice("AB"),
                now=playing.stage.clock.now(),
            )
        await self.give()

    async def give(self) -> None:
        playing = self.playing
        await give_winner(
            playing.ledger,
            playing.stage.clock,
            workspace_id=playing.workspace_id,
            campaign_id=self.ids["Autumn"],
        )

    async def tend(self, _: str) -> None:
        """Do what the clock does."""
        playing, now = self.playing, self.playing.stage.clock.now()
        await settle_unsettled(playing.ledger, now=now)
        await end_all_doubts(playing.ledger, now=now, in_doubt_hours=72)
        await choose_due(playing.ledger, now=now)
        await serve_unserved(playing.ledger)

    async def receipts(self) -> int:
        """Pull and merge what the platform reports."""
        playing = self.playing
        async with playing.ledger.transaction() as connection:
            account = await platform_account(connection, playing.platform_id)
        platform = playing.sender.open_platform(account)
        pulled = await pull_receipts(playing.ledger, platform_id=account.id, platform=platform)
        await merge_receipts(playing.ledger)
        return pulled

    async def _do(self, deed: Callable[..., Awaitable[object]], name: str) -> None:
        async with self.playing.ledger.transaction() as connection:
            await deed(connection, workspace_id=self.playing.workspace_id, actor="test", name=name)


async def settled(turmoil: Turmoil) -> None:
    """Let everything go on undisturbed until nothing is open and every receipt is there.

    Who was refused by an answer that got lost, in a request that others' receipts settled, is heard
    of no more: the end of the wait for receipts is theirs.
    """
    playing = turmoil.playing
    for name in turmoil.ids:
        with suppress(MoveNotAllowed):
            await turmoil.resume(name)
    with suppress(NoWinnerOpen):
        await turmoil.choose("Autumn")
    open_ = """SELECT (SELECT count(*) FROM batch WHERE state <> 'done')
        + (SELECT count(*) FROM message_state
           WHERE state NOT IN ('delivered', 'failed', 'submitted'))
        + (SELECT count(*) FROM callback_inbox WHERE merged_at IS NULL)"""
    least, deadline = 10**9, 0.0
    while (left := await playing.value(open_)) or await turmoil.receipts():
        if left < least:
            least, deadline = left, time.monotonic() + STUCK_SECONDS
        assert time.monotonic() < deadline, f"{left} things are open and nothing moves"
        await turmoil.tend("")
        await turmoil.receipts()
        await playing.pass_time()
        await asyncio.sleep(0.02)
    await asyncio.sleep(2 * SLOT_SECONDS)
    playing.sandbox.pass_time()  # its own task comes to it later where the machine is busy
    await turmoil.receipts()
    later = playing.stage.clock.now() + timedelta(hours=73)
    await expire_receipts(playing.ledger, now=later, no_receipt_hours=72)


async def check(playing: Show, name: str, campaign_id: CampaignId) -> int:
    """Hold a campaign's figures against its sums and its rows; return what the platform had."""
    async with playing.ledger.transaction() as connection:
        report = await effect_report(connection, workspace_id=playing.workspace_id, name=name)
        counted = await recount(connection, campaign_id)
    assert report.state in ("completed", "cancelled")
    assert report.audience == PEOPLE == report.messages + sum(report.drops.values())
    assert report.messages == report.delivered + report.failed
    assert sum(report.failures.values()) == report.failed
    assert (counted.messages, counted.drops, counted.parts, counted.delivered, counted.failed) == (
        report.messages, sum(report.drops.values()), report.parts, report.delivered, report.failed,
    )  # fmt: skip
    unheard = report.failures.get(NO_RECEIPT, 0)
    assert report.submitted == report.delivered + unheard
    assert unheard <= PEOPLE * NASTY["bad_number"] * 4
    return report.delivered + unheard + report.failures.get("bad number", 0)


@pytest.mark.parametrize("seed", [1, 2])
async def test_whatever_is_done_to_campaigns_nothing_is_sent_twice_and_all_adds_up(
    show: StartShow, seed: int
) -> None:
    playing = await show(**{**SURE, **NASTY})
    turmoil = Turmoil(playing, await staged(playing), seed)
    ends = time.monotonic() + SECONDS

    async def busy(does: Callable[[], Awaitable[object]]) -> None:
        while time.monotonic() < ends:
            await does()
            await asyncio.sleep(0.01)

    async with jobs_at_work(playing, 3):
        await asyncio.gather(*(busy(turmoil.disturb) for _ in range(2)), busy(turmoil.receipts))
        with suppress(MoveNotAllowed):
            await turmoil.cancel("Summer")
        await settled(turmoil)
    assert (await playing.counts())["twice"] == 0
    had = [await check(playing, name, key) for name, key in turmoil.ids.items()]
    assert sum(had) == (await playing.counts())["distinct"]
    assert max(await most_for_one(playing)) <= 2


async def most_for_one(playing: Show) -> list[int]:
    found: list[int] = await playing.value(
        "SELECT array_agg(n) FROM (SELECT count(*) AS n FROM message WHERE state = 'delivered'"
        " GROUP BY mobile) counted"
    )
    return found
