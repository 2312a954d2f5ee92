"""What an RFM computation says: users, amount and purchases by type and by score, and the means.

Everything follows from the cells, one for each triple of scores that occurs.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from textwave.models.rfm import DECIMALS, Edges
from textwave.models.scoring import DIMENSIONS, MEASURES, Bands, Baseline, Scoring, write_bands

TYPES: Final = {
    "HHH": ("High-value", "高价值"),
    "LHH": ("Key retention", "重点保持"),
    "HLH": ("Key development", "重点发展"),
    "LLH": ("Key win-back", "重点挽留"),
    "HHL": ("General value", "一般价值"),
    "LHL": ("General retention", "一般保持"),
    "HLL": ("General development", "一般发展"),
    "LLL": ("Potential", "潜在"),
}
"""The types by their letters in the order R, F, M: names in English and Chinese."""
_LAST_DIGIT: Final = 9


@dataclass(frozen=True, slots=True)
class Cell:
    """All customers with the same three scores."""

    r: int
    f: int
    m: int
    users: int
    orders: int
    amount: float

    @property
    def scores(self) -> tuple[int, int, int]:
        """The scores in the order R, F, M."""
        return self.r, self.f, self.m


@dataclass(frozen=True, slots=True)
class Means:
    """The mean scores, and from which score on each dimension is high; None without customers."""

    means: tuple[float, ...] | None
    baseline: Baseline | None
    least_high: tuple[int, int, int]


def means_of(cells: Sequence[Cell], baseline: Baseline | None) -> Means:
    """Compute the mean scores and what is high: at least the given baseline, else the mean."""
    users = sum(cell.users for cell in cells)
    if not users:
        return Means(None, baseline, (0, 0, 0))
    sums = [sum(cell.scores[i] * cell.users for cell in cells) for i in range(len(DIMENSIONS))]
    means = (sums[0] / users, sums[1] / users, sums[2] / users)
    # a score is whole, so it reaches the mean exactly when it reaches the next whole number
    of_mean = [-(-total // users) for total in sums]
    of_baseline = [math.ceil(number) for number in baseline or ()]
    least = of_baseline or of_mean
    return Means(means, baseline or means, (least[0], least[1], least[2]))


def type_of(cell: Cell, least_high: Sequence[int]) -> str:
    """Return the type of a cell's customers."""
    pairs = zip(cell.scores, least_high, strict=True)
    return "".join("H" if score >= least else "L" for score, least in pairs)


def describe(
    cells: Sequence[Cell], *, day: date, scoring: Scoring, baseline: Baseline | None, edges: Edges
) -> dict[str, Any]:
    """Return the result as JSON: types, scores, means, baseline, thresholds."""
    means = means_of(cells, baseline)
    by_type: dict[str, list[Cell]] = {letters: [] for letters in TYPES}
    by_score: dict[str, list[Cell]] = defaultdict(list)
    most = max((max(cell.scores) for cell in cells), default=0)
    for cell in sorted(cells, key=lambda cell: cell.scores, reverse=True):
        by_type[type_of(cell, means.least_high)].append(cell)
        by_score[score_name(cell.scores, most)].append(cell)
    return {
        "at": day.isoformat(),
        **_summed(cells),
        "types": {
            letters: {"name": name, "name_chinese": chinese, **_summed(by_type[letters])}
            for letters, (name, chinese) in TYPES.items()
        },
        "scores": {name: _summed(of) for name, of in by_score.items()},
        "means": _by_dimension(means.means),
        "baseline": _by_dimension(means.baseline),
        "thresholds": thresholds(scoring, edges),
    }


def score_name(scores: Sequence[int], most: int) -> str:
    """Write scores such as 555, or 10-5-5 where one of the model has two digits."""
    return ("" if most <= _LAST_DIGIT else "-").join(str(score) for score in scores)


def thresholds(scoring: Scoring, edges: Edges) -> dict[str, Any]:
    """Return the bands as given, or where the scores of quantiles begin."""
    if isinstance(scoring, Bands):
        return dict(write_bands(scoring))
    return {name: list(of) for name, of in zip(MEASURES, edges, strict=True)}


def _summed(cells: Iterable[Cell]) -> dict[str, Any]:
    held = list(cells)
    return {
        "users": sum(cell.users for cell in held),
        "amount": round(math.fsum(cell.amount for cell in held), DECIMALS),
        "orders": sum(cell.orders for cell in held),
    }


def _by_dimension(values: Sequence[float] | None) -> dict[str, float | None]:
    given: Sequence[float | None] = values or (None, None, None)
    return dict(zip(DIMENSIONS, given, strict=True))
