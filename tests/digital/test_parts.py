"""What the carriers take of a digital template: mix, sizes, and its texts."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.content.lint import Severity, TextRules
from textwave.digital.parts import (
    LARGEST_BYTES,
    SMALLEST_BYTES,
    KnownMaterial,
    MaterialPart,
    Part,
    TextPart,
    check_parts,
    check_signature,
    content_of,
    size_of,
)
from textwave.materials.kinds import Kind
from textwave.platforms.contract import MessageType

RULES = TextRules(MessageType.digital, refuses_traditional=True)
IMAGE = KnownMaterial(Kind.IMAGE, 700 * 1024, "png")
MATERIALS = {
    "picture": IMAGE,
    "small": replace(IMAGE, size_bytes=1_000),
    "large": replace(IMAGE, size_bytes=LARGEST_BYTES),
    "film": KnownMaterial(Kind.VIDEO, 900 * 1024, "h264"),
    "old film": KnownMaterial(Kind.VIDEO, 900 * 1024, "mpeg4"),
    "song": KnownMaterial(Kind.AUDIO, 50 * 1024, "mp3"),
}
TEXT, PICTURE, FILM, SONG = (
    TextPart("春季新品 ${name}"),
    MaterialPart("picture"),
    MaterialPart("film"),
    MaterialPart("song"),
)


def found(*parts: Part) -> dict[str, int | None]:
    """Return the findings of these parts: the part by the code."""
    return {one.code: one.part for one in check_parts(parts, MATERIALS, RULES)}


@pytest.mark.parametrize("parts", [(TEXT, PICTURE), (PICTURE, TEXT), (TEXT, FILM, SONG)])
def test_texts_with_an_image_or_a_video_are_taken(parts: tuple[Part, ...]) -> None:
    assert found(*parts) == {}


def test_a_message_of_one_sort_alone_is_refused() -> None:
    assert found(TEXT) == {"nothing_to_see": None, "small": None}
    assert found(PICTURE) == {"no_text": None}
    assert found(TEXT, SONG) == {"nothing_to_see": None, "small": None}


def test_a_second_video_and_one_that_phones_cannot_play_are_refused_by_their_place() -> None:
    assert found(TEXT, FILM, FILM)["two_videos"] == 3
    assert found(TEXT, MaterialPart("old film")) == {"video_codec": 2}


def test_nine_parts_are_the_most() -> None:
    small = [MaterialPart("small")] * 8
    assert "too_many_parts" not in found(TEXT, *small)
    assert found(TEXT, *small, MaterialPart("small"))["too_many_parts"] == 10


@given(st.integers(1, LARGEST_BYTES + 10_000))
def test_all_parts_together_have_a_largest_size_and_one_that_may_be_too_small(size: int) -> None:
    materials = {"picture": replace(IMAGE, size_bytes=size)}
    whole = size_of([TEXT, PICTURE], materials)
    assert whole == size + len(TEXT.text.encode())
    codes = {one.code: one for one in check_parts([TEXT, PICTURE], materials, RULES)}
    assert ("too_large" in codes) is (whole > LARGEST_BYTES)
    assert ("small" in codes) is (whole <= SMALLEST_BYTES)
    if "small" in codes:
        assert codes["small"].severity is Severity.WARNING


def test_what_is_too_large_names_the_part_to_make_smaller() -> None:
    findings = check_parts([TEXT, PICTURE, MaterialPart("large")], MATERIALS, RULES)
    assert [(one.code, one.part) for one in findings] == [("too_large", 3)]
    assert "Make part 3 smaller, the largest with 1,900 KB" in findings[0].sentence


def test_three_variables_a_text_are_the_most_and_each_stands_in_one_text() -> None:
    four = TextPart("${a}, ${b}, ${c} and ${d}: see")
    assert list(found(four, PICTURE).values()) == [1]
    assert found(TextPart("${a}, ${b} and ${c}: see"), TextPart("Dear ${d}"), PICTURE) == {}
    assert found(TEXT, PICTURE, TEXT) == {"variable_repeated": 3}
    assert found(TextPart("See ${a_very_long_name}"), PICTURE) == {"variable_too_long": 1}


def test_a_text_is_examined_like_any_other_and_the_finding_names_its_part() -> None:
    findings = check_parts([PICTURE, TextPart("【店】歡迎")], MATERIALS, RULES)
    assert {one.part for one in findings} == {2}
    assert {"signature_brackets_in_text", "traditional_characters"} <= {x.code for x in findings}
    assert all(one.sentence.startswith("Part 2: ") for one in findings)


def test_the_texts_are_what_a_campaign_fills() -> None:
    assert content_of([TEXT, PICTURE, TextPart("再见")]) == "春季新品 ${name}\n再见"


@pytest.mark.parametrize(
    ("signature", "code"),
    [("湖" * 17, "signature_too_long"), ("Lakeside", "signature_all_english")],
)
def test_signatures_that_carriers_do_not_take_are_refused(signature: str, code: str) -> None:
    assert [one.code for one in check_signature(signature)] == [code]
    assert not list(check_signature("湖畔 Lake 24"))
