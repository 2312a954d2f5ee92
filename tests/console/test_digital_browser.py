"""What a marketer does with digital messages, in a real browser."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Page, expect

from tests.materials.files import picture
from tests.stage import LINKS_URL, Stage
from textwave.digital.operations import DigitalDraft, Surroundings, create_digital
from textwave.digital.parts import MaterialPart, TextPart
from textwave.materials.operations import Librarian

from .conftest import Served, sign_in
from .material_shelf import open_counter
from .test_browser import fits

pytestmark = pytest.mark.browser
REJECTED: Any = """UPDATE template SET state = 'rejected', submitted_at = now(),
    reason = 'China Telecom: the picture is not clear' WHERE type = 'digital'"""
SAID: Any = """INSERT INTO digital_carrier
    (template_id, workspace_id, carrier, state, reason, changed_at)
    VALUES (%s, %s, %s, %s, %s, now())"""


@pytest.fixture
async def counter(stage: Stage) -> Stage:
    """An account at Alibaba Cloud with a signature, and a library of three files."""
    await open_counter(stage)
    return stage


async def test_a_digital_template_is_put_together_from_the_library(
    page: Page, counter: Stage, tmp_path: Path
) -> None:
    await page.goto("/console/digital/-/new")
    await page.locator("#name").fill("spring")
    await page.locator("#subject").fill("春季新品")
    await page.locator("#remark").fill("members who asked for news")
    await page.locator("#signature").select_option("湖畔")
    await page.locator("#text_0").fill("亲爱的${name}，新品到店")
    await expect(page.locator("#checked .of-text .variable")).to_have_text("name")
    await expect(page.locator("#checked .findings")).to_contain_text("neither an image nor a video")
    await page.locator("#look").fill("post")
    await expect(page.locator("#picker button")).to_have_count(1)
    await page.get_by_role("button", name="Add poster").click()
    await expect(page.locator("#checked img.shown")).to_be_visible()
    await expect(page.locator("#checked")).not_to_contain_text("neither an image nor a video")
    await expect(page.locator("#text_0")).to_have_value("亲爱的${name}，新品到店")
    await page.get_by_role("button", name="Add a text").click()
    await page.locator("#text_2").fill("欢迎光临")
    await page.get_by_role("button", name="Move part 3 up").click()
    await expect(page.locator("#text_1")).to_have_value("欢迎光临")
    await page.screenshot(path=tmp_path / "editor.png", full_page=True)
    await page.get_by_role("button", name="Save and hand to review").click()
    await expect(page.get_by_role("heading", name="spring", exact=True)).to_be_visible()
    await expect(page.locator(".state").first).to_contain_text("in review")
    await page.screenshot(path=tmp_path / "template.png", full_page=True)
    assert counter.ids


async def test_a_file_is_added_to_the_library(page: Page, counter: Stage) -> None:
    await page.goto("/console/materials/-/new")
    good = FilePayload(name="beach.jpg", mimeType="image/jpeg", buffer=picture("JPEG", 300, 200))
    await page.locator("#file").set_input_files(good)
    await page.locator("#tags").fill("summer, beach")
    await page.locator("#go").click()
    await expect(page.get_by_role("heading", name="beach", exact=True)).to_be_visible()
    await expect(page.locator("img.shown")).to_be_visible()
    await page.goto("/console/materials?tag=summer")
    await expect(page.locator(".shelf .row-name")).to_have_text("beach")
    assert counter.ids


async def test_a_file_that_is_none_is_refused_beside_the_form(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    page = await browser.new_page(base_url=served.address, locale="en-GB")
    await sign_in(page, served.api_key)
    await page.goto("/console/materials/-/new")
    bad = FilePayload(name="broken.png", mimeType="image/png", buffer=b"not a picture at all")
    await page.locator("#file").set_input_files(bad)
    await page.locator("#tags").fill("summer")
    await page.locator("#go").click()
    await expect(page.locator("#import-problem")).to_contain_text("The file")
    await expect(page.locator("#tags")).to_have_value("summer")
    await page.screenshot(path=tmp_path / "refused.png", full_page=True)


PAGES = (
    "materials", "materials/poster", "materials/clip", "materials/-/new", "materials/poster/delete",
    "digital", "digital/spring", "digital/spring/edit", "digital/spring/delete", "digital/-/new",
)  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh_CN"])
async def test_every_page_fits_a_phone_in_both_languages(
    page: Page, counter: Stage, tmp_path: Path, language: str
) -> None:
    await written(counter)
    await page.goto(f"/console/language?to={language}&next=/console/templates")
    for number, place in enumerate(PAGES):
        await page.set_viewport_size({"width": 1280, "height": 800})
        answer = await page.goto(f"/console/{place}")
        assert answer is not None
        assert answer.status == 200, place
        await page.screenshot(path=tmp_path / f"{number:02}.png", full_page=True)
        await page.set_viewport_size({"width": 400, "height": 800})
        await page.screenshot(path=tmp_path / f"{number:02}-narrow.png", full_page=True)
        assert await fits(page), place
    await page.emulate_media(color_scheme="dark")
    await page.set_viewport_size({"width": 1280, "height": 800})
    for place in ("materials", "digital/spring", "digital/spring/edit"):
        await page.goto(f"/console/{place}")
        await page.screenshot(path=tmp_path / f"dark-{place.replace('/', '-')}.png", full_page=True)


async def written(counter: Stage) -> None:
    """Write a rejected template about which three carriers have said something."""
    workspace_id = counter.founding.workspace_id
    names = ("poster", "clip", "jingle")
    parts = [TextPart("亲爱的${name}，新品到店"), *(MaterialPart(name) for name in names)]
    draft = DigitalDraft("spring", "sandbox", "湖畔", "春季新品", "members", parts)
    mei = Librarian("mei", is_administrator=True)
    around = Surroundings(workspace_id, mei, LINKS_URL, counter.clock.now())
    async with counter.ledger.transaction(workspace_id) as connection:
        made = await create_digital(connection, around, draft)
        await connection.execute(REJECTED)
        for said in (
            ("mobile", "rejected", "A phone number in the picture"),
            ("unicom", "lapsed", ""),
            ("telecom", "rejected", "The picture is not clear"),
        ):
            await connection.execute(SAID, [made.template.row.id, workspace_id, *said])
