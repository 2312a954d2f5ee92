"""Rules as sentences."""

from typing import Any

import pytest

from textwave.audiences.rule import read_rule
from textwave.audiences.sentence import chinese, english

CITY: dict[str, Any] = {
    "kind": "attribute",
    "column": "city",
    "operator": "in",
    "value": ["上海", "杭州"],
}
LEVEL: dict[str, Any] = {
    "kind": "attribute",
    "column": "level",
    "operator": "at_least",
    "value": 3.0,
}
TWICE: dict[str, Any] = {
    "kind": "orders",
    "table": "orders",
    "within": {"last_days": 90},
    "operator": "at_least",
    "value": 2,
}


@pytest.mark.parametrize(
    ("written", "in_english", "in_chinese"),
    [
        ({"kind": "all", "of": []}, "there is no condition", "无条件"),
        (
            {"kind": "all", "of": [CITY, LEVEL, TWICE]},
            (
                "“city” is one of “上海”, “杭州” and “level” is at least 3 and the number of rows "
                "in “orders” in the last 90 days is at least 2"
            ),
            "“city”为“上海”、“杭州”之一，且“level”不小于3，且最近90天内“orders”的记录数不小于2",
        ),
        (
            {"kind": "all", "of": [LEVEL, {"kind": "any", "of": [CITY, LEVEL]}]},
            "“level” is at least 3 and (“city” is one of “上海”, “杭州” or “level” is at least 3)",
            "“level”不小于3，且（“city”为“上海”、“杭州”之一，或“level”不小于3）",
        ),
        (
            {"kind": "not", "of": {**CITY, "value": list("abcdefg")}},
            "it is not so that “city” is one of “a”, “b”, “c”, “d”, “e” and 2 more",
            "不满足（“city”为“a”、“b”、“c”、“d”、“e”等（另有2个）之一）",
        ),
        (
            {"kind": "orders", "table": "orders", "did": False, "within": {"from": "2026-01-01"}},
            "there is no row in “orders” since 2026-01-01",
            "2026-01-01及以后“orders”没有记录",
        ),
        (
            {
                "kind": "orders",
                "table": "orders",
                "where": [LEVEL],
                "measure": "sum",
                "operator": "between",
                "value": [1, 2.5],
            },
            "the sum of the amount in “orders” (where “level” is at least 3) is between 1 and 2.5",
            "“orders”（“level”不小于3）中金额的总和介于1和2.5之间",
        ),
    ],
)
def test_a_rule_is_said_in_two_languages(
    written: dict[str, Any], in_english: str, in_chinese: str
) -> None:
    rule = read_rule(written)
    assert english(rule, table="c") == f"Customers of “c” for whom {in_english}."
    assert chinese(rule, table="c") == f"“c”中满足以下条件的客户：{in_chinese}。"
