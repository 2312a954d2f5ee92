"""Rules as sentences."""

from typing import Any

import pytest

from textwave.audiences.phrases import CHINESE, ENGLISH
from textwave.audiences.rule import Measure, Operator, Outcome, Period, Stage, read_rule
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
        (
            {"kind": "minus", "of": [CITY, LEVEL, {"kind": "list", "list": "staff"}]},
            (
                "“city” is one of “上海”, “杭州”, except those for whom “level” is at least 3 "
                "or they are in the list “staff”"
            ),
            "“city”为“上海”、“杭州”之一，但排除满足“level”不小于3，或在名单“staff”中的客户",
        ),
        (
            {**LEVEL, "table": "summaries", "operator": "not_between", "value": [1, 2]},
            "“level” of “summaries” is not between 1 and 2",
            "“summaries”的“level”不介于1和2之间",
        ),
        (
            {**CITY, "operator": "not_starts_with"},
            "“city” does not start with “上海” or “杭州”",
            "“city”不以“上海”或“杭州”开头",
        ),
        (
            {**CITY, "column": "joined", "operator": "in_last_days", "value": 1},
            "“joined” is within the last 1 day",
            "“joined”在最近1天内",
        ),
        (
            {**CITY, "column": "joined", "operator": "in_previous", "value": "month"},
            "“joined” is in the month before this one",
            "“joined”在上月",
        ),
        (
            {**CITY, "column": "born", "operator": "anniversary_in_next_days", "value": 7},
            "the anniversary of “born” is within the next 7 days",
            "“born”的周年日在未来7天内",
        ),
        (
            {**CITY, "column": "born", "operator": "anniversary_in_next_days", "value": 0},
            "the anniversary of “born” is today",
            "“born”的周年日是今天",
        ),
        (
            {**TWICE, "measure": "first", "operator": "in_current", "value": "year"},
            "the first time in “orders” in the last 90 days is in this year",
            "最近90天内“orders”中最早的时间在今年",
        ),
        (
            {"kind": "orders", "table": "orders", "again_within_days": 30},
            "there is a row in “orders” that another one follows within 30 days",
            "“orders”有30天内再次发生的记录",
        ),
        (
            {"kind": "metrics", "table": "points", "operator": "more_than", "value": 5},
            "the sum of the amount in “points” is more than 5",
            "“points”中金额的总和大于5",
        ),
        (
            {"kind": "audience", "audience": "regulars"},
            "they are in the audience “regulars”",
            "属于人群“regulars”",
        ),
        (
            {"kind": "rfm", "model": "value", "types": ["HHH", "HLH"], "recency": [3, 5]},
            "in the RFM model “value” the type is HHH or HLH and the recency score is 3 to 5",
            "在RFM模型“value”中类型为HHH或HLH，且近度分为3至5",
        ),
        (
            {"kind": "aipl", "model": "path", "stages": ["loyal"], "day": "2026-03-01"},
            "in the AIPL model “path” the stage was loyal on 2026-03-01",
            "在AIPL模型“path”中2026-03-01处于忠诚阶段",
        ),
        (
            {
                "kind": "aipl_flow",
                "model": "path",
                "from": "2026-03-01",
                "until": "2026-03-08",
                "was": ["aware"],
                "became": ["loyal", "none"],
            },
            (
                "in the AIPL model “path” the stage was aware on 2026-03-01 and became loyal or "
                "none by 2026-03-08"
            ),
            "在AIPL模型“path”中2026-03-01处于认知阶段，到2026-03-08变为忠诚或无阶段",
        ),
        (
            {"kind": "campaign", "campaign": "Spring", "outcome": "failed", "reasons": ["blocked"]},
            "the campaign “Spring” failed because of “blocked”",
            "活动“Spring”的短信未能送达（原因：“blocked”）",
        ),
    ],
)
def test_a_rule_is_said_in_two_languages(
    written: dict[str, Any], in_english: str, in_chinese: str
) -> None:
    rule = read_rule(written)
    assert english(rule, table="c") == f"Customers of “c” for whom {in_english}."
    assert chinese(rule, table="c") == f"“c”中满足以下条件的客户：{in_chinese}。"


def test_both_languages_have_words_for_everything() -> None:
    for words in (ENGLISH, CHINESE):
        assert set(words.operators) == set(Operator)
        assert set(words.measures) | {Measure.COUNT} == set(Measure)
        assert set(words.current) == set(words.previous) == set(Period)
        assert set(words.stages) == set(Stage)
        assert set(words.outcomes) == set(Outcome)
