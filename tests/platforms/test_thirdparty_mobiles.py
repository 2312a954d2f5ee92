import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.platforms.thirdparty.mobiles import read_mobile, write_mobile


@given(st.integers(min_value=1_000_000, max_value=999_999_999_999_999))
def test_every_number_is_read_as_it_was_written(mobile: int) -> None:
    assert read_mobile(write_mobile(mobile)) == mobile


@pytest.mark.parametrize(
    "text",
    [
        "15412345678",
        "+8615412345678",
        "8615412345678",
        "008615412345678",
        "+86 154-1234-5678",
        15412345678,
        8615412345678,
    ],
)
def test_a_mainland_number_is_read_in_any_form(text: str | int) -> None:
    assert read_mobile(text) == 8615412345678


def test_a_foreign_number_of_eleven_digits_stays_foreign() -> None:
    assert write_mobile(15550100123) == "+15550100123"
    assert read_mobile("+15550100123") == 15550100123
    assert read_mobile("0015550100123") == 15550100123


@pytest.mark.parametrize(
    "text", ["", "12", "+", "abc", "1541234567x", "٠١٢٣٤٥٦٧٨٩٠", "9" * 16, "++1"]
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert read_mobile(text) is None


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_and_fits_a_bigint(text: str) -> None:
    mobile = read_mobile(text)
    assert mobile is None or 0 < mobile < 2**63
