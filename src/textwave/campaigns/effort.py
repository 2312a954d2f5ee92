"""How a campaign is sent among others, and how much may fail before it pauses itself. Pure.

The error budget counts messages that the platform has answered: refused for good, or failed by
receipt, among all answered. What nobody answered for says nothing about the platform or the text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from textwave.kit.refusal import InvalidValue

DEFAULT_BUDGET_PERCENT: Final = 50
DEFAULT_BUDGET_AFTER: Final = 100
ANY_SHARE_PERCENT: Final = 100
BUDGET_AFTER_MAX: Final = 1_000_000
NOT_COUNTED: Final = frozenset(
    {"no receipt", "cancelled", "in doubt", "not sent", "not sent in time"}
)
"""Causes that are no answer of a platform."""


class Priority(StrEnum):
    """Which of a workspace's campaigns at one account goes first."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


_RANKS: Final = {Priority.LOW: -1, Priority.NORMAL: 0, Priority.HIGH: 1}


@dataclass(frozen=True, slots=True)
class ErrorBudget:
    """The share of answered messages that may fail, measured after so many; 100: any share."""

    percent: int = DEFAULT_BUDGET_PERCENT
    after: int = DEFAULT_BUDGET_AFTER

    def is_exceeded(self, *, answered: int, failed: int) -> bool:
        """Tell whether more has failed than may."""
        return answered >= self.after and failed * 100 > self.percent * answered


@dataclass(frozen=True, slots=True)
class Effort:
    """Priority and error budget of a campaign."""

    priority: Priority = Priority.NORMAL
    error_budget: ErrorBudget = ErrorBudget()

    @property
    def rank(self) -> int:
        """Return the priority as the ledger orders by it."""
        return _RANKS[self.priority]


def check_effort(effort: Effort) -> None:
    """Accept a budget that can be kept.

    Raises:
        InvalidValue: the share or the number is out of its range.
    """
    budget = effort.error_budget
    if not 1 <= budget.percent <= ANY_SHARE_PERCENT:
        problem = f"must be 1 to 100, not {budget.percent}; 100 lets any share fail."
        raise InvalidValue("error_budget.percent", problem)
    if not 1 <= budget.after <= BUDGET_AFTER_MAX:
        problem = f"must be 1 to {BUDGET_AFTER_MAX:,} answered messages, not {budget.after}."
        raise InvalidValue("error_budget.after", problem)


def read_effort(priority: int, percent: int | None, after: int) -> Effort:
    """Return the effort that a row says."""
    named = next(name for name, rank in _RANKS.items() if rank == priority)
    return Effort(named, ErrorBudget(percent or DEFAULT_BUDGET_PERCENT, after))


def budget_sentence(
    budget: ErrorBudget, *, answered: int, failed: int, causes: Mapping[str, int]
) -> str:
    """Say why a campaign paused itself."""
    share = failed * 100 / answered
    cause, count = max(causes.items(), key=lambda item: item[1])
    return (
        f"{share:.0f} % of the answered messages failed ({failed:,} of {answered:,}), most often "
        f"with “{cause}” ({count:,}). The error budget is {budget.percent} %. Look into the cause, "
        "then resume; the budget is counted anew from there."
    )
