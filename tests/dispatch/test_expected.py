"""What a dry run expects of fatigue and quiet hours is what the gate then does."""

from typing import Any

import pyarrow as pa
import pytest

from tests.dispatch.conftest import StartShow
from tests.dispatch.show import Show
from tests.dispatch.test_limits import (
    EVENING,
    NEW_YORKER,
    drops,
    keep_quiet,
    limit,
    planned,
    states,
)
from tests.stage import people
from textwave.campaigns.operations import start_dry_run
from textwave.campaigns.planning import run_dry_run
from textwave.kit.clock import FixedClock
from textwave.limits import forecast_operations
from textwave.limits import store as limits_store
from textwave.limits.forecast import Asked
from textwave.limits.quiet import QuietZone

TEXT = "Dear ${name}, your order is here."


async def dry_run(playing: Show, name: str) -> dict[str, Any]:
    stage, workspace_id = playing.stage, playing.workspace_id
    async with playing.ledger.transaction(workspace_id) as connection:
        operation_id = await start_dry_run(connection, workspace_id=workspace_id, name=name)
    await run_dry_run(
        ledger=playing.ledger,
        warehouse=stage.warehouse,
        vault=stage.vault,
        clock=stage.clock,
        workspace_id=workspace_id,
        operation_id=operation_id,
    )
    statement = "SELECT result FROM operation WHERE id = %s"
    found: dict[str, Any] = await playing.value(statement, [operation_id])
    return found


@pytest.mark.parametrize("counts_by", ["number", "customer"])
@pytest.mark.parametrize("quiet", ["wait", "drop"])
async def test_a_dry_run_expects_what_the_gate_does(
    show: StartShow, monkeypatch: pytest.MonkeyPatch, quiet: str, counts_by: str
) -> None:
    monkeypatch.setattr(forecast_operations, "_PEOPLE_A_PIECE", 2)
    playing = await show()
    await planned(playing, [*people(5), NEW_YORKER], FixedClock(EVENING))
    await limit(playing, per_day=1)
    await keep_quiet(playing, QuietZone.RECIPIENT)
    if counts_by == "customer":
        async with playing.ledger.transaction() as connection:
            await limits_store.keep_customers(
                connection, playing.workspace_id, keeps_customers=True
            )
            await limits_store.count_by_customer(connection, playing.workspace_id)
    await playing.serve()
    await playing.execute("UPDATE campaign SET state = 'paused'")
    campaign_id = await playing.stage.campaign("Summer")
    await playing.execute("UPDATE campaign SET quiet = %s", [quiet])
    said = await dry_run(playing, "Summer")
    await playing.stage.start("Summer")
    await playing.stage.plan(campaign_id)
    await playing.serve()
    assert said["expected_drops"] == await drops(playing, "Summer")
    assert said["expected_drops"]["fatigue"] == 1
    held = await playing.value(
        "SELECT count(*) FROM message WHERE campaign_id = %s AND state = 'held'", [campaign_id]
    )
    assert said["expected_waiting"] == held == (5 if quiet == "wait" else 0)
    assert "estimate" in said["expected_note"]


async def test_notifications_are_expected_to_go(show: StartShow) -> None:
    playing = await show()
    await planned(
        playing, people(2), FixedClock(EVENING), message_type="notification", content=TEXT
    )
    await keep_quiet(playing)
    said = await dry_run(playing, "Spring")
    assert (said["expected_drops"], said["expected_waiting"]) == ({}, 0)
    assert await states(playing) == {"planned": 2}


@pytest.mark.parametrize("sizes", [[10], [3, 3, 3, 1], [1] * 40, [5, 0, 100]])
def test_of_very_many_people_every_so_many_are_asked_for(sizes: list[int]) -> None:
    asked, place = Asked(most=4), 0
    for size in sizes:
        numbers = pa.array(range(place, place + size), pa.int64())
        names = pa.array([str(one) for one in range(place, place + size)], pa.string())
        asked.add(pa.record_batch([numbers, names], ["mobile", "customer"]))
        place += size
    kept = [mobile for batch in asked.kept for mobile in batch["mobile"].to_pylist()]
    assert kept == list(range(0, place, asked.every))
    assert 0 < len(kept) <= 4
