import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textwave.content.rendering import fill, render, render_many
from textwave.content.variables import (
    MalformedVariable,
    MissingValue,
    TemplateText,
    UnknownVariable,
    WhenMissing,
    parse,
)

NAMES = st.sampled_from(["name", "city", "level_2", "_x", "sp_rksqdc", "sp_2", "spa"])
LITERALS = st.text(alphabet="Hi 中{}$0%😀\\", max_size=12).filter(lambda text: "${" not in text)
TOKEN = "C8swNoxk"


@st.composite
def template_texts(draw: st.DrawFn) -> str:
    pieces = draw(st.lists(st.tuples(LITERALS, NAMES), max_size=6))
    text = "".join(f"{literal} ${{{name}}}" for literal, name in pieces) + draw(LITERALS)
    return text.replace("$${", "$ ${")


def replaced(text: str, values: dict[str, str]) -> str:
    """Render in one pass of a regular expression: slow, and plainly right."""
    return re.sub(r"\$\{(\w+)\}", lambda found: values[found[1]], text)


@settings(deadline=None)
@given(text=template_texts(), values=st.lists(st.text(max_size=8), min_size=7, max_size=7))
def test_rendering_puts_every_value_into_its_place_and_changes_nothing_else(
    text: str, values: list[str]
) -> None:
    template = parse(text)
    row = values[: len(template.names)]
    by_name = dict(zip(template.names, row, strict=True))
    by_name |= {variable.name: TOKEN for variable in template.variables if variable.is_token}
    assert render(template, row, TOKEN) == replaced(text, by_name)


@settings(deadline=None)
@given(text=template_texts(), rows=st.lists(st.tuples(*[st.text(max_size=5)] * 5), max_size=5))
def test_rendering_many_gives_what_rendering_each_gives(
    text: str, rows: list[tuple[str, ...]]
) -> None:
    template = parse(text)
    width = len(template.names)
    tokens = [f"{number:08d}" for number in range(len(rows))]
    columns = [[row[place] for row in rows] for place in range(width)]
    expected = [render(template, row[:width], t) for row, t in zip(rows, tokens, strict=True)]
    assert render_many(template, columns, tokens) == expected


@settings(deadline=None)
@given(text=template_texts())
def test_the_pieces_put_together_are_the_text(text: str) -> None:
    template = parse(text)
    slots = [*(f"${{{variable.name}}}" for variable in template.variables), ""]
    pairs = zip(template.literals, slots, strict=True)
    assert "".join(literal + slot for literal, slot in pairs) == text
    for variable in template.variables:
        assert text[variable.position : variable.end] == f"${{{variable.name}}}"


@settings(deadline=None)
@given(text=st.text(alphabet="${}ab_1 ", max_size=20))
def test_the_first_opening_that_starts_no_variable_is_what_is_refused(text: str) -> None:
    openings = re.finditer(r"\$\{(?![ab_][ab_1]*\})", text)
    first = next((opening.start() for opening in openings), None)
    if first is None:
        assert parse(text).text == text
        return
    with pytest.raises(MalformedVariable) as refused:
        parse(text)
    assert refused.value.position == first


@pytest.mark.parametrize(
    ("text", "position", "found"),
    [
        ("Hi ${", 3, "${"),
        ("${}", 0, "${}"),
        ("Hi ${1st}", 3, "${1st}"),
        ("${first name}", 0, "${first name}"),
        ("${name} ${姓名}", 8, "${姓名}"),
        ("a ${na${me}}", 2, "${na${me}"),
        ("a ${sp_}", 2, "${sp_}"),
        ("${" + "x" * 50, 0, "${" + "x" * 18),
    ],
)
def test_an_ill_formed_variable_is_refused_with_its_place(
    text: str, position: int, found: str
) -> None:
    with pytest.raises(MalformedVariable) as refused:
        parse(text)
    assert refused.value.fields == {"position": position, "found": found}
    assert f"character {position + 1} " in refused.value.sentence


def test_an_unknown_variable_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UnknownVariable) as refused:
        parse("Hi ${name}, ${nmae}", known={"name", "city"})
    assert refused.value.fields == {"name": "nmae", "position": 12, "known": ("city", "name")}
    assert "Known are: city, name." in refused.value.sentence


def test_a_click_token_of_an_unknown_link_is_refused_too() -> None:
    parse("https://d.cn/a?ph=${sp_a}", known={"sp_a"})
    with pytest.raises(UnknownVariable):
        parse("https://d.cn/b?ph=${sp_b}", known={"sp_a"})


def test_a_template_names_its_values_once_and_without_tokens() -> None:
    template = parse("${a} ${sp_link} ${b} ${a}")
    assert template.names == ("a", "b")
    assert template.has_token
    assert not parse("${a} ${span}").has_token


def test_a_value_that_looks_like_a_variable_stays_as_it_is() -> None:
    assert render(parse("Hi ${a}${b}"), ["${b}", "{0}"], TOKEN) == "Hi ${b}{0}"


def test_too_few_values_and_uneven_columns_are_errors() -> None:
    template = parse("${a} ${b}")
    with pytest.raises(IndexError):
        render(template, ["only one"], TOKEN)
    with pytest.raises(ValueError, match="1 columns for 2 variables"):
        render_many(template, [["x"]], [TOKEN])
    with pytest.raises(ValueError, match="not as long"):
        render_many(template, [["x"], ["y", "z"]], [TOKEN])


@pytest.fixture
def greeting() -> TemplateText:
    return parse("${title} ${name} from ${city}")


@pytest.mark.parametrize("missing", [None, "", " \u3000"])
def test_a_missing_value_is_filled_as_its_variable_says(
    greeting: TemplateText, missing: str | None
) -> None:
    policy = {
        "title": MissingValue(WhenMissing.DEFAULT, "Dear"),
        "name": MissingValue(WhenMissing.EMPTY),
    }
    assert fill(greeting, [missing, missing, "Rome"], policy) == ["Dear", "", "Rome"]


def test_a_missing_value_drops_the_recipient_unless_something_else_was_chosen(
    greeting: TemplateText,
) -> None:
    policy = {"city": MissingValue(WhenMissing.DROP, "a default that does not count")}
    assert fill(greeting, ["Dr", "Li", None], policy) is None
    assert fill(greeting, ["Dr", None, "Rome"], policy) is None
    assert fill(greeting, ["Dr", "Li", "Rome"], policy) == ["Dr", "Li", "Rome"]
