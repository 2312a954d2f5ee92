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
    await expect(page.locator(".state")).to_contain_text("in review")
    await page.screenshot(path=tmp_path / "template.png", full_page=True)
    await page.set_viewport_size({"width": 400, "height": 800})
    await fits(page)
