"""What a marketer does with tables and models, in a real browser with a worker behind it."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from .test_browser import fits
from .test_model_pages import CUSTOMERS, ORDERS
from .test_table_pages import CUSTOMERS as NUMBERED

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("worker")]
_PLACES = ("tables", "tables/customers", "imports/new", "models", "models/new/aipl", "feeds")


async def import_file(page: Page, table: str, content: str, kind: str) -> None:
    """Import a file by the form and wait for what came of it."""
    await page.goto("/console/imports/new")
    await page.locator("#file").set_input_files(
        {"name": f"{table}.csv", "mimeType": "text/csv", "buffer": content.encode()}
    )
    await page.locator("#table").fill(table)
    await page.locator("#kind").select_option(kind)
    await page.get_by_role("button", name="Import").click()
    await expect(page.locator("#imported-title")).to_be_visible(timeout=30_000)


async def test_a_file_is_imported_by_the_form_and_its_table_looked_at(
    page: Page, tmp_path: Path
) -> None:
    await import_file(page, "customers", NUMBERED, "customers")
    await expect(page.locator("#outcome")).to_contain_text("guessed")
    await page.screenshot(path=tmp_path / "imported.png", full_page=True)
    await page.get_by_role("link", name="Open the table").click()
    await expect(page.locator("h1")).to_have_text("customers")
    await expect(page.locator("main")).not_to_contain_text("15412345678")
    await page.screenshot(path=tmp_path / "table.png", full_page=True)
    await page.locator('a[href*="/rejected/"]').click()
    await expect(page.locator("main")).to_contain_text("the key is empty", timeout=30_000)
    await page.screenshot(path=tmp_path / "rejected.png", full_page=True)


async def test_changed_columns_are_taken_by_a_button_without_choosing_the_file_again(
    page: Page, tmp_path: Path
) -> None:
    await import_file(page, "customers", NUMBERED, "customers")
    await page.locator("#file").set_input_files(
        {"name": "new.csv", "mimeType": "text/csv", "buffer": b"id,town\na,Xian\n"}
    )
    await page.get_by_role("button", name="Import").click()
    await expect(page.locator("#differences-title")).to_be_visible(timeout=30_000)
    await page.screenshot(path=tmp_path / "differences.png", full_page=True)
    await page.get_by_role("button", name="Take the new columns").click()
    await expect(page.locator("#imported-title")).to_be_visible(timeout=30_000)


async def test_an_audience_is_made_of_a_type_of_an_rfm_model(page: Page, tmp_path: Path) -> None:
    await import_file(page, "customers", CUSTOMERS, "customers")
    await import_file(page, "orders", ORDERS, "orders")
    await page.goto("/console/models/new/rfm")
    await page.locator("#name").fill("Worth 价值")
    await page.locator("#quantiles").fill("2")
    await page.screenshot(path=tmp_path / "new-rfm.png", full_page=True)
    await page.get_by_role("button", name="Make and refresh").click()
    await expect(page.locator("#types[data-drawn] canvas")).to_be_visible(timeout=30_000)
    await page.get_by_role("button", name="Orders", exact=True).click()
    await page.screenshot(path=tmp_path / "rfm.png", full_page=True)
    await page.get_by_role("link", name="Make an audience of High-value").click()
    await page.locator("#name").fill("Best buyers")
    await page.get_by_role("button", name="Make the audience").click()
    await expect(page).to_have_url(re.compile("/console/audiences/Best%20buyers"))
    await expect(page.locator("h1")).to_contain_text("Best buyers")


async def test_pages_of_tables_and_models_fit_on_a_phone(page: Page, tmp_path: Path) -> None:
    await import_file(page, "customers", NUMBERED, "customers")
    await page.set_viewport_size({"width": 360, "height": 740})
    for place in (
        "tables",
        "tables/customers",
        "imports/new",
        "models",
        "models/new/aipl",
        "feeds",
    ):
        await page.goto(f"/console/{place}")
        assert await fits(page), place
        await page.screenshot(path=tmp_path / f"{place.replace('/', '-')}.png", full_page=True)
