"""A rule as one sentence that a person can read, in English and in Chinese.

Names of columns and values stand as they are; long lists are cut, and the cut is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from textwave.audiences.rule import (
    All,
    AnyOf,
    Attribute,
    Behaviours,
    LastDays,
    Measure,
    Metrics,
    Not,
    Occurrences,
    Operator,
    Orders,
    Rule,
    Scalar,
    Value,
)

_MOST_SHOWN: Final = 5
_LONGEST_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class _Language:
    """The phrases of one language; `{}` fields are filled by name."""

    whole: str
    everyone: str
    every: str
    some: str
    negated: str
    group: str
    comma: str
    more: str
    span: str
    operators: Mapping[Operator, str]
    counted: str
    measured: str
    at_least_once: str
    did_not: str
    last_days: str
    since: str
    until: str
    during: str
    where: str
    measures: Mapping[Measure, str]
    amount: str


_ENGLISH = _Language(
    whole="Customers of {table} for whom {rule}.",
    everyone="there is no condition",
    every=" and ",
    some=" or ",
    negated="it is not so that {rule}",
    group="({rule})",
    comma=", ",
    more="{values} and {more} more",
    span="{low} and {high}",
    operators={
        Operator.IS: "{column} is {value}",
        Operator.IS_NOT: "{column} is not {value}",
        Operator.IN: "{column} is one of {value}",
        Operator.NOT_IN: "{column} is none of {value}",
        Operator.CONTAINS: "{column} contains {value}",
        Operator.NOT_CONTAINS: "{column} does not contain {value}",
        Operator.STARTS_WITH: "{column} starts with {value}",
        Operator.ENDS_WITH: "{column} ends with {value}",
        Operator.LESS_THAN: "{column} is less than {value}",
        Operator.AT_MOST: "{column} is at most {value}",
        Operator.MORE_THAN: "{column} is more than {value}",
        Operator.AT_LEAST: "{column} is at least {value}",
        Operator.BETWEEN: "{column} is between {value}",
        Operator.BEFORE: "{column} is before {value}",
        Operator.ON_OR_AFTER: "{column} is on or after {value}",
        Operator.IN_LAST_DAYS: "{column} is within the last {value} days",
        Operator.NOT_IN_LAST_DAYS: "{column} is not within the last {value} days",
        Operator.ANY_OF: "{column} has any of {value}",
        Operator.ALL_OF: "{column} has all of {value}",
        Operator.NONE_OF: "{column} has none of {value}",
        Operator.EMPTY: "{column} is empty",
        Operator.NOT_EMPTY: "{column} is not empty",
    },
    counted="the number of rows in {table}{when}{where}",
    measured="the {measure} of {column} in {table}{when}{where}",
    at_least_once="there is a row in {table}{when}{where}",
    did_not="there is no row in {table}{when}{where}",
    last_days=" in the last {days} days",
    since=" since {start}",
    until=" before {end}",
    during=" from {start} until before {end}",
    where=" (where {rule})",
    measures={
        Measure.SUM: "sum",
        Measure.AVERAGE: "average",
        Measure.MINIMUM: "minimum",
        Measure.MAXIMUM: "maximum",
        Measure.DISTINCT: "number of different values",
    },
    amount="the amount",
)

_CHINESE = _Language(
    whole="{table}中满足以下条件的客户：{rule}。",
    everyone="无条件",
    every="，且",
    some="，或",
    negated="不满足（{rule}）",
    group="（{rule}）",
    comma="、",
    more="{values}等（另有{more}个）",
    span="{low}和{high}",
    operators={
        Operator.IS: "{column}等于{value}",
        Operator.IS_NOT: "{column}不等于{value}",
        Operator.IN: "{column}为{value}之一",
        Operator.NOT_IN: "{column}不为{value}中的任何一个",
        Operator.CONTAINS: "{column}包含{value}",
        Operator.NOT_CONTAINS: "{column}不包含{value}",
        Operator.STARTS_WITH: "{column}以{value}开头",
        Operator.ENDS_WITH: "{column}以{value}结尾",
        Operator.LESS_THAN: "{column}小于{value}",
        Operator.AT_MOST: "{column}不大于{value}",
        Operator.MORE_THAN: "{column}大于{value}",
        Operator.AT_LEAST: "{column}不小于{value}",
        Operator.BETWEEN: "{column}介于{value}之间",
        Operator.BEFORE: "{column}早于{value}",
        Operator.ON_OR_AFTER: "{column}不早于{value}",
        Operator.IN_LAST_DAYS: "{column}在最近{value}天内",
        Operator.NOT_IN_LAST_DAYS: "{column}不在最近{value}天内",
        Operator.ANY_OF: "{column}含有{value}中的任意一个",
        Operator.ALL_OF: "{column}同时含有{value}",
        Operator.NONE_OF: "{column}不含有{value}中的任何一个",
        Operator.EMPTY: "{column}为空",
        Operator.NOT_EMPTY: "{column}不为空",
    },
    counted="{when}{table}{where}的记录数",
    measured="{when}{table}{where}中{column}的{measure}",
    at_least_once="{when}{table}{where}有记录",
    did_not="{when}{table}{where}没有记录",
    last_days="最近{days}天内",
    since="{start}及以后",
    until="{end}之前",
    during="{start}（含）至{end}（不含）",
    where="（{rule}）",
    measures={
        Measure.SUM: "总和",
        Measure.AVERAGE: "平均值",
        Measure.MINIMUM: "最小值",
        Measure.MAXIMUM: "最大值",
        Measure.DISTINCT: "不同值个数",
    },
    amount="金额",
)


def english(rule: Rule, *, table: str) -> str:
    """Say in one English sentence whom a rule selects."""
    return _ENGLISH.whole.format(table=_quoted(table), rule=_said(rule, _ENGLISH))


def chinese(rule: Rule, *, table: str) -> str:
    """Say in one Chinese sentence whom a rule selects."""
    return _CHINESE.whole.format(table=_quoted(table), rule=_said(rule, _CHINESE))


def _said(rule: Rule, words: _Language) -> str:
    match rule:
        case All():
            return words.every.join(_grouped(r, words) for r in rule.of) or words.everyone
        case AnyOf():
            return words.some.join(_grouped(r, words) for r in rule.of)
        case Not():
            return words.negated.format(rule=_grouped(rule.of, words))
        case Attribute():
            return _compared(_quoted(rule.column), rule.operator, rule.value, words)
        case Orders() | Behaviours() | Metrics():
            return _occurrences(rule, words)
        case _:
            return rule.kind


def _grouped(rule: Rule, words: _Language) -> str:
    said = _said(rule, words)
    several = isinstance(rule, Not) or (isinstance(rule, All | AnyOf) and len(rule.of) > 1)
    return words.group.format(rule=said) if several else said


def _compared(subject: str, operator: Operator, value: Value | None, words: _Language) -> str:
    shown = "" if value is None else _shown(value, operator, words)
    return words.operators[operator].format(column=subject, value=shown)


def _occurrences(node: Occurrences, words: _Language) -> str:
    rule = words.every.join(_said(inner, words) for inner in node.where)
    place = {
        "table": _quoted(node.table),
        "when": _when(node, words),
        "where": words.where.format(rule=rule) if rule else "",
    }
    if node.operator is None:
        return (words.at_least_once if node.did else words.did_not).format(**place)
    if node.measure is Measure.COUNT:
        subject = words.counted.format(**place)
    else:
        column = _quoted(node.column) if node.column else words.amount
        measure = words.measures[node.measure]
        subject = words.measured.format(**place, column=column, measure=measure)
    said = _compared(subject, node.operator, node.value, words)
    return said if node.did else words.negated.format(rule=said)


def _when(node: Occurrences, words: _Language) -> str:
    match node.within:
        case None:
            return ""
        case LastDays(last_days=days):
            return words.last_days.format(days=days)
        case span if span.until is None:
            return words.since.format(start=span.from_)
        case span if span.from_ is None:
            return words.until.format(end=span.until)
        case span:
            return words.during.format(start=span.from_, end=span.until)


def _shown(value: Value, operator: Operator, words: _Language) -> str:
    if not isinstance(value, tuple):
        return _scalar(value)
    if operator is Operator.BETWEEN:
        return words.span.format(low=_scalar(value[0]), high=_scalar(value[1]))
    values = words.comma.join(_scalar(item) for item in value[:_MOST_SHOWN])
    more = len(value) - _MOST_SHOWN
    return words.more.format(values=values, more=more) if more > 0 else values


def _scalar(value: Scalar) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return str(int(value)) if value == int(value) else str(value)


def _quoted(text: str) -> str:
    return f"“{text[:_LONGEST_SHOWN]}{'…' if len(text) > _LONGEST_SHOWN else ''}”"
