"""One id of a list: read by its type, or refused with the reason."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textwave.kit.mobile import read_mobile
from textwave.lists.values import Unfit, reader_of


@pytest.mark.parametrize(
    ("id_type", "written", "read"),
    [
        ("mobile", " 154 1234 5678 ", "8615412345678"),
        ("mobile", "+86-15412345678", "8615412345678"),
        ("mobile", "15412345678.0", "8615412345678"),
        ("mobile", "+44 7700 900123", "447700900123"),
        ("email", " Li@Example.COM ", "li@example.com"),
        ("customer", "\tC 007 ", "C 007"),
        ("open_id", "oAbC", "oAbC"),
        ("open_id", "3E10", "3E10"),
    ],
)
def test_an_id_is_read_by_its_type(id_type: str, written: str, read: str) -> None:
    assert reader_of(id_type, "CN")(written) == read


@pytest.mark.parametrize(
    ("id_type", "written", "reason"),
    [
        ("mobile", "1.54E+10", "shortened"),
        ("customer", "1.23456789012346e+17", "shortened"),
        ("mobile", "2026-03-01", "no mobile number"),
        ("mobile", "", "empty"),
        ("customer", " \u3000", "empty"),
        ("email", "li@", "no e-mail"),
        ("customer", "a\x07b", "control"),
        ("customer", "x" * 501, "longer"),
        ("open_id", "#N/A", "error of a spreadsheet"),
    ],
)
def test_what_is_no_id_is_refused_with_the_reason(id_type: str, written: str, reason: str) -> None:
    read = reader_of(id_type, "CN")(written)
    assert isinstance(read, Unfit)
    assert reason in read.reason


@settings(deadline=None)
@given(st.text(max_size=20), st.sampled_from(["mobile", "email", "customer", "open_id"]))
def test_reading_what_was_read_changes_nothing(text: str, id_type: str) -> None:
    read = reader_of(id_type, "CN")
    once = read(text)
    if isinstance(once, str):
        assert read(f"+{once}" if id_type == "mobile" else once) == once


@settings(deadline=None)
@given(st.from_regex(r"[0-9 +()-]{5,16}", fullmatch=True))
def test_a_number_is_taken_exactly_when_it_is_a_mobile_number(text: str) -> None:
    expected = read_mobile(text, "CN")
    read = reader_of("mobile", "CN")(text)
    assert (str(expected) if expected else None) == (read if isinstance(read, str) else None)
