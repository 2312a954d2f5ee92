"""Rows of campaigns that were made from others: copies, and retries of those who failed."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import adbc_driver_postgresql.dbapi as adbc
import pyarrow as pa

from textwave.kit.ids import CampaignId, WorkspaceId
from textwave.storage.ledger import Connection, Ledger, execute, may_stand_still, one
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.campaigns", "repeat_store.sql")
_LOCK: Final = 7_201_005  # with the campaign whose messages are tried again
_PAIRS: Final = pa.schema([("customer", pa.string()), ("mobile", pa.int64())])
_NUMBERS: Final = pa.schema([("mobile", pa.int64())])


@dataclass(frozen=True, slots=True)
class Retry:
    """Which failed messages a campaign sends again; no campaign yet: 0."""

    campaign_id: CampaignId
    source_id: CampaignId
    causes: list[str]


async def link(
    connection: Connection,
    workspace_id: WorkspaceId,
    campaign_id: CampaignId,
    *,
    copied_from: CampaignId,
    causes: Sequence[str] | None = None,
) -> None:
    """Say what a campaign was made from; with causes it retries those who failed for them."""
    parameters = {
        "workspace_id": workspace_id,
        "campaign_id": campaign_id,
        "copied_from": copied_from,
        "causes": None if causes is None else list(causes),
    }
    await execute(connection, _SQL["link"], parameters)


async def retry_of(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> Retry | None:
    """Return whom a campaign retries; None when it is no retry."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    return await one(connection, Retry, _SQL["retry_of"], key)


@asynccontextmanager
async def only_retry(
    ledger: Ledger, workspace_id: WorkspaceId, retry: Retry | None
) -> AsyncGenerator[None, None]:
    """Plan one retry of the same messages after the other: the second sees whom the first reaches.

    What is no retry waits for nobody.
    """
    if retry is None:
        yield
        return
    key = {"workspace_id": workspace_id, "source_id": retry.source_id, "lock": _LOCK}
    async with ledger.transaction() as connection:
        await may_stand_still(connection)
        await execute(connection, _SQL["hold_family"], key)
        yield


async def causes(
    connection: Connection, workspace_id: WorkspaceId, campaign_id: CampaignId
) -> list[str]:
    """Return why messages of a campaign failed."""
    key = {"workspace_id": workspace_id, "campaign_id": campaign_id}
    cursor = await connection.execute(_SQL["causes"], key)
    return [row[0] for row in await cursor.fetchall()]


def failed_pairs(url: str, retry: Retry) -> pa.Table:
    """Return who failed and at which number: `customer` and `mobile`, each pair once."""
    asked = pa.record_batch(
        [
            pa.array([retry.source_id], pa.int64()),
            pa.array(["\x1f".join(retry.causes)], pa.string()),
        ],
        ["source", "causes"],
    )
    return _read(url, "failed_pairs", asked).cast(_PAIRS)


def reached_since(url: str, retry: Retry) -> pa.Table:
    """Return the numbers (`mobile`) that another retry of the same messages reaches."""
    ids = [
        pa.array([retry.source_id], pa.int64()),
        pa.array([retry.campaign_id], pa.int64()),
    ]
    asked = pa.record_batch(ids, ["source", "campaign"])
    return _read(url, "reached_since", asked).cast(_NUMBERS)


def _read(url: str, statement: str, asked: pa.RecordBatch) -> pa.Table:
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(_SQL[statement], parameters=asked)
        return cursor.fetch_arrow_table()
