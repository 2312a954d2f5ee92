"""The same definition gives the same ids, whichever engine computes it."""

from typing import Any, cast

import pyarrow as pa
import pytest

from tests.spark.conftest import Both
from tests.spark.definitions import AIPL, KNOWN, LABELLED, QUANTILES, REGULARS, RFM, RULES, choose
from textwave.audiences.store import member_ids, write_members
from textwave.campaigns.draft import read_sources
from textwave.campaigns.shares import division
from textwave.content.variables import parse
from textwave.kit.ids import SnapshotId
from textwave.models.aipl import calendar_of
from textwave.models.aipl_store import AIPL_LABELS, count_moves, write_labels
from textwave.models.rfm import Analysis
from textwave.models.rfm_store import RFM_SCORES, compute, write_scores
from textwave.plans.draw import draw_for
from textwave.plans.plan import OPTED_OUT, Recipients, drawn_first, recipients
from textwave.storage.warehouse import Lake

ON_SPARK = 100
"""What Spark writes has ids from here on."""


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_selects_the_same_customers(both: Both, rule: dict[str, Any]) -> None:
    by_duckdb = choose(rule, both.duckdb).to_pyarrow()["customer"].to_pylist()
    by_spark = choose(rule, both.spark).to_pyarrow()["customer"].to_pylist()
    assert sorted(by_spark) == sorted(by_duckdb)
    assert by_duckdb, "the rule should select somebody, or it says little"


@pytest.mark.parametrize("analysis", [RFM, QUANTILES], ids=["bands", "quantiles"])
def test_an_rfm_model_gives_the_same_scores(both: Both, analysis: Analysis) -> None:
    written = write_scores(both.spark, ON_SPARK, analysis)
    expected = write_scores(both.duckdb, ON_SPARK + 1, analysis)
    assert _rounded(written.result) == _rounded(expected.result)
    assert written.rows == expected.rows > 0
    assert _of_run(both.duckdb, RFM_SCORES, ON_SPARK) == _of_run(
        both.duckdb, RFM_SCORES, ON_SPARK + 1
    )
    both.duckdb.duckdb.execute(
        f"DELETE FROM {both.duckdb.qualified(RFM_SCORES)} WHERE run_id >= {ON_SPARK}"
    )


def test_an_rfm_model_that_writes_nothing_gives_the_same_distribution(both: Both) -> None:
    by_spark = compute(both.spark, QUANTILES)
    assert _rounded(by_spark) == _rounded(compute(both.duckdb, QUANTILES))


def test_an_aipl_model_gives_the_same_labels_and_flows(both: Both) -> None:
    for run_id, day in enumerate(LABELLED, start=1):
        calendar = calendar_of(day, RFM.zone)
        written = write_labels(
            both.spark, ON_SPARK + run_id, AIPL, day=day, known=KNOWN, calendar=calendar
        )
        expected = _of_run(both.duckdb, AIPL_LABELS, run_id)
        assert written.rows == len(expected) > 0
        assert _of_run(both.duckdb, AIPL_LABELS, ON_SPARK + run_id) == expected
    by_spark = count_moves(both.spark, from_run=1, until_run=ON_SPARK + 2)
    assert by_spark == count_moves(both.duckdb, from_run=1, until_run=2)


def test_a_snapshot_that_spark_computes_has_the_same_members(both: Both) -> None:
    before = both.duckdb.version()
    size, version = write_members(both.spark, SnapshotId(ON_SPARK), choose(REGULARS, both.spark))
    members = [
        sorted(member_ids(both.duckdb, SnapshotId(number)).to_pyarrow()["customer"].to_pylist())
        for number in (1, ON_SPARK)
    ]
    assert members[0] == members[1]
    assert (size, version) == (len(members[0]), before)


def test_a_plan_has_the_same_recipients_in_the_same_order(both: Both) -> None:
    planned = [_plan(lake).to_pyarrow() for lake in (both.duckdb, both.spark)]
    assert planned[1].equals(planned[0])
    reasons = set(planned[0]["reason"].to_pylist())
    assert reasons == {None, "no number", "bad number", "opted out", "missing variable"}


def test_a_plan_comes_as_a_stream_of_small_batches(both: Both) -> None:
    stream = _plan(both.spark).to_pyarrow_batches(chunk_size=50)
    batches = list(stream)
    assert max(map(len, batches)) == 50
    assert pa.Table.from_batches(batches).equals(_plan(both.duckdb).to_pyarrow())


def test_a_divided_plan_and_its_control_group_are_drawn_the_same(both: Both) -> None:
    """Who is held out and who gets which text does not depend on the engine."""
    by_both: list[Any] = []
    for lake in (both.spark, both.duckdb):
        asked = _asked(lake, divided=True)
        drawn = drawn_first(asked, draw_for(7, "control"), 20)
        by_both.append((recipients(asked).to_pyarrow().to_pydict(), drawn.to_pyarrow().to_pydict()))
    assert by_both[0] == by_both[1]
    plan, drawn = by_both[0]
    assert set(plan["place"]) == {0, 1, 2}
    assert {"excluded", "opted out"} < set(plan["reason"])
    assert len(drawn["mobile"]) == 20


def _some(lake: Lake) -> Any:
    """Return members whose key ends in a 7, so that not everybody is excluded."""
    members: Any = member_ids(lake, SnapshotId(1))
    return members.filter(members.customer.right(1) == "7")


def _plan(lake: Lake) -> Any:
    return recipients(_asked(lake, divided=False))


def _asked(lake: Lake, *, divided: bool) -> Recipients:
    everybody = {"kind": "any", "of": [REGULARS, {"kind": "list", "list": "keys"}]}
    sources = {
        "city": {"column": "city", "missing": "drop"},
        "level": {"column": "level", "default": "none"},
        "since": {"column": "joined", "default": "ever"},
        "tags": {"column": "tags", "default": ""},
    }
    opted_out = lake.hold(pa.table({"mobile": pa.array(range(8615400000000, 8615400000060))}))
    template = parse("Dear ${city} ${level} ${since} ${tags}")
    texts = [template.names, ("tags",)]
    return Recipients(
        members=choose(everybody, lake),
        customers=lake.table("customers"),
        customer_column="id",
        template=template,
        sources=read_sources(sources),
        blocked=[(OPTED_OUT, opted_out)],
        excluded=_some(lake) if divided else None,
        division=division(11, texts, [400, 600], 700) if divided else None,
    )


def _rounded(result: Any) -> Any:
    """Round amounts: a sum of doubles differs in its last digits with the order of its rows."""
    if isinstance(result, dict):
        given = cast("dict[str, Any]", result)
        return {name: _rounded(value) for name, value in given.items()}
    return round(result, 4) if isinstance(result, float) else result


def _of_run(lake: Lake, table: str, run_id: int) -> list[dict[str, Any]]:
    rows: Any = lake.table(table)
    chosen = rows.filter(rows.run_id == run_id).drop("run_id").order_by("customer")
    return chosen.to_pyarrow().to_pylist()
