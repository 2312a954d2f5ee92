"""A campaign starts only with short links that live until its last message has left."""

from datetime import timedelta

import pytest

from tests.stage import LINKS_URL, Stage, people
from textwave.content.lint import TextNotAcceptable
from textwave.kit.clock import FixedClock, SystemClock


async def set_with_link(stage: Stage, lives: timedelta) -> None:
    """Write a campaign of 7200 people whose link ends so long after its start."""
    stage.clock = FixedClock(SystemClock().now())
    await stage.set(people(7_200), content=f"Hi {LINKS_URL}/abc123 拒收请回复R", rate_per_second=1)
    await stage.campaign(variables={})
    async with stage.ledger.transaction() as connection:
        await connection.execute(
            "UPDATE short_link SET expires_at = %s", [stage.clock.now() + lives]
        )


async def test_a_link_that_ends_while_messages_still_leave_is_refused_at_the_start(
    stage: Stage,
) -> None:
    await set_with_link(stage, timedelta(hours=1))
    with pytest.raises(TextNotAcceptable, match="before the last message"):
        await stage.start()


async def test_a_link_that_lives_until_the_last_message_has_left_is_enough(stage: Stage) -> None:
    await set_with_link(stage, timedelta(hours=3))
    await stage.start()
