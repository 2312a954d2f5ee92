"""Compiled rules against the row-at-a-time oracle, on random small tables."""

import operator
from datetime import timedelta
from functools import reduce
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend
from oracle import Oracle
from shop import KNOWN, NOW, TABLES

from textwave.audiences.calendar import Calendar
from textwave.audiences.check import COMPARISONS, OPERATORS, Operand, check_rule
from textwave.audiences.compile import select_customers
from textwave.audiences.rule import Measure, Operator, Rule, read_rule
from textwave.customers.columns import ColumnType

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # Ibis 12

SCHEMAS = {
    "customers": pa.schema(
        [
            ("id", pa.string()),
            ("city", pa.string()),
            ("level", pa.float64()),
            ("joined", pa.timestamp("us")),
            ("tags", pa.list_(pa.string())),
        ]
    ),
    "orders": pa.schema(
        [
            ("customer", pa.string()),
            ("channel", pa.string()),
            ("paid_at", pa.timestamp("us")),
            ("amount", pa.float64()),
        ]
    ),
    "visits": pa.schema([("who", pa.string()), ("page", pa.string())]),
}
ZONES = ("Asia/Shanghai", "America/New_York", "Africa/Cairo", "UTC")
DAY = timedelta(days=1)

words = st.sampled_from(["", "a", "b", "ab", "ba", "上海", "%", "_"])
levels = st.sampled_from([0, 1, 2, 2.5, 3, -1])
days = st.integers(1, 4)
# Around the local midnights that the rules mean, to the microsecond, in several zones.
moments = st.builds(
    lambda back, hour, nudge: (
        NOW.replace(hour=0, minute=0, tzinfo=None)
        - back * DAY
        + timedelta(hours=hour, microseconds=nudge)
    ),
    st.integers(-1, 5),
    st.sampled_from([0, 4, 5, 16, 22, 23]),
    st.integers(-1, 1),
)
times = st.one_of(
    moments.map(lambda moment: moment.date().isoformat()),
    moments.map(lambda moment: moment.isoformat(timespec="microseconds")),
    moments.map(lambda moment: moment.isoformat(timespec="microseconds") + "+02:00"),
)
VALUES = {
    ColumnType.TEXT: words,
    ColumnType.NUMBER: levels,
    ColumnType.TIME: times,
    ColumnType.MULTI_VALUE: words,
}


def operand_values(operand: Operand, kind: ColumnType) -> st.SearchStrategy[Any]:
    one = VALUES[kind]
    pair = st.tuples(one, one)
    return {
        Operand.NOTHING: st.none(),
        Operand.ONE: one,
        Operand.PAIR: pair.map(sorted) if kind is ColumnType.NUMBER else pair.map(list),
        Operand.MANY: st.lists(one, min_size=1, max_size=3),
        Operand.DAYS: days,
    }[operand]


def attributes_of(table: str) -> st.SearchStrategy[dict[str, Any]]:
    choices = [
        st.fixed_dictionaries(
            {
                "kind": st.just("attribute"),
                "column": st.just(column.name),
                "operator": st.just(str(operator)),
                "value": operand_values(operand, column.type),
            }
        )
        for column in TABLES[table].columns
        for operator, operand in OPERATORS[column.type].items()
    ]
    return st.one_of(choices)


spans = st.one_of(
    st.none(),
    st.fixed_dictionaries({"last_days": days}),
    st.fixed_dictionaries({"from": times, "until": times}),
    st.fixed_dictionaries({"until": times}),
)
comparisons = st.one_of(
    st.just({}),
    *[
        st.fixed_dictionaries(
            {"operator": st.just(str(op)), "value": operand_values(operand, ColumnType.NUMBER)}
        )
        for op, operand in COMPARISONS.items()
    ],
)


def measured_rows(kind: str, table: str) -> st.SearchStrategy[dict[str, Any]]:
    timed = TABLES[table].time_column is not None
    measures = [m for m in Measure if timed or m is Measure.COUNT]
    return st.builds(
        lambda node, measure, compared: {
            **node,
            **({"measure": str(measure), **compared} if compared else {}),
        },
        st.fixed_dictionaries(
            {
                "kind": st.just(kind),
                "table": st.just(table),
                "did": st.booleans(),
                "where": st.lists(attributes_of(table), max_size=2),
                "within": spans if timed else st.none(),
            }
        ),
        st.sampled_from(measures),
        comparisons,
    )


leaves = st.one_of(
    attributes_of("customers"),
    measured_rows("orders", "orders"),
    measured_rows("behaviours", "visits"),
)
rules = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.fixed_dictionaries({"kind": st.just("all"), "of": st.lists(inner, max_size=3)}),
        st.fixed_dictionaries(
            {"kind": st.just("any"), "of": st.lists(inner, min_size=1, max_size=3)}
        ),
        st.fixed_dictionaries({"kind": st.just("not"), "of": inner}),
    ),
    max_leaves=6,
)

keys = st.sampled_from(["c1", "c2", "c3", "", "C1"])
customers = st.lists(
    st.fixed_dictionaries(
        {
            "id": keys,
            "city": st.none() | words,
            "level": st.none() | levels,
            "joined": st.none() | moments,
            "tags": st.none() | st.lists(words, max_size=3),
        }
    ),
    unique_by=operator.itemgetter("id"),
    max_size=5,
)
orders = st.lists(
    st.fixed_dictionaries(
        {
            "customer": st.none() | keys,
            "channel": st.none() | words,
            "paid_at": st.none() | moments,
            "amount": st.none() | levels,
        }
    ),
    max_size=10,
)
visits = st.lists(
    st.fixed_dictionaries({"who": st.none() | keys, "page": st.none() | words}), max_size=5
)
shops = st.fixed_dictionaries({"customers": customers, "orders": orders, "visits": visits})


@pytest.fixture(scope="module")
def backend() -> Backend:
    return ibis.duckdb.from_connection(duckdb.connect())


def load_table(backend: Backend, name: str, rows: pa.Table) -> None:
    connection: duckdb.DuckDBPyConnection = backend.con
    connection.register("given", rows)
    connection.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM given")
    connection.unregister("given")


def loaded(backend: Backend, rows: dict[str, list[dict[str, Any]]]) -> None:
    for name, schema in SCHEMAS.items():
        load_table(backend, name, pa.Table.from_pylist(rows[name], schema=schema))


def chosen(backend: Backend, rule: Rule, zone: str = "Asia/Shanghai") -> list[str]:
    expression: ir.Table = select_customers(
        rule,
        table="customers",
        known=KNOWN,
        source=backend.table,
        calendar=Calendar(NOW, ZoneInfo(zone)),
    )
    return sorted(expression.to_pyarrow().column("customer").to_pylist())


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(written=rules, rows=shops, zone=st.sampled_from(ZONES))
def test_a_compiled_rule_selects_whom_the_oracle_selects(
    backend: Backend, written: dict[str, Any], rows: dict[str, list[dict[str, Any]]], zone: str
) -> None:
    rule = read_rule(written)
    check_rule(rule, table="customers", known=KNOWN)
    loaded(backend, rows)
    oracle = Oracle(TABLES, rows, NOW, ZoneInfo(zone))
    expected = sorted(
        row["id"] for row in rows["customers"] if oracle.selects(rule, "customers", row)
    )
    assert chosen(backend, rule, zone) == expected


def one_customer(**given: Any) -> dict[str, list[dict[str, Any]]]:
    blank = {"id": "c1", "city": None, "level": None, "joined": None, "tags": None}
    return {"customers": [{**blank, **given}], "orders": [], "visits": []}


@pytest.mark.parametrize(
    ("column", "op", "value"),
    [
        ("city", "is_not", "a"),
        ("city", "not_in", ["a"]),
        ("city", "not_contains", "a"),
        ("level", "is_not", 1),
        ("joined", "not_in_last_days", 3),
        ("tags", "none_of", ["a"]),
    ],
)
def test_a_negated_operator_selects_customers_without_a_value(
    backend: Backend, column: str, op: str, value: object
) -> None:
    loaded(backend, one_customer())
    rule = read_rule({"kind": "attribute", "column": column, "operator": op, "value": value})
    assert chosen(backend, rule) == ["c1"]


@pytest.mark.parametrize(
    ("seconds", "expected"), [(-1, []), (0, ["c1"]), (86_399, ["c1"]), (86_400, [])]
)
@pytest.mark.parametrize(
    "condition",
    [
        {"operator": "between", "value": ["2026-03-10", "2026-03-11"]},
        {"operator": "between", "value": ["2026-03-09T16:00Z", "2026-03-11T00:00"]},
    ],
)
def test_between_times_includes_the_first_and_not_the_second(
    backend: Backend, seconds: int, expected: list[str], condition: dict[str, Any]
) -> None:
    midnight = NOW.replace(day=9, hour=16, minute=0, tzinfo=None)  # in Shanghai
    loaded(backend, one_customer(joined=midnight + timedelta(seconds=seconds)))
    rule = read_rule({"kind": "attribute", "column": "joined", **condition})
    assert chosen(backend, rule) == expected


def test_an_empty_text_is_not_empty(backend: Backend) -> None:
    loaded(backend, one_customer(city=""))
    rule = read_rule({"kind": "attribute", "column": "city", "operator": "not_empty"})
    assert chosen(backend, rule) == ["c1"]


def test_an_empty_list_of_values_is_empty(backend: Backend) -> None:
    loaded(backend, one_customer(tags=[]))
    rule = read_rule({"kind": "attribute", "column": "tags", "operator": "empty"})
    assert chosen(backend, rule) == ["c1"]


def test_a_multi_value_column_kept_as_text_is_split_at_its_separator(backend: Backend) -> None:
    kept = pa.table({"id": ["c1", "c2"], "tags": ["vip, new", "vip new"]})
    load_table(backend, "as_text", kept)
    rule = read_rule(
        {"kind": "attribute", "column": "tags", "operator": "all_of", "value": ["new", "vip"]}
    )
    expression = select_customers(
        rule,
        table="customers",
        known=KNOWN,
        source=lambda _: backend.table("as_text"),
        calendar=Calendar(NOW, ZoneInfo("UTC")),
    )
    assert expression.to_pyarrow().column("customer").to_pylist() == ["c1"]


def test_the_largest_rules_that_are_taken_compile(backend: Backend) -> None:
    loaded(backend, one_customer(city="v7", level=1))
    wide = {
        "kind": "any",
        "of": [
            {"kind": "attribute", "column": "level", "operator": "is", "value": number}
            for number in range(499)
        ],
    }
    leaf: dict[str, Any] = {"kind": "attribute", "column": "level", "operator": "is", "value": 1}
    deep = reduce(lambda rule, _: {"kind": "not", "of": rule}, range(18), leaf)
    for written in (wide, deep):
        assert chosen(backend, read_rule(written)) == ["c1"]


def test_a_rule_becomes_one_statement_that_reads_each_table_of_events_once(
    backend: Backend,
) -> None:
    loaded(backend, one_customer())
    rule = read_rule(
        {
            "kind": "orders",
            "table": "orders",
            "within": {"last_days": 90},
            "operator": "at_least",
            "value": 2,
        }
    )
    expression = select_customers(
        rule,
        table="customers",
        known=KNOWN,
        source=backend.table,
        calendar=Calendar(NOW, ZoneInfo("UTC")),
    )
    assert str(backend.compile(expression)).count('"orders"') == 1


def test_all_of_nothing_is_everybody(backend: Backend) -> None:
    loaded(backend, one_customer())
    assert chosen(backend, read_rule({"kind": "all", "of": []})) == ["c1"]


def test_operators_of_every_type_are_covered_by_the_property() -> None:
    asked = {op for operators in OPERATORS.values() for op in operators}
    assert asked == set(Operator)
