"""What a marketer does with a campaign, in a real browser over a worker and a sandbox."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer
from playwright.async_api import Page, expect

from tests.dispatch.show import CALM
from tests.stage import Stage, people
from textwave.platforms.sandbox.application import build_application
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.templates import Template
from textwave.platforms.sandbox.world import Sandbox
from textwave.settings import Settings
from textwave.storage.embedded import DatabaseUrls
from textwave.wiring import open_runtime
from textwave.worker.process import job_app

from .test_browser import fits

pytestmark = pytest.mark.browser
RULE_OF_ALL = """UPDATE audience SET rule = '{"kind": "all", "of": []}'"""


@pytest.fixture
async def sandbox(stage: Stage) -> AsyncIterator[Sandbox]:
    """A stage for two hundred people whose platform is a sandbox."""
    settings = SandboxSettings(**CALM)
    made = Sandbox(settings)
    made.templates.put(Template("T1", "welcome", "text", 2, "a greeting", 0.0))
    async with TestServer(build_application(settings, made)) as server:
        stage.platform_url = str(server.make_url("")).rstrip("/")
        await stage.set(people(200), template_code="T1")
        await stage.template("short", "Back again, ${name}? 拒收请回复R")
        await stage.audience("staff", ["c0000001", "c0000002"])
        async with stage.ledger.transaction() as connection:
            await connection.execute(RULE_OF_ALL)
        yield made


@pytest.fixture
async def at_work(urls: DatabaseUrls, tmp_path: Path) -> AsyncIterator[None]:
    """A worker for every queue, over the stage's warehouse, as long as the test runs."""
    ended = asyncio.Event()
    settings = Settings(data=tmp_path, warehouse_path=f"{tmp_path}/lake/")
    async with open_runtime(settings, urls, role="owner", connections=6) as runtime:
        app = job_app(runtime, urls)

        async def work() -> None:
            while not ended.is_set():
                await app.run_worker_async(
                    wait=False,
                    concurrency=4,
                    install_signal_handlers=False,
                    listen_notify=False,
                )
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), 0.1)

        async with app.open_async():
            working = asyncio.create_task(work())
            yield
            ended.set()
            await working


async def write(page: Page, name: str) -> None:
    """Fill in the form as far as a campaign needs it."""
    await page.goto("/console/campaigns")
    await page.get_by_role("link", name="New campaign").click()
    await page.locator("#name").fill(name)
    await page.locator("#template").select_option("welcome")
    await expect(page.locator(".phone-preview")).to_contain_text("see you soon")
    await page.locator("#audience").select_option("everybody")
    await expect(page.locator("#column_name")).to_have_value("first_name")


@pytest.mark.usefixtures("at_work")
async def test_a_campaign_is_written_tried_tested_and_started(
    page: Page, sandbox: Sandbox, tmp_path: Path
) -> None:
    await write(page, "Spring 春")
    await page.locator("summary", has_text="Leave out other audiences").click()
    await page.get_by_label("staff").check()
    await page.screenshot(path=tmp_path / "form.png", full_page=True)
    await page.get_by_role("button", name="Save the draft").click()
    await expect(page.locator("h1 .state")).to_have_text("Draft")

    await page.get_by_role("button", name="Dry run").click()
    await expect(page.locator(".dry-run .counts")).to_contain_text("198", timeout=20_000)
    await expect(page.locator(".dry-run")).to_contain_text("Left out by an audience")
    await page.screenshot(path=tmp_path / "dry-run.png", full_page=True)

    await page.locator("#mobiles").fill("15499990001")
    await page.locator("#value_name").fill("Ming")
    await page.get_by_role("button", name="Send the test").click()
    await expect(page.locator("#test-sends")).to_contain_text("*******0001", timeout=20_000)
    await expect(page.locator("#test-sends")).to_contain_text("accepted", timeout=20_000)
    await page.screenshot(path=tmp_path / "tested.png", full_page=True)

    await page.get_by_role("link", name="Start …").click()
    await expect(page.locator(".counts")).to_contain_text("198")
    await expect(page.locator("main")).to_contain_text("8.91 CNY")
    await page.get_by_role("button", name="Start it").click()
    await expect(page.locator("h1 .state")).to_have_text("Completed", timeout=30_000)
    assert len(sandbox.book) == 199


@pytest.mark.usefixtures("sandbox")
async def test_a_campaign_is_scheduled_moved_and_deleted(page: Page, tmp_path: Path) -> None:
    await write(page, "Evening")
    await page.locator("#when").select_option("at")
    await page.locator("#at").fill("2027-05-01T19:30")
    await page.get_by_role("button", name="Save the draft").click()
    await page.get_by_role("link", name="Schedule …").click()
    await expect(page.locator("main")).to_contain_text("begins on 2027-05-01 19:30:00")
    await page.get_by_role("button", name="Schedule it").click()
    await expect(page.locator("h1 .state")).to_have_text("Scheduled")
    await page.screenshot(path=tmp_path / "scheduled.png", full_page=True)
    await page.get_by_role("link", name="Edit").click()
    await page.locator("#at").fill("2027-05-02T20:00")
    await page.get_by_role("button", name="Save").click()
    await page.goto("/console/campaigns?state=scheduled")
    await expect(page.locator(".campaigns")).to_contain_text("begins 2027-05-02 20:00:00")
    await page.get_by_role("link", name="Evening").click()
    await page.get_by_role("link", name="Delete …").click()
    await page.get_by_role("button", name="Delete it").click()
    await expect(page).to_have_url(re.compile("/console/campaigns$"))
    await expect(page.locator("main")).not_to_contain_text("Evening")


@pytest.mark.usefixtures("sandbox")
async def test_variants_take_the_chosen_template_and_what_is_chosen_meanwhile_stays(
    page: Page, tmp_path: Path
) -> None:
    await write(page, "Two texts")
    await page.locator("#texts").select_option("several")
    await expect(page.locator("#variant_template_0")).to_have_value("welcome")
    await page.locator("#variant_template_1").select_option("short")
    await page.locator("#winner").select_option("hand")
    await page.screenshot(path=tmp_path / "variants.png", full_page=True)
    await page.get_by_role("button", name="Save the draft").click()
    await expect(page.locator(".says")).to_contain_text("tried on 20%")


@pytest.mark.usefixtures("sandbox")
async def test_the_form_and_the_draft_fit_on_a_phone(page: Page, tmp_path: Path) -> None:
    await page.set_viewport_size({"width": 400, "height": 800})
    await write(page, "Small")
    for fold in await page.locator("details.folded summary").all():
        await fold.click()
    assert await fits(page)
    await page.screenshot(path=tmp_path / "phone-form.png", full_page=True)
    await page.get_by_role("button", name="Save the draft").click()
    await expect(page.locator("h1 .state")).to_have_text("Draft")
    assert await fits(page)
    await page.emulate_media(color_scheme="dark")
    await page.screenshot(path=tmp_path / "phone-draft.png", full_page=True)
    await page.get_by_role("link", name="Let it recur …").click()
    assert await fits(page)
    await page.screenshot(path=tmp_path / "phone-recur.png", full_page=True)
