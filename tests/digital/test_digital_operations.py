"""Digital templates from the first draft to the last carrier, over Alibaba's stand-in."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.aliyun_stage import KEY_ID, AliyunStage, aliyun_stage
from tests.materials.files import picture
from tests.stage import KEY, LINKS_URL, Stage
from textwave.connections.accounts import PlatformAccount, open_platform
from textwave.content import operations as texts
from textwave.content.capabilities import TypeNotOffered
from textwave.content.operations import NoApprovedSignature, TemplateIsDigital
from textwave.content.review_operations import submit_template
from textwave.content.version_store import versions
from textwave.digital import operations as digital
from textwave.digital import store
from textwave.digital.operations import DigitalDraft, Surroundings, WrittenDigital
from textwave.digital.parts import DigitalNotAcceptable, MaterialPart, TextPart
from textwave.digital.review_operations import ask_carriers, handing_over
from textwave.digital.store import DigitalTemplate
from textwave.kit.carriers import Carrier
from textwave.kit.in_use import InUse
from textwave.kit.refusal import AlreadyExists, NotFound
from textwave.kit.states import MoveNotAllowed
from textwave.materials import operations as library
from textwave.materials.examination import examine
from textwave.materials.operations import Librarian, MaterialInUse
from textwave.platforms.aliyun_sandbox.records import TemplateRecord, VendorStanding
from textwave.platforms.contract import CarrierState, Platform
from textwave.settings import Settings
from textwave.storage.ledger import Connection, Ledger, value

NOW = datetime.now(UTC)
MEI, LI = Librarian("mei", is_administrator=False), Librarian("li", is_administrator=False)
ADMINISTRATOR = Librarian("administrator", is_administrator=True)
SIGNATURE = "湖畔"
PARTS = (TextPart("春季新品 ${name}"), MaterialPart("spring"))
DRAFT = DigitalDraft("spring", "sandbox", SIGNATURE, "新品", "New goods", PARTS)
Step = Callable[..., Awaitable[Any]]


@dataclass
class Place:
    """A workspace with an account at the stand-in, a signature and a picture."""

    stage: Stage
    web: Ledger
    aliyun: AliyunStage
    decided: list[str]

    def around(self, librarian: Librarian = MEI, now: datetime = NOW) -> Surroundings:
        return Surroundings(self.stage.founding.workspace_id, librarian, LINKS_URL, now)

    async def do(
        self, operation: Step, *given: Any, librarian: Librarian = MEI, **more: Any
    ) -> Any:
        """Run an operation as the web role."""
        async with self.web.transaction(self.stage.founding.workspace_id) as connection:
            return await operation(connection, self.around(librarian), *given, **more)

    async def write(self, **changes: Any) -> WrittenDigital:
        return await self.do(digital.create_digital, replace(DRAFT, **changes))

    async def read(self, name: str = "spring") -> DigitalTemplate:
        async with self.web.transaction(self.stage.founding.workspace_id) as connection:
            return await store.digital_template(connection, self.stage.founding.workspace_id, name)

    async def submit(self, name: str = "spring") -> None:
        """Submit it, and do the job that hands it over."""
        made = await self.do(digital.submit_digital, name=name)
        await submit_template(
            self.stage.ledger,
            self.open_platform,
            workspace_id=self.stage.founding.workspace_id,
            template_id=made.template.row.id,
            now=NOW,
            has_turn=True,
            hand_over=handing_over(self.stage.ledger),
        )

    async def ask(self, after: timedelta = timedelta()) -> int:
        return await ask_carriers(
            self.stage.ledger, self.open_platform, now=NOW + after, on_decided=self._note
        )

    def open_platform(self, account: PlatformAccount) -> Platform:
        return open_platform(account, self.stage.vault, self.aliyun.session, Settings())

    async def sql(self, statement: Any) -> Any:
        async with self.stage.ledger.transaction() as connection:
            return await value(connection, statement)

    async def _note(self, connection: Connection, decided: Sequence[Any]) -> None:
        assert connection is not None
        self.decided += [f"{one.name} {one.state}" for one in decided]


@pytest.fixture
async def place(stage: Stage, web_ledger: Ledger) -> AsyncIterator[Place]:
    async with aliyun_stage(key_secret=KEY, digital_rejected="telecom") as aliyun:
        stage.platform_url = aliyun.url
        await stage.set_rows()
        made = Place(stage, web_ledger, aliyun, [])
        async with stage.ledger.transaction() as connection:
            await connection.execute(
                "UPDATE platform SET kind = 'aliyun', key_id = %s, capabilities = '{}'", [KEY_ID]
            )
            await connection.execute("UPDATE signature SET name = %s", [SIGNATURE])
            await library.add_material(
                connection,
                workspace_id=stage.founding.workspace_id,
                librarian=MEI,
                name="spring",
                examined=examine(picture("PNG", 600, 420, noisy=True)),
                original_size_bytes=1,
            )
        yield made


def standing(template: DigitalTemplate) -> dict[Carrier, CarrierState]:
    return {one.carrier: one.state for one in template.carriers}


async def under_review(place: Place) -> TemplateRecord:
    """Submit a template, on which no carrier decides before a test does."""
    settings = place.aliyun.stand_in.settings
    place.aliyun.stand_in.settings = replace(settings, review_seconds=86_400.0)
    await place.write()
    await place.submit()
    return place.aliyun.stand_in.shelf.templates[str((await place.read()).row.code)]


async def test_a_template_keeps_its_parts_in_order_and_its_texts_as_content(place: Place) -> None:
    made = (await place.write(parts=(*PARTS, TextPart("再见")))).template
    assert [(part.text, part.material) for part in made.parts] == [
        ("春季新品 ${name}", None),
        (None, "spring"),
        ("再见", None),
    ]
    assert (made.row.state, made.row.content) == ("draft", "春季新品 ${name}\n再见")
    with pytest.raises(AlreadyExists):
        await place.write()


async def test_what_a_template_names_has_to_be_there_and_to_be_seen(place: Place) -> None:
    with pytest.raises(NotFound, match="material “none”"):
        await place.write(parts=(PARTS[0], MaterialPart("none")))
    with pytest.raises(NotFound, match="signature “other”"):
        await place.write(signature="other")
    with pytest.raises(NotFound, match="material “spring”"):
        await place.do(digital.create_digital, DRAFT, librarian=LI)
    with pytest.raises(DigitalNotAcceptable, match="neither an image nor a video"):
        await place.write(parts=(PARTS[0],))


async def test_only_accounts_at_alibaba_take_digital_templates(place: Place) -> None:
    async with place.stage.ledger.transaction() as connection:
        await connection.execute("UPDATE platform SET kind = 'thirdparty'")
    with pytest.raises(TypeNotOffered):
        await place.write()


async def test_a_template_is_approved_by_its_first_carrier_and_says_where_each_stands(
    place: Place,
) -> None:
    await place.write()
    await place.submit()
    handed_over = await place.read()
    assert (handed_over.row.state, bool(handed_over.row.code)) == ("reviewing", True)
    assert await place.ask() == 1
    decided = await place.read()
    assert decided.row.state == "approved"
    assert standing(decided) == {
        Carrier.MOBILE: CarrierState.approved,
        Carrier.UNICOM: CarrierState.approved,
        Carrier.TELECOM: CarrierState.rejected,
    }
    assert place.decided == ["spring approved"]
    assert await place.ask() == 0  # asked again a day later only, because an approval can lapse
    assert await place.ask(timedelta(days=1)) == 1


async def test_campaigns_wait_until_all_carriers_have_decided(place: Place) -> None:
    record = await under_review(place)
    record.vendors["MOBILE_VENDOR"] = VendorStanding.passed
    await place.ask()
    assert ((await place.read()).row.state, place.decided) == ("approved", [])
    record.vendors |= dict.fromkeys(record.vendors, VendorStanding.failed)
    record.vendors["MOBILE_VENDOR"] = VendorStanding.passed
    await place.ask(timedelta(minutes=10))
    assert place.decided == ["spring approved"]


async def test_campaigns_do_not_wait_for_slow_carriers_longer_than_a_day(place: Place) -> None:
    record = await under_review(place)
    record.vendors["UNICOM_VENDOR"] = VendorStanding.passed
    await place.ask()
    await place.ask(timedelta(hours=25))
    assert place.decided == ["spring approved"]


async def test_a_rejected_template_is_edited_and_submitted_under_a_new_code(place: Place) -> None:
    place.aliyun.stand_in.settings = replace(
        place.aliyun.stand_in.settings, digital_rejected="mobile,unicom,telecom"
    )
    await place.write()
    await place.submit()
    await place.ask()
    rejected = await place.read()
    assert (rejected.row.state, place.decided) == ("rejected", ["spring rejected"])
    assert "China Mobile" in rejected.row.reason
    edited = await place.do(digital.edit_digital, replace(DRAFT, subject="更新"))
    assert (edited.template.row.state, edited.template.row.subject) == ("draft", "更新")
    await place.submit()
    again = await place.read()
    assert again.row.code != rejected.row.code
    assert again.carriers == []
    async with place.web.transaction(again.row.workspace_id) as connection:
        kept = await versions(
            connection, workspace_id=again.row.workspace_id, template_id=again.row.id
        )
    assert [(one.number, one.decision) for one in kept] == [(2, None), (1, "rejected")]
    assert "更新" in kept[0].content
    assert "新品" in kept[1].content


async def test_a_template_under_review_is_not_edited_and_a_used_one_not_deleted(
    place: Place,
) -> None:
    await place.write()
    await place.do(digital.submit_digital, name="spring")
    with pytest.raises(MoveNotAllowed):
        await place.do(digital.edit_digital, DRAFT)
    async with place.stage.ledger.transaction() as connection:
        await connection.execute(
            "INSERT INTO campaign (workspace_id, name, type, platform_id, signature_id,"
            " template_id, audience_id, state, created_by) SELECT workspace_id, 'Spring',"
            " 'digital', platform_id, %s, id, %s, 'sending', 'mei' FROM template"
            " WHERE type = 'digital'",
            [place.stage.ids["signature"], place.stage.ids["audience"]],
        )
    with pytest.raises(InUse, match="Spring"):
        await place.do(digital.delete_digital, name="spring")


async def test_a_material_is_kept_while_a_template_is_made_of_it(place: Place) -> None:
    await place.write()

    async def delete() -> None:
        async with place.web.transaction(place.stage.founding.workspace_id) as connection:
            await library.delete_material(
                connection,
                workspace_id=place.stage.founding.workspace_id,
                librarian=MEI,
                name="spring",
            )

    with pytest.raises(MaterialInUse, match="digital template “spring”"):
        await delete()
    await place.do(digital.delete_digital, name="spring")
    await delete()
    assert await place.sql("SELECT count(*) FROM material") == 0


async def test_a_copy_has_the_parts_of_the_other_one(place: Place) -> None:
    made = await place.write()
    copy = await place.do(digital.copy_digital, name="spring", new_name="autumn")
    assert copy.template.row.state == "draft"
    assert [one.material_id for one in copy.template.parts] == [
        one.material_id for one in made.template.parts
    ]


async def test_a_template_is_reviewed_under_an_approved_signature_only(place: Place) -> None:
    await place.write()
    async with place.stage.ledger.transaction() as connection:
        await connection.execute("UPDATE signature SET state = 'reviewing'")
    with pytest.raises(NoApprovedSignature):
        await place.do(digital.submit_digital, name="spring")


async def test_a_digital_template_is_not_handled_like_a_text(place: Place) -> None:
    await place.write()
    workspace_id = place.stage.founding.workspace_id
    async with place.web.transaction(workspace_id) as connection:
        with pytest.raises(TemplateIsDigital):
            await texts.delete_template(
                connection, workspace_id=workspace_id, actor="mei", name="spring", now=NOW
            )


async def test_of_two_people_who_submit_at_once_one_is_refused(place: Place) -> None:
    await place.write()
    results = await asyncio.gather(
        place.do(digital.submit_digital, name="spring"),
        place.do(digital.submit_digital, name="spring", librarian=ADMINISTRATOR),
        return_exceptions=True,
    )
    refused = [one for one in results if isinstance(one, MoveNotAllowed)]
    assert (len(refused), (await place.read()).row.state) == (1, "reviewing")
    assert await place.sql("SELECT count(*) FROM template_version") == 1
