from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.kit.ids import (
    MESSAGES_PER_MONTH,
    MessageId,
    first_message_id,
    month_of,
    partition_bounds,
)

DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2169, 12, 31))


def test_message_ids_begin_with_the_first_month_of_2020() -> None:
    assert first_message_id(date(2020, 1, 31)) == 0
    assert first_message_id(date(2021, 2, 1)) == 13 * MESSAGES_PER_MONTH


@given(day=DAYS, offset=st.integers(0, MESSAGES_PER_MONTH - 1))
def test_every_id_of_a_month_names_that_month(day: date, offset: int) -> None:
    assert month_of(MessageId(first_message_id(day) + offset)) == day.replace(day=1)


@given(day=DAYS)
def test_the_partition_of_a_month_ends_where_the_next_begins(day: date) -> None:
    first, end = partition_bounds(day)
    assert month_of(MessageId(end - 1)) == month_of(MessageId(first))
    assert first_message_id(month_of(MessageId(end))) == end


def test_all_ids_of_150_years_fit_eight_base_62_characters() -> None:
    assert partition_bounds(date(2169, 12, 31))[1] <= 62**8


def test_days_before_the_first_month_and_negative_ids_are_errors() -> None:
    with pytest.raises(ValueError, match="begin in 2020"):
        first_message_id(date(2019, 12, 31))
    with pytest.raises(ValueError, match="no message id"):
        month_of(MessageId(-1))
