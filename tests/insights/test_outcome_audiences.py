"""Audiences by what came of a campaign are as big as the effect report says."""

from zoneinfo import ZoneInfo

from tests.insights.finished import Finished
from tests.stage import Stage
from textwave.audiences.calendar import Calendar
from textwave.audiences.check import check_rule
from textwave.audiences.compile import select_customers
from textwave.audiences.rule import read_rule
from textwave.audiences.surroundings_store import surroundings
from textwave.insights.outcome_operations import export_outcomes
from textwave.storage.warehouse import Lake

Rule = dict[str, object]


async def sizes(stage: Stage, rules: dict[str, Rule]) -> dict[str, int]:
    """Return how many customers each rule selects, at this moment."""
    workspace_id = stage.founding.workspace_id
    async with stage.ledger.transaction(workspace_id) as connection:
        known = await surroundings(connection, workspace_id)
    calendar = Calendar(stage.clock.now(), ZoneInfo("Asia/Shanghai"))

    def count(lake: Lake) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, written in rules.items():
            rule = read_rule(written)
            check_rule(rule, table="customers", known=known)
            chosen = select_customers(
                rule, table="customers", known=known, source=lake.table, calendar=calendar
            )
            found[name] = chosen.count().to_pyarrow().as_py()
        return found

    return await stage.warehouse.run(workspace_id, count)


def outcome(name: str, *reasons: str) -> Rule:
    node: Rule = {"kind": "campaign", "campaign": "Spring", "outcome": name}
    return node | ({"reasons": list(reasons)} if reasons else {})


async def test_audiences_by_outcome_are_as_big_as_the_report_says(stage: Stage) -> None:
    finished = Finished(stage)
    await finished.everything()
    workspace_id = stage.founding.workspace_id
    await export_outcomes(stage.ledger, stage.warehouse, workspace_id=workspace_id)
    report = await finished.report()
    expected = {
        "sent": report.submitted,
        "delivered": report.delivered,
        "failed": report.failed,
        "waiting": report.waiting,
        "clicked": report.clickers,
        "opted_out": report.opt_outs,
        "dropped": sum(report.drops.values()),
    }
    by_cause = {f"failed: {cause}": outcome("failed", cause) for cause in report.failures}
    by_reason = {f"dropped: {reason}": outcome("dropped", reason) for reason in report.drops}
    expected |= {f"failed: {cause}": count for cause, count in report.failures.items()}
    expected |= {f"dropped: {reason}": count for reason, count in report.drops.items()}
    everybody = {name: outcome(name) for name in expected if ":" not in name}
    assert await sizes(stage, everybody | by_cause | by_reason) == expected


async def test_who_waits_is_known_while_the_campaign_is_under_way(stage: Stage) -> None:
    finished = Finished(stage)
    await finished.plan()
    await finished.send()
    waiting = await finished.submitted()
    await finished.receive(waiting[:30], "DELIVERED")
    await finished.reply(waiting[:3], "好的")
    workspace_id = stage.founding.workspace_id
    await export_outcomes(stage.ledger, stage.warehouse, workspace_id=workspace_id)
    found = await sizes(stage, {name: outcome(name) for name in ("waiting", "replied")})
    assert found == {"waiting": (await finished.report()).waiting, "replied": 3}


async def test_events_are_behaviours_for_any_other_rule(stage: Stage) -> None:
    finished = Finished(stage)
    await finished.plan()
    await finished.send()
    waiting = await finished.submitted()
    await finished.click(waiting[:7])
    workspace_id = stage.founding.workspace_id
    await export_outcomes(stage.ledger, stage.warehouse, workspace_id=workspace_id)
    clicked_twice: Rule = {
        "kind": "behaviours",
        "table": "message_event",
        "measure": "count",
        "operator": "at_least",
        "value": 2,
        "where": [
            {"kind": "attribute", "column": "type", "operator": "is", "value": "clicked"},
            {"kind": "attribute", "column": "link", "operator": "is", "value": "sale"},
        ],
        "within": {"last_days": 1},
    }
    assert await sizes(stage, {"clicked": clicked_twice}) == {"clicked": 7}
