"""What a reply asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.responses.intent import OPT_OUT_WORDS, Intent, intent_of


@pytest.mark.parametrize(
    "content",
    ["T", "t", " ｔｄ ", "Ｔ", "R", "n", "退订", "退订！", "【退订】", "0000", "stop.", "Opt  out"],
)
def test_the_exact_words_opt_out(content: str) -> None:
    assert intent_of(content) is Intent.opt_out


@pytest.mark.parametrize(
    "content", ["请不要再发了", "我要退订短信", "please stop sending", "再发就投诉"]
)
def test_a_text_that_contains_such_a_word_is_only_leaning(content: str) -> None:
    assert intent_of(content) is Intent.leaning


@pytest.mark.parametrize("content", ["", "好的", "麻烦给我看看", "TT", "Not now", "1", "🙂"])
def test_everything_else_is_neither(content: str) -> None:
    assert intent_of(content) is Intent.other


@given(st.sampled_from(sorted(OPT_OUT_WORDS)), st.text(alphabet=" 。.!！\n", max_size=3))
def test_case_and_marks_around_a_word_do_not_matter(word: str, around: str) -> None:
    assert intent_of(around + word.lower() + around) is Intent.opt_out


@given(st.text())
def test_any_text_has_an_intent(content: str) -> None:
    assert intent_of(content) in Intent
