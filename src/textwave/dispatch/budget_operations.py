"""Pausing a campaign when more of it fails than its error budget allows."""

import structlog

from textwave.campaigns.effort import (
    DEFAULT_BUDGET_PERCENT,
    NOT_COUNTED,
    ErrorBudget,
    budget_sentence,
)
from textwave.dispatch import store
from textwave.dispatch.serving import BatchKey
from textwave.dispatch.store import Recorded
from textwave.storage.ledger import Ledger

log = structlog.get_logger(__name__)


async def keep_budget(ledger: Ledger, key: BatchKey, recorded: Recorded) -> bool:
    """Pause the campaign if its error budget is exceeded; True: it was."""
    percent = recorded.budget_percent or DEFAULT_BUDGET_PERCENT
    budget = ErrorBudget(percent, recorded.budget_after)
    if not budget.is_exceeded(answered=recorded.answered, failed=recorded.failed):
        return False
    async with ledger.transaction() as connection:
        failures = await store.failures_by_cause(connection, key)
        causes = {cause: n for cause, n in failures.items() if cause not in NOT_COUNTED}
        failed = sum(causes.values()) - recorded.budget_failed
        if not budget.is_exceeded(answered=recorded.answered, failed=failed):
            return False
        reason = budget_sentence(budget, answered=recorded.answered, failed=failed, causes=causes)
        paused = await store.pause_for_budget(
            connection, key, reason, answered=recorded.answered, failed=failed
        )
    log.warning("error budget exceeded", campaign=key.campaign_id, paused=paused)
    return paused
