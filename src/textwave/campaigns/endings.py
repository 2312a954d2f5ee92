"""How long anything may stay in a state that is no end, and what ends it then.

One literal table; the page on states shows it, and a test holds that no state is missing.
"""

from typing import Final, NamedTuple

from textwave.campaigns.states import CampaignState


class TimeLimit(NamedTuple):
    """The limit of one state; `setting` is the field of the settings that changes it, if any."""

    thing: str
    state: str
    limit: str
    then: str
    setting: str = ""


_S: Final = CampaignState
NOT_IN_TIME: Final = "not sent in time"
"""The cause of messages that had not left when their campaign's time ran out."""

TIME_LIMITS: Final = (
    TimeLimit("campaign", _S.DRAFT, "none", "it waits for its writer"),
    TimeLimit("campaign", _S.REJECTED, "none", "it waits for its writer"),
    TimeLimit("campaign", _S.REVIEWING, "{} days", "cancelled, with the reason", "review_days"),
    TimeLimit("campaign", _S.SCHEDULED, "its time, and its late rule", "starts or is cancelled"),
    TimeLimit(
        "campaign",
        _S.PLANNING,
        "{} attempts without an end",
        "failed, with what stopped the last one",
        "plan_attempts",
    ),
    TimeLimit(
        "campaign",
        _S.SENDING,
        "{} days of standing still, waiting for clock or winner not counted",
        f"what has not left fails with the cause “{NOT_IN_TIME}”, and it completes",
        "sending_days",
    ),
    TimeLimit("campaign", _S.PAUSED, "{} days", "cancelled, with the reason", "paused_days"),
    TimeLimit("request", "prepared", "its batch is taken again", "sent, or in doubt"),
    TimeLimit(
        "request",
        "in doubt",
        "{} hours after it was prepared",
        "its messages without a final state fail with the cause “in doubt”",
        "in_doubt_hours",
    ),
    TimeLimit("message", "planned, held", "that of its campaign", "as its campaign says"),
    TimeLimit("message", "retrying", "5 attempts, and that of its request", "failed"),
    TimeLimit(
        "message",
        "submitted",
        "{} hours without a receipt",
        "failed with the cause “no receipt”; a later receipt still wins",
        "no_receipt_hours",
    ),
)
