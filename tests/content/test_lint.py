import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textwave.content.lint import (
    TRADITIONAL_SAMPLE,
    Severity,
    TextNotAcceptable,
    TextRules,
    check_text,
    lint,
)
from textwave.platforms.contract import MessageType

OPT_OUT = "拒收请回复R"
PROMOTIONAL = TextRules(MessageType.promotional, OPT_OUT)
NOTIFICATION = TextRules(MessageType.notification, OPT_OUT)
STRICT = TextRules(MessageType.promotional, OPT_OUT, refuses_emoji=True, refuses_traditional=True)


def codes(text: str, rules: TextRules) -> list[tuple[str, int]]:
    return [(finding.code, finding.position) for finding in lint(text, rules)]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        (f"亲爱的${{name}}，会员日★ https://d.cn/rksqdc/${{sp_rksqdc}} {OPT_OUT}", STRICT),
        ("您的订单${order}已发货", NOTIFICATION),
        ("Hello ${name}", TextRules(MessageType.promotional)),
        ("字" * 494 + OPT_OUT, STRICT),
        ("歡迎 😀", TextRules(MessageType.notification)),
    ],
)
def test_a_good_text_has_no_findings(text: str, rules: TextRules) -> None:
    assert lint(text, rules) == []


@pytest.mark.parametrize(
    ("text", "rules", "code", "position"),
    [
        ("", NOTIFICATION, "text_empty", 0),
        (" \n", NOTIFICATION, "text_empty", 0),
        ("字" * 501, NOTIFICATION, "text_too_long", 500),
        ("来自【云】", NOTIFICATION, "signature_brackets_in_text", 2),
        ("Hi ${a}${b}!", NOTIFICATION, "adjacent_variables", 7),
        ("Hi ${a}${sp_b}!", NOTIFICATION, "adjacent_variables", 7),
        ("Hi ${a} and ${a}", NOTIFICATION, "repeated_variable", 12),
        ("${a} ${b}", NOTIFICATION, "only_variables", 0),
        ("Hi ${1}", NOTIFICATION, "malformed_variable", 3),
        ("Sale", PROMOTIONAL, "opt_out_text_missing", 4),
        (f"{OPT_OUT} Sale", PROMOTIONAL, "opt_out_text_missing", 11),
        (f"Sent {OPT_OUT}", NOTIFICATION, "opt_out_text_forbidden", 5),
        ("Sent 回T退订", TextRules(MessageType.notification), "opt_out_text_forbidden", 5),
        (f"Sale 😀 {OPT_OUT}", STRICT, "emoji", 5),
        (f"Sale ❤ {OPT_OUT}", STRICT, "emoji", 5),
        (f"会员優惠 {OPT_OUT}", STRICT, "traditional_characters", 2),
    ],
)
def test_an_error_is_found_at_its_place(
    text: str, rules: TextRules, code: str, position: int
) -> None:
    assert codes(text, rules) == [(code, position)]
    with pytest.raises(TextNotAcceptable):
        check_text(text, rules)


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        (" Sent", "outer_white_space", 0),
        ("Sent \n", "outer_white_space", 4),
        ("Hi {name}", "looks_like_a_variable", 3),
        ("Hi ＄｛name｝", "looks_like_a_variable", 3),
    ],
)
def test_a_warning_does_not_stop_the_text(text: str, code: str, position: int) -> None:
    assert codes(text, NOTIFICATION) == [(code, position)]
    assert [finding.severity for finding in check_text(text, NOTIFICATION)] == [Severity.WARNING]


def test_findings_come_in_the_order_of_the_text() -> None:
    assert codes("${a}${b} 【x】 😀 ${a}", STRICT) == [
        ("adjacent_variables", 4),
        ("signature_brackets_in_text", 9),
        ("emoji", 13),
        ("repeated_variable", 15),
        ("opt_out_text_missing", 19),
    ]


@settings(deadline=None)
@given(text=st.text(max_size=60) | st.text(alphabet="${}a1_ 【】回T退订", max_size=30))
def test_any_text_is_linted_and_every_finding_lies_in_it(text: str) -> None:
    for finding in lint(text, STRICT):
        assert 0 <= finding.position <= len(text)
        assert finding.sentence.endswith(".")


def test_the_traditional_sample_has_no_character_of_the_simplified_standard() -> None:
    simplified = [char for char in TRADITIONAL_SAMPLE if char.encode("gb2312", "ignore")]
    assert simplified == []


ALIYUN = TextRules(
    MessageType.promotional,
    OPT_OUT,
    refuses_emoji=True,
    refuses_traditional=True,
    refuses_mobile_numbers=True,
    doubts_links_ending_in_variables=True,
    wants_opt_out_text=True,
    most_variables=1,
)


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("会员${name}在${city}的优惠", "too_many_variables", 10),
        ("致电15412345678领取", "mobile_number", 2),
        ("致电+86 15412345678领取", "mobile_number", 2),
        ("致电0571-55501234领取", None, 0),
        ("订单201541234567890发货", None, 0),
        ("领取\u200b优惠", "unsupported_character", 2),
        ("领取\ue001优惠", "unsupported_character", 2),
        ("领取\u202e优惠", "unsupported_character", 2),
        ("戳https://d.example.cn/abc123/${sp_abc123} 领取", "link_with_variable", 1),
        ("戳d.example.cn/${code} 领取", "link_with_variable", 1),
        ("戳https://d.example.cn/abc123 ${name}领取", None, 0),
        ("囧囧会员日", "perhaps_traditional", 0),
        ("會員日", "traditional_characters", 0),
        ("鏑會日", "traditional_characters", 1),
    ],
)
def test_what_alibabas_reviewers_send_back_is_found_at_its_place(
    text: str, code: str | None, position: int
) -> None:
    expected = [] if code is None else [(code, position)]
    assert codes(f"{text}{OPT_OUT}", ALIYUN) == expected


def test_a_promotion_is_better_with_an_opt_out_text_even_where_the_account_has_none() -> None:
    rules = TextRules(MessageType.promotional, wants_opt_out_text=True)
    (finding,) = lint("会员日", rules)
    assert (finding.code, finding.severity) == ("opt_out_text_missing", Severity.WARNING)
    assert lint("会员日 回T退订", rules) == []


def test_a_character_that_joins_two_emoji_is_no_invisible_one() -> None:
    rules = TextRules(MessageType.notification)
    assert lint("你好👩\u200d🍳", rules) == []
    assert [finding.position for finding in lint("你\u200d好", rules)] == [1]
