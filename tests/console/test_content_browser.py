"""What a marketer does with content, in a real browser."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.stage import Stage, people

from .test_browser import fits

pytestmark = pytest.mark.browser


async def test_a_text_is_counted_while_it_is_written_and_links_are_put_into_it(
    page: Page, stage: Stage, tmp_path: Path
) -> None:
    await stage.set(people(1))
    await page.goto("/console/templates/-/new")
    await page.locator("#name").fill("summer")
    await page.locator("#remark").fill("members who asked for news")
    await page.locator("#text").fill("Dear ")
    await page.locator("#variable").fill("name")
    await page.locator("[data-insert=variable]").click()
    await page.locator("#text").press_sequentially(", look: ")
    await page.locator("[data-insert=link]").click()
    await expect(page.locator("#text")).to_have_value(
        "Dear ${name}, look: http://127.0.0.1:8601/abc123/${sp_abc123}"
    )
    await expect(page.locator("#counted")).to_contain_text("拒收请回复R")
    await expect(page.locator("#counted .variable")).to_have_text(["name", "sp_abc123"])
    await page.screenshot(path=tmp_path / "form.png", full_page=True)
    await page.get_by_role("button", name="Save and hand to review").click()
    await expect(page.get_by_role("heading", name="summer")).to_be_visible()
    await expect(page.locator(".state").first).to_contain_text("in review")
    await page.screenshot(path=tmp_path / "template.png", full_page=True)
    await page.set_viewport_size({"width": 400, "height": 800})
    assert await fits(page)


PAGES = (
    "platforms", "platforms/sandbox", "platforms/-/new?kind=aliyun", "signatures",
    "signatures/sandbox/Textwave", "signatures/-/new", "templates", "templates/welcome",
    "templates/welcome/preview", "templates/-/new", "links", "links/sale", "links/-/domains",
    "messages", "campaigns",
)  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh_CN"])
async def test_every_page_of_content_fits_a_phone_in_both_languages(
    page: Page, stage: Stage, tmp_path: Path, language: str
) -> None:
    await stage.set(people(1))
    async with stage.ledger.transaction() as connection:
        await connection.execute("""UPDATE audience SET rule = '{"kind": "all", "of": []}'""")
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
