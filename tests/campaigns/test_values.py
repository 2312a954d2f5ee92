"""Values that Alibaba Cloud takes, 1-35 characters each: at writing, at the start, in the plan."""

from typing import Any

import pytest

from tests.campaigns.test_dry_run import dry_run, rows
from tests.stage import SHANGHAI, Person, Stage
from textwave.insights.operations import effect_report
from textwave.kit.refusal import InvalidValue

PEOPLE = [
    Person("plain", SHANGHAI, first_name="Li"),
    Person("longest", SHANGHAI + 1, first_name="长" * 35),
    Person("longer", SHANGHAI + 2, first_name="长" * 36),
    Person("nameless", SHANGHAI + 3, first_name=None),
]


def name_from(**missing: str) -> dict[str, dict[str, str]]:
    return {"name": {"column": "first_name", **missing}}


async def at_alibaba(stage: Stage) -> None:
    async with stage.ledger.transaction() as connection:
        await connection.execute("UPDATE platform SET kind = 'aliyun'")


@pytest.mark.parametrize(
    ("missing", "problem"),
    [
        ({"missing": "empty"}, "is “empty”.*need values of 1-35 characters.*give a default"),
        ({"missing": "default", "default": "x" * 36}, "has 36 characters.*shorten it"),
    ],
)
async def test_a_stand_in_that_alibaba_would_refuse_is_refused_when_written_and_when_started(
    stage: Stage, missing: dict[str, str], problem: str
) -> None:
    await stage.set_rows()
    await stage.campaign(variables=name_from(**missing))  # other platforms take it
    await at_alibaba(stage)
    with pytest.raises(InvalidValue, match=problem):
        await stage.campaign("Summer", variables=name_from(**missing))
    with pytest.raises(InvalidValue, match=problem):
        await stage.start()


async def test_whose_value_alibaba_would_refuse_is_dropped_and_the_dry_run_says_so(
    stage: Stage,
) -> None:
    await stage.set(PEOPLE)
    await at_alibaba(stage)
    campaign_id = await stage.campaign()
    said = await dry_run(stage)
    expected = {"missing variable": 1, "value too long": 1}
    assert (said["messages"], said["drops"]) == (2, expected)
    assert "For 1 a value of the text is longer than the 35 characters" in said["notes"][0]
    await stage.start()
    await stage.plan(campaign_id)
    dropped: Any = await rows(stage, "SELECT customer, reason FROM message_drop")
    assert dict(dropped) == {"longer": "value too long", "nameless": "missing variable"}
    async with stage.ledger.transaction() as connection:
        report = await effect_report(
            connection, workspace_id=stage.founding.workspace_id, name="Spring"
        )
    assert (report.drops, report.notes) == (expected, said["notes"])
