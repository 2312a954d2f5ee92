"""Showing what a template reads like before anything is sent with it.

`start_preview` serves the web role; `run_preview` is the job. Refused: more than ten customers, and
an audience that has not been computed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any, Final

import pyarrow as pa

from textwave.audiences.people import people
from textwave.audiences.store import audience, member_ids, tables
from textwave.audiences.tables import CustomerTable
from textwave.audiences.visibility import SEES_ALL, Viewer
from textwave.campaigns.draft import NotReadyToStart, check_sources, read_sources
from textwave.connections import store as connection_store
from textwave.connections.accounts import PlatformAccount
from textwave.content import store
from textwave.content.capabilities import takes_opt_out_text
from textwave.content.store import Template
from textwave.content.variables import parse
from textwave.content.wording import full_text
from textwave.kit.ids import OperationId, SnapshotId, WorkspaceId
from textwave.kit.money import Money, price_of
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.previews.preview import (
    ROWS_A_BATCH,
    AudienceTally,
    Previewed,
    Speaking,
    previewed,
    tally,
    texts_of,
    written,
)
from textwave.signatures.store import approved_signature, signature_named
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.warehouse import Lake, Warehouse

PREVIEW_TASK: Final = "previews.preview"
MOST_CUSTOMERS: Final = 10


@dataclass(frozen=True, slots=True)
class AskedPreview:
    """What is previewed: the customers are those of the audience's table, by its key.

    `variables` says where each variable comes from, as in a campaign; one that is left out comes
    from the column of its name. Without a signature the first approved one speaks.
    """

    template: str
    audience: str
    customers: Sequence[str] = ()
    signature: str = ""
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, dict[str, str]])


@dataclass(frozen=True, slots=True)
class _Stage:
    """What a preview is computed from."""

    account: PlatformAccount
    table: CustomerTable
    snapshot_id: SnapshotId
    speaking: Speaking

    @property
    def price(self) -> Money:
        """The price of a part."""
        return Money(self.account.price_milli, self.account.currency)


async def start_preview(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    asked: AskedPreview,
    viewer: Viewer = SEES_ALL,
) -> OperationId:
    """Begin to render a template for named customers and to count it for the whole audience.

    Raises:
        NotFound: there is no such template, audience or signature, or none that the viewer sees.
        NotReadyToStart: the audience has not been computed.
        InvalidValue, VariableWithoutSource, SourceNotInTemplate, ColumnUnknown.
    """
    if len(asked.customers) > MOST_CUSTOMERS:
        raise InvalidValue("customers", f"give at most {MOST_CUSTOMERS}.")
    await audience(connection, workspace_id, asked.audience, viewer)
    await _set(connection, workspace_id, asked)
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=PREVIEW_TASK, request=asdict(asked)
    )


async def run_preview(
    ledger: Ledger,
    warehouse: Warehouse,
    *,
    workspace_id: WorkspaceId,
    operation_id: OperationId,
) -> None:
    """Do the job of `start_preview`."""
    work = partial(_preview, ledger, warehouse, workspace_id)
    await progress.perform(ledger, workspace_id=workspace_id, operation_id=operation_id, work=work)


async def _preview(
    ledger: Ledger, warehouse: Warehouse, workspace_id: WorkspaceId, request: dict[str, Any]
) -> dict[str, Any]:
    asked = AskedPreview(**request)
    async with ledger.transaction(workspace_id) as connection:
        stage = await _set(connection, workspace_id, asked)
    few, many = await warehouse.run(
        workspace_id, lambda lake: _computed(lake, stage, asked.customers)
    )
    return {
        "signature": stage.speaking.signature,
        "currency": stage.price.currency,
        "customers": [_shown(one, stage.price) for one in few],
        "audience": _shown_tally(many, stage),
    }


async def _set(connection: Connection, workspace_id: WorkspaceId, asked: AskedPreview) -> _Stage:
    template = await store.template_named(
        connection, workspace_id=workspace_id, name=asked.template
    )
    account = await connection_store.platform_named(
        connection, workspace_id=workspace_id, name=template.platform
    )
    known = await audience(connection, workspace_id, asked.audience)
    if known.snapshot is None:
        problem = "has not been computed yet. Refresh it and wait until it is done."
        raise NotReadyToStart("audience", asked.audience, problem)
    table = (await tables(connection, workspace_id)).get(known.definition.table)
    if table is None:
        raise NotFound("table", known.definition.table)
    signature = await _signature(connection, workspace_id, account, asked.signature)
    speaking = _speaking(template, account, table, signature, asked.variables)
    return _Stage(account, table, known.snapshot.id, speaking)


async def _signature(
    connection: Connection, workspace_id: WorkspaceId, account: PlatformAccount, name: str
) -> str:
    if name:
        found = await signature_named(
            connection, workspace_id=workspace_id, platform_id=account.id, name=name
        )
        return found.name
    first = await approved_signature(connection, workspace_id=workspace_id, platform_id=account.id)
    return first or ""


def _speaking(
    template: Template,
    account: PlatformAccount,
    table: CustomerTable,
    signature: str,
    variables: Mapping[str, Mapping[str, str]],
) -> Speaking:
    ending = account.opt_out_text if takes_opt_out_text(template.type, account) else ""
    text = parse(full_text(template.content, template.type, ending))
    columns = [{"name": column.name} for column in table.columns]
    named = {name: {"column": name} for name in text.names if table.column(name)}
    chosen = {**named, **variables}
    check_sources(text.names, chosen, table.name, columns)
    return Speaking(text, read_sources(chosen), signature, account.counting)


def _computed(
    lake: Lake, stage: _Stage, customers: Sequence[str]
) -> tuple[list[Previewed], AudienceTally]:
    rows, column = people(stage.table, lake.table), stage.table.customer_column
    named = lake.hold(pa.table({"customer": pa.array(list(dict.fromkeys(customers)), pa.string())}))
    few = texts_of(named, rows, column, stage.speaking).to_pyarrow().to_pylist()
    members = texts_of(member_ids(lake, stage.snapshot_id), rows, column, stage.speaking)
    with lake.stream(members, rows_per_batch=ROWS_A_BATCH) as batches:
        return list(previewed(few, stage.speaking)), tally(batches, stage.speaking)


def _shown(one: Previewed, price: Money) -> dict[str, Any]:
    parts = one.count.parts if one.count else 0
    return {
        "customer": one.customer,
        "found": one.found,
        "text": one.text,
        "missing": list(one.missing),
        "units": one.count.units if one.count else 0,
        "parts": parts,
        "price_milli": price_of(parts, price).milli,
    }


def _shown_tally(found: AudienceTally, stage: _Stage) -> dict[str, Any]:
    price = stage.price
    return {
        "members": found.members,
        "texts": found.texts,
        "without_value": found.without_value,
        "gone": found.gone,
        "parts": found.parts,
        "price_milli": price_of(found.parts, price).milli,
        "average_parts": found.parts / found.texts if found.texts else 0,
        "by_parts": {str(parts): texts for parts, texts in sorted(found.by_parts.items())},
        "worst": None if found.worst is None else _shown_worst(found.worst, stage),
    }


def _shown_worst(values: list[str], stage: _Stage) -> dict[str, Any]:
    text, counted = written(values, stage.speaking)
    price = price_of(counted.parts, stage.price)
    return {
        "text": text,
        "encoding": str(counted.encoding),
        "units": counted.units,
        "parts": counted.parts,
        "price_milli": price.milli,
    }
