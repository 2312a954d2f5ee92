"""What runs by the clock: asking for reviews, pulling, safety nets, and putting away old rows.

Every worker offers these; Procrastinate lets one of them run each. None piles up: a queueing lock
keeps at most one waiting.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from procrastinate import App
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Status

from textwave.audiences.history_operations import forget_members, forget_unfinished
from textwave.audiences.refresh_operations import defer_due
from textwave.callbacks.operations import forget_nonces
from textwave.content import review_operations as reviews
from textwave.digital.review_operations import ask_carriers
from textwave.dispatch.cancelling_operations import settle_unsettled
from textwave.dispatch.serving_operations import serve_unserved
from textwave.downloads.operations import forget_downloads
from textwave.feeds.operations import run_due
from textwave.insights.outcome_operations import defer_exports
from textwave.insights.retention_operations import retain
from textwave.limits.allowlist_operations import defer_stale
from textwave.models.refresh_operations import defer_due_models
from textwave.responses import operations as responses
from textwave.responses.jobs import MERGE_CLICKS, MERGE_RECEIPTS, MERGE_REPLIES, MERGE_REVIEWS
from textwave.responses.pull_operations import pull_all
from textwave.singles.gathering_operations import (
    forget_messages,
    gather_forgotten,
    send_forgotten,
)
from textwave.storage.partitions import ensure_partitions
from textwave.storage.queue import defer
from textwave.storage.touch_weeks import drop_touch_weeks, ensure_touch_weeks
from textwave.storage.upkeep import tidy_lake
from textwave.wiring import Runtime
from textwave.worker.decisions import start_waiting_campaigns
from textwave.worker.doubt_tasks import (
    ask_for_doubts,
    end_overdue,
    settle_doubts,
    watch_campaigns,
)
from textwave.worker.retention_tasks import forget_old_rows, retaining
from textwave.worker.schedule_tasks import begin_what_is_due
from textwave.worker.winner_tasks import look_after_variants

QUEUE: Final = "housekeeping"
EVERY_TWO_SECONDS: Final = "* * * * * */2"
EVERY_FIVE_SECONDS: Final = "* * * * * */5"
EVERY_TEN_SECONDS: Final = "* * * * * */10"
EVERY_MINUTE: Final = "* * * * *"
EVERY_HOUR: Final = "7 * * * *"
EVERY_DAY: Final = "37 3 * * *"
_LONGER_THAN_A_MONTH: Final = timedelta(days=31)
_FAILED_JOBS_KEPT_HOURS: Final = 24 * 14
log = structlog.get_logger(__name__)
Chore = Callable[[], Awaitable[Any]]


def add_housekeeping(app: App, runtime: Runtime) -> None:
    """Register every periodic job."""
    chores: list[tuple[str, str, Chore]] = [
        ("ask_reviews", EVERY_TWO_SECONDS, lambda: _ask_reviews(runtime)),
        ("ask_carriers", EVERY_TWO_SECONDS, lambda: _ask_carriers(runtime)),
        (
            "pull_responses",
            EVERY_FIVE_SECONDS,
            lambda: pull_all(runtime.ledger, runtime.open_platform),
        ),
        ("export_outcomes", EVERY_TEN_SECONDS, lambda: defer_exports(runtime.ledger)),
        ("measure_opt_out_lags", EVERY_TEN_SECONDS, lambda: _measure_lags(runtime)),
        ("rescue_jobs", EVERY_TWO_SECONDS, lambda: rescue(app, runtime)),
        ("begin_due", EVERY_FIVE_SECONDS, lambda: begin_what_is_due(runtime)),
        ("serve_unserved", EVERY_TEN_SECONDS, lambda: serve_unserved(runtime.ledger)),
        ("gather_singles", EVERY_TWO_SECONDS, lambda: gather_forgotten(runtime.ledger)),
        ("send_singles", EVERY_TEN_SECONDS, lambda: send_forgotten(runtime.ledger)),
        (
            "forget_singles",
            EVERY_DAY,
            lambda: forget_messages(runtime.ledger, now=runtime.clock.now()),
        ),
        ("sweep", EVERY_MINUTE, lambda: _sweep(runtime)),
        ("run_feeds", EVERY_MINUTE, lambda: run_due(runtime.ledger, now=runtime.clock.now())),
        ("refresh_due", EVERY_MINUTE, lambda: _refresh_due(runtime)),
        ("watch_campaigns", EVERY_TEN_SECONDS, lambda: watch_campaigns(runtime)),
        ("settle_doubts", EVERY_MINUTE, lambda: settle_doubts(runtime)),
        ("ask_for_doubts", EVERY_MINUTE, lambda: ask_for_doubts(runtime)),
        ("look_after_variants", EVERY_MINUTE, lambda: look_after_variants(runtime)),
        ("end_overdue", EVERY_HOUR, lambda: end_overdue(runtime)),
        ("forget_members", EVERY_HOUR, lambda: forget_members(runtime.ledger, runtime.warehouse)),
        ("forget_downloads", EVERY_HOUR, lambda: _forget_downloads(runtime)),
        ("forget_unfinished", EVERY_DAY, lambda: _forget_unfinished(runtime)),
        ("tidy_lake", EVERY_DAY, lambda: tidy_lake(runtime.warehouse)),
        ("put_away", EVERY_HOUR, lambda: _put_away(app, runtime)),
        ("forget_old_rows", EVERY_DAY, lambda: forget_old_rows(runtime)),
        ("retain", EVERY_DAY, lambda: retain(retaining(runtime), now=runtime.clock.now())),
    ]
    for name, cron, chore in chores:
        _add(app, f"{QUEUE}.{name}", cron, chore)


def _add(app: App, name: str, cron: str, chore: Chore) -> None:
    async def run(timestamp: int) -> None:
        _ = timestamp  # when it was due; chores look at the clock themselves
        await chore()

    task = app.task(name=name, queue=QUEUE, queueing_lock=name, lock=name, priority=20)(run)
    app.periodic(cron=cron)(task)


async def _ask_reviews(runtime: Runtime) -> None:
    await reviews.ask_reviews(
        runtime.ledger,
        runtime.open_platform,
        now=runtime.clock.now(),
        on_decided=start_waiting_campaigns,
    )


async def _ask_carriers(runtime: Runtime) -> None:
    await ask_carriers(
        runtime.ledger,
        runtime.open_platform,
        now=runtime.clock.now(),
        on_decided=start_waiting_campaigns,
    )


async def rescue(app: App, runtime: Runtime) -> None:
    """Give the jobs of dead workers to living ones."""
    silence = runtime.settings.stalled_seconds
    for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=silence):
        log.warning("job rescued", job=job.id, task=job.task_name)
        try:
            await app.job_manager.retry_job(job)
        except UniqueViolation:  # another of its kind waits: this one is not needed any more
            await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)
        except ConnectorException:  # it has just ended, or another rescued it; else soon again
            log.warning("job not rescued", job=job.id, task=job.task_name)


async def _sweep(runtime: Runtime) -> None:
    """Defer whatever should be under way and is not: a safety net under the transactions."""
    await settle_unsettled(runtime.ledger, now=runtime.clock.now())
    async with runtime.ledger.transaction() as connection:
        await defer(connection, MERGE_RECEIPTS, MERGE_REPLIES, MERGE_REVIEWS, MERGE_CLICKS)


async def _refresh_due(runtime: Runtime) -> None:
    await defer_due_models(runtime.ledger, now=runtime.clock.now())
    await defer_due(runtime.ledger, now=runtime.clock.now())
    await defer_stale(runtime.ledger)


async def _measure_lags(runtime: Runtime) -> None:
    await responses.measure_opt_out_lags(runtime.ledger, now=runtime.clock.now())


async def _forget_unfinished(runtime: Runtime) -> None:
    await forget_unfinished(runtime.ledger, runtime.warehouse, now=runtime.clock.now())


async def _forget_downloads(runtime: Runtime) -> None:
    folder = runtime.settings.shared_folder / "downloads"
    await forget_downloads(folder, now=runtime.clock.now())


async def _put_away(app: App, runtime: Runtime) -> None:
    now = runtime.clock.now()
    await responses.expire_receipts(
        runtime.ledger, now=now, no_receipt_hours=runtime.settings.no_receipt_hours
    )
    await responses.forget_payloads(runtime.ledger, now=now)
    await forget_nonces(runtime.ledger, now=now)
    await _make_partitions(runtime, now)
    await app.job_manager.delete_old_jobs(nb_hours=_FAILED_JOBS_KEPT_HOURS, include_failed=True)


async def _make_partitions(runtime: Runtime, now: datetime) -> None:
    """Make those of this month and the next, long before a plan needs them."""
    today = now.astimezone(UTC).date()
    for day in (today, today.replace(day=1) + _LONGER_THAN_A_MONTH):
        async with runtime.ledger.transaction() as connection:
            await ensure_partitions(connection, day)
    async with runtime.ledger.transaction() as connection:
        await ensure_touch_weeks(connection, today)
        await drop_touch_weeks(connection, now=now)
