"""Priority and error budget of a campaign, as the API takes and shows them."""

from pydantic import BaseModel, ConfigDict, Field

from textwave.campaigns import effort
from textwave.campaigns.effort import (
    ANY_SHARE_PERCENT,
    BUDGET_AFTER_MAX,
    DEFAULT_BUDGET_AFTER,
    DEFAULT_BUDGET_PERCENT,
    Effort,
    Priority,
)


class ErrorBudget(BaseModel):
    """How much may fail: a campaign that fails more pauses itself and says why."""

    model_config = ConfigDict(from_attributes=True)

    percent: int = Field(
        default=DEFAULT_BUDGET_PERCENT,
        ge=1,
        le=ANY_SHARE_PERCENT,
        description="Share of the messages that the platform answered; 100: any share.",
    )
    after: int = Field(
        default=DEFAULT_BUDGET_AFTER,
        ge=1,
        le=BUDGET_AFTER_MAX,
        description="It is measured when so many messages are answered.",
    )


class NewEffort(BaseModel):
    """The part of a new campaign that says how it is sent among others."""

    priority: Priority = Field(
        default=Priority.NORMAL,
        description="Which of the workspace's campaigns at the same account goes first.",
    )
    error_budget: ErrorBudget = Field(default_factory=ErrorBudget)

    def effort(self) -> Effort:
        """Return it as the product takes it."""
        budget = self.error_budget
        return Effort(self.priority, effort.ErrorBudget(budget.percent, budget.after))
