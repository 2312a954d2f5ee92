"""What a marketer does with audiences, in a real browser: build, look, save, refresh."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Ledger

from .audience_shop import Jobs, import_shop

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("shop", "worker")]


@pytest.fixture
async def shop(ledger: Ledger, workspace_id: WorkspaceId, tmp_path: Path, do_jobs: Jobs) -> None:
    await import_shop(ledger, workspace_id, tmp_path, do_jobs)


async def build(page: Page) -> None:
    """Open the builder and say: in Shanghai, and spent at least 300."""
    await page.goto("/console/audiences/-/new")
    await page.get_by_role("button", name="+ Attribute").click()
    await page.locator(".rule-attribute").get_by_role("button", name="Shanghai").click()
    await page.get_by_role("button", name="+ Orders").click()
    orders = page.locator(".rule-orders")
    await orders.get_by_label("What is measured").select_option("sum")
    await orders.get_by_label("Value").fill("300")


async def test_a_rule_is_built_by_clicks_counted_saved_and_refreshed(
    page: Page, tmp_path: Path
) -> None:
    page.set_default_timeout(20_000)
    await build(page)
    await expect(page.locator("#live-figure")).to_have_text("1", timeout=20_000)
    await expect(page.locator("#live-detail")).to_contain_text("of 12 customers")
    await expect(page.locator("#live-sentence")).to_contain_text("“city” is one of “Shanghai”")
    await page.screenshot(path=tmp_path / "builder.png", full_page=True)
    await page.get_by_label("Name").fill("Shanghai, spending")
    await page.get_by_role("button", name="Save the audience").click()
    await expect(page.locator("h1")).to_contain_text("Shanghai, spending")
    await page.get_by_role("button", name="Refresh now").click()
    await expect(page.locator(".lead-figure strong")).to_have_text("1", timeout=20_000)


async def test_a_refusal_stands_at_its_card_and_goes_when_mended(page: Page) -> None:
    await page.goto("/console/audiences/-/new")
    await page.get_by_text("As JSON", exact=True).click()
    wrong = '{"kind":"attribute","column":"level","operator":"between","value":[5,1]}'
    right = '{"kind":"attribute","column":"city","operator":"is","value":"Beijing"}'
    await page.locator("#rule-json").fill(f'{{"kind":"any","of":[{right},{wrong}]}}')
    await page.get_by_role("button", name="Take this JSON").click()
    cards = page.locator(".rule-card")
    await expect(cards.nth(1).locator(".card-problem")).to_contain_text("the lower one first")
    await expect(cards.nth(0).locator(".card-problem")).to_be_hidden()
    await cards.nth(1).get_by_role("button", name="Remove", exact=True).click()
    await expect(page.locator("#live-figure")).to_have_text("4", timeout=20_000)


async def test_the_builder_works_by_keyboard_and_takes_pasted_values(page: Page) -> None:
    await page.goto("/console/audiences/-/new")
    await page.get_by_role("button", name="+ Attribute").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Column")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    paste = (
        "field => { const given = new DataTransfer();"
        " given.setData('text', 'Shanghai\\nBeijing\\r\\n\\nBeijing\\n');"
        " field.dispatchEvent(new ClipboardEvent('paste',"
        " { clipboardData: given, cancelable: true })); }"
    )
    await page.locator(".chips-input").evaluate(paste)
    await expect(page.locator(".chip")).to_contain_text(["Shanghai", "Beijing"])
    await page.locator(".chips-input").focus()
    await page.keyboard.type("Hangzhou")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Backspace")
    await expect(page.locator("#live-figure")).to_have_text("8", timeout=20_000)


async def test_the_builder_fits_on_a_phone_and_speaks_chinese(page: Page, tmp_path: Path) -> None:
    await page.set_viewport_size({"width": 400, "height": 800})
    await build(page)
    script = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert await page.evaluate(script)
    await page.goto("/console/language?to=zh_CN&next=/console/audiences/-/new")
    await page.get_by_role("button", name="+ 订单").click()
    await expect(page.locator(".rule-orders")).to_contain_text("至少一次")
    await page.screenshot(path=tmp_path / "chinese.png", full_page=True)
