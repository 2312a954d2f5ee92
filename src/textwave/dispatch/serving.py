"""Serving an account at a platform: whose turn it is, for how long, and when it rests. Pure.

An account is served by a few jobs at a time. Each takes one batch when a turn is free, prepares it
when the turn has come, sends once and gives back what is still open. Nobody sleeps over a batch.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from textwave.kit.ids import CampaignId, PlatformId, SignatureId, WorkspaceId

AHEAD_SECONDS: Final = 0.25
"""How long before it begins a turn may be taken: nothing is decided earlier than that."""
TURN_SECONDS: Final = 1.0
"""The longest turn, unless a single request takes longer at the account's rate."""
ROUND_SECONDS: Final = 1.4
"""How long after its turn has begun a batch may still begin a request."""
SERVING_SECONDS: Final = 5.0
"""How long a job serves before it goes behind the others."""
YIELDING_SECONDS: Final = 0.25
"""How long it serves while another account waits for its place."""
HOLD_SECONDS: Final = 300.0
"""After it a batch is free again even if the job that has it still seems to run."""
PROBE_SECONDS: Final = 60.0
"""How long the others wait for the outcome of the one request that tries a resting account."""
FIRST_BACKOFF_SECONDS: Final = 0.2
LONGEST_BACKOFF_SECONDS: Final = 300.0
FIRST_REST_SECONDS: Final = 1.0
LONGEST_REST_SECONDS: Final = 300.0
LONGEST_WISH_SECONDS: Final = 3600.0
"""A platform may ask for a pause; a longer one is cut to this."""


@dataclass(frozen=True, slots=True)
class BatchKey:
    """Which batch of which campaign."""

    workspace_id: WorkspaceId
    campaign_id: CampaignId
    batch: int

    def parameters(self, **more: object) -> dict[str, object]:
        """Return the key as parameters of a statement."""
        return {
            "workspace_id": self.workspace_id,
            "campaign_id": self.campaign_id,
            "batch": self.batch,
            **more,
        }


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that this job holds, as it was when it was taken."""

    number: int
    first_id: int
    last_id: int
    attempts: int
    previous_state: str


@dataclass(frozen=True, slots=True)
class Account:
    """An account whose row is held: when it is free, and whether it rests."""

    id: PlatformId
    rate_per_second: int
    busy_seconds: float
    resting_seconds: float | None
    failures_in_a_row: int
    others_wait: bool

    @property
    def is_probed(self) -> bool:
        """Tell whether what is sent now only tries whether the platform answers again."""
        return self.failures_in_a_row > 0

    @property
    def closed_seconds(self) -> float:
        """Return how long no turn may be taken; 0: one may be taken now."""
        waits = (self.busy_seconds - AHEAD_SECONDS, self.resting_seconds or 0.0, 0.0)
        return max(waits)


@dataclass(frozen=True, slots=True)
class Turn:
    """A batch that this job holds, and when and how much of it may be sent.

    `messages`: how many the turn is for; `pace`: messages a second while it lasts.
    """

    workspace_id: WorkspaceId
    campaign_id: CampaignId
    number: int
    first_id: int
    last_id: int
    attempts: int
    previous_state: str
    platform_id: PlatformId
    signature_id: SignatureId
    messages: int
    pace: int
    wait_seconds: float
    ends_at: datetime
    signature_ends_at: datetime

    @property
    def key(self) -> BatchKey:
        """Return which batch it is for."""
        return BatchKey(self.workspace_id, self.campaign_id, self.number)

    @property
    def batch(self) -> Batch:
        """Return the batch."""
        return Batch(self.number, self.first_id, self.last_id, self.attempts, self.previous_state)


def backoff_seconds(attempts: int, wish_seconds: float = 0.0) -> float:
    """Return how long a batch waits after so many rounds that did not end it."""
    growing = FIRST_BACKOFF_SECONDS * 2.0 ** min(max(attempts - 1, 0), 20)
    return max(min(growing, LONGEST_BACKOFF_SECONDS), min(wish_seconds, LONGEST_WISH_SECONDS))


def rest_seconds(failures_in_a_row: int, wish_seconds: float = 0.0) -> float:
    """Return how long an account rests after so many rounds without an answer."""
    growing = FIRST_REST_SECONDS * 2.0 ** min(max(failures_in_a_row - 1, 0), 20)
    return max(min(growing, LONGEST_REST_SECONDS), min(wish_seconds, LONGEST_WISH_SECONDS))
