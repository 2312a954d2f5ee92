"""Outcomes reach the warehouse through a worker's job."""

from pathlib import Path

from tests.insights.finished import Finished
from tests.stage import Stage
from textwave.insights.outcome_operations import defer_exports
from textwave.settings import Settings
from textwave.storage.embedded import DatabaseUrls
from textwave.wiring import open_runtime
from textwave.worker.process import job_app


async def test_a_worker_brings_outcomes_into_the_lake(
    stage: Stage, urls: DatabaseUrls, tmp_path: Path
) -> None:
    finished = Finished(stage)
    await finished.plan()
    await defer_exports(stage.ledger)
    settings = Settings(data=tmp_path)
    async with open_runtime(settings, urls, role="owner", connections=4) as runtime:
        app = job_app(runtime, urls)
        async with app.open_async():
            await app.run_worker_async(
                queues=["insights"],
                wait=False,
                install_signal_handlers=False,
                listen_notify=False,
            )
    dropped = await stage.warehouse.run(
        finished.workspace_id, lambda lake: lake.table("message_event").count().to_pyarrow().as_py()
    )
    assert dropped == sum((await finished.report()).drops.values())
