"""Jobs of dead workers are given to living ones."""

from dataclasses import dataclass
from pathlib import Path

from textwave.settings import Settings
from textwave.storage.embedded import DatabaseUrls
from textwave.storage.ledger import Ledger, execute, many
from textwave.wiring import open_runtime
from textwave.worker.housekeeping import rescue
from textwave.worker.process import job_app


@dataclass(frozen=True)
class Row:
    task_name: str
    status: str


async def test_one_job_that_cannot_be_rescued_does_not_hold_up_the_others(
    ledger: Ledger, urls: DatabaseUrls, tmp_path: Path
) -> None:
    async with ledger.transaction() as connection:
        await execute(
            connection,
            """INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, lock, args,
                   status)
               VALUES ('housekeeping', 'sweep', 'sweep', 'sweep', '{}', 'doing'),
                      ('housekeeping', 'sweep', 'sweep', NULL, '{}', 'todo'),
                      ('dispatch', 'dispatch.serve', 'serve-1', NULL, '{}', 'doing')""",
        )
    settings = Settings(data=tmp_path)
    async with open_runtime(settings, urls, role="owner", connections=2) as runtime:
        app = job_app(runtime, urls)
        async with app.open_async():
            await rescue(app, runtime)
    async with ledger.transaction() as connection:
        rows = await many(
            connection,
            Row,
            "SELECT task_name, status::text FROM procrastinate_jobs ORDER BY task_name",
        )
    assert rows == [Row("dispatch.serve", "todo"), Row("sweep", "todo")]
