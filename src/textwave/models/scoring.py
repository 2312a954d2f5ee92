"""How customers are scored: by bands that the user draws, or by quantiles of all customers.

Read from the JSON that the user gives (`bands.json`) and written back to it. Refused, with the
place: bounds that do not rise, a last band with an end, scores that are no whole number.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, cast

from textwave.kit.refusal import Refusal

DIMENSIONS: Final = ("recency", "frequency", "monetary")
MEASURES: Final = ("recency_days", "frequency", "monetary")
"""What each dimension is measured in: days since the last purchase, purchases, amount."""
FEWEST_QUANTILES, MOST_QUANTILES = 2, 10
MOST_BANDS: Final = 100
HIGHEST_SCORE: Final = 100
MEAN: Final = "mean"


@dataclass(frozen=True, slots=True)
class Band:
    """Values up to and including `until` (None: all that are left) have the score."""

    until: float | None
    score: int


@dataclass(frozen=True, slots=True)
class Bands:
    """Scores by bands, rising bounds, the last one open."""

    recency_days: tuple[Band, ...]
    frequency: tuple[Band, ...]
    monetary: tuple[Band, ...]

    @property
    def of_dimensions(self) -> tuple[tuple[Band, ...], ...]:
        """The bands in the order R, F, M."""
        return self.recency_days, self.frequency, self.monetary


@dataclass(frozen=True, slots=True)
class Quantiles:
    """So many scores of about equally many customers each; recency is scored in reverse."""

    count: int


Scoring = Bands | Quantiles
Baseline = tuple[float, float, float]
"""From which score on a dimension is high: R, F, M. Where it is None, the mean of the scores."""


@dataclass(eq=False)
class ScoringMalformed(Refusal):
    """Bands, quantiles or a baseline are not what they have to be."""

    code: ClassVar[str] = "scoring_malformed"
    place: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"{self.place}: {self.problem}."


def read_bands(given: object) -> tuple[Bands, Baseline | None]:
    """Read `bands.json`: a list of `[up to and including, score]` a dimension, and the baseline.

    Raises:
        ScoringMalformed: with the place, such as `$.recency_days[1]`.
    """
    if not isinstance(given, Mapping):
        raise ScoringMalformed("$", f"bands are an object with {_list(MEASURES)} and baseline")
    fields = cast("Mapping[str, object]", given)
    for name in fields:
        if name not in (*MEASURES, "baseline"):
            problem = f"there is no such field; there are {_list(MEASURES)} and baseline"
            raise ScoringMalformed(f"$.{str(name)[:60]}", problem)
    read = [_read_dimension(fields.get(measure), f"$.{measure}") for measure in MEASURES]
    return Bands(*read), read_baseline(fields.get("baseline", MEAN), "$.baseline")


def read_quantiles(given: object) -> Quantiles:
    """Read the number of quantiles.

    Raises:
        ScoringMalformed: it is no whole number from 2 to 10.
    """
    if not _is_whole(given) or not FEWEST_QUANTILES <= cast("int", given) <= MOST_QUANTILES:
        problem = f"{_shown(given)} was given; a whole number from 2 to 10 is needed"
        raise ScoringMalformed("quantiles", problem)
    return Quantiles(cast("int", given))


def read_baseline(given: object, place: str = "baseline") -> Baseline | None:
    """Read `"mean"` (None) or three numbers for R, F and M.

    Raises:
        ScoringMalformed: it is neither.
    """
    if given == MEAN:
        return None
    numbers = cast("Sequence[object]", given) if isinstance(given, list | tuple) else ()
    if len(numbers) != len(DIMENSIONS) or not all(_is_number(number) for number in numbers):
        needed = f"“mean” or three numbers for {_list(DIMENSIONS)} are needed"
        raise ScoringMalformed(place, f"{_shown(given)} was given; {needed}")
    recency, frequency, monetary = (float(cast("float", number)) for number in numbers)
    return recency, frequency, monetary


def write_bands(bands: Bands) -> dict[str, list[list[float | None]]]:
    """Write bands as `read_bands` reads them."""
    return {
        measure: [[band.until, band.score] for band in of]
        for measure, of in zip(MEASURES, bands.of_dimensions, strict=True)
    }


def _read_dimension(given: object, place: str) -> tuple[Band, ...]:
    if (
        not isinstance(given, list | tuple)
        or not 1 <= len(cast("list[object]", given)) <= MOST_BANDS
    ):
        problem = f"a list of 1 to {MOST_BANDS} bands [up to and including, score] is needed"
        raise ScoringMalformed(place, problem)
    items = cast("Sequence[object]", given)
    bands = tuple(_read_band(item, f"{place}[{i}]") for i, item in enumerate(items))
    for i, band in enumerate(bands):
        _check_bound(
            band, bands[i - 1] if i else None, last=i == len(bands) - 1, at=f"{place}[{i}]"
        )
    return bands


def _read_band(given: object, place: str) -> Band:
    pair = cast("Sequence[object]", given) if isinstance(given, list | tuple) else ()
    if len(pair) != 2:  # noqa: PLR2004 - a pair
        problem = f"{_shown(given)} was given; a pair [up to and including, score] is needed"
        raise ScoringMalformed(place, problem)
    until, score = pair
    if until is not None and not _is_number(until):
        problem = f"the bound is {_shown(until)}; a number is needed, or null in the last band"
        raise ScoringMalformed(f"{place}[0]", problem)
    if not _is_whole(score) or not 1 <= cast("int", score) <= HIGHEST_SCORE:
        problem = f"the score is {_shown(score)}; a whole number from 1 to 100 is needed"
        raise ScoringMalformed(f"{place}[1]", problem)
    return Band(None if until is None else float(cast("float", until)), cast("int", score))


def _check_bound(band: Band, before: Band | None, *, last: bool, at: str) -> None:
    if last and band.until is not None:
        problem = f"the last band ends at {band.until:g}; its bound must be null, so that all fit"
        raise ScoringMalformed(f"{at}[0]", problem)
    if not last and band.until is None:
        raise ScoringMalformed(f"{at}[0]", "only the last band has the bound null; give a number")
    if before is None or before.until is None or band.until is None:
        return
    if band.until <= before.until:
        problem = f"the bound {band.until:g} does not lie above {before.until:g}, the one before it"
        raise ScoringMalformed(f"{at}[0]", problem)


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and _is_finite(given)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False


def _is_whole(given: object) -> bool:
    return isinstance(given, int) and not isinstance(given, bool)


def _list(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _shown(given: object) -> str:
    if given is None:
        return "nothing"
    text: Any = repr(given)
    return text if len(text) <= 60 else f"{text[:60]}…"  # noqa: PLR2004 - enough to recognise it
