"""While a key is replaced, gateways may sign with the old one for a while; nobody else gets in."""

from datetime import datetime, timedelta

from tests.callbacks.conftest import KEY, NOW, Door
from textwave.storage.ledger import execute, value
from textwave.storage.secrets import Vault

NEW = "the new key"


async def replace_key(door: Door, vault: Vault, until: datetime) -> None:
    """Do what the operation does with the row, with the keys of this test."""
    replaced = """UPDATE platform SET previous_sealed_key = sealed_key,
        previous_key_until = %(until)s, sealed_key = %(new)s"""
    sealed = vault.seal(NEW, "test")
    async with door.ledger.transaction() as connection:
        await execute(connection, replaced, {"until": until, "new": sealed})


async def test_both_keys_sign_callbacks_until_the_time_is_over(door: Door, vault: Vault) -> None:
    await replace_key(door, vault, NOW + timedelta(seconds=1))
    assert (await door.post(key=NEW)).status_code == 200
    assert (await door.post(key=KEY)).status_code == 200
    assert (await door.post(key="a third one")).status_code == 401
    assert await door.stored() == 2


async def test_the_old_key_signs_nothing_any_more_when_the_time_is_over(
    door: Door, vault: Vault
) -> None:
    await replace_key(door, vault, NOW)
    assert (await door.post(key=KEY)).status_code == 401
    assert (await door.post(key=NEW)).status_code == 200
    assert await door.stored() == 1


async def test_the_old_key_excuses_no_stale_and_no_forged_request(door: Door, vault: Vault) -> None:
    await replace_key(door, vault, NOW + timedelta(minutes=15))
    assert (await door.post(key=KEY, at=NOW - timedelta(hours=1))).status_code == 401
    assert (await door.post(key=KEY, signed_body=b"[]")).status_code == 401
    assert await door.stored() == 0


async def test_a_callback_that_is_not_let_in_is_noted_with_its_reason(door: Door) -> None:
    assert (await door.post(key="another key")).status_code == 401
    async with door.ledger.transaction() as connection:
        problem = await value(connection, "SELECT callback_problem FROM platform")
    assert "Compare the shared key" in problem
    assert (await door.post()).status_code == 200
