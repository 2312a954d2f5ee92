# ruff: noqa: S608 - statements are built from quoted names and literals only
"""Importing a table whose mobile numbers are encrypted: they stay so in the warehouse.

Only which of them hide no mobile number is written down. Refused before anything is taken: a key
that is missing or does not fit a sample, and rows for a table that is encrypted otherwise.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from textwave.customers.columns import Part
from textwave.customers.decryption import MobileCipher, check_key, is_written
from textwave.customers.key_operations import open_key
from textwave.customers.layout import ColumnMissing, Layout, TableDiffers
from textwave.customers.quoting import name_of
from textwave.customers.request import ImportMode, ImportRequest
from textwave.customers.staging import Staged, ciphertexts
from textwave.customers.store import CustomerTable
from textwave.customers.upload import Upload
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import InvalidValue
from textwave.storage.ledger import Connection
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Lake

_ROWS_A_BATCH: Final = 50_000
_FIRST_LINE: Final = 2
_BAD: Final = pa.schema([("position", pa.int64())])


async def find_cipher(
    connection: Connection,
    vault: Vault,
    *,
    workspace_id: WorkspaceId,
    request: ImportRequest,
    existing: CustomerTable | None,
    region: str,
) -> MobileCipher | None:
    """Open the key of an import's mobile numbers; None: they are plain.

    Raises:
        EncryptionKeyMissing: the workspace has no such key.
        TableDiffers: the rows would stand in one table with rows that are encrypted otherwise.
    """
    kept = existing if request.mode is not ImportMode.REPLACE else None
    if not request.mobile_encrypted:
        if kept is not None and kept.mobile_key is not None:
            problem = f"Its mobile column is encrypted with key version {kept.mobile_key}."
            raise TableDiffers(request.table, problem)
        return None
    version = request.key_version
    if kept is not None and kept.mobile_column is not None:
        _check_same(request, kept)
        version, region = kept.mobile_key, request.default_region or kept.mobile_region or region
    key = await open_key(connection, vault, workspace_id=workspace_id, version=version)
    return MobileCipher(key, region)


def _check_same(request: ImportRequest, kept: CustomerTable) -> None:
    if kept.mobile_key is None:
        raise TableDiffers(request.table, "Its mobile column is not encrypted.")
    if request.key_version not in (None, kept.mobile_key):
        problem = f"Its mobile column is encrypted with key version {kept.mobile_key}."
        raise TableDiffers(request.table, problem)
    if request.default_region not in (None, kept.mobile_region):
        problem = f"Its encrypted mobile numbers are those of the region {kept.mobile_region}."
        raise TableDiffers(request.table, problem)


def encrypted_layout(
    request: ImportRequest, layout: Layout, upload: Upload, cipher: MobileCipher | None
) -> Layout:
    """Return the layout with its mobile column as encrypted, once a sample of it decrypts.

    Raises:
        ColumnMissing: there is no mobile column.
        InvalidValue: a cell of it would hold several numbers.
        EncryptionKeyWrong: most of the sample does not decrypt to mobile numbers.
    """
    if cipher is None:
        return layout
    column = layout.parts.get(Part.MOBILE)
    if column is None:
        names = [known.name for known in layout.columns]
        raise ColumnMissing("", "the encrypted mobile number", names, upload.delimiter)
    if layout.several_numbers is not None:
        problem = f"An encrypted cell holds one number, so the type of “{column}” is text."
        raise InvalidValue("types", problem)
    sample = upload.sample[column]
    check_key(
        cipher,
        pa.array(sample, pa.string()),
        table=request.table,
        column=column,
        places=[f"that of line {line}" for line in range(_FIRST_LINE, _FIRST_LINE + len(sample))],
    )
    return replace(layout, encrypted=True)


def mark_bad_numbers(lake: Lake, staged: Staged, cipher: MobileCipher | None) -> None:
    """Make the table `bad_number` (position): cells that hold something and no mobile number."""
    if cipher is None:
        return
    connection = lake.duckdb.cursor()
    try:
        connection.execute(ciphertexts(staged))
        given = connection.to_arrow_reader(_ROWS_A_BATCH)
        bad = pa.RecordBatchReader.from_batches(_BAD, _bad(given, cipher))
        lake.duckdb.register("bad_given", bad)
        lake.duckdb.execute("CREATE OR REPLACE TEMP TABLE bad_number AS FROM bad_given")
        lake.duckdb.unregister("bad_given")
    finally:
        connection.close()


def _bad(batches: pa.RecordBatchReader, cipher: MobileCipher) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        cells = batch.column("ciphertext")
        fits = cipher.read(cells).is_valid()
        bad = pc.call_function("and_not", [is_written(cells), fits])
        positions: Any = batch.column("position").filter(bad)
        yield pa.record_batch([positions.cast(pa.int64())], schema=_BAD)


def count_encrypted(lake: Lake, query: str, column: str) -> dict[str, int]:
    """Count the numbers of the rows that were kept, each row once."""
    row = lake.duckdb.execute(
        f"SELECT count(*) FILTER (textwave_bad_mobile), "
        f"count(*) FILTER (trim({name_of(column)}, e' \\t\\r\\n') <> ''), count(*) FROM ({query})"
    ).fetchone()
    bad, written, rows = row or (0, 0, 0)
    return {"encrypted": written - bad, "bad": bad, "missing": rows - written}
