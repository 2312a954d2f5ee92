"""What became of one number, and which rule decided."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.stage import SHANGHAI, Stage, people
from textwave.insights.why import Why
from textwave.insights.why_operations import why
from textwave.kit.ids import CampaignId
from textwave.kit.mobile import Mobile
from textwave.storage.ledger import Ledger, execute, value
from textwave.suppression.deny_operations import deny

NOW = datetime.now(UTC)


async def ask(ledger: Ledger, stage: Stage, mobile: int, **more: Any) -> Why:
    workspace_id = stage.founding.workspace_id
    async with ledger.transaction(workspace_id) as connection:
        return await why(
            connection,
            workspace_id=workspace_id,
            mobile=Mobile(mobile),
            now=datetime.now(UTC),
            **more,
        )


async def planned(stage: Stage, name: str = "Spring") -> CampaignId:
    campaign_id = await stage.campaign(name)
    await stage.start(name)
    await stage.plan(campaign_id)
    return campaign_id


async def drop_at_the_gate(stage: Stage, mobile: int, reason: str) -> None:
    async with stage.ledger.transaction() as connection:
        await execute(
            connection,
            "WITH gone AS (DELETE FROM message WHERE mobile = %(mobile)s RETURNING *)"
            " INSERT INTO message_drop (id, workspace_id, campaign_id, customer, mobile, reason,"
            " dropped_at) SELECT id, workspace_id, campaign_id, customer, mobile, %(reason)s,"
            " %(now)s FROM gone",
            {"mobile": mobile, "reason": reason, "now": NOW},
        )


async def test_every_message_is_found_by_its_number_also_between_gaps(
    web_ledger: Ledger, stage: Stage
) -> None:
    await stage.set(people(41))
    await planned(stage)
    for gone in (0, 1, 20, 33, 40):
        await drop_at_the_gate(stage, SHANGHAI + gone * 7, "opted out")
    found = {
        n: [one.state for one in (await ask(web_ledger, stage, SHANGHAI + n * 7)).sent]
        for n in range(41)
    }
    assert {n for n, states in found.items() if states == ["planned"]} == {*range(41)} - {
        0,
        1,
        20,
        33,
        40,
    }
    assert (await ask(web_ledger, stage, SHANGHAI + 3)).sent == ()


async def test_a_number_has_one_line_a_campaign_newest_first(
    web_ledger: Ledger, stage: Stage
) -> None:
    await stage.set(people(5))
    for name in ("Spring", "Summer"):
        await planned(stage, name)
    found = await ask(web_ledger, stage, SHANGHAI + 7)
    assert [one.campaign for one in found.sent] == ["Summer", "Spring"]
    assert "*" in found.mobile


async def test_a_drop_of_an_opt_out_shows_its_evidence_and_time(
    web_ledger: Ledger, stage: Stage
) -> None:
    await stage.set(people(3))
    await stage.opt_out(SHANGHAI)
    await planned(stage)
    found = await ask(web_ledger, stage, SHANGHAI)
    [drop] = found.not_sent
    assert (drop.reason, drop.campaign) == ("opted out", "Spring")
    assert [(one.signature, one.source) for one in drop.blocks] == [("Textwave", "by hand")]
    assert drop.dropped_at is not None


async def touched(stage: Stage, campaign_id: CampaignId, mobile: int, hours_ago: float) -> None:
    async with stage.ledger.transaction() as connection:
        await execute(
            connection,
            "INSERT INTO touch (workspace_id, mobile, signature_id, campaign_id, message_id,"
            " touched_at) VALUES (%s, %s, %s, %s, 1, %s)",
            [
                stage.founding.workspace_id,
                mobile,
                stage.ids["signature"],
                campaign_id,
                NOW - timedelta(hours=hours_ago),
            ],
        )


async def test_a_drop_of_fatigue_shows_the_rule_and_the_touches_that_filled_it(
    web_ledger: Ledger, stage: Stage
) -> None:
    await stage.set(people(3))
    campaign_id = await planned(stage)
    async with stage.ledger.transaction() as connection:
        await execute(
            connection,
            "INSERT INTO fatigue_rule (workspace_id, name, is_global, per_day, changed_at)"
            " VALUES (%s, 'daily', true, 2, %s)",
            [stage.founding.workspace_id, NOW - timedelta(days=1)],
        )
    for hours_ago in (1, 5, 30):
        await touched(stage, campaign_id, SHANGHAI, hours_ago)
    await drop_at_the_gate(stage, SHANGHAI, "fatigue")
    found = await ask(web_ledger, stage, SHANGHAI, platform="sandbox", signature="Textwave")
    [window] = found.not_sent[0].windows
    assert (window.rule, window.window, window.limit) == ("daily", "per_day", 2)
    assert len(window.touches) == 2
    assert found.now is not None
    [obstacle] = found.now.obstacles
    assert obstacle.until == NOW + timedelta(hours=19)


async def test_right_now_tells_every_obstacle_in_the_order_of_the_gate(
    web_ledger: Ledger, stage: Stage
) -> None:
    await stage.set([])
    workspace_id = stage.founding.workspace_id
    asked: dict[str, Any] = {"platform": "sandbox", "signature": "Textwave"}
    free = await ask(web_ledger, stage, SHANGHAI, **asked)
    assert free.now is not None
    assert free.now.allowed
    await stage.opt_out(SHANGHAI)
    async with web_ledger.transaction(workspace_id) as connection:
        await deny(
            connection,
            workspace_id=workspace_id,
            platform_id=None,
            mobile=SHANGHAI,
            reason="a court's order",
            evidence="letter 7",
            actor="mei",
            now=NOW - timedelta(minutes=1),
        )
        at = (NOW + timedelta(hours=8)).time().replace(microsecond=0)
        await execute(
            connection,
            "INSERT INTO sending_policy (workspace_id, quiet_from, quiet_until)"
            " VALUES (%s, %s, %s)",
            [workspace_id, at, (NOW + timedelta(hours=10)).time().replace(microsecond=0)],
        )
    blocked = await ask(web_ledger, stage, SHANGHAI, **asked)
    assert blocked.now is not None
    assert [one.rule for one in blocked.now.obstacles] == [
        "deny list",
        "opted out",
        "quiet hours",
    ]
    assert "a court's order" in blocked.now.obstacles[0].said


async def test_another_workspace_learns_nothing(
    web_ledger: Ledger, ledger: Ledger, stage: Stage
) -> None:
    await stage.set(people(3))
    await planned(stage)
    await drop_at_the_gate(stage, SHANGHAI, "opted out")
    async with ledger.transaction() as connection:
        stranger = await value(
            connection,
            "INSERT INTO workspace (organization_id, name) SELECT organization_id, 'second' FROM"
            " workspace RETURNING id",
        )
    for mobile in (SHANGHAI, SHANGHAI + 7):
        async with web_ledger.transaction(stranger) as connection:
            found = await why(connection, workspace_id=stranger, mobile=Mobile(mobile), now=NOW)
        assert (found.sent, found.not_sent, found.blocks) == ((), (), ())
