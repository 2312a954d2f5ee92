"""What is computed on both engines: models, and a rule of each kind with each operator."""

from datetime import date
from typing import Any, Final

import ibis.expr.types as ir

from tests.audiences.shop import FIRST_DAY, KNOWN, LAST_DAY, NOW, TABLES, ZONE
from textwave.audiences.calendar import Calendar
from textwave.audiences.check import check_rule
from textwave.audiences.compile import select_customers
from textwave.audiences.rule import read_rule
from textwave.models.aipl import read_aipl
from textwave.models.definition import purchases, read_definition
from textwave.models.rfm import Analysis
from textwave.storage.warehouse import Lake

CALENDAR: Final = Calendar(NOW, ZONE)
LABELLED: Final = (FIRST_DAY, LAST_DAY)
DAY: Final = date(2026, 3, 10)


def analysis(given: dict[str, Any]) -> Analysis:
    """Read an RFM model over the shop's orders."""
    definition = read_definition({"table": "orders", **given})
    return Analysis(definition, purchases(definition, TABLES), DAY, CALENDAR)


RFM: Final = analysis(
    {
        "bands": {
            "recency_days": [[2, 3], [30, 2], [None, 1]],
            "frequency": [[1, 1], [3, 2], [None, 3]],
            "monetary": [[0.3, 1], [100, 2], [None, 3]],
            "baseline": "mean",
        }
    }
)
QUANTILES: Final = analysis(
    {
        "quantiles": 5,
        "last_days": 365,
        "where": [{"kind": "attribute", "column": "channel", "operator": "not_empty"}],
    }
)


def _did(kind: str, table: str, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "table": table, **more}


def _is(column: str, operator: str, value: Any = None, **more: Any) -> dict[str, Any]:
    given = {} if value is None else {"value": value}
    return {"kind": "attribute", "column": column, "operator": operator, **given, **more}


REGULARS: Final = _did("orders", "orders", measure="count", operator="at_least", value=3)
AIPL: Final = read_aipl(
    {
        "table": "customers",
        "stages": {
            "aware": _did("behaviours", "message_event"),
            "interested": _did("behaviours", "calls", within={"last_days": 30}),
            "purchased": _did("orders", "orders", within={"last_days": 60}),
            "loyal": _did("orders", "orders", again_within_days=2),
        },
    }
)
RULES: Final[dict[str, dict[str, Any]]] = {
    "text is": _is("city", "is", "a"),
    "text is not, empty counts": _is("city", "is_not", ""),
    "text in": _is("city", "in", ["上海", "", "\U0001f600"]),
    "text not in": _is("city", "not_in", ["a", "%"]),
    "text contains any": _is("city", "contains", ["a", "%"]),
    "text contains no underscore": _is("city", "not_contains", "_"),
    "text starts": _is("city", "starts_with", ["a", "上"]),
    "text does not start": _is("city", "not_starts_with", "b"),
    "text ends": _is("city", "ends_with", "a"),
    "text does not end": _is("city", "not_ends_with", ["a", "é"]),
    "text empty": _is("city", "empty"),
    "number is": _is("level", "is", 0),
    "number not in": _is("level", "not_in", [2.5, 3]),
    "number between": _is("level", "between", [-1, 2]),
    "number not between": _is("level", "not_between", [0, 2]),
    "number less and at least": {
        "kind": "any",
        "of": [_is("level", "less_than", 0), _is("level", "at_least", 2.5)],
    },
    "number not empty": _is("level", "not_empty"),
    "time before": _is("joined", "before", "2026-03-10"),
    "time from": _is("joined", "on_or_after", "2026-03-09T16:00:00+00:00"),
    "time not between": _is("joined", "not_between", ["2026-03-01", "2026-03-10"]),
    "time in last days": _is("joined", "in_last_days", 2),
    "time not in last days": _is("joined", "not_in_last_days", 30),
    "time in next days": _is("joined", "in_next_days", 3),
    "time in this week": _is("joined", "in_current", "week"),
    "time in previous month": _is("joined", "in_previous", "month"),
    "birthday": _is("born", "anniversary_in_next_days", 300, table="profiles"),
    "tags any": _is("tags", "any_of", ["a", "上海"]),
    "tags all": _is("tags", "all_of", ["a", "b"]),
    "tags none": _is("tags", "none_of", ["b"]),
    "tags empty": _is("tags", "empty"),
    "attribute of another table": _is("spent", "more_than", 0.1, table="summaries"),
    "bought": _did("orders", "orders"),
    "did not buy there": _did("orders", "orders", did=False, where=[_is("channel", "is", "a")]),
    "bought often in a span": _did(
        "orders",
        "orders",
        within={"from": "2026-01-01", "until": "2026-03-10"},
        measure="count",
        operator="at_least",
        value=2,
    ),
    "spent at most, nothing included": _did(
        "orders", "orders", measure="sum", operator="at_most", value=100
    ),
    "average": _did("orders", "orders", measure="average", operator="between", value=[0, 90]),
    "highest": _did("orders", "orders", measure="maximum", operator="is", value=100.01),
    "lowest": _did("orders", "orders", measure="minimum", operator="less_than", value=0),
    "kinds of channel": _did(
        "orders", "orders", measure="distinct", column="channel", operator="at_least", value=3
    ),
    "first bought before": _did(
        "orders", "orders", measure="first", operator="before", value="2026-01-01"
    ),
    "last bought long ago": _did(
        "orders", "orders", measure="last", operator="not_in_last_days", value=7
    ),
    "bought again": _did("orders", "orders", again_within_days=1),
    "called, by number": _did("behaviours", "calls", within={"last_days": 60}),
    "called often": _did("behaviours", "calls", measure="count", operator="at_least", value=2),
    "called again": _did("behaviours", "calls", again_within_days=7),
    "points, by open id": _did("metrics", "points", operator="more_than", value=100),
    "in an audience": {"kind": "audience", "audience": "regulars"},
    "rfm": {"kind": "rfm", "model": "value", "types": ["HHH", "LLL"], "recency": [1, 3]},
    "aipl": {"kind": "aipl", "model": "path", "stages": ["purchased", "loyal"]},
    "aipl flow": {
        "kind": "aipl_flow",
        "model": "path",
        "from": FIRST_DAY.isoformat(),
        "until": LAST_DAY.isoformat(),
        "was": ["none", "aware"],
        "became": ["interested", "purchased", "loyal"],
    },
    "campaign failed": {"kind": "campaign", "campaign": "Spring", "outcome": "failed"},
    "campaign clicked": {"kind": "campaign", "campaign": "Spring", "outcome": "clicked"},
    "campaign waiting": {"kind": "campaign", "campaign": "Spring", "outcome": "waiting"},
    "list of keys": {"kind": "list", "list": "keys"},
    "list of numbers": {"kind": "list", "list": "numbers"},
    "list of addresses": {"kind": "list", "list": "addresses"},
    "all of it": {
        "kind": "minus",
        "of": [
            {
                "kind": "all",
                "of": [
                    {"kind": "any", "of": [REGULARS, _is("level", "is", 1)]},
                    {"kind": "not", "of": _is("tags", "any_of", ["上海"])},
                    {"kind": "not", "of": {"kind": "list", "list": "addresses"}},
                ],
            },
            _did("behaviours", "visits", where=[_is("page", "is", "a")]),
            {"kind": "audience", "audience": "regulars"},
        ],
    },
}


def choose(rule: dict[str, Any], lake: Lake) -> ir.Table:
    """Return the customers that a rule selects."""
    read = read_rule(rule)
    check_rule(read, table="customers", known=KNOWN)
    return select_customers(
        read, table="customers", known=KNOWN, source=lake.table, calendar=CALENDAR
    )
