"""The rule builder's words: operators, measures, outcomes, and every text that its script shows."""

from collections.abc import Mapping
from typing import Final

from textwave.audiences.rule import Measure, Operator, Outcome, Period, Stage
from textwave.console.language import CAUSES, DROPS, catalog


def _(message: str) -> str:
    return message


OPERATORS: Final[Mapping[str, str]] = {
    Operator.IS: _("is"),
    Operator.IS_NOT: _("is not"),
    Operator.IN: _("is one of"),
    Operator.NOT_IN: _("is none of"),
    Operator.CONTAINS: _("contains"),
    Operator.NOT_CONTAINS: _("does not contain"),
    Operator.STARTS_WITH: _("starts with"),
    Operator.NOT_STARTS_WITH: _("does not start with"),
    Operator.ENDS_WITH: _("ends with"),
    Operator.NOT_ENDS_WITH: _("does not end with"),
    Operator.LESS_THAN: _("is less than"),
    Operator.AT_MOST: _("is at most"),
    Operator.MORE_THAN: _("is more than"),
    Operator.AT_LEAST: _("is at least"),
    Operator.BETWEEN: _("is between"),
    Operator.NOT_BETWEEN: _("is not between"),
    Operator.BEFORE: _("is before"),
    Operator.ON_OR_AFTER: _("is on or after"),
    Operator.IN_LAST_DAYS: _("is within the last"),
    Operator.NOT_IN_LAST_DAYS: _("is not within the last"),
    Operator.IN_NEXT_DAYS: _("is within the next"),
    Operator.IN_CURRENT: _("is in the current"),
    Operator.IN_PREVIOUS: _("is in the previous"),
    Operator.ANNIVERSARY_IN_NEXT_DAYS: _("has its anniversary within the next"),
    Operator.ANY_OF: _("has any of"),
    Operator.ALL_OF: _("has all of"),
    Operator.NONE_OF: _("has none of"),
    Operator.EMPTY: _("is empty"),
    Operator.NOT_EMPTY: _("is not empty"),
}
MEASURES: Final[Mapping[str, str]] = {
    Measure.COUNT: _("how often"),
    Measure.SUM: _("the sum of"),
    Measure.AVERAGE: _("the average of"),
    Measure.MINIMUM: _("the smallest"),
    Measure.MAXIMUM: _("the largest"),
    Measure.DISTINCT: _("how many different"),
    Measure.FIRST: _("the first"),
    Measure.LAST: _("the last"),
}
PERIODS: Final[Mapping[str, str]] = {
    Period.DAY: _("day"),
    Period.WEEK: _("week"),
    Period.MONTH: _("month"),
    Period.YEAR: _("year"),
}
STAGES: Final[Mapping[str, str]] = {
    Stage.AWARE: _("Aware"),
    Stage.INTERESTED: _("Interested"),
    Stage.PURCHASED: _("Purchased"),
    Stage.LOYAL: _("Loyal"),
    Stage.NONE: _("In no stage"),
}
OUTCOMES: Final[Mapping[str, str]] = {
    Outcome.SENT: _("was sent a message"),
    Outcome.DELIVERED: _("got the message"),
    Outcome.FAILED: _("did not get it: it failed"),
    Outcome.WAITING: _("may have got it: no receipt yet"),
    Outcome.CLICKED: _("clicked"),
    Outcome.REPLIED: _("replied"),
    Outcome.OPTED_OUT: _("opted out"),
    Outcome.DROPPED: _("was dropped before"),
}
JOINS: Final[Mapping[str, str]] = {
    "all": _("All of these hold"),
    "any": _("At least one of these holds"),
    "minus": _("The first holds, without the others"),
    "none": _("None of these holds"),
}
BETWEEN: Final[Mapping[str, str]] = {
    "all": _("and"),
    "any": _("or"),
    "minus": _("without"),
    "none": _("nor"),
}
CARDS: Final[Mapping[str, str]] = {
    "attribute": _("Attribute"),
    "orders": _("Orders"),
    "behaviours": _("Behaviour"),
    "metrics": _("Metric"),
    "audience": _("Audience"),
    "list": _("Uploaded list"),
    "campaign": _("Campaign"),
    "rfm": _("RFM type"),
    "aipl": _("AIPL stage"),
    "aipl_flow": _("AIPL flow"),
    "group": _("Group"),
}
TEXTS: Final[Mapping[str, str]] = {
    "add": _("Add a condition"),
    "add_to": _("Add to this group"),
    "remove": _("Remove"),
    "up": _("Move up"),
    "down": _("Move down"),
    "duplicate": _("Duplicate"),
    "nothing": _("No condition yet: everybody in the table. Add what they are, did or bought."),
    "nothing_in_group": _("This group is empty; add a condition or remove it."),
    "column": _("Column"),
    "operator": _("Comparison"),
    "value": _("Value"),
    "low": _("From"),
    "high": _("Until"),
    "table": _("Table"),
    "own_table": _("of the table itself"),
    "of_table": _("of %(table)s"),
    "did": _("has"),
    "did_not": _("has not"),
    "when": _("When"),
    "any_time": _("at any time"),
    "last_days": _("in the last"),
    "span": _("from … until"),
    "days": _("days"),
    "until_excluded": _("until (excluded)"),
    "measure": _("What is measured"),
    "at_least_once": _("at least once"),
    "where": _("only rows where"),
    "add_where": _("Only rows where …"),
    "again": _("and again within"),
    "add_again": _("And again within days …"),
    "model": _("Model"),
    "types": _("Types"),
    "types_hint": _("Recency, frequency, monetary value: H is high, L is low."),
    "recency": _("Recency score"),
    "frequency": _("Frequency score"),
    "monetary": _("Monetary score"),
    "stages": _("Stages"),
    "day": _("On"),
    "newest_day": _("the newest labelled day"),
    "was": _("was"),
    "became": _("became"),
    "campaign": _("Campaign"),
    "outcome": _("Outcome"),
    "reasons": _("only for these reasons"),
    "all_reasons": _("All reasons, unless some are chosen."),
    "audience": _("Audience"),
    "list": _("Uploaded list"),
    "not_computed": _("not computed yet"),
    "choose": _("Choose …"),
    "add_value": _("Type a value and press Enter, or paste many"),
    "frequent": _("Frequent:"),
    "too_many": _("At most %(most)s values; %(left)s were left out."),
    "not_numbers": _("%(left)s were no numbers and were left out."),
    "clear": _("Remove all"),
    "more_values": _("and %(count)s more"),
    "with_time": _("with time of day"),
    "counting": _("Counting …"),
    "of": _("of %(all)s customers"),
    "no_estimate": _("Not counted: mend what is marked first."),
    "failed": _("The count failed:"),
    "stopped": _("The count was stopped; change something to count again."),
    "lost": _("No connection; the count is not up to date."),
    "json_wrong": _("This is no JSON: %(problem)s"),
}


def words(chosen: str) -> dict[str, dict[str, str]]:
    """Return all of the builder's words in a language, by kind."""
    said = catalog(chosen).gettext
    kinds = {
        "operators": OPERATORS,
        "measures": MEASURES,
        "periods": PERIODS,
        "stages": STAGES,
        "outcomes": OUTCOMES,
        "joins": JOINS,
        "between": BETWEEN,
        "cards": CARDS,
        "texts": TEXTS,
        "drops": DROPS,
        "causes": CAUSES,
    }
    return {
        kind: {str(name): said(message) for name, message in messages.items()}
        for kind, messages in kinds.items()
    }
