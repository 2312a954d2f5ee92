"""What a dry run says is what the plan then does, and what stops a campaign with shares."""

from collections.abc import Sequence
from typing import Any

import pytest

from tests.stage import LINKS_URL, SHANGHAI, Person, Stage, people
from textwave.campaigns.operations import start_campaign, start_dry_run
from textwave.campaigns.planning import run_dry_run
from textwave.campaigns.shares import (
    ClicksNotCounted,
    Control,
    OtherTable,
    Shares,
    Variant,
    WinnerRule,
)
from textwave.kit.refusal import InvalidValue, NotFound, Refusal
from textwave.storage.ledger import value

SHORT = "Dear ${name}: http://d.example.cn/abc123/${sp_link} 拒收请回复R"
LONG = "Level ${level}, " + "see you soon, " * 5 + SHORT[5:]
AB = (Variant("A", "welcome", 300), Variant("B", "long", 700))
VARIABLES = {"name": {"column": "first_name"}, "level": {"column": "level"}}


def everybody() -> list[Person]:
    """Return people of all kinds; the excluded ones share numbers with others."""
    twins = [Person(f"twin{n}", SHANGHAI + n * 35) for n in range(20)]
    nobody = [Person(f"nobody{n}", None, bad_mobile=n % 2 == 0) for n in range(9)]
    lacking = [
        Person(f"x{n}", SHANGHAI + 7_000 + n, first_name=None if n % 2 else "Li", level=None)
        for n in range(30)
    ]
    return [*people(300), *twins, *nobody, *lacking]


async def dry_run(stage: Stage) -> dict[str, Any]:
    workspace_id = stage.founding.workspace_id
    async with stage.ledger.transaction(workspace_id) as connection:
        operation_id = await start_dry_run(connection, workspace_id=workspace_id, name="Spring")
    await run_dry_run(
        ledger=stage.ledger,
        warehouse=stage.warehouse,
        vault=stage.vault,
        clock=stage.clock,
        workspace_id=workspace_id,
        operation_id=operation_id,
    )
    async with stage.ledger.transaction() as connection:
        statement = "SELECT result FROM operation WHERE id = %s"
        found: dict[str, Any] = await value(connection, statement, [operation_id])
        return found


async def rows(stage: Stage, statement: Any) -> Sequence[Any]:
    async with stage.ledger.transaction() as connection:
        return await (await connection.execute(statement)).fetchall()


@pytest.mark.parametrize(
    "shares",
    [
        Shares(("vip", "staff"), Control(200), AB, WinnerRule(400, "hand"), seed=1),
        Shares(("vip", "staff"), Control(size=37), AB, seed=2),
        Shares((), Control(size=1), seed=3),
    ],
    ids=["all of it", "an exact control group", "one person held out"],
)
async def test_a_dry_run_says_what_the_plan_does(stage: Stage, shares: Shares) -> None:
    await stage.set(everybody(), content=SHORT)
    await stage.template("long", LONG)
    await stage.audience("vip", [f"c{n:07}" for n in range(0, 60, 3)])
    await stage.audience("staff", ["c0000004", "nobody1"])
    await stage.opt_out(SHANGHAI + 7 * 100)
    variables = VARIABLES if shares.variants else {"name": VARIABLES["name"]}
    campaign_id = await stage.campaign(shares=shares, variables=variables)
    said = await dry_run(stage)
    await stage.start()
    await stage.plan(campaign_id)

    drops = dict(await rows(stage, "SELECT reason, count FROM campaign_drop_tally"))
    tally = "SELECT audience, messages, parts FROM campaign_tally"
    assert (said["audience"], said["messages"], said["parts"]) == (await rows(stage, tally))[0]
    assert said["drops"] == drops
    by_variant = """SELECT v.name, v.messages, sum(m.parts)::int FROM campaign_variant v
        JOIN message m ON m.id BETWEEN v.first_id AND v.last_id GROUP BY 1, 2, v.number
        ORDER BY v.number = 0, v.number"""
    expected = [(one["name"], one["messages"], one["parts"]) for one in said["variants"]]
    assert expected == list(await rows(stage, by_variant))
    if shares.control and shares.control.size:
        assert drops["control group"] == shares.control.size
    if shares.exclude:
        assert drops["excluded"] == 20 + 2 + 4  # four twins have the number of one of them


async def test_the_same_seed_holds_out_the_same_people(stage: Stage) -> None:
    await stage.set(people(200))
    held: list[Any] = []
    for name, seed in (("Spring", 5), ("Summer", 5), ("Autumn", 6)):
        shares = Shares(control=Control(size=50), seed=seed)
        campaign_id = await stage.campaign(name, shares=shares)
        await stage.start(name)
        await stage.plan(campaign_id)
        held.append(
            await rows(
                stage,
                f"SELECT customer FROM message_drop WHERE campaign_id = {campaign_id} ORDER BY 1",
            )
        )
    assert len(held[0]) == 50
    assert held[0] == held[1] != held[2]


async def test_a_control_group_that_takes_everybody_fails_the_campaign(stage: Stage) -> None:
    await stage.set(people(10))
    campaign_id = await stage.campaign(shares=Shares(control=Control(size=10)))
    await stage.start()
    await stage.plan(campaign_id)
    state, reason = (await rows(stage, "SELECT state, reason FROM campaign"))[0]
    assert state == "failed"
    assert "The control group of 10 would hold out all 10 people" in reason


async def test_an_excluded_audience_that_was_not_computed_stops_dry_run_and_start(
    stage: Stage,
) -> None:
    await stage.set(people(10))
    await stage.audience("vip", None)
    await stage.campaign(shares=Shares(("vip",)))
    with pytest.raises(Refusal, match="“vip” is excluded and has not been computed yet"):
        await dry_run(stage)
    with pytest.raises(Refusal, match="“vip” is excluded and has not been computed yet"):
        await stage.start()


async def test_variants_start_only_when_all_their_templates_are_approved(stage: Stage) -> None:
    await stage.set(people(10), content=SHORT)
    await stage.template("long", LONG, state="reviewing")
    await stage.campaign(shares=Shares(variants=AB), variables=VARIABLES)
    with pytest.raises(Refusal, match="“long” of variant “B” is reviewing"):
        async with stage.ledger.transaction() as connection:
            await start_campaign(
                connection,
                workspace_id=stage.founding.workspace_id,
                actor="test",
                name="Spring",
                links_url=LINKS_URL,
                now=stage.clock.now(),
            )


@pytest.mark.parametrize(
    ("shares", "refusal", "sentence"),
    [
        (Shares(("nobody",)), NotFound, "no audience “nobody”"),
        (Shares(("others",)), OtherTable, "over the table “others”, the campaign's is over"),
        (Shares(variants=(AB[0], Variant("B", "none", 700))), NotFound, "no template “none”"),
        (
            Shares(variants=(Variant("B", "long", 700), Variant("A", "welcome", 300))),
            InvalidValue,
            "give that of the first variant: “long”",
        ),
        (
            Shares(variants=(AB[0], Variant("B", "plain", 700)), winner=WinnerRule(200, "clicks")),
            ClicksNotCounted,
            "the template of variant “B” has no link with a click token",
        ),
    ],
)
async def test_what_does_not_fit_is_refused_when_the_campaign_is_written(
    stage: Stage, shares: Shares, refusal: type[Refusal], sentence: str
) -> None:
    await stage.set(people(10), content=SHORT)
    await stage.template("long", LONG)
    await stage.template("plain", "Dear ${name}")
    await stage.audience("others", [])
    await rows(stage, "UPDATE audience SET table_name = 'others' WHERE name = 'others' RETURNING 1")
    with pytest.raises(refusal) as refused:
        await stage.campaign(shares=shares, variables={"name": VARIABLES["name"]})
    assert sentence in refused.value.sentence
