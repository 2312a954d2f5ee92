"""The examples of the how-to page are rules, and it shows every kind and operator."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from textwave.audiences.operators import OPERATORS
from textwave.audiences.references import walk
from textwave.audiences.rule import KINDS, Attribute, read_rule
from textwave.audiences.sentence import chinese, english

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "write-a-rule.md").read_text("utf-8")
EXAMPLES = [
    *re.findall(r"```json\n(.+?)```", PAGE, re.DOTALL),
    *re.findall(r"\| `(\{\"kind\".+?\})` \|", PAGE),
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_page_is_a_rule(example: str) -> None:
    rule = read_rule(json.loads(example))
    assert english(rule, table="customers")
    assert chinese(rule, table="customers")


def test_the_page_has_an_example_of_every_kind() -> None:
    rules = [read_rule(json.loads(example)) for example in EXAMPLES]
    shown = {node.kind for rule in rules for node, _ in walk(rule)}
    assert shown == set(KINDS)


def test_the_page_has_an_example_for_each_row_of_operators() -> None:
    table = PAGE.split("| operators | value | example |")[1].split("\n\n")[0]
    for line in table.splitlines()[2:]:
        names, _, example = line.strip("| ").split(" | ", 2)
        rule: Any = read_rule(json.loads(example.strip("`")))
        assert isinstance(rule, Attribute)
        assert f"`{rule.operator}`" in names


def test_the_page_names_the_operators_of_each_type() -> None:
    for column_type, operators in OPERATORS.items():
        label = str(column_type).replace("_", "-")
        named = " ".join(f"`{operator}`" for operator in operators)
        assert f"| {label} | {named} |" in PAGE
