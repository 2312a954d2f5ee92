"""Keys of encrypted numbers: in once, never out."""

import psycopg
import pytest
from cryptography.exceptions import InvalidTag

from textwave.customers.key_operations import EncryptionKeyMissing, add_key, keys, open_key
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import InvalidValue
from textwave.storage.ledger import Ledger, value
from textwave.storage.secrets import Vault


async def add(ledger: Ledger, vault: Vault, workspace_id: WorkspaceId, secret: str) -> int:
    async with ledger.transaction(workspace_id) as connection:
        added = await add_key(
            connection, vault, workspace_id=workspace_id, actor="Li", secret=secret
        )
    return added.version


async def test_each_key_is_a_version_and_the_newest_is_used_unless_another_is_named(
    ledger: Ledger, web_ledger: Ledger, vault: Vault, workspace_id: WorkspaceId
) -> None:
    assert await add(web_ledger, vault, workspace_id, "the first key 01") == 1
    assert await add(web_ledger, vault, workspace_id, "the second key 2") == 2
    async with ledger.transaction() as connection:
        opened = [
            await open_key(connection, vault, workspace_id=workspace_id, version=version)
            for version in (None, 1, 2)
        ]
    assert [(key.version, key.secret) for key in opened] == [
        (2, b"the second key 2"),
        (1, b"the first key 01"),
        (2, b"the second key 2"),
    ]


async def test_keys_are_listed_without_what_opens_them_and_the_adding_is_audited(
    web_ledger: Ledger, ledger: Ledger, vault: Vault, workspace_id: WorkspaceId
) -> None:
    await add(web_ledger, vault, workspace_id, "the first key 01")
    async with web_ledger.transaction(workspace_id) as connection:
        [known] = await keys(connection, workspace_id)
    async with ledger.transaction() as connection:
        written = await value(
            connection, "SELECT string_agg(row(a.*)::text, '') FROM audit_event a"
        )
        sealed = await value(connection, "SELECT sealed_secret FROM encryption_key")
    assert (known.version, known.created_by, known.tables) == (1, "Li", [])
    assert "encryption.add" in written
    assert "the first key" not in written
    assert b"first key" not in sealed


async def test_the_web_login_cannot_read_what_is_sealed(
    web_ledger: Ledger, vault: Vault, workspace_id: WorkspaceId
) -> None:
    await add(web_ledger, vault, workspace_id, "the first key 01")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with web_ledger.transaction(workspace_id) as connection:
            await open_key(connection, vault, workspace_id=workspace_id, version=1)


async def test_a_sealed_key_opens_as_its_own_version_of_its_own_workspace_only(
    ledger: Ledger, vault: Vault, workspace_id: WorkspaceId
) -> None:
    await add(ledger, vault, workspace_id, "the first key 01")
    await add(ledger, vault, workspace_id, "the second key 2")
    async with ledger.transaction() as connection:
        await connection.execute(
            "UPDATE encryption_key SET sealed_secret = (SELECT sealed_secret FROM encryption_key "
            "WHERE version = 1) WHERE version = 2"
        )
    with pytest.raises(InvalidTag):
        async with ledger.transaction() as connection:
            await open_key(connection, vault, workspace_id=workspace_id, version=2)


async def test_a_missing_key_says_how_to_add_one(
    ledger: Ledger, vault: Vault, workspace_id: WorkspaceId
) -> None:
    async with ledger.transaction() as connection:
        with pytest.raises(EncryptionKeyMissing, match="textwave encryption add"):
            await open_key(connection, vault, workspace_id=workspace_id, version=None)


async def test_a_key_of_another_length_is_not_kept(
    ledger: Ledger, vault: Vault, workspace_id: WorkspaceId
) -> None:
    with pytest.raises(InvalidValue, match="exactly 16"):
        await add(ledger, vault, workspace_id, "too short")
    async with ledger.transaction() as connection:
        assert not await keys(connection, workspace_id)
