"""Keys of click tokens: a new one is used from then on, and tokens of old ones keep their owner."""

import asyncio
from dataclasses import replace

import pytest

from textwave.accounts import key_operations
from textwave.accounts.key_operations import AdministratorNeeded
from textwave.accounts.operations import Founding
from textwave.accounts.store import Caller
from textwave.content.token_keys import token_keys
from textwave.content.tokens import message_id, tokens
from textwave.kit.refusal import InvalidValue
from textwave.storage.ledger import Ledger
from textwave.storage.secrets import Vault


@pytest.fixture
def caller(founding: Founding) -> Caller:
    return Caller(founding.workspace_id, founding.organization_id, 1, "wang")


async def rotate(ledger: Ledger, vault: Vault, caller: Caller) -> int:
    async with ledger.transaction(caller.workspace_id) as connection:
        return await key_operations.rotate_token_key(connection, vault, caller=caller)


async def test_a_new_key_makes_other_tokens_and_the_old_key_still_reads_its_own(
    web_ledger: Ledger, ledger: Ledger, vault: Vault, caller: Caller
) -> None:
    async with ledger.transaction() as connection:
        (first,) = await token_keys(connection, vault)
    [sent] = tokens([7], first)
    assert await rotate(web_ledger, vault, caller) == 2
    async with ledger.transaction() as connection:
        newest, kept = await token_keys(connection, vault)
    assert (newest.version, kept) == (2, first)
    assert tokens([7], newest) != [sent]
    assert message_id(sent, kept) == 7


async def test_several_who_rotate_at_once_each_make_a_key(
    web_ledger: Ledger, vault: Vault, caller: Caller
) -> None:
    made = await asyncio.gather(*(rotate(web_ledger, vault, caller) for _ in range(4)))
    assert sorted(made) == [2, 3, 4, 5]
    async with web_ledger.transaction(caller.workspace_id) as connection:
        listed = await key_operations.token_key_versions(connection, caller=caller)
    assert [one.version for one in listed] == [5, 4, 3, 2, 1]


async def test_only_administrators_rotate_and_not_without_end(
    web_ledger: Ledger, ledger: Ledger, vault: Vault, caller: Caller
) -> None:
    with pytest.raises(AdministratorNeeded):
        await rotate(web_ledger, vault, replace(caller, is_administrator=False))
    async with ledger.transaction() as connection:
        await connection.execute(
            "INSERT INTO token_key SELECT n, '' FROM generate_series(2, %s) n",
            [key_operations.MOST_TOKEN_KEYS],
        )
    with pytest.raises(InvalidValue, match="the most"):
        await rotate(web_ledger, vault, caller)
