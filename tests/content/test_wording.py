import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.content.variables import parse
from textwave.content.wording import full_text, preview_count
from textwave.kit.money import Money
from textwave.kit.text import Count, Counting, Encoding, count
from textwave.platforms.contract import MessageType

PRICE = Money(45, "CNY")
MAINLAND = Counting.MAINLAND


@given(content=st.text(max_size=40), ending=st.sampled_from(["", "回T退订", " 拒收请回复R"]))
def test_a_promotion_ends_with_the_opt_out_text_once(content: str, ending: str) -> None:
    text = full_text(content, MessageType.promotional, ending)
    assert text.rstrip().endswith(ending.rstrip())
    assert full_text(text, MessageType.promotional, ending) == text
    assert text in {content, content + ending}


@given(content=st.text(max_size=40))
def test_a_notification_is_sent_as_it_was_written(content: str) -> None:
    assert full_text(content, MessageType.notification, "回T退订") == content


def test_the_worst_and_the_average_recipient_are_shown_with_their_price() -> None:
    template = parse("a" * 60 + "${name}")
    samples = [{"name": "王"}, {"name": "欧阳娜娜很长的名字"}, {"name": "李四"}]
    cost = preview_count(template, "店", MAINLAND, PRICE, samples)
    assert cost.worst == Count(Encoding.MAINLAND, 72, 2)
    assert cost.worst_price == Money(90, "CNY")
    assert cost.average_units == 67
    assert cost.average_parts == pytest.approx(4 / 3)
    assert cost.average_price == Money(60, "CNY")
    assert cost.samples == 3


def test_a_click_token_counts_with_its_eight_characters() -> None:
    cost = preview_count(parse("d.cn/rksqdc/${sp_a}"), "店", MAINLAND, PRICE, [])
    assert cost.worst == count("d.cn/rksqdc/12345678", "店", MAINLAND)


def test_one_chinese_name_makes_an_international_text_dearer() -> None:
    template = parse("Hello ${name}, " + "x" * 100)
    cost = preview_count(
        template, "Shop", Counting.INTERNATIONAL, PRICE, [{"name": "Ann"}, {"name": "安"}]
    )
    assert cost.worst.encoding is Encoding.UCS2
    assert cost.worst.parts == 2
    assert cost.average_parts == 1.5
