"""Priority, error budgets and rates of signatures over HTTP."""

from tests.api.conftest import Web
from tests.stage import Stage, people

DRAFT = {
    "type": "promotional",
    "platform": "sandbox",
    "signature": "Textwave",
    "template": "welcome",
    "audience": "everybody",
    "variables": {"name": {"column": "first_name"}},
}


async def test_a_campaign_has_a_priority_and_a_budget_and_the_usual_ones_if_nothing_is_said(
    web: Web, stage: Stage
) -> None:
    await stage.set(people(1))
    budget = {"percent": 20, "after": 500}
    said = DRAFT | {"name": "Delay", "priority": "high", "error_budget": budget}
    status, made = await web.ask("POST", "/api/campaigns", json=said)
    assert (status, made["priority"], made["error_budget"]) == (201, "high", budget)
    _, usual = await web.ask("POST", "/api/campaigns", json=DRAFT | {"name": "Spring"})
    assert (usual["priority"], usual["error_budget"]) == ("normal", {"percent": 50, "after": 100})


async def test_a_signature_gets_a_rate_of_its_own_and_loses_it(web: Web, stage: Stage) -> None:
    await stage.set(people(1))
    path = "/api/signatures/Textwave/rate"
    for rate in (200, None):
        body = {"platform": "sandbox", "rate_per_second": rate}
        status, kept = await web.ask("PUT", path, json=body)
        assert (status, kept["rate_per_second"]) == (200, rate)
    status, problem = await web.ask("PUT", path, json={"platform": "sandbox", "rate_per_second": 0})
    assert status == 422, problem


async def test_a_platform_that_rests_says_until_when_and_why(web: Web, stage: Stage) -> None:
    await stage.set(people(1))
    async with stage.ledger.transaction() as connection:
        await connection.execute(
            "UPDATE platform SET resting_until = now() + '1 min', resting_reason = 'unreachable'"
        )
    _, found = await web.ask("GET", "/api/platforms")
    [platform] = found["items"]
    assert platform["resting_until"] is not None
    assert platform["resting_reason"] == "unreachable"
