"""The console in a real browser: it shows, follows the ledger, and breaks none of its rules."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Page, expect

from textwave.storage.ledger import Ledger

from .conftest import NAME, Served, sign_in

BOARD = f"/console/campaigns/{quote(NAME, safe='')}"

pytestmark = pytest.mark.browser


async def drawn(page: Page) -> None:
    """Wait until the funnel is on the canvas."""
    await expect(page.locator("#funnel[data-drawn] canvas")).to_be_visible()


async def fits(page: Page) -> bool:
    """Tell whether nothing is wider than the screen."""
    script = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    return bool(await page.evaluate(script))


async def test_an_empty_workspace_says_what_to_do_first(page: Page, tmp_path: Path) -> None:
    await expect(page.locator("h2")).to_have_text("The first campaign begins with six steps")
    await expect(page.locator(".first-steps .btn-primary")).to_have_attribute(
        "href", "/console/platforms"
    )
    await page.screenshot(path=tmp_path / "empty.png", full_page=True)


async def test_a_wrong_key_is_refused_with_a_word_on_what_to_do(
    browser: Browser, served: Served, tmp_path: Path
) -> None:
    page = await browser.new_page(base_url=served.address, locale="en-GB")
    await sign_in(page, "tw_wrong")
    await expect(page.get_by_role("alert")).to_contain_text("unknown or was revoked")
    await expect(page.locator("#api_key")).to_be_empty()
    await page.screenshot(path=tmp_path / "login.png")


@pytest.mark.usefixtures("campaign_id")
async def test_the_board_shows_the_numbers_and_draws_the_funnel(page: Page, tmp_path: Path) -> None:
    await page.locator("a.campaign-name").click()
    await expect(page.locator(".lead-figure")).to_contain_text("120,653 of 183,114")
    await expect(page.locator(".account-right")).to_contain_text("Every recipient is accounted for")
    await expect(page.locator(".replies")).to_contain_text("*******5678")
    await expect(page.locator(".replies")).not_to_contain_text("15487654321")
    await drawn(page)
    await page.screenshot(path=tmp_path / "light.png", full_page=True)
    await page.emulate_media(color_scheme="dark")
    await expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    await page.screenshot(path=tmp_path / "dark.png", full_page=True)


async def test_the_board_follows_the_ledger_without_losing_the_chart(
    page: Page, ledger: Ledger, campaign_id: int
) -> None:
    await page.goto(BOARD)
    canvas = await page.locator("#funnel canvas").element_handle()
    assert canvas is not None
    async with ledger.transaction() as connection:
        await connection.execute(
            "UPDATE campaign_tally SET submitted = 183114, delivered = 178987"
            " WHERE campaign_id = %s",
            [campaign_id],
        )
    await expect(page.locator(".lead-figure")).to_contain_text("183,114 of 183,114")
    await expect(page.locator(".funnel-steps")).to_contain_text("178,987")
    assert await canvas.evaluate("canvas => canvas.isConnected")


@pytest.mark.usefixtures("campaign_id")
async def test_pause_resume_and_a_confirmed_cancel_change_the_campaign(
    page: Page, tmp_path: Path
) -> None:
    await page.goto(BOARD)
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator("h1 .state")).to_have_text("Paused")
    await page.get_by_role("button", name="Resume").click()
    await expect(page.locator("h1 .state")).to_have_text("Sending")
    await page.get_by_role("link", name="Cancel …").click()
    await expect(page.locator("h1")).to_contain_text("Cancel “Double Eleven")
    await page.screenshot(path=tmp_path / "cancel.png")
    await page.get_by_role("button", name="Cancel the campaign").click()
    await expect(page.locator("h1 .state")).to_have_text("Cancelled")


@pytest.mark.usefixtures("campaign_id")
async def test_the_console_speaks_chinese(page: Page, tmp_path: Path) -> None:
    await page.goto(BOARD)
    await page.get_by_role("link", name="简体中文").click()
    await expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(page.locator(".account-verdict")).to_have_text("每一位收件人都有去向。")
    await expect(page).to_have_url(re.compile(re.escape(BOARD)))
    await drawn(page)
    await page.screenshot(path=tmp_path / "chinese.png", full_page=True)


@pytest.mark.usefixtures("campaign_id")
async def test_an_open_board_leads_to_the_sign_in_when_its_session_has_ended(
    browser: Browser, served: Served
) -> None:
    page = await browser.new_page(base_url=served.address)
    await sign_in(page, served.api_key)
    await page.goto(BOARD)
    await page.context.clear_cookies()
    await page.wait_for_url(re.compile("/console/login"))


@pytest.mark.usefixtures("campaign_id")
async def test_everything_fits_on_a_phone(page: Page, tmp_path: Path) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    await page.goto("/console/campaigns")
    assert await fits(page)
    await page.screenshot(path=tmp_path / "phone-list.png", full_page=True)
    await page.goto(BOARD)
    assert await fits(page)
    await drawn(page)
    await page.screenshot(path=tmp_path / "phone.png", full_page=True)
