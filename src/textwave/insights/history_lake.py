"""Writing the history of campaigns into the lake, and comparing it with the ledger.

One transaction of the lake writes messages and drops of some campaigns; what another attempt left
of them is replaced. Whatever differs from the ledger afterwards is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from textwave.insights.history import (
    DROPS,
    EMPTY,
    MESSAGES,
    Digest,
    HistoryTable,
    number_hash,
)
from textwave.insights.history_store import Copied, MovingCampaign, rows_of
from textwave.insights.retention import HistoryDiffers
from textwave.kit.ids import CampaignId
from textwave.storage.warehouse import Lake

_GIVEN = {
    MESSAGES.name: pa.schema(
        [
            ("message_id", pa.int64()),
            ("campaign_id", pa.int64()),
            ("customer", pa.string()),
            ("mobile", pa.int64()),
            ("parts", pa.int16()),
            ("state", pa.string()),
            ("cause", pa.string()),
            ("finished_at", pa.timestamp("us")),
            ("clicked_at", pa.timestamp("us")),
        ]
    ),
    DROPS.name: pa.schema(
        [
            ("drop_id", pa.int64()),
            ("campaign_id", pa.int64()),
            ("customer", pa.string()),
            ("mobile", pa.int64()),
            ("reason", pa.string()),
            ("dropped_at", pa.timestamp("us")),
        ]
    ),
}


@dataclass(frozen=True, slots=True)
class Copying:
    """Campaigns of one workspace and month that are written together."""

    url: str
    month: date
    campaigns: Sequence[MovingCampaign]
    expected: Sequence[Copied]
    number_key: str


def copy_history(lake: Lake, copying: Copying) -> int:
    """Bring campaigns into the lake, unless it has them; return the version that has them.

    Raises:
        HistoryDiffers: what was written is not what the ledger has.
    """
    tables = (MESSAGES, DROPS)
    for table in tables:
        name = lake.qualified(table.name)
        lake.duckdb.execute(f"CREATE TABLE IF NOT EXISTS {name} ({table.lake_columns})")
    if any(_differing(lake, table, copying) for table in tables):
        with lake.transaction():
            for table in tables:
                _replace(lake, table, copying)
        for table in tables:
            differing = _differing(lake, table, copying)
            if differing:
                raise HistoryDiffers(differing[0], table.what)
    return lake.version()


def _differing(lake: Lake, table: HistoryTable, copying: Copying) -> list[CampaignId]:
    """Return the campaigns of which the lake has something else than the ledger."""
    found = _digests(lake, table, copying)
    return [
        one.campaign_id
        for one in copying.expected
        if found.get(one.campaign_id, EMPTY) != _of(one, table)
    ]


def _of(copied: Copied, table: HistoryTable) -> Digest:
    return copied.messages if table is MESSAGES else copied.drops


def _digests(lake: Lake, table: HistoryTable, copying: Copying) -> Mapping[int, Digest]:
    rows = lake.duckdb.execute(
        f"SELECT campaign_id, count(*), sum({table.lake_digest}) "  # noqa: S608 - constants
        f"FROM {lake.qualified(table.name)} "
        "WHERE month = $month AND list_contains($campaigns, campaign_id) GROUP BY campaign_id",
        _key(copying),
    ).fetchall()
    return {campaign: Digest(int(count), int(total)) for campaign, count, total in rows}


def _replace(lake: Lake, table: HistoryTable, copying: Copying) -> None:
    name = lake.qualified(table.name)
    lake.duckdb.execute(
        f"DELETE FROM {name} "  # noqa: S608 - constants
        "WHERE month = $month AND list_contains($campaigns, campaign_id)",
        _key(copying),
    )
    given = pa.RecordBatchReader.from_batches(_GIVEN[table.name], _cast(table, copying))
    lake.duckdb.register("given_history", given)
    hashed = number_hash("mobile", "$key")
    lake.duckdb.execute(
        f"INSERT INTO {name} BY NAME SELECT * EXCLUDE mobile, $month AS month, "  # noqa: S608
        f"{hashed} AS number_hash, (mobile % 10000)::SMALLINT AS last_digits FROM given_history",
        {"key": copying.number_key, "month": copying.month},
    )
    lake.duckdb.unregister("given_history")


def _cast(table: HistoryTable, copying: Copying) -> Iterator[pa.RecordBatch]:
    for batch in rows_of(copying.url, table, copying.campaigns):
        yield batch.cast(_GIVEN[table.name])


def _key(copying: Copying) -> dict[str, object]:
    campaigns = [campaign.id for campaign in copying.campaigns]
    return {"month": copying.month, "campaigns": campaigns}
