"""Compiled rules against the row-at-a-time oracle, on random small tables."""

from datetime import timedelta
from functools import reduce
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest
from generated import NOWS, ZONES, rules, shops
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ibis.backends.duckdb import Backend
from oracle import Oracle
from shop import KNOWN, NOW, SCHEMAS

from textwave.audiences.calendar import Calendar
from textwave.audiences.check import check_rule
from textwave.audiences.compile import select_customers
from textwave.audiences.operators import OPERATORS
from textwave.audiences.rule import Operator, Rule, read_rule

pytestmark = pytest.mark.filterwarnings("ignore:fetch_arrow_table:DeprecationWarning")  # Ibis 12
Rows = dict[str, list[dict[str, Any]]]
SLOWLY = settings(
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
SHANGHAI = Calendar(NOW, ZoneInfo("Asia/Shanghai"))


@pytest.fixture(scope="module")
def backend() -> Backend:
    return ibis.duckdb.from_connection(duckdb.connect())


def load_table(backend: Backend, name: str, rows: pa.Table) -> None:
    connection: duckdb.DuckDBPyConnection = backend.con
    connection.register(name, rows)


def loaded(backend: Backend, rows: Rows) -> None:
    for name, columns in SCHEMAS.items():
        given = rows.get(name, [])
        kept = [c for c in columns if c != "textwave_mobiles" or (given and c in given[0])]
        schema = pa.schema([(column, columns[column]) for column in kept])
        load_table(backend, name, pa.Table.from_pylist(given, schema=schema))


def chosen(backend: Backend, rule: Rule, calendar: Calendar = SHANGHAI) -> list[str]:
    expression: ir.Table = select_customers(
        rule, table="customers", known=KNOWN, source=backend.table, calendar=calendar
    )
    return sorted(expression.to_pyarrow().column("customer").to_pylist())


@st.composite
def cases(draw: st.DrawFn, rule_count: int = 1) -> tuple[list[Rule], Rows, Calendar]:
    """Draw rules, the rows of a shop, and when and where it is."""
    now = draw(st.sampled_from(NOWS))
    until = draw(st.sampled_from([None, None, now - timedelta(days=1)]))
    calendar = Calendar(now, ZoneInfo(draw(st.sampled_from(ZONES))), until)
    rows: Rows = draw(shops(now))
    if draw(st.booleans()):  # one number a customer
        for customer in rows["customers"]:
            del customer["textwave_mobiles"]
    drawn = [read_rule(draw(rules(now))) for _ in range(rule_count)]
    for rule in drawn:
        check_rule(rule, table="customers", known=KNOWN)
    return drawn, rows, calendar


@settings(SLOWLY, max_examples=100)
@given(case=cases())
def test_a_compiled_rule_selects_whom_the_oracle_selects(
    backend: Backend, case: tuple[list[Rule], Rows, Calendar]
) -> None:
    [rule], rows, calendar = case
    loaded(backend, rows)
    oracle = Oracle(KNOWN, rows, calendar.now, calendar.zone, calendar.until)
    assert chosen(backend, rule, calendar) == sorted(oracle.chosen(rule))


@settings(SLOWLY, max_examples=15)
@given(case=cases(rule_count=2))
def test_rules_obey_the_algebra_of_sets(
    backend: Backend, case: tuple[list[Rule], Rows, Calendar]
) -> None:
    [a, b], rows, calendar = case
    loaded(backend, rows)

    def size(kind: str, *of: object) -> list[str]:
        rule = read_rule({"kind": kind, "of": of[0] if kind == "not" else of})
        return chosen(backend, rule, calendar)

    written_a, written_b = (rule.model_dump(by_alias=True, exclude_none=True) for rule in (a, b))
    one, other = chosen(backend, a, calendar), chosen(backend, b, calendar)
    either, both = size("any", written_a, written_b), size("all", written_a, written_b)
    assert len(either) + len(both) == len(one) + len(other)
    not_b = {"kind": "not", "of": written_b}
    assert size("minus", written_a, written_b) == size("all", written_a, not_b)
    assert size("not", {"kind": "not", "of": written_a}) == one


def one_customer(**given: Any) -> Rows:
    return {"customers": [{"id": "c1", **given}]}


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
