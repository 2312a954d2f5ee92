"""What comes of messages is in the lake exactly once, whatever crashes, and equals the report."""

from collections import Counter
from typing import Any

import pytest

from tests.insights.finished import Finished
from tests.stage import Stage
from textwave.insights.operations import EffectReport
from textwave.insights.outcome_operations import export_outcomes
from textwave.insights.outcomes import TABLE
from textwave.storage.warehouse import Lake

Events = list[dict[str, Any]]


@pytest.fixture
def finished(stage: Stage) -> Finished:
    return Finished(stage)


async def export(finished: Finished) -> int:
    stage = finished.stage
    return await export_outcomes(stage.ledger, stage.warehouse, workspace_id=finished.workspace_id)


async def events(finished: Finished) -> Events:
    def read(lake: Lake) -> Events:
        return lake.table(TABLE).to_pyarrow().to_pylist() if lake.has_table(TABLE) else []

    return await finished.stage.warehouse.run(finished.workspace_id, read)


def check_against(report: EffectReport, found: Events) -> None:
    """Hold the events against the report; no event is there twice."""
    keys = Counter(
        (e["type"], e["message_id"], e["result"], e["link"]) for e in found if e["link"] is None
    )
    assert set(keys.values()) == {1}
    people: dict[str, set[str]] = {}
    for event in found:
        people.setdefault(event["type"], set()).add(event["customer"])
    delivered = people["delivered"]
    failures = [e for e in found if e["type"] == "failed" and e["customer"] not in delivered]
    final = {e["customer"]: e["result"] for e in failures if e["result"] == "no receipt"}
    final |= {e["customer"]: e["result"] for e in failures if e["result"] != "no receipt"}
    clicks = [e for e in found if e["type"] == "clicked"]
    assert len(people["sent"]) == report.submitted
    assert len(delivered) == report.delivered
    assert Counter(final.values()) == report.failures
    assert len(people["dropped"]) == sum(report.drops.values())
    assert Counter(e["result"] for e in found if e["type"] == "dropped") == report.drops
    assert len(clicks) == report.clicks
    assert len({e["customer"] for e in clicks if e["result"] == "human"}) == report.clickers
    assert Counter(e["type"] for e in found)["replied"] == report.replies
    assert len(people["opted_out"]) == report.opt_outs


async def test_the_events_equal_the_effect_report(finished: Finished) -> None:
    await finished.everything()
    await export(finished)
    report = await finished.report()
    assert set(report.drops) == {
        "no number", "bad number", "duplicate number", "opted out", "missing variable",
    }  # fmt: skip
    assert len(report.failures) >= 4
    assert report.clickers > 0 < report.opt_outs < report.replies
    check_against(report, await events(finished))
