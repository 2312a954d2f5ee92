"""Who gets a message and who does not: the plan against a row-at-a-time oracle."""

from collections import Counter
from dataclasses import dataclass

import duckdb
import ibis
import ibis.expr.types as ir
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.stage import SHANGHAI, Person, Stage, people
from textwave.campaigns.draft import read_sources
from textwave.content.rendering import fill, render
from textwave.content.variables import parse
from textwave.kit.text import Counting, count
from textwave.plans.parts import PartsMeasure
from textwave.plans.plan import OPTED_OUT, Recipients, blocks, recipients
from textwave.storage.ledger import Ledger, many, value

TEXT = "Dear ${name}, level ${level}: http://d.cn/abc123/${sp_x} 拒收请回复R"


@dataclass(frozen=True)
class Row:
    id: int
    mobile: int | None
    customer: str
    variables: list[str]
    parts: int


@dataclass(frozen=True)
class Dropped:
    customer: str
    reason: str


persons = st.lists(
    st.builds(
        Person,
        customer=st.uuids().map(str),
        mobile=st.none() | st.integers(SHANGHAI, SHANGHAI + 8),
        bad_mobile=st.just(value=False),
        first_name=st.none() | st.sampled_from(["", "  ", "Li", "王小明", "x" * 60, "😀", "{a}"]),
        level=st.none() | st.sampled_from([0.0, 1.0, 2.5, 1e6]),
    ),
    max_size=40,
    unique_by=lambda person: person.customer,
)


def oracle(
    given_persons: list[Person],
    opted_out: set[int],
    sources: dict[str, dict[str, str]],
    counting: Counting,
    longest: int | None,
) -> tuple[dict[int, tuple[str, int]], dict[str, str]]:
    """Decide one person at a time: mobile → (text, parts), customer → reason."""
    template = parse(TEXT)
    read = read_sources(sources)
    missing = {name: source.missing for name, source in read.items()}
    messages: dict[int, tuple[str, int]] = {}
    drops: dict[str, str] = {}
    for person in sorted(given_persons, key=lambda p: (p.mobile or 0, p.customer)):
        level = person.level
        shown = None if level is None else str(int(level) if level == int(level) else level)
        values = fill(template, [person.first_name, shown], missing)
        if person.mobile is None:
            drops[person.customer] = "bad number" if person.bad_mobile else "no number"
        elif person.mobile in opted_out:
            drops[person.customer] = "opted out"
        elif values is None or not (longest is None or all(values)):
            drops[person.customer] = "missing variable"
        elif longest is not None and max(map(len, values)) > longest:
            drops[person.customer] = "value too long"
        elif person.mobile in messages:
            drops[person.customer] = "duplicate number"
        else:
            text = render(template, values, "0" * 8)
            messages[person.mobile] = (text, count(text, "Shop", counting).parts)
    return messages, drops


@given(
    persons,
    st.sets(st.integers(SHANGHAI, SHANGHAI + 8)),
    st.sampled_from(["drop", "empty", "default"]),
    st.sampled_from(list(Counting)),
    st.integers(1, 7),
    st.sampled_from([None, 1, 5, 35]),
)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_everybody_ends_as_a_message_or_as_a_drop_with_the_first_reason_that_applies(
    given_persons: list[Person],
    opted_out: set[int],
    missing: str,
    counting: Counting,
    size: int,
    longest: int | None,
) -> None:
    sources = {
        "name": {"column": "first_name", "missing": missing, "default": "friend"},
        "level": {"column": "level", "missing": "drop"},
    }
    template = parse(TEXT)
    backend = ibis.duckdb.from_connection(duckdb.connect())
    fields = {
        "customer_id": "string",
        "textwave_mobile": "int64",
        "textwave_bad_mobile": "boolean",
        "first_name": "string",
        "level": "float64",
    }
    table = backend.create_table("customers", schema=ibis.schema(fields), temp=True)
    if given_persons:
        backend.insert(
            "customers",
            ibis.memtable(
                [
                    {
                        "customer_id": p.customer,
                        "textwave_mobile": p.mobile,
                        "textwave_bad_mobile": p.bad_mobile,
                        "first_name": p.first_name,
                        "level": p.level,
                    }
                    for p in given_persons
                ],
                schema=ibis.schema(fields),
            ),
        )
    expression = recipients(
        Recipients(
            members=table.select(customer=table.customer_id),
            customers=table,
            customer_column="customer_id",
            template=template,
            sources=read_sources(sources),
            blocked=[(OPTED_OUT, _numbers(opted_out))],
            longest_value=longest,
        )
    )
    measure = PartsMeasure(template, "Shop", counting)
    planned: dict[int, tuple[str, int]] = {}
    dropped: dict[str, str] = {}
    order: list[int] = []
    for block in blocks(backend.to_pyarrow_batches(expression, chunk_size=size), [measure]):
        for row in block.messages.to_pylist():
            text = render(template, row["variables"], "0" * 8)
            planned[row["mobile"]] = (text, row["parts"])
            order.append(row["mobile"])
        dropped.update({row["customer"]: row["reason"] for row in block.drops.to_pylist()})
    messages, drops = oracle(given_persons, opted_out, sources, counting, longest)
    assert planned == messages
    assert dropped == drops
    assert order == sorted(set(order))


def _numbers(mobiles: set[int]) -> ir.Table:
    return ibis.memtable({"mobile": sorted(mobiles)}, schema=ibis.schema({"mobile": "int64"}))


async def test_a_plan_is_written_with_its_drops_and_adds_up(stage: Stage, ledger: Ledger) -> None:
    twins = [Person("twin", SHANGHAI), Person("none", None), Person("bad", None, bad_mobile=True)]
    await stage.set([*people(250), *twins])
    await stage.opt_out(SHANGHAI + 7)
    campaign_id = await stage.campaign()
    await stage.start()
    await stage.plan(campaign_id, batch_size=100)

    async with ledger.transaction() as connection:
        rows = await many(
            connection,
            Row,
            "SELECT id, mobile, customer, variables, parts FROM message ORDER BY id",
        )
        drops = await many(connection, Dropped, "SELECT customer, reason FROM message_drop")
        tally = await value(
            connection, "SELECT row(audience, messages, parts)::text FROM campaign_tally"
        )
        batches = await value(connection, "SELECT count(*) FROM batch")
        jobs = await value(
            connection,
            "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'dispatch.serve'",
        )
    assert [row.id for row in rows] == list(range(rows[0].id, rows[0].id + 249))
    assert [row.mobile for row in rows] == sorted(row.mobile or 0 for row in rows)
    assert Counter(drop.reason for drop in drops) == {
        "duplicate number": 1,
        "no number": 1,
        "bad number": 1,
        "opted out": 1,
    }
    assert tally == "(253,249,249)"
    assert (batches, jobs) == (3, 1)


async def test_an_interrupted_plan_is_made_again_without_a_trace_of_the_first(
    stage: Stage, ledger: Ledger
) -> None:
    await stage.set(people(50))
    campaign_id = await stage.campaign()
    await stage.start()
    await stage.plan(campaign_id)
    async with ledger.transaction() as connection:  # as if the worker had died before the end
        for statement in (
            "DELETE FROM procrastinate_jobs",
            "DELETE FROM batch",
            "DELETE FROM campaign_drop_tally",
            "DELETE FROM campaign_tally",
            "UPDATE campaign SET state = 'planning'",
        ):
            await connection.execute(statement)
    await stage.plan(campaign_id)
    async with ledger.transaction() as connection:
        assert await value(connection, "SELECT count(*) FROM message") == 50
        assert await value(connection, "SELECT messages FROM campaign_tally") == 50
