"""What a preview says is what a campaign with the same text would come to."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stage import Person, Stage
from textwave.campaigns.draft import ColumnUnknown, NotReadyToStart, VariableWithoutSource
from textwave.content.rendering import render
from textwave.content.variables import MissingValue, WhenMissing, parse
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.kit.text import Counting, count
from textwave.plans.parts import PartsMeasure
from textwave.plans.plan import MISSING_VARIABLE, VariableSource
from textwave.previews.operations import AskedPreview, run_preview, start_preview
from textwave.previews.preview import AudienceTally, Speaking, previewed, written

from .rows import batch_of

RULE = '{"kind": "attribute", "column": "level", "operator": "not_empty"}'
NAMED = {"name": {"column": "first_name", "missing": "drop", "default": ""}}


async def preview(stage: Stage, **asked: Any) -> dict[str, Any]:
    workspace_id = stage.founding.workspace_id
    asked.setdefault("audience", "everybody")
    request = AskedPreview(template="welcome", **asked)
    async with stage.ledger.transaction(workspace_id) as connection:
        await connection.execute("UPDATE audience SET rule = %s::jsonb", [RULE])
        operation_id = await start_preview(connection, workspace_id=workspace_id, asked=request)
    await run_preview(
        stage.ledger, stage.warehouse, workspace_id=workspace_id, operation_id=operation_id
    )
    async with stage.ledger.transaction() as connection:
        cursor = await connection.execute(
            "SELECT result, problem FROM operation WHERE id = %s", [operation_id]
        )
        row = await cursor.fetchone()
    assert row is not None
    assert row[1] is None
    return row[0]


async def test_named_customers_are_shown_with_what_is_missing_and_who_is_not_there(
    stage: Stage,
) -> None:
    await stage.set([Person("a", None, first_name="Li"), Person("b", 1, first_name=None)])
    result = await preview(stage, customers=["a", "b", "z"], variables=NAMED)
    shown = {one["customer"]: one for one in result["customers"]}
    assert shown["a"]["text"] == "【Textwave】Dear Li, see you soon. 拒收请回复R"
    assert (shown["a"]["parts"], shown["a"]["price_milli"]) == (1, 45)
    assert (shown["b"]["text"], shown["b"]["missing"]) == (None, ["name"])
    assert (shown["z"]["found"], shown["z"]["missing"]) == (False, [])


async def test_the_audience_is_counted_with_its_worst_text(stage: Stage) -> None:
    long = "Wolfeschlegelsteinhausenbergerdorff"
    persons = [Person(f"p{n}", n, first_name="Li") for n in range(9)]
    await stage.set([*persons, Person("long", 9, first_name=long), Person("none", 10, False, None)])
    counted = (await preview(stage, variables=NAMED))["audience"]
    assert (counted["members"], counted["texts"], counted["without_value"]) == (11, 10, 1)
    assert counted["by_parts"] == {"1": 9, "2": 1}
    assert (counted["parts"], counted["average_parts"], counted["price_milli"]) == (11, 1.1, 495)
    assert long in counted["worst"]["text"]
    assert (counted["worst"]["parts"], counted["worst"]["price_milli"]) == (2, 90)


async def test_a_variable_comes_from_the_column_of_its_name_unless_said_otherwise(
    stage: Stage,
) -> None:
    await stage.set([Person("a", 1, level=3)], content="Level ${level} 拒收请回复R")
    result = await preview(stage, customers=["a"])
    assert result["customers"][0]["text"] == "【Textwave】Level 3 拒收请回复R"
    with pytest.raises(ColumnUnknown):
        await preview(stage, variables={"level": {"column": "height"}})


async def test_what_cannot_be_previewed_is_refused_at_once(stage: Stage) -> None:
    await stage.set([Person("a", 1)])
    await stage.audience("new", None)
    with pytest.raises(VariableWithoutSource):
        await preview(stage)
    with pytest.raises(InvalidValue, match="at most 10"):
        await preview(stage, customers=[str(n) for n in range(11)], variables=NAMED)
    with pytest.raises(NotReadyToStart):
        await preview(stage, audience="new", variables=NAMED)
    with pytest.raises(NotFound):
        await preview(stage, signature="Nobody", variables=NAMED)


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(
        st.none() | st.tuples(*[st.text(alphabet="aé国😀€[", min_size=1, max_size=90)] * 2),
        max_size=12,
    ),
    counting=st.sampled_from(Counting),
    cut=st.integers(1, 5),
)
def test_the_tally_of_any_audience_is_that_of_its_texts_one_by_one(
    values: list[tuple[str, str] | None], counting: Counting, cut: int
) -> None:
    speaking = speaking_with(counting)
    measure = PartsMeasure(speaking.template, speaking.signature, counting)
    found = AudienceTally()
    for start in range(0, len(values), cut):
        found.add(batch_of(values[start : start + cut]), measure)
    texts = [render(speaking.template, list(pair), "0" * 8) for pair in values if pair]
    parts = [count(text, "云裳", counting).parts for text in texts]
    assert (found.members, found.texts, found.parts) == (len(values), len(texts), sum(parts))
    assert found.without_value == values.count(None)
    assert sum(found.by_parts.values()) == len(texts)
    if texts:
        assert found.worst is not None
        assert written(found.worst, speaking)[1].parts == max(parts)


def test_a_text_without_a_value_names_each_variable_that_lacks_one() -> None:
    row = {"customer": "a", "variables": ["", "x"], "reason": MISSING_VARIABLE}
    (shown,) = previewed([row], speaking_with(Counting.MAINLAND))
    assert (shown.text, shown.missing) == (None, ("name",))


def speaking_with(counting: Counting) -> Speaking:
    source = VariableSource("x", MissingValue(WhenMissing.DROP))
    template = parse("${name}你好 https://d.cn/abc123/${sp_abc123} ${city}见")
    return Speaking(template, {"name": source, "city": source}, "云裳", counting)
