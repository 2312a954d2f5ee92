"""What is no scoring is refused with its place; what is one is read as it was written."""

from typing import Any

import pytest

from textwave.models.scoring import (
    Band,
    Bands,
    ScoringMalformed,
    read_bands,
    read_baseline,
    read_quantiles,
    write_bands,
)

FITTING: dict[str, Any] = {
    "recency_days": [[30, 3], [90, 2], [None, 1]],
    "frequency": [[1, 1], [4, 2], [None, 3]],
    "monetary": [[99.99, 1], [None, 2]],
}


def test_bands_are_read_with_their_bounds_and_scores() -> None:
    bands, baseline = read_bands(FITTING)

    assert bands.monetary == (Band(99.99, 1), Band(None, 2))
    assert baseline is None
    assert read_bands(write_bands(bands)) == (bands, None)


def test_the_baseline_of_the_file_is_mean_or_three_numbers() -> None:
    one = (Band(None, 1),)
    written = write_bands(Bands(one, one, one))

    assert read_bands(written | {"baseline": "mean"})[1] is None
    assert read_bands(written | {"baseline": [2, 2.5, 3]})[1] == (2.0, 2.5, 3.0)


@pytest.mark.parametrize(
    ("field", "given", "place", "said"),
    [
        ("recency_days", [[30, 3], [30, 2], [None, 1]], "$.recency_days[1][0]", "above 30"),
        ("recency_days", [[30, 3], [20, 2], [None, 1]], "$.recency_days[1][0]", "above 30"),
        ("frequency", [[1, 1], [4, 2]], "$.frequency[1][0]", "must be null"),
        ("frequency", [[None, 1], [None, 2]], "$.frequency[0][0]", "only the last"),
        ("frequency", [], "$.frequency", "1 to 100 bands"),
        ("frequency", "many", "$.frequency", "1 to 100 bands"),
        ("monetary", [[None, 0]], "$.monetary[0][1]", "1 to 100"),
        ("monetary", [[None, 101]], "$.monetary[0][1]", "1 to 100"),
        ("monetary", [[None, 1.5]], "$.monetary[0][1]", "whole number"),
        ("monetary", [[None, True]], "$.monetary[0][1]", "whole number"),
        ("monetary", [["100", 1], [None, 2]], "$.monetary[0][0]", "a number is needed"),
        ("monetary", [[float("nan"), 1], [None, 2]], "$.monetary[0][0]", "a number is needed"),
        ("monetary", [[10**400, 1], [None, 2]], "$.monetary[0][0]", "a number is needed"),
        ("monetary", [[None, 1, 2]], "$.monetary[0]", "a pair"),
        ("monetary", None, "$.monetary", "1 to 100 bands"),
        ("baseline", [1, 2], "$.baseline", "three numbers"),
        ("baseline", "median", "$.baseline", "three numbers"),
        ("recency", [[None, 1]], "$.recency", "no such field"),
    ],
)
def test_bands_that_do_not_fit_are_refused_with_their_place(
    field: str, given: object, place: str, said: str
) -> None:
    with pytest.raises(ScoringMalformed) as refused:
        read_bands(FITTING | {field: given})

    assert refused.value.place == place
    assert said in refused.value.sentence


@pytest.mark.parametrize("given", [1, 11, 5.0, "5", None, True])
def test_quantiles_are_a_whole_number_from_2_to_10(given: object) -> None:
    with pytest.raises(ScoringMalformed):
        read_quantiles(given)


def test_a_baseline_of_infinite_numbers_is_refused() -> None:
    with pytest.raises(ScoringMalformed):
        read_baseline([1, float("inf"), 2])
