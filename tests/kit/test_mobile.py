import re
from collections.abc import Iterator

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.kit.mobile import (
    MAINLAND_PATTERN,
    PLAIN_DIGITS,
    SEPARATORS_PATTERN,
    WIDE_DIGITS,
    Mobile,
    mask_numbers,
    masked,
    national,
    read_mobile,
    written,
)

UNASSIGNED = st.sampled_from(["154", "164", "169", "179", "194"])
NATIONAL = st.builds(lambda a, b: f"{a}{b:08d}", UNASSIGNED, st.integers(0, 99_999_999))
PREFIX = st.sampled_from(["", "+86", "0086", "86", "+86 ", "86-", "(+86)", "＋８６", "\ufeff"])
SEPARATOR = st.sampled_from(["", " ", "-", "\u00a0", "\u3000", "–", "－"])
TO_PLAIN = str.maketrans(WIDE_DIGITS, PLAIN_DIGITS)
TO_WIDE = str.maketrans(PLAIN_DIGITS, WIDE_DIGITS)


@st.composite
def written_forms(draw: st.DrawFn) -> tuple[str, str]:
    """A mainland number in its 11 digits, and one of the ways in which people write it."""
    digits = draw(NATIONAL)
    separator = draw(SEPARATOR)
    text = draw(PREFIX) + separator.join((digits[:3], digits[3:7], digits[7:]))
    return digits, text.translate(TO_WIDE) if draw(st.booleans()) else text


@st.composite
def damaged_forms(draw: st.DrawFn) -> str:
    """A written form with up to two characters taken out and up to three put in."""
    text = list(draw(written_forms())[1])
    for _ in range(draw(st.integers(0, 2))):
        text.pop(draw(st.integers(0, len(text) - 1)))
    for _ in range(draw(st.integers(0, 3))):
        text.insert(draw(st.integers(0, len(text))), draw(st.sampled_from("0158+-( .a１\n\ufeff")))
    return "".join(text)


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def mainland_in_sql(database: duckdb.DuckDBPyConnection, text: str) -> str:
    """Read a mainland number as the set-based import does; "" if it is none."""
    row = database.execute(
        "SELECT regexp_extract(regexp_replace(translate($1, $2, $3), $4, '', 'g'), $5, 1)",
        [text, WIDE_DIGITS, PLAIN_DIGITS, SEPARATORS_PATTERN, MAINLAND_PATTERN],
    ).fetchone()
    assert row is not None
    return row[0]


@given(form=written_forms())
def test_every_written_form_of_a_mainland_number_is_read(form: tuple[str, str]) -> None:
    digits, text = form
    assert read_mobile(text) == int(f"86{digits}")


@given(form=written_forms())
def test_the_patterns_read_the_same_mainland_numbers_in_sql(
    database: duckdb.DuckDBPyConnection, form: tuple[str, str]
) -> None:
    digits, text = form
    assert mainland_in_sql(database, text) == digits


@given(text=damaged_forms())
def test_what_sql_takes_for_a_mainland_number_is_read_as_that_number(
    database: duckdb.DuckDBPyConnection, text: str
) -> None:
    digits = mainland_in_sql(database, text)
    assert not digits or read_mobile(text) == int(f"86{digits}")


@pytest.mark.parametrize(
    ("text", "region", "mobile"),
    [
        ("+44 7700 900123", "CN", 447700900123),
        ("07700 900123", "GB", 447700900123),
        ("+1 (202) 555-0123", "CN", 12025550123),
        ("+1.202.555.0123", "CN", 12025550123),
        ("202-555-0123", "US", 12025550123),
        ("+86 154 1234 5678", "GB", 8615412345678),
        ("0086 (0) 15412345678", "CN", 8615412345678),
    ],
)
def test_other_numbers_are_read_with_the_default_region(
    text: str, region: str, mobile: int
) -> None:
    assert read_mobile(text, region) == mobile


def test_a_plus_before_eleven_digits_is_first_an_international_number() -> None:
    assert read_mobile("+12025550123") == 12025550123
    assert read_mobile("+13900000000") == 8613900000000


def test_eleven_digits_are_mainland_only_where_mainland_is_the_region() -> None:
    assert read_mobile("15412345678") == 8615412345678
    assert read_mobile("15412345678", "GB") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "abc",
        "10086",
        "1541234567",
        "154123456789",
        "12345678901",
        "010-12345678",
        "+86 10 12345678",
        "+1 800 555 0123",
        "15412345678.0",
        "1.5412345678E10",
        "15412345678 ext 5",
        "15412345678/16412345678",
        "1" * 10_000,
    ],
)
def test_what_no_text_can_reach_is_not_read(text: str) -> None:
    assert read_mobile(text) is None


@given(
    text=damaged_forms() | st.from_regex(r"[+0]?[0-9 ()-]{6,15}", fullmatch=True) | st.text(),
    region=st.sampled_from(["CN", "US", "GB", "HK"]),
)
def test_what_was_read_and_written_is_read_again_the_same(text: str, region: str) -> None:
    mobile = read_mobile(text, region)
    assert mobile is None or read_mobile(written(mobile), region) == mobile


@given(digits=NATIONAL)
def test_a_mainland_number_is_written_three_ways(digits: str) -> None:
    mobile = Mobile(int(f"86{digits}"))
    assert written(mobile) == f"+86{digits}"
    assert national(mobile) == digits
    assert masked(mobile) == "*" * 7 + digits[-4:]


def test_a_number_from_elsewhere_is_written_with_its_country_code() -> None:
    mobile = Mobile(447700900123)
    assert national(mobile) == "+447700900123"
    assert masked(mobile) == "********0123"


@given(form=written_forms(), before=st.sampled_from(["", "sent to ", "phone=", "user", "x,"]))
def test_a_log_line_shows_only_the_last_four_digits(form: tuple[str, str], before: str) -> None:
    digits, text = form
    shown = mask_numbers(f"{before}{text}; done").translate(TO_PLAIN)
    assert re.sub(r"\D", "", shown) == digits[-4:]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("to +44 7700 900123, again", "to ********0123, again"),
        ("to (202) 555-0123", "to ******0123"),
        ("to 07700 900123", "to *******0123"),
        ("to 447700900123", "to ********0123"),
        ("2026-11-22 09:10:01 154-1234-5678", "2026-11-22 09:10:01 *******5678"),
    ],
)
def test_numbers_of_any_country_are_masked_in_a_log_line(line: str, shown: str) -> None:
    assert mask_numbers(line) == shown


@pytest.mark.parametrize(
    "line",
    [
        "2026-11-22T09:10:01.123456Z planned 200000 messages in 12.5 s",
        "id 550e8400-e29b-41d4-a716-446655440000",
        "listening on 127.0.0.1:54321",
        "1 000 000 rows, 12345678 bytes, 0.123456789 seconds",
        "sha256 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    ],
)
def test_times_counts_and_digests_stay_readable_in_a_log_line(line: str) -> None:
    assert mask_numbers(line) == line
