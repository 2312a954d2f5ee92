"""What people get at most, told by what the platform received: fatigue, quiet hours, allowlist."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from tests.dispatch.conftest import StartShow
from tests.dispatch.show import Show
from tests.stage import SHANGHAI, Person, people
from textwave.campaigns.operations import cancel_campaign
from textwave.dispatch.cancelling_operations import settle_campaign
from textwave.kit.clock import FixedClock
from textwave.limits import store as limits_store
from textwave.limits.quiet import Holiday, QuietZone

EVENING = datetime(2031, 6, 1, 14, tzinfo=UTC)  # 22:00 in Shanghai, 10:00 in New York
MORNING = datetime(2031, 6, 2, 1, tzinfo=UTC)  # 09:00 in Shanghai, 21:00 in New York
"""The times are ahead, because batches wait by the ledger's clock."""
NEW_YORKER = Person("new yorker", 12125550123)


async def limit(playing: Show, **windows: int) -> None:
    limits = dict.fromkeys(("per_minute", "per_hour", "per_day", "per_week", "per_month"))
    key = {"workspace_id": playing.workspace_id, "name": "all", "is_global": True}
    async with playing.ledger.transaction() as connection:
        await limits_store.set_rule(
            connection, {**key, **limits, **windows, "now": playing.stage.clock.now()}
        )


async def keep_quiet(playing: Show, zone: QuietZone = QuietZone.WORKSPACE) -> None:
    async with playing.ledger.transaction() as connection:
        await limits_store.set_quiet(
            connection,
            playing.workspace_id,
            quiet_from=time(21),
            quiet_until=time(9),
            quiet_zone=zone,
        )


async def planned(playing: Show, persons: Sequence[Person], clock: FixedClock, **more: Any) -> None:
    playing.stage.clock = clock
    await playing.stage.set(persons, template_code="T1", **more)
    await another(playing, "Spring", **more)


async def another(playing: Show, name: str, **more: Any) -> None:
    campaign_id = await playing.stage.campaign(
        name, message_type=more.get("message_type", "promotional")
    )
    await playing.stage.start(name)
    await playing.stage.plan(campaign_id)


async def cancel(playing: Show, now: datetime) -> None:
    async with playing.ledger.transaction(playing.workspace_id) as connection:
        await cancel_campaign(
            connection, workspace_id=playing.workspace_id, actor="test", name="Spring"
        )
    campaign_id = await playing.value("SELECT id FROM campaign")
    await settle_campaign(
        playing.ledger, workspace_id=playing.workspace_id, campaign_id=campaign_id, now=now
    )


async def drops(playing: Show, name: str) -> dict[str, int]:
    found = await playing.value(
        """SELECT json_object_agg(t.reason, t.count) FROM campaign_drop_tally t
           JOIN campaign c ON c.id = t.campaign_id WHERE c.name = %s AND t.count > 0""",
        [name],
    )
    return found or {}


async def received(playing: Show) -> list[int]:
    async with playing.session.get(f"{playing.stage.platform_url}/sandbox/messages") as response:
        items = (await response.json())["items"]
    return sorted(int(item["phoneNumber"].removeprefix("+").zfill(11)[-10:]) for item in items)


def last_digits(*persons: Person) -> list[int]:
    return sorted(int(str(person.mobile)[-10:]) for person in persons)


async def states(playing: Show) -> dict[str, int]:
    found: dict[str, int] = await playing.value(
        "SELECT json_object_agg(state, n) FROM"
        " (SELECT state, count(*) AS n FROM message_state GROUP BY 1) s"
    )
    return found


async def test_a_second_campaign_of_the_day_drops_whom_the_first_reached(show: StartShow) -> None:
    playing = await show()
    clock = FixedClock(EVENING)
    await planned(playing, people(5), clock)
    await limit(playing, per_day=1)
    await playing.stage.opt_out(SHANGHAI)
    await playing.send()
    await another(playing, "Summer")
    await playing.send()
    assert await drops(playing, "Spring") == {"opted out": 1}
    assert await drops(playing, "Summer") == {"opted out": 1, "fatigue": 4}
    clock.advance(timedelta(days=1))
    await another(playing, "Autumn")
    await playing.send()
    assert await drops(playing, "Autumn") == {"opted out": 1}
    assert (await playing.counts())["distinct"] == 8


async def test_notifications_are_neither_limited_nor_counted(show: StartShow) -> None:
    playing = await show()
    await planned(playing, people(3), FixedClock(EVENING), message_type="notification",
                  content="Dear ${name}, your parcel is there.")  # fmt: skip
    await limit(playing, per_day=1)
    await keep_quiet(playing)
    await playing.send()
    await another(playing, "Summer", message_type="notification")
    await playing.send()
    assert (await playing.counts())["distinct"] == 6
    assert await playing.value("SELECT count(*) FROM touch") == 0


async def test_a_campaign_waits_for_the_end_of_quiet_hours_and_holidays(show: StartShow) -> None:
    playing = await show()
    clock = FixedClock(EVENING)
    await planned(playing, people(3), clock)
    await keep_quiet(playing)
    morning_off = Holiday("day off", datetime(2031, 6, 2, 8), datetime(2031, 6, 2, 12))  # noqa: DTZ001
    async with playing.ledger.transaction() as connection:
        await limits_store.add_holiday(connection, playing.workspace_id, morning_off)
    for waiting in (EVENING, MORNING):
        clock.set(waiting)
        await playing.pass_time()
        await playing.serve()
        assert (await playing.counts())["requests"] == 0
        assert await states(playing) == {"planned": 3}
    clock.set(MORNING + timedelta(hours=3))
    await playing.pass_time()
    await playing.send()
    assert (await playing.counts())["distinct"] == 3


async def test_a_campaign_that_does_not_wait_drops_its_recipients(show: StartShow) -> None:
    playing = await show()
    await planned(playing, people(3), FixedClock(EVENING))
    await playing.execute("UPDATE campaign SET quiet = 'drop'")
    await keep_quiet(playing)
    await playing.send()
    report = await playing.report()
    assert await drops(playing, "Spring") == {"quiet hours": 3}
    assert (report.state, report.messages, report.audience) == ("completed", 0, 3)


async def test_what_was_put_off_into_the_quiet_hours_is_dropped_too(show: StartShow) -> None:
    playing = await show(throttled=1.0)
    clock = FixedClock(EVENING - timedelta(hours=2))
    await planned(playing, people(3), clock)
    await playing.execute("UPDATE campaign SET quiet = 'drop'")
    await keep_quiet(playing)
    await playing.serve()
    assert await states(playing) == {"prepared": 3}
    clock.set(EVENING)
    await playing.pass_time()
    await playing.serve()
    assert await drops(playing, "Spring") == {"quiet hours": 3}
    assert await playing.value("SELECT count(*) FROM touch") == 0


async def test_recipients_are_held_by_their_own_clocks_and_sent_to_in_their_morning(
    show: StartShow,
) -> None:
    playing = await show()
    clock = FixedClock(EVENING)
    asleep = people(3)
    await planned(playing, [*asleep, NEW_YORKER], clock)
    await keep_quiet(playing, QuietZone.RECIPIENT)
    await playing.serve()
    assert await received(playing) == last_digits(NEW_YORKER)
    assert await states(playing) == {"held": 3, "submitted": 1}
    report = await playing.report()
    assert (report.state, report.waiting, report.submitted) == ("sending", 4, 1)
    await playing.stage.opt_out(SHANGHAI)
    await playing.pass_time()
    await playing.serve()
    assert await states(playing) == {"held": 2, "submitted": 1}
    clock.set(MORNING)
    await playing.pass_time()
    await playing.send()
    assert await received(playing) == last_digits(*asleep[1:], NEW_YORKER)
    assert await drops(playing, "Spring") == {"opted out": 1}
    assert (await playing.report()).state == "completed"
    assert await playing.value("SELECT count(*) FROM touch") == 3


async def test_what_is_held_when_a_campaign_is_cancelled_has_failed(show: StartShow) -> None:
    playing = await show()
    clock = FixedClock(EVENING)
    await planned(playing, [*people(3), NEW_YORKER], clock)
    await keep_quiet(playing, QuietZone.RECIPIENT)
    await playing.serve()
    await cancel(playing, clock.now())
    assert await states(playing) == {"failed": 3, "submitted": 1}
    assert (await playing.report()).failures == {"cancelled": 3}


async def test_no_limit_but_opt_outs_applies_to_the_allowlist(show: StartShow) -> None:
    playing = await show()
    clock = FixedClock(EVENING)
    persons = people(4)
    await planned(playing, persons, clock)
    await limit(playing, per_day=1)
    await keep_quiet(playing)
    await playing.execute(
        """WITH listed AS (
               INSERT INTO allowlist_audience (workspace_id, audience_id, added_by)
               SELECT workspace_id, id, 'test' FROM audience RETURNING workspace_id, audience_id)
           INSERT INTO allowlist_number (workspace_id, audience_id, mobile)
           SELECT workspace_id, audience_id, unnest(%s::bigint[]) FROM listed""",
        [[persons[0].mobile, persons[1].mobile]],
    )
    await playing.stage.opt_out(persons[0].mobile or 0)
    await playing.serve()
    assert await received(playing) == last_digits(persons[1])
    await another(playing, "Summer")
    await playing.pass_time()
    await playing.serve()
    assert await received(playing) == last_digits(persons[1], persons[1])
    clock.set(MORNING)
    await playing.pass_time()
    await playing.send()
    counts = {mobile: (await received(playing)).count(mobile) for mobile in last_digits(*persons)}
    assert sorted(counts.values()) == [0, 1, 1, 2]
    assert (await drops(playing, "Spring")).get("fatigue", 0) + (
        await drops(playing, "Summer")
    ).get("fatigue", 0) == 2


@pytest.mark.parametrize(("throttled", "touches"), [(0.0, 3), (1.0, 0)])
async def test_cancelled_before_it_left_a_message_counts_no_more(
    show: StartShow, throttled: float, touches: int
) -> None:
    playing = await show(throttled=throttled)
    await planned(playing, [*people(3), NEW_YORKER], FixedClock(EVENING))
    await keep_quiet(playing, QuietZone.RECIPIENT)
    playing.stage.clock = FixedClock(MORNING)
    await playing.serve()
    await cancel(playing, MORNING)
    assert await playing.value("SELECT count(*) FROM touch") == touches
