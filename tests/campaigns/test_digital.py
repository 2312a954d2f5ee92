"""Digital campaigns: whom they reach, what a dry run says of it, and the text for the others."""

from typing import Any

import pytest

from tests.stage import LINKS_URL, Person, Stage
from textwave.campaigns.draft import NotReadyToStart
from textwave.campaigns.dropped_operations import (
    AskedText,
    NobodyDropped,
    run_text,
    start_text,
)
from textwave.campaigns.operations import start_dry_run
from textwave.campaigns.planning import run_dry_run, run_plan
from textwave.campaigns.repeat_operations import Repeating
from textwave.kit.carriers import CarrierRanges
from textwave.kit.ids import CampaignId, OperationId
from textwave.kit.refusal import InvalidValue
from textwave.storage.ledger import execute, value

RANGES = CarrierRanges({}).changed("154=mobile 164=unicom 169=telecom 179=broadnet")
MOBILE, UNICOM, TELECOM, NOBODYS = 8615400000000, 8616400000000, 8616900000000, 8619400000000
FOREIGN = 447700900123
PEOPLE = [
    *(Person(f"m{n}", MOBILE + n) for n in range(4)),
    *(Person(f"u{n}", UNICOM + n) for n in range(3)),
    Person("u-twin", UNICOM),
    Person("t0", TELECOM),
    Person("nobody", NOBODYS),
    Person("foreign", FOREIGN),
    Person("none", None),
]


async def sql(stage: Stage, statement: Any, *parameters: Any) -> Any:
    async with stage.ledger.transaction() as connection:
        cursor = await connection.execute(statement, parameters)
        return await cursor.fetchall() if cursor.description else None


@pytest.fixture
async def digital(stage: Stage) -> Stage:
    """An account at Alibaba, and a digital template that one of three carriers has approved."""
    await stage.set(PEOPLE, message_type="digital", content="Hello ${name}")
    await sql(stage, "UPDATE platform SET kind = 'aliyun'")
    await sql(stage, "UPDATE template SET signature = 'Textwave'")
    await sql(
        stage,
        "INSERT INTO digital_template (template_id, workspace_id, subject) VALUES (%s, %s, 'New')",
        stage.ids["template"],
        stage.founding.workspace_id,
    )
    for carrier, state in (
        ("mobile", "approved"),
        ("unicom", "reviewing"),
        ("telecom", "rejected"),
    ):
        await standing(stage, carrier, state)
    return stage


async def standing(stage: Stage, carrier: str, state: str) -> None:
    await sql(
        stage,
        "INSERT INTO digital_carrier (template_id, workspace_id, carrier, state, changed_at)"
        " VALUES (%s, %s, %s, %s, now())"
        " ON CONFLICT (template_id, carrier) DO UPDATE SET state = excluded.state",
        stage.ids["template"],
        stage.founding.workspace_id,
        carrier,
        state,
    )


async def plan(stage: Stage, campaign_id: CampaignId) -> None:
    await run_plan(
        ledger=stage.ledger,
        warehouse=stage.warehouse,
        vault=stage.vault,
        clock=stage.clock,
        batch_size=100,
        workspace_id=stage.founding.workspace_id,
        campaign_id=campaign_id,
        ranges=RANGES,
    )


async def sent(stage: Stage, name: str = "Spring") -> CampaignId:
    campaign_id = await stage.campaign(name, message_type="digital")
    await stage.start(name)
    await plan(stage, campaign_id)
    return campaign_id


async def mobiles(stage: Stage, campaign_id: CampaignId) -> list[int]:
    statement = "SELECT mobile FROM message WHERE campaign_id = %s ORDER BY id"
    return [row[0] for row in await sql(stage, statement, campaign_id)]


async def drops(stage: Stage, campaign_id: CampaignId) -> dict[str, str]:
    statement = "SELECT customer, reason FROM message_drop WHERE campaign_id = %s"
    return dict(await sql(stage, statement, campaign_id))


async def text(stage: Stage, name: str = "A text", **asked: Any) -> CampaignId:
    workspace_id = stage.founding.workspace_id
    async with stage.ledger.transaction(workspace_id) as connection:
        operation_id = await start_text(
            connection,
            workspace_id=workspace_id,
            actor="mei",
            name="Spring",
            asked=AskedText(name, "plain", **asked),
            now=stage.clock.now(),
        )
    using = Repeating(stage.ledger, stage.warehouse, stage.clock, LINKS_URL)
    await run_text(using, workspace_id=workspace_id, operation_id=operation_id)
    async with stage.ledger.transaction() as connection:
        problem = await value(
            connection, "SELECT problem FROM operation WHERE id = %s", [operation_id]
        )
        if problem:
            raise NobodyDropped(problem["code"])
        found = await value(connection, "SELECT id FROM campaign WHERE name = %s", [name])
    return CampaignId(found)


async def test_a_digital_campaign_reaches_the_numbers_of_approving_carriers_alone(
    digital: Stage,
) -> None:
    campaign_id = await sent(digital)
    assert await mobiles(digital, campaign_id) == [MOBILE + n for n in range(4)]
    reasons = await drops(digital, campaign_id)
    others = dict.fromkeys(["u0", "u1", "u2", "u-twin", "t0", "nobody"], "carrier not approved")
    assert reasons == {**others, "foreign": "bad number", "none": "no number"}


async def test_a_digital_message_is_billed_as_one_however_long(digital: Stage) -> None:
    await sql(digital, "UPDATE template SET content = %s", "Hello ${name}" + "x" * 300)
    campaign_id = await sent(digital)
    statement = "SELECT DISTINCT parts FROM message WHERE campaign_id = %s"
    assert await sql(digital, statement, campaign_id) == [(1,)]


async def test_a_dry_run_says_which_carriers_approve_and_what_ranges_cannot_know(
    digital: Stage,
) -> None:
    await digital.campaign("Spring", message_type="digital")
    workspace_id = digital.founding.workspace_id
    async with digital.ledger.transaction(workspace_id) as connection:
        operation_id = await start_dry_run(connection, workspace_id=workspace_id, name="Spring")
    await run_dry_run(
        ledger=digital.ledger,
        warehouse=digital.warehouse,
        vault=digital.vault,
        clock=digital.clock,
        workspace_id=workspace_id,
        operation_id=OperationId(operation_id),
        ranges=RANGES,
    )
    found = await sql(digital, "SELECT result FROM operation WHERE id = %s", operation_id)
    result: dict[str, Any] = found[0][0]
    assert result["drops"] == {"bad number": 1, "carrier not approved": 6, "no number": 1}
    foreign, carriers = result["notes"]
    assert "does not send to them" in foreign
    assert "approved by China Mobile; 6 of other carriers" in carriers
    assert "took a number along to another carrier" in carriers


async def test_a_further_carrier_that_approves_has_its_numbers_reached_too(digital: Stage) -> None:
    await standing(digital, "unicom", "approved")
    campaign_id = await sent(digital)
    assert len(await mobiles(digital, campaign_id)) == 7


async def test_a_campaign_whose_carriers_have_all_withdrawn_is_not_started(digital: Stage) -> None:
    await digital.campaign("Spring", message_type="digital")
    await standing(digital, "mobile", "lapsed")
    with pytest.raises(NotReadyToStart, match="not approved by any carrier now"):
        await digital.start("Spring")


async def test_a_digital_template_goes_out_under_its_own_signature_only(digital: Stage) -> None:
    await sql(digital, "UPDATE template SET signature = 'Other'")
    with pytest.raises(InvalidValue, match="reviewed under the signature “Other”"):
        await digital.campaign("Spring", message_type="digital")


async def test_the_dropped_get_a_text_at_the_very_numbers_that_were_dropped(
    digital: Stage,
) -> None:
    await sent(digital)
    await digital.template("plain", "Come and see 拒收请回复R")
    text_id = await text(digital)
    await digital.start("A text")
    await plan(digital, text_id)
    dropped = [UNICOM, UNICOM + 1, UNICOM + 2, TELECOM, NOBODYS]
    assert sorted(await mobiles(digital, text_id)) == sorted(dropped)
    assert set((await drops(digital, text_id)).values()) == {"duplicate number"}
    with pytest.raises(NobodyDropped):
        await text(digital, "Another text")


async def test_a_text_is_made_from_a_digital_campaign_only(digital: Stage) -> None:
    await digital.template("plain", "Come and see 拒收请回复R")
    await sql(digital, "UPDATE campaign SET type = 'promotional'")
    async with digital.ledger.transaction() as connection:
        await execute(connection, "UPDATE template SET type = 'promotional'")
    await digital.campaign("Spring")
    with pytest.raises(InvalidValue, match="is no digital campaign"):
        await text(digital)
