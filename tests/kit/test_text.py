import pytest
import smsutil  # pyright: ignore[reportMissingTypeStubs] - an oracle without types
from hypothesis import given
from hypothesis import strategies as st

from textwave.kit.text import (
    GSM_BASIC,
    GSM_EXTENSION,
    Count,
    Counting,
    Encoding,
    count,
    signed,
)

OPT_OUT = "拒收请回复R"
NO_FORM_FEED = GSM_EXTENSION.replace("\f", "")  # the oracle takes form feed for UCS-2
GSM_TEXTS = st.text(alphabet=GSM_BASIC + NO_FORM_FEED * 3, min_size=1, max_size=400)
WIDE_TEXTS = st.text(alphabet="中a€é😀𠮷[", min_size=1, max_size=250)


@st.composite
def texts_at_a_border(draw: st.DrawFn) -> str:
    """A run up to the end of a part, then characters of two units, then a rest."""
    filler, wide, part = draw(st.sampled_from([("a", "€", 153), ("中", "😀", 67), ("a", "😀", 67)]))
    head = part * draw(st.integers(1, 3)) - draw(st.integers(0, 3))
    return filler * head + wide * draw(st.integers(1, 60)) + filler * draw(st.integers(0, 200))


@given(
    text=GSM_TEXTS
    | WIDE_TEXTS
    | st.text(min_size=1).filter(lambda text: "\f" not in text)
    | texts_at_a_border()
)
def test_parts_and_units_agree_with_an_independent_implementation(text: str) -> None:
    counted = count(text, "", Counting.INTERNATIONAL)
    split = smsutil.split(text)
    is_gsm = split.encoding == "gsm0338"
    assert counted.encoding is (Encoding.GSM7 if is_gsm else Encoding.UCS2)
    assert counted.units == (split.total_bytes if is_gsm else split.total_bytes // 2)
    assert counted.parts == len(split.parts)


@pytest.mark.parametrize(
    ("text", "encoding", "units", "parts"),
    [
        ("", Encoding.GSM7, 0, 0),
        ("a" * 160, Encoding.GSM7, 160, 1),
        ("a" * 161, Encoding.GSM7, 161, 2),
        ("a" * 306, Encoding.GSM7, 306, 2),
        ("a" * 307, Encoding.GSM7, 307, 3),
        ("a" * 350, Encoding.GSM7, 350, 3),
        ("€" * 80, Encoding.GSM7, 160, 1),
        ("€" * 81, Encoding.GSM7, 162, 2),
        ("a" * 152 + "€" + "a" * 10, Encoding.GSM7, 164, 2),
        ("a" * 152 + "€" + "a" * 152, Encoding.GSM7, 306, 3),
        ("\f", Encoding.GSM7, 2, 1),
        ("中" * 70, Encoding.UCS2, 70, 1),
        ("中" * 71, Encoding.UCS2, 71, 2),
        ("中" * 134, Encoding.UCS2, 134, 2),
        ("中" * 135, Encoding.UCS2, 135, 3),
        ("中" * 150, Encoding.UCS2, 150, 3),
        ("😀" * 35, Encoding.UCS2, 70, 1),
        ("😀" * 36, Encoding.UCS2, 72, 2),
        ("中" * 66 + "😀" + "中" * 10, Encoding.UCS2, 78, 2),
        ("中" * 66 + "😀" + "中" * 66, Encoding.UCS2, 134, 3),
        ("it’s", Encoding.UCS2, 4, 1),
    ],
)
def test_known_texts_without_signature(
    text: str, encoding: Encoding, units: int, parts: int
) -> None:
    assert count(text, "", Counting.INTERNATIONAL) == Count(encoding, units, parts)


@pytest.mark.parametrize(
    ("signature", "text", "units", "parts"),
    [
        ("阿里云", "", 5, 1),
        ("阿里云", "字" * 65, 70, 1),
        ("阿里云", "字" * 66, 71, 2),
        ("阿里云", "字" * 155, 160, 3),
        ("云", "字" * 61 + OPT_OUT, 70, 1),
        ("云", "字" * 62 + OPT_OUT, 71, 2),
        ("Shop", "a" * 64, 70, 1),
        ("Shop", "a" * 65, 71, 2),
        ("云", "😀" * 67, 70, 1),
    ],
)
def test_mainland_counts_the_signature_and_every_character_as_one(
    signature: str, text: str, units: int, parts: int
) -> None:
    assert count(text, signature, Counting.MAINLAND) == Count(Encoding.MAINLAND, units, parts)


def test_an_ascii_signature_abroad_costs_four_septets_for_its_brackets() -> None:
    assert count("a" * 152, "Shop", Counting.INTERNATIONAL) == Count(Encoding.GSM7, 160, 1)
    assert count("a" * 153, "Shop", Counting.INTERNATIONAL) == Count(Encoding.GSM7, 161, 2)


def test_a_chinese_signature_abroad_makes_the_whole_text_ucs2() -> None:
    assert count("a" * 66, "云店", Counting.INTERNATIONAL) == Count(Encoding.UCS2, 70, 1)


def test_the_signature_stands_in_front_in_the_brackets_of_the_rule() -> None:
    assert signed("Hi", "Shop", Counting.MAINLAND) == "【Shop】Hi"
    assert signed("Hi", "Shop", Counting.INTERNATIONAL) == "[Shop]Hi"
    assert signed("Hi", "云店", Counting.INTERNATIONAL) == "【云店】Hi"
    assert signed("Hi", "", Counting.MAINLAND) == "Hi"


@given(text=st.text(max_size=300), signature=st.text(max_size=12), rule=st.sampled_from(Counting))
def test_one_character_more_never_costs_less(text: str, signature: str, rule: Counting) -> None:
    shorter, longer = count(text, signature, rule), count(text + "a", signature, rule)
    assert longer.parts >= shorter.parts
    assert longer.units > shorter.units
