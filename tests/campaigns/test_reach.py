"""Planning where numbers are encrypted, where a customer has several, and both."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.customers.test_encryption import encrypted
from tests.stage import SHANGHAI, Person, Stage, people
from textwave.campaigns.operations import campaign, start_dry_run
from textwave.campaigns.planning import run_dry_run
from textwave.customers.key_operations import add_key
from textwave.kit.ids import CampaignId
from textwave.storage import progress
from textwave.storage.ledger import Ledger, execute, many, value
from textwave.storage.warehouse import Lake

KEY, WRONG = "the first key 01", "another key 4567"


@dataclass(frozen=True)
class Ending:
    """How one recipient ended: reason '' is a message."""

    customer: str
    mobile: int | None
    reason: str


async def endings(ledger: Ledger) -> list[tuple[str, int | None, str]]:
    statement = (
        "SELECT customer, mobile, '' AS reason FROM message UNION ALL "
        "SELECT customer, mobile, reason FROM message_drop ORDER BY 1, 2"
    )
    async with ledger.transaction() as connection:
        found = await many(connection, Ending, statement)
    return [(one.customer, one.mobile, one.reason) for one in found]


async def check_accounts(ledger: Ledger) -> int:
    """Hold the tally against the rows; return how many recipients there are."""
    rows = await endings(ledger)
    async with ledger.transaction() as connection:
        tally = await value(connection, "SELECT row(audience, messages)::text FROM campaign_tally")
        block = await value(
            connection, "SELECT last_message_id - first_message_id + 1 FROM campaign"
        )
        outside = await value(
            connection,
            "SELECT count(*) FROM (SELECT id, campaign_id FROM message UNION ALL "
            "SELECT id, campaign_id FROM message_drop) m JOIN campaign c ON c.id = m.campaign_id "
            "WHERE m.id NOT BETWEEN c.first_message_id AND c.last_message_id",
        )
    sent = [row for row in rows if not row[2]]
    assert tally == f"({len(rows)},{len(sent)})"
    assert (block, outside) == (len(rows), 0)
    assert len({row[1] for row in sent}) == len(sent)
    return len(rows)


async def encrypt_customers(stage: Stage, *, with_key: str = KEY, kept: str = KEY) -> None:
    """Turn the mobile column into ciphertext of a key that the workspace has."""

    def work(lake: Lake) -> None:
        table = lake.qualified("customers")
        written = lake.duckdb.execute(f"SELECT DISTINCT mobile FROM {table}").fetchall()
        texts = [text for (text,) in written]
        hidden = [
            encrypted(text.encode(), with_key.encode()).hex() if text else "" for text in texts
        ]
        lake.duckdb.execute(
            f"UPDATE {table} SET mobile = hidden.cell, textwave_mobile = NULL FROM "
            "(SELECT unnest(?::VARCHAR[]) AS written, unnest(?::VARCHAR[]) AS cell) AS hidden "
            "WHERE mobile = hidden.written",
            [texts, hidden],
        )

    workspace_id = stage.founding.workspace_id
    await stage.warehouse.run(workspace_id, work)
    async with stage.ledger.transaction() as connection:
        await add_key(connection, stage.vault, workspace_id=workspace_id, actor="x", secret=kept)
        await execute(connection, "UPDATE customer_table SET mobile_key = 1, mobile_region = 'CN'")


async def add_orders(
    stage: Stage, rows: Sequence[tuple[str, str, int]], *, key: str | None = None
) -> None:
    """Add orders (customer, day, receiver's number), encrypted with a key of the workspace."""

    def work(lake: Lake) -> None:
        table = lake.qualified("orders")
        lake.duckdb.execute(
            f"CREATE TABLE {table} (buyer VARCHAR, paid_at TIMESTAMP, receiver VARCHAR, "
            "textwave_mobile BIGINT)"
        )
        columns = [
            [buyer for buyer, _, _ in rows],
            [f"2026-03-{day}" for _, day, _ in rows],
            [_cell(mobile, key) for *_, mobile in rows],
            [None if key else mobile for *_, mobile in rows],
        ]
        types = ("VARCHAR", "TIMESTAMP", "VARCHAR", "BIGINT")
        unnested = ", ".join(f"unnest(?::{kind}[])" for kind in types)
        lake.duckdb.execute(f"INSERT INTO {table} SELECT {unnested}", columns)

    await stage.warehouse.run(stage.founding.workspace_id, work)
    async with stage.ledger.transaction() as connection:
        await execute(
            connection,
            "INSERT INTO customer_table (workspace_id, name, kind, columns, customer_column, "
            "mobile_column, time_column, mobile_key, mobile_region) VALUES (%(workspace)s, "
            "'orders', 'orders', '[]', 'buyer', 'receiver', 'paid_at', %(key)s, %(region)s)",
            {
                "workspace": stage.founding.workspace_id,
                "key": 1 if key else None,
                "region": "CN" if key else None,
            },
        )


def _cell(mobile: int, key: str | None) -> str:
    return encrypted(str(mobile).encode(), key.encode()).hex() if key else str(mobile)


async def plan(stage: Stage, numbers: str = "first") -> CampaignId:
    campaign_id = await stage.campaign(numbers=numbers)
    await stage.start()
    await stage.plan(campaign_id)
    return campaign_id


A, B, C, D = (SHANGHAI + n for n in range(4))
PERSONS = [
    Person("ann", A),
    Person("bo", None),
    Person("cy", None, bad_mobile=True),
    Person("di", B),
]
ORDERS = [("ann", "02", C), ("ann", "01", D), ("bo", "03", B), ("zoe", "01", A)]


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (
            "first",
            [("ann", A, ""), ("bo", B, ""), ("cy", None, "bad number"), ("di", B, "twin")],
        ),
        (
            "latest",
            [("ann", C, "opted out"), ("bo", B, ""), ("cy", None, "bad number"), ("di", B, "twin")],
        ),
        (
            "all",
            [
                ("ann", A, ""),
                ("ann", C, "opted out"),
                ("ann", D, ""),
                ("bo", B, ""),
                ("cy", None, "bad number"),
                ("di", B, "twin"),
            ],
        ),
    ],
)
async def test_every_number_that_is_used_ends_as_a_message_or_a_drop(
    stage: Stage,
    ledger: Ledger,
    numbers: str,
    expected: list[tuple[str, int | None, str]],
    hidden: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    await stage.set(PERSONS)
    if hidden:
        await encrypt_customers(stage)
    await add_orders(stage, ORDERS, key=KEY if hidden else None)
    await stage.opt_out(C)
    await plan(stage, numbers)
    named = [(c, m, r.replace("twin", "duplicate number")) for c, m, r in expected]
    assert await endings(ledger) == named
    assert await check_accounts(ledger) == len(expected)


async def test_encrypted_numbers_are_planned_like_plain_ones_and_stay_encrypted(
    stage: Stage, ledger: Ledger
) -> None:
    await stage.set([*people(300), Person("none", None), Person("bad", None, bad_mobile=True)])
    await encrypt_customers(stage)
    await stage.opt_out(SHANGHAI + 7)
    await plan(stage)
    rows = await endings(ledger)
    assert await check_accounts(ledger) == 302
    sent = {customer: mobile for customer, mobile, reason in rows if not reason}
    assert sent == {f"c{n:07}": SHANGHAI + n * 7 for n in range(300) if n != 1}
    assert [row for row in rows if row[2]] == [
        ("bad", None, "bad number"),
        ("c0000001", SHANGHAI + 7, "opted out"),
        ("none", None, "no number"),
    ]

    def left(lake: Lake) -> int:
        plain = f"SELECT count(textwave_mobile) FROM {lake.qualified('customers')}"
        [[count]] = lake.duckdb.execute(plain).fetchall()
        return count

    assert await stage.warehouse.run(stage.founding.workspace_id, left) == 0


async def test_a_key_that_does_not_fit_fails_the_campaign_and_nothing_is_written(
    stage: Stage, ledger: Ledger
) -> None:
    await stage.set(people(20))
    await encrypt_customers(stage, with_key=WRONG)
    await plan(stage)
    async with ledger.transaction() as connection:
        failed = await campaign(connection, stage.founding.workspace_id, "Spring")
    assert failed.state == "failed"
    assert "Of 20 values of column “mobile” of table “customers”, 0 decrypt" in failed.reason
    assert await endings(ledger) == []


async def test_a_dry_run_counts_what_the_plan_will_write(stage: Stage, ledger: Ledger) -> None:
    await stage.set(PERSONS)
    await encrypt_customers(stage)
    await add_orders(stage, ORDERS, key=KEY)
    await stage.campaign(numbers="all")
    workspace_id = stage.founding.workspace_id
    async with ledger.transaction() as connection:
        operation_id = await start_dry_run(connection, workspace_id=workspace_id, name="Spring")
    await run_dry_run(
        ledger=ledger,
        warehouse=stage.warehouse,
        vault=stage.vault,
        clock=stage.clock,
        workspace_id=workspace_id,
        operation_id=operation_id,
    )
    async with ledger.transaction() as connection:
        done = await progress.read(connection, workspace_id=workspace_id, operation_id=operation_id)
    assert done.result is not None, done.problem
    assert (done.result["audience"], done.result["messages"]) == (6, 4)
    assert done.result["drops"] == {"bad number": 1, "duplicate number": 1}
