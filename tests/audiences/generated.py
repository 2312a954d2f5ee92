"""Random rules of every kind and random rows of the shop, full of ties, gaps and edges of days."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st
from shop import FIRST_DAY, LAST_DAY, SCHEMAS, TABLES

from textwave.audiences.operators import OPERATORS, Operand, comparisons_of
from textwave.audiences.rule import Measure, Outcome, Period, Stage
from textwave.customers.columns import ColumnType

ZONES = ("Asia/Shanghai", "America/New_York", "Africa/Cairo", "Europe/London", "UTC")
NOWS = (
    datetime(2026, 3, 10, 4, 30, tzinfo=UTC),
    datetime(2028, 2, 29, 12, tzinfo=UTC),  # a leap day
    datetime(2026, 2, 28, 12, tzinfo=UTC),  # the end of a February without one
    datetime(2026, 3, 29, 0, 30, tzinfo=UTC),  # London's clocks go forward
    datetime(2026, 11, 1, 5, 30, tzinfo=UTC),  # New York's clocks go back
    datetime(2026, 12, 31, 23, 30, tzinfo=UTC),  # already next year further east
)
DAY = timedelta(days=1)
Strategy = st.SearchStrategy[Any]

words = st.sampled_from(["", "a", "b", "ab", "ba", "上海", "%", "_"])
levels = st.sampled_from([0, 1, 2, 2.5, 3, -1])
days = st.integers(1, 4)
keys = st.sampled_from(["c1", "c2", "c3", "", "C1"])
addresses = st.sampled_from(["a@x", " A@x", "b@x", ""])
open_ids = st.sampled_from(["o1", "o1 ", "o2", "O1"])
numbers = st.sampled_from([15400000001, 15400000002, 15400000003])


@cache
def moments(now: datetime) -> Strategy:
    """Times around the midnights of several zones, to the microsecond, of this and other years."""

    def moment(back: int, hour: int, nudge: int, year: int) -> datetime:
        day = (now - back * DAY).date()
        leap_day = (day.month, day.day) == (2, 29)
        then = day.replace(year=year, day=28) if leap_day and year % 4 else day.replace(year=year)
        shift = timedelta(hours=hour, microseconds=nudge)
        return datetime.combine(then, datetime.min.time()) + shift

    years = st.sampled_from([now.year] * 6 + [now.year - 1, 1990, 2000])
    hours = st.sampled_from([0, 4, 5, 15, 16, 22, 23])
    return st.builds(moment, st.integers(-6, 9), hours, st.integers(-1, 1), years)


@cache
def times(now: datetime) -> Strategy:
    """Times as a rule writes them."""
    return st.one_of(
        moments(now).map(lambda moment: moment.date().isoformat()),
        moments(now).map(lambda moment: moment.isoformat(timespec="microseconds")),
        moments(now).map(lambda moment: moment.isoformat(timespec="microseconds") + "+02:00"),
    )


@cache
def operand_values(operand: Operand, kind: ColumnType, now: datetime) -> Strategy:
    """Values that an operator takes of a column of a type."""
    one = {ColumnType.NUMBER: levels, ColumnType.TIME: times(now)}.get(kind, words)
    pair = st.tuples(one, one)
    many = st.lists(one, min_size=1, max_size=3)
    strategies: dict[Operand, Strategy] = {
        Operand.NOTHING: st.none(),
        Operand.ONE: one,
        Operand.PAIR: pair.map(sorted) if kind is ColumnType.NUMBER else pair.map(list),
        Operand.MANY: many,
        Operand.PIECES: one | many,
        Operand.DAYS: days,
        Operand.ANNIVERSARY: st.integers(0, 3) | st.sampled_from([363, 364, 365]),
        Operand.PERIOD: st.sampled_from([str(period) for period in Period]),
    }
    return strategies[operand]


@cache
def attributes_of(table: str, now: datetime) -> Strategy:
    """Conditions on each column of a table, with each operator it takes."""
    named = {} if table == "customers" else {"table": st.just(table)}
    return st.one_of(
        [
            st.fixed_dictionaries(
                {
                    "kind": st.just("attribute"),
                    "column": st.just(column.name),
                    "operator": st.just(str(operator)),
                    "value": operand_values(operand, column.type, now),
                    **named,
                }
            )
            for column in TABLES[table].columns
            for operator, operand in OPERATORS[column.type].items()
        ]
    )


@cache
def occurrences_of(kind: str, table: str, now: datetime) -> Strategy:
    """Nodes of orders, behaviours or metrics over a table, with every measure it takes."""
    described = TABLES[table]
    where = attributes_of(table, now).map(
        lambda one: {name: value for name, value in one.items() if name != "table"}
    )
    node: dict[str, Strategy] = {
        "kind": st.just(kind),
        "table": st.just(table),
        "did": st.booleans(),
        "where": st.lists(where, max_size=2),
    }
    if described.time_column is not None:
        node["within"] = st.one_of(
            st.none(),
            st.fixed_dictionaries({"last_days": days}),
            st.fixed_dictionaries({"from": times(now), "until": times(now)}),
            st.fixed_dictionaries({"until": times(now)}),
        )
    measured = [
        st.fixed_dictionaries(
            {
                **node,
                "measure": st.just(str(measure)),
                "operator": st.just(str(operator)),
                "value": operand_values(operand, _measured_type(measure), now),
            }
        )
        for measure in Measure
        if _takes(measure, table)
        for operator, operand in comparisons_of(measure).items()
    ]
    existing = st.fixed_dictionaries({**node, "measure": st.just("count")})
    counts = [{"measure": "count"}, {"measure": "count", "operator": "at_least", "value": 2}]
    repeated = st.builds(
        lambda one, counted: {**one, **counted},
        st.fixed_dictionaries({**node, "again_within_days": days}),
        st.sampled_from(counts),
    )
    may_repeat = described.time_column is not None and kind != "metrics"
    return st.one_of(st.one_of(measured), existing, *([repeated] if may_repeat else []))


def _measured_type(measure: Measure) -> ColumnType:
    is_time = measure in {Measure.FIRST, Measure.LAST}
    return ColumnType.TIME if is_time else ColumnType.NUMBER


def _takes(measure: Measure, table: str) -> bool:
    if measure is Measure.COUNT:
        return True
    is_time = measure in {Measure.FIRST, Measure.LAST}
    described = TABLES[table]
    return (described.time_column if is_time else described.amount_column) is not None


score_ranges = st.none() | st.tuples(st.integers(0, 3), st.integers(0, 3)).map(sorted)
stages = st.sampled_from([str(stage) for stage in Stage])
labelled = stages.filter(lambda stage: stage != "none")
memberships = st.one_of(
    st.just({"kind": "audience", "audience": "regulars"}),
    st.builds(
        lambda types, recency, monetary: {
            "kind": "rfm", "model": "value", "types": types, "recency": recency,
            "frequency": [0, 3], "monetary": monetary,
        },
        st.none() | st.lists(st.sampled_from(["HHH", "LLL", "HLH"]), min_size=1, max_size=2),
        score_ranges,
        score_ranges,
    ),
    st.builds(
        lambda chosen, day: {"kind": "aipl", "model": "path", "stages": chosen, "day": day},
        st.lists(labelled, min_size=1, max_size=2),
        st.sampled_from([None, FIRST_DAY.isoformat(), LAST_DAY.isoformat()]),
    ),
    st.builds(
        lambda was, became: {
            "kind": "aipl_flow", "model": "path", "from": FIRST_DAY.isoformat(),
            "until": LAST_DAY.isoformat(), "was": was, "became": became,
        },
        st.lists(stages, min_size=1, max_size=2),
        st.lists(stages, min_size=1, max_size=2),
    ),
    st.sampled_from(["keys", "numbers", "addresses"]).map(
        lambda name: {"kind": "list", "list": name}
    ),
    st.builds(
        lambda outcome, reasons: {
            "kind": "campaign", "campaign": "Spring", "outcome": str(outcome),
            "reasons": reasons if outcome in {Outcome.FAILED, Outcome.DROPPED} else None,
        },
        st.sampled_from(Outcome),
        st.none()
        | st.lists(words | st.sampled_from(["no receipt", "in doubt"]), min_size=1, max_size=2),
    ),
)  # fmt: skip


@cache
def leaves(now: datetime) -> Strategy:
    """Rules of every kind that hold no others."""
    return st.one_of(
        attributes_of("customers", now),
        attributes_of("profiles", now),
        attributes_of("summaries", now),
        occurrences_of("orders", "orders", now),
        occurrences_of("behaviours", "visits", now),
        occurrences_of("behaviours", "calls", now),
        occurrences_of("metrics", "points", now),
        memberships,
    )


@cache
def rules(now: datetime) -> Strategy:
    """Rules of every kind, a few levels deep."""

    def joined(kind: str, inner: Strategy, least: int) -> Strategy:
        several = st.lists(inner, min_size=least, max_size=3)
        return st.fixed_dictionaries({"kind": st.just(kind), "of": several})

    return st.recursive(
        leaves(now),
        lambda inner: st.one_of(
            joined("all", inner, 0),
            joined("any", inner, 1),
            joined("minus", inner, 2),
            st.fixed_dictionaries({"kind": st.just("not"), "of": inner}),
        ),
        max_leaves=5,
    )


@cache
def shops(now: datetime) -> Strategy:
    """Rows of every table, drawn from few values, so that they meet."""
    time = moments(now)
    values: dict[str, Strategy] = {
        **dict.fromkeys(("id", "customer", "who"), keys),
        **dict.fromkeys(("city", "channel", "page", "topic", "hobby", "result"), words),
        **dict.fromkeys(("level", "amount", "points", "spent"), levels),
        **dict.fromkeys(("joined", "paid_at", "called_at", "day", "born", "happened_at"), time),
        **dict.fromkeys(("mail", "address"), addresses),
        **dict.fromkeys(("open_id", "holder"), open_ids),
        "tags": st.lists(words, max_size=3),
        "textwave_mobile": numbers,
        "textwave_mobiles": st.lists(numbers, unique=True, max_size=2),
        "number": words,
        **dict.fromkeys(("r", "f", "m", "stage", "snapshot_id", "run_id"), st.integers(1, 3)),
        **dict.fromkeys(("campaign_id", "list_id"), st.integers(1, 3)),
        "type": st.sampled_from(["HHH", "LLL", "HLH"]),
        "value": st.one_of(keys, numbers.map(str), st.sampled_from(["a@x", "b@x"])),
    }
    tables = {name: _rows(name, list(SCHEMAS[name]), values) for name in SCHEMAS}
    return st.fixed_dictionaries(tables)


_NEVER_NULL = {
    "id",
    "snapshot_id",
    "run_id",
    "campaign_id",
    "list_id",
    "r",
    "f",
    "m",
    "stage",
    "value",
}
_ONE_ROW_EACH: dict[str, Callable[[dict[str, Any]], Any]] = {
    "customers": lambda row: row["id"],
    "rfm_score": lambda row: (row["run_id"], row["customer"]),
    "aipl_label": lambda row: (row["run_id"], row["customer"]),
}


def _rows(table: str, columns: list[str], values: dict[str, Strategy]) -> Strategy:
    fields = {
        column: values[column] if column in _NEVER_NULL else st.none() | values[column]
        for column in columns
    }
    kept_by_us = {"audience_member", "rfm_score", "aipl_label", "list_id", "message_event"}
    if table in kept_by_us and "customer" in fields:
        fields["customer"] = keys
    if table == "message_event":
        fields["type"] = st.sampled_from([str(outcome) for outcome in Outcome])
        fields["result"] = st.none() | words | st.sampled_from(["human", "no receipt", "in doubt"])
    rows = st.fixed_dictionaries(fields)
    most = 8 if table in {"orders", "message_event"} else 5
    if table in _ONE_ROW_EACH:
        return st.lists(rows, max_size=most, unique_by=_ONE_ROW_EACH[table])
    return st.lists(rows, max_size=most)
