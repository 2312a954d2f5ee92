"""A digital campaign through Alibaba Cloud's call, to the carrier that approved it."""

from psycopg.types.json import Jsonb

from tests.dispatch.alibaba import QUEUES, Alibaba, alibaba
from tests.dispatch.doubtful import added_up
from tests.stage import Person, Stage
from textwave.campaigns.planning import run_plan
from textwave.kit.carriers import CarrierRanges
from textwave.kit.ids import CampaignId
from textwave.platforms.aliyun_sandbox.records import (
    DIGITAL,
    Standing,
    TemplateRecord,
    VendorStanding,
)
from textwave.responses.operations import merge_receipts

WRITTEN = "154=mobile 164=unicom"
MOBILE, UNICOM = 8615400000000, 8616400000000
TEXT = "${name}，春季新品"


async def planned(ground: Alibaba) -> CampaignId:
    """Plan a digital campaign to 30 numbers of each of two carriers, of which one approved."""
    stage = ground.show.stage
    carriers = {"MOBILE_VENDOR": VendorStanding.passed, "UNICOM_VENDOR": VendorStanding.failed}
    ground.stand_in.shelf.put(
        TemplateRecord(
            "DIGITAL_SMS_1", "新品", TEXT, DIGITAL, "2", 0.0, 0.0, Standing.passed,
            signature="Textwave", vendors={name: int(one) for name, one in carriers.items()},
        )
    )  # fmt: skip
    people = [Person(f"{first}-{n}", first + n) for first in (MOBILE, UNICOM) for n in range(30)]
    await stage.set(
        people, message_type="digital", content=TEXT, template_code="DIGITAL_SMS_1", max_batch=20
    )
    url, user = stage.platform_url, ground.stand_in.settings.user_id
    options = {name: f"Alicom-Queue-{user}-{report}" for name, report in QUEUES.items()}
    options["digital_price_milli"] = "250"
    await ground.show.execute(
        "UPDATE platform SET kind = 'aliyun', key_id = %s, options = %s, receipts = 'pull',"
        " capabilities = '{}'",
        [
            ground.stand_in.settings.key_id,
            Jsonb(options | {"token_endpoint": url, "queue_endpoint": url}),
        ],
    )
    template = [stage.ids["template"], stage.founding.workspace_id]
    await ground.show.execute("UPDATE template SET signature = 'Textwave'")
    await ground.show.execute(
        "INSERT INTO digital_template (template_id, workspace_id, subject) VALUES (%s, %s, 'x')",
        template,
    )
    await ground.show.execute(
        "INSERT INTO digital_carrier (template_id, workspace_id, carrier, state, changed_at)"
        " VALUES (%s, %s, 'mobile', 'approved', now())",
        template,
    )
    campaign_id = await stage.campaign(message_type="digital")
    await stage.start()
    await run_plan(
        ledger=stage.ledger,
        warehouse=stage.warehouse,
        vault=stage.vault,
        clock=stage.clock,
        batch_size=100,
        workspace_id=stage.founding.workspace_id,
        campaign_id=campaign_id,
        ranges=CarrierRanges({}).changed(WRITTEN),
    )
    return campaign_id


async def test_digital_messages_are_delivered_and_billed_as_one_each(stage: Stage) -> None:
    async with alibaba(stage, carrier_ranges=WRITTEN) as ground:
        campaign_id = await planned(ground)
        await ground.show.send()
        counted = await ground.show.counts()
        assert (counted["messages"], counted["twice"]) == (30, 0)
        await ground.pull()
        await merge_receipts(ground.show.ledger)
        report = await added_up(ground.show, campaign_id)
        assert (report.delivered, report.parts, report.price_milli) == (30, 30, 30 * 250)
        assert report.drops == {"carrier not approved": 30}
        assert "took a number along to another carrier" in report.notes[0]
