"""What a marketer does with limits, opt-outs and doubts, in a real browser with a worker."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from textwave.storage.ledger import Ledger, execute

from .test_browser import fits
from .test_doubt_pages import campaign_id as campaign_id  # noqa: PLC0414 - a fixture
from .test_number_pages import shop as shop  # noqa: PLC0414 - a fixture

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("worker")]
NUMBER = "15412345678"


@pytest.mark.usefixtures("shop")
async def test_a_marketer_spares_people_by_a_rule_and_by_quiet_hours(
    page: Page, ledger: Ledger, tmp_path: Path
) -> None:
    async with ledger.transaction() as connection:
        await execute(connection, """UPDATE audience SET rule = '{"kind": "all", "of": []}'""", {})
    await page.get_by_role("link", name="Limits").click()
    await page.get_by_role("link", name="Add a rule").click()
    await page.get_by_label("Name").fill("Everything")
    await page.get_by_label("in 24 hours").fill("1")
    await expect(page.get_by_text("Signatures", exact=True)).to_be_hidden()
    await page.get_by_role("button", name="Save the rule").click()
    await expect(page.locator("main")).to_contain_text("1 in 24 hours")
    await page.get_by_role("button", name="Set the quiet hours").click()
    await expect(page.locator("#quiet")).to_contain_text("from 21:00 to 09:00 each day")
    await page.get_by_label("Audience").fill("everybody")
    await page.get_by_role("button", name="Put on the allowlist").click()
    await page.screenshot(path=tmp_path / "limits.png", full_page=True)
    await page.get_by_role("link", name="Delete Everything").click()
    await page.screenshot(path=tmp_path / "delete.png")
    await page.get_by_role("button", name="Delete").click()
    await expect(page.locator("main")).to_contain_text("No rule yet")


@pytest.mark.usefixtures("shop")
async def test_a_marketer_imports_opt_outs_and_looks_up_one_of_them(
    page: Page, tmp_path: Path
) -> None:
    await page.goto("/console/opt-outs/-/import")
    file = f"mobile,note\n{NUMBER},called\nnonsense,x\n"
    await page.locator("#file").set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": file.encode()}
    )
    await expect(page.locator("#reason")).to_be_hidden()
    await page.get_by_role("button", name="Import").click()
    await expect(page.locator("#imported-title")).to_be_visible(timeout=30_000)
    await page.screenshot(path=tmp_path / "imported.png", full_page=True)
    await page.goto("/console/numbers")
    await page.get_by_label("Mobile number").fill(NUMBER)
    await page.get_by_role("button", name="Look it up").click()
    await expect(page.locator("main")).to_contain_text("would not be sent at this moment")
    await expect(page).to_have_url(f"{page.url.split('/console')[0]}/console/numbers")
    await page.screenshot(path=tmp_path / "why.png", full_page=True)


@pytest.mark.usefixtures("campaign_id")
async def test_a_marketer_settles_a_doubt(page: Page, tmp_path: Path) -> None:
    await page.reload()
    await page.get_by_role("link", name="In doubt").click()
    await page.screenshot(path=tmp_path / "doubts.png", full_page=True)
    await page.get_by_role("link", name="Settle", exact=False).nth(1).click()
    await page.get_by_label("It was not sent").check()
    await page.screenshot(path=tmp_path / "settle.png", full_page=True)
    await page.get_by_role("button", name="Settle").click()
    await expect(page.locator("main")).to_contain_text("Noted.")


@pytest.mark.usefixtures("campaign_id")
async def test_pages_of_limits_fit_on_a_phone(page: Page, ledger: Ledger, tmp_path: Path) -> None:
    async with ledger.transaction() as connection:
        await execute(connection, """UPDATE audience SET rule = '{"kind": "all", "of": []}'""", {})
    await page.set_viewport_size({"width": 400, "height": 740})
    places = (
        "limits", "limits/new-rule", "opt-outs/signatures", "opt-outs/denied",
        "opt-outs/-/import", "opt-outs/-/export", "numbers", "in-doubt",
        "in-doubt/campaigns/Spring", "recurrences",
    )  # fmt: skip
    for place in places:
        await page.goto(f"/console/{place}")
        assert await fits(page), place
        await page.screenshot(path=tmp_path / f"{place.replace('/', '-')}.png", full_page=True)
