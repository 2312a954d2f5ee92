"""The most memory that one worker process holds while it plans and sends a notification campaign.

The worker is a process of its own, so that nothing of the preparation counts. The baseline is a
campaign of 100,000 in another such process: the ratio says how flat memory is.
"""

import asyncio
import multiprocessing
import os
import resource
import shutil
from dataclasses import replace
from pathlib import Path

import uvloop

from tests.bench.dispatch import sink
from tests.bench.measurement import Measurement, Place
from tests.bench.theatre import VARIABLES, big_stage, work_until_completed
from textwave.settings import Settings
from textwave.storage.embedded import DatabaseUrls, embedded_postgres
from textwave.storage.ledger import open_ledger, value
from textwave.storage.migrate import migrate
from textwave.wiring import open_runtime
from textwave.worker.process import job_app

DEFAULT_ROWS = 1_000_000
FEW_ROWS = 100_000
WAREHOUSE_MEGABYTES = 200


def measure(place: Place, rows: int | None) -> Measurement:
    """Measure the peak in megabytes at so many messages; less is better."""
    count = rows or DEFAULT_ROWS
    few = _peak(_second_place(place), FEW_ROWS)
    many = _peak(place, count)
    detail = {"warehouse_megabytes": float(WAREHOUSE_MEGABYTES)}
    return Measurement("memory", many, "MB", few, round(many / few, 3), count, detail)


def _second_place(place: Place) -> Place:
    folder = place.folder.parent / "few"
    folder.mkdir()
    cluster = embedded_postgres(folder)
    urls = cluster.start()
    migrate(urls.owner)
    return replace(place, urls=urls, folder=folder)


def _peak(place: Place, count: int) -> int:
    with sink() as url:
        asyncio.run(_prepare(place, url, count))
        context = multiprocessing.get_context("spawn")
        told = context.Queue()
        worker = context.Process(target=_work, args=(place.folder, place.urls, told))
        worker.start()
        worker.join()
    submitted = asyncio.run(_submitted(place))
    if submitted != count:
        raise AssertionError(f"{submitted} of {count} were submitted")
    if place.folder.name == "few":
        cluster = embedded_postgres(place.folder)
        cluster.stop()
        shutil.rmtree(cluster.cluster, ignore_errors=True)
    peak: int = told.get(timeout=10)
    return peak


async def _prepare(place: Place, url: str, count: int) -> None:
    async with big_stage(place, count, platform_url=url, message_type="notification") as stage:
        await stage.campaign(message_type="notification", variables=VARIABLES)
        await stage.start()
        stage.warehouse.close()


async def _submitted(place: Place) -> int:
    async with open_ledger(place.urls.owner) as ledger, ledger.transaction() as connection:
        submitted: int = await value(connection, "SELECT submitted FROM campaign_tally")
    return submitted


def _work(folder: Path, urls: DatabaseUrls, told: "multiprocessing.Queue[int]") -> None:
    os.environ["TEXTWAVE_WAREHOUSE_MEMORY_MEGABYTES"] = str(WAREHOUSE_MEGABYTES)
    uvloop.run(_run(folder, urls))
    told.put(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


async def _run(folder: Path, urls: DatabaseUrls) -> None:
    settings = Settings(data=folder)
    async with open_runtime(settings, urls, role="owner", connections=16) as runtime:
        app = job_app(runtime, urls)
        async with app.open_async():
            await work_until_completed(app, runtime.ledger, settings.serving_concurrency)
