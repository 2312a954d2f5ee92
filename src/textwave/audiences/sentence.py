"""A rule as one sentence that a person can read, in English and in Chinese.

Names of columns and values stand as they are; long lists are cut, and the cut is said.
"""

from collections.abc import Iterable
from typing import Final

from textwave.audiences.phrases import CHINESE, ENGLISH, Language
from textwave.audiences.rule import (
    Aipl,
    AiplFlow,
    All,
    AnyOf,
    Attribute,
    Behaviours,
    InAudience,
    InCampaign,
    InList,
    Joined,
    LastDays,
    Measure,
    Metrics,
    Minus,
    Not,
    Occurrences,
    Operator,
    Orders,
    Period,
    Rfm,
    Rule,
    Scalar,
    Stage,
    Value,
)

_MOST_SHOWN: Final = 5
_LONGEST_SHOWN: Final = 40
_OF_DAYS: Final = {
    Operator.IN_LAST_DAYS,
    Operator.NOT_IN_LAST_DAYS,
    Operator.IN_NEXT_DAYS,
    Operator.ANNIVERSARY_IN_NEXT_DAYS,
}
_OF_PIECES: Final = {
    Operator.CONTAINS,
    Operator.NOT_CONTAINS,
    Operator.STARTS_WITH,
    Operator.NOT_STARTS_WITH,
    Operator.ENDS_WITH,
    Operator.NOT_ENDS_WITH,
}


def english(rule: Rule, *, table: str) -> str:
    """Say in one English sentence whom a rule selects."""
    return ENGLISH.whole.format(table=_quoted(table), rule=_said(rule, ENGLISH))


def chinese(rule: Rule, *, table: str) -> str:
    """Say in one Chinese sentence whom a rule selects."""
    return CHINESE.whole.format(table=_quoted(table), rule=_said(rule, CHINESE))


def _said(rule: Rule, words: Language) -> str:
    match rule:
        case All() | AnyOf() | Minus():
            return _combined(rule, words)
        case Not():
            return words.negated.format(rule=_grouped(rule.of, words))
        case Attribute():
            subject = _quoted(rule.column)
            if rule.table is not None:
                subject = words.elsewhere.format(column=subject, table=_quoted(rule.table))
            return _compared(subject, rule.operator, rule.value, words)
        case Orders() | Behaviours() | Metrics():
            return _occurrences(rule, words)
        case _:
            return _membership(rule, words)


def _combined(rule: Joined, words: Language) -> str:
    said = [_grouped(inner, words) for inner in rule.of]
    if isinstance(rule, Minus):
        first, *others = said
        return words.without.format(rule=first, others=words.some.join(others))
    return (words.every if isinstance(rule, All) else words.some).join(said) or words.everyone


def _grouped(rule: Rule, words: Language) -> str:
    said = _said(rule, words)
    several = isinstance(rule, Not) or (isinstance(rule, Joined) and len(rule.of) > 1)
    return words.group.format(rule=said) if several else said


def _compared(subject: str, operator: Operator, value: Value | None, words: Language) -> str:
    if operator is Operator.ANNIVERSARY_IN_NEXT_DAYS and value == 0:
        return words.anniversary_today.format(column=subject)
    shown = "" if value is None else _shown(value, operator, words)
    return words.operators[operator].format(column=subject, value=shown)


def _occurrences(node: Occurrences, words: Language) -> str:
    rule = words.every.join(_said(inner, words) for inner in node.where)
    again = None if isinstance(node, Metrics) else node.again_within_days
    place = {
        "table": _quoted(node.table),
        "when": _when(node, words),
        "where": words.where.format(rule=rule) if rule else "",
        "again": "" if again is None else words.again.format(days=_days(again, words)),
    }
    if node.operator is None:
        return (words.at_least_once if node.did else words.did_not).format(**place)
    said = _compared(_subject(node, place, words), node.operator, node.value, words)
    return said if node.did else words.negated.format(rule=said)


def _subject(node: Occurrences, place: dict[str, str], words: Language) -> str:
    if node.measure is Measure.COUNT:
        return words.counted.format(**place)
    timed = node.measure in {Measure.FIRST, Measure.LAST}
    unnamed = words.time if timed else words.amount
    column = _quoted(node.column) if node.column else unnamed
    template = words.timed if timed else words.measured
    return template.format(**place, column=column, measure=words.measures[node.measure])


def _when(node: Occurrences, words: Language) -> str:
    match node.within:
        case None:
            return ""
        case LastDays(last_days=days):
            return words.last_days.format(days=_days(days, words))
        case span if span.until is None:
            return words.since.format(start=span.from_)
        case span if span.from_ is None:
            return words.until.format(end=span.until)
        case span:
            return words.during.format(start=span.from_, end=span.until)


def _membership(
    node: InAudience | InList | InCampaign | Rfm | Aipl | AiplFlow, words: Language
) -> str:
    match node:
        case InAudience():
            return words.audience.format(audience=_quoted(node.audience))
        case InList():
            return words.uploaded_list.format(list=_quoted(node.list))
        case InCampaign():
            reasons = _listed((_quoted(reason) for reason in node.reasons or ()), words)
            said = words.campaign.format(
                campaign=_quoted(node.campaign), outcome=words.outcomes[node.outcome]
            )
            return said + (words.because.format(reasons=reasons) if reasons else "")
        case Rfm():
            return _rfm(node, words)
        case _:
            return _aipl(node, words)


def _rfm(node: Rfm, words: Language) -> str:
    ranges = {"recency": node.recency, "frequency": node.frequency, "monetary": node.monetary}
    conditions = [
        words.rfm_range.format(score=words.rfm_scores[name], low=bounds[0], high=bounds[1])
        for name, bounds in ranges.items()
        if bounds is not None
    ]
    if node.types is not None:
        conditions.insert(0, words.rfm_types.format(types=words.either.join(node.types)))
    return words.rfm.format(model=_quoted(node.model), conditions=words.every.join(conditions))


def _aipl(node: Aipl | AiplFlow, words: Language) -> str:
    model = _quoted(node.model)
    if isinstance(node, AiplFlow):
        was, became = _stages(node.was, words), _stages(node.became, words)
        return words.aipl_flow.format(
            model=model, was=was, start=node.from_, became=became, end=node.until
        )
    template = words.aipl if node.day is None else words.aipl_on
    return template.format(model=model, stages=_stages(node.stages, words), day=node.day)


def _stages(stages: Iterable[Stage], words: Language) -> str:
    return words.either.join(words.stages[stage] for stage in stages)


def _shown(value: Value, operator: Operator, words: Language) -> str:
    if operator in {Operator.IN_CURRENT, Operator.IN_PREVIOUS}:
        periods = words.current if operator is Operator.IN_CURRENT else words.previous
        return periods[Period(str(value))]
    if not isinstance(value, tuple):
        return _days(value, words) if operator in _OF_DAYS else _scalar(value)
    if operator in {Operator.BETWEEN, Operator.NOT_BETWEEN}:
        return words.span.format(low=_scalar(value[0]), high=_scalar(value[1]))
    separator = words.either if operator in _OF_PIECES else words.comma
    return _listed((_scalar(item) for item in value), words, separator)


def _listed(shown: Iterable[str], words: Language, separator: str | None = None) -> str:
    items = list(shown)
    values = (words.either if separator is None else separator).join(items[:_MOST_SHOWN])
    more = len(items) - _MOST_SHOWN
    return words.more.format(values=values, more=more) if more > 0 else values


def _days(days: Scalar, words: Language) -> str:
    return (words.day if days == 1 else words.days).format(days=days)


def _scalar(value: Scalar) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return str(int(value)) if value == int(value) else str(value)


def _quoted(text: str) -> str:
    return f"“{text[:_LONGEST_SHOWN]}{'…' if len(text) > _LONGEST_SHOWN else ''}”"
