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
