"""All that planning and starting a campaign need to know of it and of what it names."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from textwave.campaigns.timing import Due, LateRule, Window, check_window
from textwave.kit.ids import (
    AudienceId,
    CampaignId,
    MessageId,
    PlatformId,
    SignatureId,
    SnapshotId,
    TemplateId,
    WorkspaceId,
)


@dataclass(frozen=True, slots=True)
class Brief:
    """All that planning and starting a campaign need to know."""

    id: CampaignId
    workspace_id: WorkspaceId
    name: str
    type: str
    state: str
    variables: dict[str, dict[str, str]]
    numbers: str
    first_message_id: MessageId | None
    last_message_id: MessageId | None
    snapshot_id: SnapshotId | None
    platform_id: PlatformId
    template_id: TemplateId
    scheduled_at: datetime | None
    due_at: datetime | None
    late_minutes: int
    late_rule: str
    window_from: time | None
    window_until: time | None
    window_days: list[int]
    spread_minutes: int
    time_zone: str
    platform: str
    platform_kind: str
    capabilities: list[str]
    rate_per_second: int
    max_batch: int
    opt_out_text: str
    counting: str
    price_milli: int
    currency: str
    signature_id: SignatureId
    signature: str
    signature_state: str
    template: str
    template_content: str
    template_state: str
    template_reason: str
    template_type: str
    template_decided_at: datetime | None
    own_text: bool
    edited_at: datetime | None
    audience_id: AudienceId
    audience: str
    audience_archived: bool
    table_name: str
    customer_column: str | None
    table_columns: list[dict[str, str]] | None
    newest_snapshot_id: SnapshotId | None
    audience_size: int | None
    audience_computed_at: datetime | None

    @property
    def window(self) -> Window | None:
        """When its messages may leave; None: always."""
        return check_window(self.window_from, self.window_until, self.window_days)

    @property
    def zone(self) -> ZoneInfo:
        """The workspace's time zone."""
        return ZoneInfo(self.time_zone)

    def leaves_until(self, now: datetime) -> datetime:
        """Return when its last message may leave, as far as is known: what it links to lives on.

        It begins as late as it may, takes as long as its rate or its spreading, and with a window
        goes on when that opens again.
        """
        given = self.due_at or self.scheduled_at
        late = timedelta(minutes=self.late_minutes) if given else timedelta(0)
        begins = max(now, given + late) if given else now
        sending = timedelta(seconds=(self.audience_size or 0) / max(self.rate_per_second, 1))
        waits = timedelta(days=1) if self.window else timedelta(0)
        return begins + max(sending, timedelta(minutes=self.spread_minutes)) + waits

    def due(self, at: datetime) -> Due:
        """Return a start at that time, with what the campaign says of being late."""
        return Due(at, self.late_minutes, LateRule(self.late_rule), self.window)
