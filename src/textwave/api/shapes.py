"""What the API gives: one model for each thing, and pages of them.

Numbers of people are masked; sealed keys and file paths never appear.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from textwave.api.effort_shapes import ErrorBudget
from textwave.api.shares_shapes import ControlGroup, ShownVariant, ShownWinner
from textwave.api.timing_shapes import CampaignSchedule, CampaignWindow
from textwave.audiences.rule import write_rule
from textwave.audiences.store import Audience as KeptAudience
from textwave.campaigns.effort import Priority
from textwave.kit.mobile import Mobile, masked
from textwave.responses.store import KeptReply
from textwave.storage.progress import Operation as KeptOperation
from textwave.suppression.store import OptOut as KeptOptOut

ItemT = TypeVar("ItemT")
RowT = TypeVar("RowT")


class Shape(BaseModel):
    """Base of all shapes: read from the dataclasses of the product."""

    model_config = ConfigDict(from_attributes=True)


class Page(BaseModel, Generic[ItemT]):
    """A page; `next` is the `after` of the following one, null on the last."""

    items: list[ItemT]
    next: int | None = None


def page_of(
    rows: Sequence[RowT], limit: int, shape: Callable[[RowT], ItemT], key: Callable[[RowT], int]
) -> Page[ItemT]:
    """Make a page of the rows; a full one may have a following one."""
    more = key(rows[-1]) if rows and len(rows) >= limit else None
    return Page(items=[shape(row) for row in rows], next=more)


class Operation(Shape):
    """A long-running operation; watch it at `/api/operations/{id}?wait_seconds=30`."""

    id: int
    kind: str
    state: str = Field(description="queued, running, succeeded, failed or cancelled")
    progress: dict[str, Any]
    result: dict[str, Any] | None
    problem: dict[str, Any] | None = Field(description="code, sentence and fields of a failure")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Column(BaseModel):
    """A column of a table."""

    name: str
    type: str
    separator: str | None = None


class IdColumn(BaseModel):
    """A column that holds ids of a type such as `email`."""

    type: str
    column: str


class ColumnStatistics(BaseModel):
    """What is in a column; what could identify people is hidden."""

    nulls: int
    distinct: int
    approximate: bool = Field(
        description="Whether `distinct` is an estimate, at times off by a third"
    )
    hidden: bool = Field(description="Whether values are left out because they identify people")
    min: float | str | None = None
    max: float | str | None = None
    top: list[tuple[str, int]] = Field(default=[], description="The most frequent values, counted")
    sampled: bool = Field(default=False, description="Whether `top` was counted in 100,000 rows")


class Table(Shape):
    """A table of one of the five kinds."""

    id: int
    name: str
    kind: str
    columns: list[Column]
    customer_column: str
    customer_id_type: str = Field(description="What the customer column holds: customer, mobile …")
    ids: list[IdColumn] = Field(description="Columns of further ids; tables of customers only.")
    mobile_column: str | None
    time_column: str | None
    amount_column: str | None
    count_column: str | None
    partition_column: str | None
    row_count: int
    lake_version: int
    is_system: bool = Field(description="Kept by Textwave itself; nothing is imported into it.")
    mobile_key: int | None = Field(
        description="Version of the key that the mobile column is encrypted with; null: plain."
    )
    created_at: datetime
    updated_at: datetime


class MeasuredTable(Table):
    """A table with what is in its columns, once it has been measured after an import."""

    statistics: dict[str, ColumnStatistics] | None
    statistics_at: datetime | None


class Import(Shape):
    """One import that has happened."""

    id: int
    table_name: str
    file_name: str
    file_sha256: str
    mode: str
    operation_id: int | None
    rows_read: int
    rows_kept: int
    rows_rejected: int
    finished_at: datetime


class Snapshot(Shape):
    """The members of an audience as they were once computed."""

    id: int
    size: int
    lake_version: int
    computed_at: datetime
    milliseconds: int


class PastSnapshot(Snapshot):
    """A snapshot of the past; the members of old ones are not kept."""

    members_removed_at: datetime | None


class Folder(Shape):
    """A folder and how many audiences are directly in it; "" has those that are in none."""

    name: str
    audiences: int


class Audience(BaseModel):
    """A named rule over a table, with its newest snapshot."""

    id: int
    name: str
    description: str
    folder: str
    table: str
    rule: dict[str, Any]
    is_public: bool
    created_by: str
    created_at: datetime
    changed_at: datetime
    version: int = Field(description="Send it with a change, so that no other change is lost.")
    archived_at: datetime | None
    refresh: str = Field(description="Empty, after_import, or a cron expression")
    next_refresh_at: datetime | None
    refresh_failed_at: datetime | None
    refresh_problem: dict[str, Any] | None
    snapshot: Snapshot | None


class Finding(Shape):
    """Something to look at in a text; `position` counts characters from 0."""

    code: str
    severity: str
    position: int
    sentence: str


class Link(Shape):
    """A short link. `url` is what is written into a text."""

    id: int
    name: str
    code: str
    url: str = ""
    domain: str | None = Field(description="Null: the installation's own address.")
    long_url: str
    expires_at: datetime
    enabled: bool
    allows_private: bool
    total_clicks: int
    human_clicks: int
    created_at: datetime


class Campaign(Shape):
    """A campaign and where it stands."""

    id: int
    name: str
    type: str
    state: str
    reason: str
    platform: str
    signature: str
    template: str
    audience: str
    variables: dict[str, dict[str, str]]
    numbers: str
    quiet: str = Field(description="What becomes of messages in quiet hours: wait or drop")
    priority: Priority
    error_budget: ErrorBudget
    created_by: str
    created_at: datetime
    started_at: datetime | None
    planned_at: datetime | None
    completed_at: datetime | None
    exclude: list[str]
    control: ControlGroup | None
    variants: list[ShownVariant]
    winner: ShownWinner | None
    seed: int
    schedule: CampaignSchedule
    window: CampaignWindow | None
    spread_minutes: int
    late_reason: str = Field(description="Why its start was late or postponed; else empty.")
    recurrence: str | None = Field(description="Of which recurrence it is, if of any.")
    copied_from: str | None = Field(description="The campaign that it was made from, if any.")
    purpose: str = Field(description="marketing, or test: counted nowhere")
    own_text: bool = Field(description="Its template was written from within it.")
    stalled_since: datetime | None = None
    stalled_reason: str = Field(default="", description="Why it stands still; empty: it does not")


class Reply(BaseModel):
    """A text from a recipient."""

    id: int
    platform_id: int
    signature_id: int | None
    campaign_id: int | None
    message_id: int | None
    mobile: str = Field(description="masked to the last four digits")
    content: str
    intent: str
    received_at: datetime


class OptOut(BaseModel):
    """A number that must not be written to under a signature."""

    id: int
    signature_id: int
    signature: str
    mobile: str = Field(description="masked to the last four digits")
    source: str
    evidence: str
    opted_out_at: datetime


def operation_shape(kept: KeptOperation) -> Operation:
    """Shape an operation; its request stays inside."""
    return Operation.model_validate(kept)


def audience_shape(kept: KeptAudience) -> Audience:
    """Shape an audience with its rule as it was written."""
    said, refreshing = kept.particulars, kept.refreshing
    return Audience(
        id=kept.id,
        name=kept.name,
        description=said.description,
        folder=said.folder,
        table=kept.definition.table,
        rule=write_rule(kept.definition.rule),
        is_public=said.is_public,
        created_by=kept.created_by,
        created_at=kept.created_at,
        changed_at=kept.changed_at,
        version=kept.version,
        archived_at=kept.archived_at,
        refresh=said.refresh,
        next_refresh_at=refreshing.next_at,
        refresh_failed_at=refreshing.failed_at,
        refresh_problem=refreshing.problem,
        snapshot=None if kept.snapshot is None else Snapshot.model_validate(kept.snapshot),
    )


def reply_shape(kept: KeptReply) -> Reply:
    """Shape a reply, its number masked."""
    return Reply(
        id=kept.id,
        platform_id=kept.platform_id,
        signature_id=kept.signature_id,
        campaign_id=kept.campaign_id,
        message_id=kept.message_id,
        mobile=masked(Mobile(kept.mobile)),
        content=kept.content,
        intent=kept.intent,
        received_at=kept.received_at,
    )


def opt_out_shape(kept: KeptOptOut) -> OptOut:
    """Shape an opt-out, its number masked."""
    return OptOut(
        id=kept.id,
        signature_id=kept.signature_id,
        signature=kept.signature,
        mobile=masked(Mobile(kept.mobile)),
        source=kept.source,
        evidence=kept.evidence,
        opted_out_at=kept.opted_out_at,
    )
