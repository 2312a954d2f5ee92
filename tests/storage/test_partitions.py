"""Month partitions are made without keeping anybody waiting."""

from datetime import date

import psycopg

from textwave.kit.ids import first_message_id
from textwave.storage.ledger import Ledger, execute
from textwave.storage.partitions import ensure_partitions

DAY = date(2031, 5, 17)


async def test_a_partition_is_made_while_others_read_and_write(ledger: Ledger) -> None:
    async with await psycopg.AsyncConnection.connect(ledger.url) as busy:
        await busy.execute("LOCK TABLE ONLY message, ONLY message_drop IN ROW EXCLUSIVE MODE")
        async with ledger.transaction() as connection:
            await connection.execute("SET LOCAL lock_timeout = '5s'")
            await ensure_partitions(connection, DAY)
            await ensure_partitions(connection, DAY)
            kept = await execute(
                connection,
                """INSERT INTO message (id, workspace_id, campaign_id, mobile, customer, parts,
                       variables) VALUES (%s, 1, 1, 1, 'c', 1, '{}')""",
                [first_message_id(DAY)],
            )
    assert kept == 1


async def test_a_partition_takes_what_its_table_takes(ledger: Ledger) -> None:
    async with ledger.transaction() as connection:
        await ensure_partitions(connection, DAY)
        cursor = await connection.execute(
            """SELECT t.relname, count(*) FILTER (WHERE con.contype = 'c'),
                      count(*) FILTER (WHERE con.contype = 'p')
               FROM pg_class t JOIN pg_constraint con ON con.conrelid = t.oid
               WHERE t.relname IN ('message', 'message_2031_05', 'message_drop',
                                   'message_drop_2031_05')
               GROUP BY t.relname ORDER BY t.relname"""
        )
        found = {row[0]: row[1:] for row in await cursor.fetchall()}
    assert found["message_2031_05"] == found["message"]
    assert found["message_drop_2031_05"] == found["message_drop"]
