"""Every job by its name: a thin call of an operation with the pieces that it needs.

Product code defers jobs by these names in its own transactions (`textwave.storage.queue`). A job
may run again at any point: each operation says why that is harmless.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, Final

from procrastinate import App, JobContext, RetryStrategy

from textwave.audiences import comparison_operations as comparisons
from textwave.audiences import operations as audiences
from textwave.audiences import refresh_operations as refreshes
from textwave.campaigns import planning
from textwave.campaigns.ending_operations import plan_within_limit
from textwave.campaigns.operations import (
    CANCEL_TASK,
    DRY_RUN_TASK,
    RESUME_TASK,
)
from textwave.campaigns.serving_store import SERVE_TASK
from textwave.campaigns.start_operations import PLAN_TASK
from textwave.content import review_operations as reviews
from textwave.content.operations import SUBMIT_TASK, WITHDRAW_TASK
from textwave.content.token_keys import token_keys
from textwave.customers import operations as customers
from textwave.customers import table_operations as tables
from textwave.digital.review_operations import handing_over
from textwave.dispatch.cancelling_operations import settle_campaign
from textwave.dispatch.operations import Sender
from textwave.dispatch.serving_operations import serve
from textwave.insights.outcome_operations import EXPORT_TASK, export_outcomes
from textwave.kit.carriers import PUBLIC_RANGES
from textwave.kit.ids import OperationId, PlatformId, WorkspaceId
from textwave.responses import operations as responses
from textwave.responses.jobs import (
    MERGE_CLICKS,
    MERGE_RECEIPTS,
    MERGE_REPLIES,
    MERGE_REVIEWS,
)
from textwave.signatures import review_operations as signatures
from textwave.signatures.operations import HAND_OVER_TASK
from textwave.signatures.operations import WITHDRAW_TASK as WITHDRAW_SIGNATURE_TASK
from textwave.storage import progress
from textwave.wiring import Runtime
from textwave.worker.chain import after_import
from textwave.worker.decisions import apply_notices, start_waiting_campaigns
from textwave.worker.doubt_tasks import doubt_tasks, settle_doubts
from textwave.worker.feed_tasks import feed_tasks
from textwave.worker.limit_tasks import limit_tasks
from textwave.worker.list_tasks import list_tasks
from textwave.worker.model_tasks import model_tasks
from textwave.worker.preview_tasks import preview_tasks
from textwave.worker.repeat_tasks import repeat_tasks
from textwave.worker.retention_tasks import retention_tasks
from textwave.worker.schedule_tasks import run_tasks, schedule_tasks
from textwave.worker.single_tasks import single_tasks
from textwave.worker.winner_tasks import winner_tasks

Task = Callable[..., Awaitable[Any]]

# An error that is not a refusal (the database restarts, say): again, later and later.
AGAIN: Final = RetryStrategy(max_attempts=100, wait=1, linear_wait=2)


def add_tasks(app: App, runtime: Runtime) -> None:
    """Register every job of the product."""
    for name, task in (
        _tables(runtime)
        | _computing(runtime)
        | _audiences(runtime)
        | _content(runtime)
        | _sending(app, runtime)
        | model_tasks(runtime)
        | preview_tasks(runtime)
        | list_tasks(runtime)
        | repeat_tasks(runtime)
        | limit_tasks(runtime)
        | doubt_tasks(runtime)
        | retention_tasks(runtime)
        | feed_tasks(runtime)
        | schedule_tasks(runtime)
        | winner_tasks(runtime)
    ).items():
        app.task(name=name, retry=AGAIN)(task)
    # Without a retry of their own: whatever stores the next one, the clock and the periodic safety
    # net defer them again, and their queueing lock must stay free for that.
    for name, task in (
        _merging(runtime) | _refreshing(runtime) | run_tasks(runtime) | single_tasks(runtime)
    ).items():
        app.task(name=name, retry=False)(task)


def _tables(runtime: Runtime) -> dict[str, Task]:
    ledger, warehouse = runtime.ledger, runtime.warehouse

    async def measure_table(**job: Any) -> None:
        await tables.measure_table(ledger, warehouse, **job)

    async def find_values(**job: Any) -> None:
        await tables.run_finding_values(ledger, warehouse, **job)

    async def delete_table(**job: Any) -> None:
        await tables.run_deletion(ledger, warehouse, **job)

    return {
        customers.STATISTICS_TASK: measure_table,
        tables.VALUES_TASK: find_values,
        tables.DELETE_TASK: delete_table,
    }


def _computing(runtime: Runtime) -> dict[str, Task]:
    stores: dict[str, Any] = {"ledger": runtime.ledger, "warehouse": runtime.warehouse}
    timed = {**stores, "clock": runtime.clock}
    ranges = PUBLIC_RANGES.changed(runtime.settings.carrier_ranges)
    planned: dict[str, Any] = {"vault": runtime.vault, "ranges": ranges}

    async def run_import(**job: Any) -> None:
        await customers.run_import(**stores, vault=runtime.vault, **job)

    async def run_rejected_rows(*, workspace_id: WorkspaceId, operation_id: OperationId) -> None:
        async def work(asked: dict[str, Any]) -> dict[str, Any]:
            found = await runtime.warehouse.run(
                workspace_id, lambda lake: customers.read_rejected_rows(lake, **asked)
            )
            return {"rows": [asdict(row) for row in found]}

        await progress.perform(
            runtime.ledger, workspace_id=workspace_id, operation_id=operation_id, work=work
        )

    async def run_dry_run(**job: Any) -> None:
        await planning.run_dry_run(**timed, **planned, **job)

    async def run_plan(**job: Any) -> None:
        size, most = runtime.settings.batch_size, runtime.settings.plan_attempts

        async def plan() -> None:
            await planning.run_plan(**timed, **planned, batch_size=size, **job)

        await plan_within_limit(runtime.ledger, most=most, plan=plan, **job)

    return {
        customers.IMPORT_TASK: run_import,
        customers.REJECTED_ROWS_TASK: run_rejected_rows,
        DRY_RUN_TASK: run_dry_run,
        PLAN_TASK: run_plan,
    }


def _audiences(runtime: Runtime) -> dict[str, Task]:
    stores: dict[str, Any] = {"ledger": runtime.ledger, "warehouse": runtime.warehouse}
    timed = {**stores, "clock": runtime.clock}

    async def run_estimate(**job: Any) -> None:
        await audiences.run_estimate(**timed, **job)

    async def run_preview(**job: Any) -> None:
        await audiences.run_preview(**timed, **job)

    async def run_snapshot(**job: Any) -> None:
        await audiences.run_snapshot(**timed, **job)

    async def run_comparison(**job: Any) -> None:
        await comparisons.run_comparison(**stores, **job)

    async def run_change(**job: Any) -> None:
        await comparisons.run_change(**stores, **job)

    async def follow_import(**job: Any) -> None:
        await after_import(runtime, **job)

    return {
        audiences.ESTIMATE: run_estimate,
        audiences.PREVIEW: run_preview,
        audiences.SNAPSHOT: run_snapshot,
        comparisons.COMPARE: run_comparison,
        comparisons.CHANGE: run_change,
        refreshes.AFTER_IMPORT_TASK: follow_import,
    }


def _refreshing(runtime: Runtime) -> dict[str, Task]:
    async def refresh(**job: Any) -> None:
        await refreshes.run_refresh(
            ledger=runtime.ledger, warehouse=runtime.warehouse, clock=runtime.clock, **job
        )

    return {refreshes.REFRESH_TASK: refresh}


def _content(runtime: Runtime) -> dict[str, Task]:
    async def submit_template(**job: Any) -> None:
        await reviews.submit_template(
            runtime.ledger,
            runtime.open_platform,
            now=runtime.clock.now(),
            on_decided=start_waiting_campaigns,
            hand_over=handing_over(runtime.ledger),
            **job,
        )

    async def withdraw_template(**job: Any) -> None:
        await reviews.withdraw_template(
            runtime.ledger, runtime.open_platform, now=runtime.clock.now(), **job
        )

    async def hand_over_signature(**job: Any) -> None:
        await signatures.hand_over_signature(
            runtime.ledger, runtime.open_platform, now=runtime.clock.now(), **job
        )

    async def withdraw_signature(**job: Any) -> None:
        await signatures.withdraw_signature(runtime.ledger, runtime.open_platform, **job)

    return {
        SUBMIT_TASK: submit_template,
        WITHDRAW_TASK: withdraw_template,
        HAND_OVER_TASK: hand_over_signature,
        WITHDRAW_SIGNATURE_TASK: withdraw_signature,
    }


def _sending(app: App, runtime: Runtime) -> dict[str, Task]:
    sender = Sender(
        ledger=runtime.ledger,
        vault=runtime.vault,
        clock=runtime.clock,
        open_platform=runtime.open_platform,
        concurrency=runtime.settings.send_concurrency,
        slots=runtime.settings.account_slots,
    )

    async def serve_account(context: JobContext, *, platform_id: PlatformId) -> None:
        if context.job.id is None:
            raise LookupError("a job without a number cannot hold a batch")
        await serve(sender, platform_id, job_id=context.job.id)

    async def resume(**job: Any) -> None:
        await planning.resume_sending(runtime.ledger, **job)

    async def cancel(**job: Any) -> None:
        await settle_campaign(runtime.ledger, **job, now=runtime.clock.now())

    # Without a retry of its own, like those that the safety net defers again.
    app.task(name=SERVE_TASK, retry=False, pass_context=True)(serve_account)
    return {RESUME_TASK: resume, CANCEL_TASK: cancel}


def _merging(runtime: Runtime) -> dict[str, Task]:
    ledger = runtime.ledger

    async def merge_receipts() -> None:
        await responses.merge_receipts(ledger)
        await settle_doubts(runtime)

    async def merge_replies() -> None:
        await responses.merge_replies(ledger)

    async def merge_reviews() -> None:
        await responses.merge_reviews(ledger, apply=apply_notices(runtime.clock))

    async def merge_clicks() -> None:
        async with ledger.transaction() as connection:
            keys = await token_keys(connection, runtime.vault)
        await responses.merge_clicks(ledger, keys=keys)

    async def export(*, workspace_id: WorkspaceId) -> None:
        await export_outcomes(ledger, runtime.warehouse, workspace_id=workspace_id)

    return {
        EXPORT_TASK: export,
        MERGE_RECEIPTS.task: merge_receipts,
        MERGE_REPLIES.task: merge_replies,
        MERGE_REVIEWS.task: merge_reviews,
        MERGE_CLICKS.task: merge_clicks,
    }
