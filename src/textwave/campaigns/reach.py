"""By which numbers the members of an audience are reached, wherever the workspace keeps them.

Encrypted numbers are decrypted here, in blocks, into a table of the one connection that plans; it
is gone with it. Refused: keys that are missing or do not fit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from textwave.audiences.people import people
from textwave.audiences.store import tables
from textwave.audiences.tables import CustomerTable
from textwave.campaigns.draft import NotReadyToStart
from textwave.campaigns.numbers import (
    SEVERAL,
    NumberChoice,
    chosen_numbers,
    decrypted_numbers,
    numbers_elsewhere,
    own_numbers,
)
from textwave.customers.decryption import SAMPLE_ROWS, MobileCipher, check_key
from textwave.customers.key_operations import open_key
from textwave.customers.key_store import MobileColumn, mobile_columns
from textwave.kit.ids import WorkspaceId
from textwave.storage.ledger import Connection
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Lake

_ROWS_A_BATCH: Final = 50_000
_DECRYPTED: Final = pa.schema(
    [
        ("customer", pa.string()),
        ("mobile", pa.int64()),
        ("happened_at", pa.timestamp("us")),
    ]
)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the numbers of a table's people are; `ciphers` are those of encrypted columns."""

    root: CustomerTable
    own: MobileColumn | None
    others: Sequence[MobileColumn]
    ciphers: Mapping[str, MobileCipher]
    choice: NumberChoice

    def people(self, lake: Lake) -> ir.Table:
        """Return one row a person whom the audience may have."""
        return people(self.root, lake.table)


class Reached(Protocol):
    """Whose numbers are wanted, and which of them: what a campaign's brief says, for example."""

    @property
    def workspace_id(self) -> WorkspaceId: ...
    @property
    def audience(self) -> str: ...
    @property
    def table_name(self) -> str: ...
    @property
    def numbers(self) -> str: ...


async def find_reach(connection: Connection, vault: Vault, brief: Reached) -> Reach:
    """Find the columns of numbers that a campaign may use, and open their keys.

    Raises:
        NotReadyToStart: the audience's table is gone.
        EncryptionKeyMissing: a column is encrypted with a key that the workspace has not.
    """
    root = (await tables(connection, brief.workspace_id)).get(brief.table_name)
    if root is None:
        problem = f"is over the table “{brief.table_name}”, which is gone. Import it again."
        raise NotReadyToStart("audience", brief.audience, problem)
    columns = await mobile_columns(connection, workspace_id=brief.workspace_id, table=root.name)
    ciphers: dict[str, MobileCipher] = {}
    for column in columns:
        if column.mobile_key is not None and column.mobile_region is not None:
            key = await open_key(
                connection, vault, workspace_id=brief.workspace_id, version=column.mobile_key
            )
            ciphers[column.table_name] = MobileCipher(key, column.mobile_region)
    own = next((column for column in columns if column.table_name == root.name), None)
    others = [column for column in columns if column is not own]
    return Reach(root, own, others, ciphers, NumberChoice(brief.numbers))


def find_numbers(lake: Lake, reach: Reach, members: ir.Table) -> ir.Table | None:
    """Return (customer, mobile) of the members; None: `textwave_mobile` of their row says all.

    Raises:
        EncryptionKeyWrong: a column does not decrypt with its key.
    """
    customers = reach.people(lake)
    encrypted = reach.root.name in reach.ciphers
    several = SEVERAL in customers.columns and reach.choice is not NumberChoice.FIRST
    if not (reach.others or encrypted or several):
        return None
    mentions = [own_numbers(customers, reach.root.customer_column)]
    if encrypted and reach.own is not None:
        held = _hold_decrypted(lake, reach, reach.own, customers, members)
        mentions.append(decrypted_numbers(held, own=True))
    mentions += [_elsewhere(lake, reach, column, members) for column in reach.others]
    if not (reach.others or several):  # one number a customer: there is nothing to choose
        return ibis.union(*mentions).select("customer", "mobile")
    return chosen_numbers(mentions, members, reach.choice)


def _elsewhere(lake: Lake, reach: Reach, column: MobileColumn, members: ir.Table) -> ir.Table:
    rows = lake.table(column.table_name)
    if column.table_name in reach.ciphers:
        return decrypted_numbers(_hold_decrypted(lake, reach, column, rows, members), own=False)
    return numbers_elsewhere(rows, column.customer_column, column.time_column)


def _hold_decrypted(
    lake: Lake, reach: Reach, column: MobileColumn, rows: ir.Table, members: ir.Table
) -> ir.Table:
    """Decrypt the members' numbers of a column, after a look at a sample of them."""
    cipher, time = reach.ciphers[column.table_name], column.time_column
    no_time: Any = ibis.null("timestamp")
    wanted: Any = rows.select(
        customer=rows[column.customer_column],
        ciphertext=rows[column.mobile_column].cast("string"),
        happened_at=no_time if time is None else rows[time].cast("timestamp"),
    )
    wanted = wanted.filter(wanted.ciphertext.notnull())
    wanted = wanted.semi_join(members, [wanted.customer == members.customer])
    with lake.stream(wanted.limit(SAMPLE_ROWS), rows_per_batch=SAMPLE_ROWS) as sample:
        texts = sample.read_all().column("ciphertext").combine_chunks()
    check_key(cipher, texts, table=column.table_name, column=column.mobile_column)
    with lake.stream(wanted, rows_per_batch=_ROWS_A_BATCH) as ciphertexts:
        decrypted = pa.RecordBatchReader.from_batches(_DECRYPTED, _decrypted(ciphertexts, cipher))
        return lake.hold(decrypted)


def _decrypted(batches: pa.RecordBatchReader, cipher: MobileCipher) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        mobiles = cipher.read(batch.column("ciphertext"))
        times = batch.column("happened_at").cast(pa.timestamp("us"))
        columns = [batch.column("customer"), mobiles, times]
        yield pa.RecordBatch.from_arrays(columns, schema=_DECRYPTED).filter(mobiles.is_valid())
