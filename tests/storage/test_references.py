"""Deleting a row of one table never reads all of another that refers to it."""

import pytest

from textwave.storage.ledger import Ledger

REFERRING = """
    SELECT c.conrelid::regclass::text FROM pg_constraint c
    WHERE c.contype = 'f' AND c.confrelid = %s::regclass AND c.conparentid = 0
      AND NOT EXISTS (SELECT FROM pg_index i
                      WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])
    ORDER BY 1
"""


@pytest.mark.parametrize("deleted", ["campaign", "material"])
async def test_who_refers_to_what_can_be_deleted_finds_it_by_an_index(
    ledger: Ledger, deleted: str
) -> None:
    async with ledger.transaction() as connection:
        cursor = await connection.execute(REFERRING, [deleted])
        assert [row[0] for row in await cursor.fetchall()] == []
