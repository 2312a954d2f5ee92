"""A database that was filled under an earlier version keeps what it holds, and works on."""

import os
import uuid
from collections.abc import Generator
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from yoyo import get_backend, read_migrations

from tests.stage import Stage
from textwave.accounts.operations import found
from textwave.connections.store import platform_account
from textwave.dispatch.doubt_operations import doubt_groups
from textwave.kit.ids import PlatformId
from textwave.singles.store import messages
from textwave.storage import migrate as upgrade
from textwave.storage.embedded import embedded_postgres
from textwave.storage.ledger import open_ledger, value
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Warehouse

BEFORE = "0025"
FILLED: tuple[LiteralString, ...] = (
    """INSERT INTO campaign (workspace_id, name, type, platform_id, signature_id, template_id,
           audience_id, variables, numbers, created_by, state, content, first_message_id,
           last_message_id, request_size)
       SELECT s.workspace_id, 'Before', 'promotional', s.platform_id, s.id, t.id, a.id, '{}',
           'first', 'test', 'sending', 'text', 1, 1000, 100
       FROM signature s, template t, audience a""",
    """INSERT INTO campaign_tally (campaign_id, workspace_id)
       SELECT id, workspace_id FROM campaign""",
    """INSERT INTO batch (campaign_id, workspace_id, number, first_id, last_id, state)
       SELECT id, workspace_id, 0, 1, 100, 'prepared' FROM campaign""",
    """INSERT INTO request (campaign_id, workspace_id, batch_number, number, attempt, first_id,
           last_id, size, state)
       SELECT id, workspace_id, 0, 0, 0, 1, 100, 100, 'in doubt' FROM campaign""",
    """INSERT INTO callback_inbox (platform_id, kind, body)
       SELECT id, 'receipts', '[]' FROM platform""",
    "INSERT INTO stray_receipt (platform_id, message_id, status) SELECT id, 7, '1' FROM platform",
)


@pytest.fixture
def bare() -> Generator[str]:
    """A database without a schema, as its owner."""
    cluster = embedded_postgres(Path(os.environ["TW_TEST_CLUSTER"]))
    name = sql.Identifier(f"t_{uuid.uuid4().hex[:16]}")
    with psycopg.connect(cluster.superuser_url(), autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 OWNER textwave").format(name)
        )
        yield make_conninfo(cluster.start().owner, dbname=name.as_string().strip('"'))
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def migrate_until(owner_url: str, first_left: str) -> None:
    """Apply the migrations before one."""
    backend = get_backend(upgrade._yoyo_url(owner_url))  # pyright: ignore[reportPrivateUsage] - the same address
    with as_file(files("textwave.storage") / "migrations") as folder, backend.lock():
        missing = backend.to_apply(read_migrations(str(folder)))
        backend.apply_migrations(missing.filter(lambda one: one.id < first_left))
    backend.connection.close()


async def test_what_was_written_before_is_there_and_usable_after_an_upgrade(
    bare: str, vault: Vault, warehouse: Warehouse
) -> None:
    migrate_until(bare, BEFORE)
    async with open_ledger(bare) as ledger:
        founding = await found(ledger, vault)
        stage = Stage(ledger, warehouse, vault, founding, platform_url="http://127.0.0.1:9")
        await stage.set_rows()
        async with ledger.transaction() as connection:
            for statement in FILLED:
                await connection.execute(statement)
        assert upgrade.migrate(bare) > 0
        assert upgrade.migrate(bare) == 0

        async def asked(statement: LiteralString) -> Any:
            async with ledger.transaction() as connection:
                return await value(connection, statement)

        async with ledger.transaction() as connection:
            account = await platform_account(connection, PlatformId(stage.ids["platform"]))
            (group,) = await doubt_groups(connection, founding.workspace_id)
            assert await messages(connection, founding.workspace_id) == []
        assert (account.kind, account.options, account.takes_replies) == ("thirdparty", {}, True)
        assert (group.campaign, group.messages) == ("Before", 100)
        # Links that were made before keep working wherever they lead; new ones are looked at.
        assert await asked("SELECT allows_private FROM link_target('abc123')") is True
        assert await asked("SELECT format FROM callback_inbox") == "thirdparty"
        assert await asked("SELECT id FROM callback_account('sandbox')") == account.id
        assert await asked("SELECT own_text FROM campaign") is False
