"""One worker process: its runtime, its connection to the job engine, and its end.

It stops after its running jobs when it is asked to; killed, its jobs are given to another worker
as soon as its heartbeat has been silent for `stalled_seconds`.
"""

from procrastinate import App, PsycopgConnector

from textwave.kit.ids import WorkspaceId
from textwave.settings import Settings
from textwave.storage.embedded import DatabaseUrls
from textwave.storage.ledger import execute
from textwave.wiring import Runtime, open_runtime
from textwave.worker.housekeeping import add_housekeeping, rescue
from textwave.worker.tasks import add_tasks

_GRACE_SECONDS = 20.0
_LAKE_LOCK = 7_201_002


def job_app(runtime: Runtime, urls: DatabaseUrls) -> App:
    """Return the job engine with every task of the product."""
    connector = PsycopgConnector(conninfo=urls.owner, min_size=1, max_size=6)
    app = App(connector=connector)
    add_tasks(app, runtime)
    add_housekeeping(app, runtime)
    return app


async def run_worker(settings: Settings, urls: DatabaseUrls) -> None:
    """Run jobs until the process is asked to stop."""
    connections = settings.worker_concurrency + 4
    async with open_runtime(settings, urls, role="owner", connections=connections) as runtime:
        await _make_lake(runtime)
        app = job_app(runtime, urls)
        async with app.open_async():
            await rescue(app, runtime)  # at once: what a killed worker left may be ours
            await app.run_worker_async(
                concurrency=settings.worker_concurrency,
                fetch_job_polling_interval=1.0,
                update_heartbeat_interval=settings.heartbeat_seconds,
                stalled_worker_timeout=settings.stalled_seconds,
                shutdown_graceful_timeout=_GRACE_SECONDS,
                delete_jobs="successful",
            )


async def _make_lake(runtime: Runtime) -> None:
    """Open the lake once, one process at a time: its very first opening makes its catalog."""
    async with runtime.ledger.transaction() as connection:
        await execute(connection, "SELECT pg_advisory_xact_lock(%s)", [_LAKE_LOCK])
        await runtime.warehouse.run(WorkspaceId(1), lambda lake: lake.version())
