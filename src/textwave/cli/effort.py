"""Options that say how a campaign is sent among others, and how much of it may fail."""

from typing import Annotated, Any

import typer

Priority = Annotated[
    str | None,
    typer.Option(help="low, normal (usual) or high: which campaign at an account goes first."),
]
ErrorBudget = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=100,
        help="Percent of the answered messages that may fail before it pauses itself (50).",
    ),
]
ErrorBudgetAfter = Annotated[
    int | None, typer.Option(min=1, help="Measured from so many answered messages on (100).")
]


def effort_body(
    *, priority: str | None, error_budget: int | None, error_budget_after: int | None
) -> dict[str, Any]:
    """Return what was given, as the API takes it."""
    body: dict[str, Any] = {} if priority is None else {"priority": priority}
    budget = {"percent": error_budget, "after": error_budget_after}
    said = {name: number for name, number in budget.items() if number is not None}
    return body | ({"error_budget": said} if said else {})
