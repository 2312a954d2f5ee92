"""The life of a campaign, as one table of moves; the SQL CHECK and the diagram come from it."""

from enum import StrEnum

from textwave.kit.states import StateTable


class CampaignState(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    REVIEWING = "reviewing"
    REJECTED = "rejected"
    SCHEDULED = "scheduled"
    PLANNING = "planning"
    SENDING = "sending"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


class CampaignEvent(StrEnum):
    """What can happen to a campaign."""

    START = "start"
    WAIT_FOR_REVIEW = "wait for review"
    EDIT = "be edited"
    SCHEDULE = "be scheduled"
    UNSCHEDULE = "be unscheduled"
    BEGIN = "begin"
    POSTPONE = "be postponed"
    APPROVE = "be approved"
    REJECT = "be rejected"
    PLAN = "be planned"
    FAIL = "fail"
    PAUSE = "pause"
    RESUME = "resume"
    COMPLETE = "complete"
    CANCEL = "cancel"


_S, _E = CampaignState, CampaignEvent

CAMPAIGN_STATES = StateTable(
    "campaign",
    {
        (_S.DRAFT, _E.START): _S.PLANNING,
        (_S.DRAFT, _E.WAIT_FOR_REVIEW): _S.REVIEWING,
        (_S.DRAFT, _E.SCHEDULE): _S.SCHEDULED,
        (_S.DRAFT, _E.EDIT): _S.DRAFT,
        (_S.DRAFT, _E.UNSCHEDULE): _S.DRAFT,
        (_S.DRAFT, _E.CANCEL): _S.CANCELLED,
        (_S.REVIEWING, _E.APPROVE): _S.PLANNING,
        (_S.REVIEWING, _E.REJECT): _S.REJECTED,
        (_S.REVIEWING, _E.POSTPONE): _S.SCHEDULED,
        (_S.REVIEWING, _E.CANCEL): _S.CANCELLED,
        (_S.REJECTED, _E.START): _S.PLANNING,
        (_S.REJECTED, _E.WAIT_FOR_REVIEW): _S.REVIEWING,
        (_S.REJECTED, _E.SCHEDULE): _S.SCHEDULED,
        (_S.REJECTED, _E.EDIT): _S.DRAFT,
        (_S.REJECTED, _E.CANCEL): _S.CANCELLED,
        (_S.SCHEDULED, _E.BEGIN): _S.PLANNING,
        (_S.SCHEDULED, _E.POSTPONE): _S.SCHEDULED,
        (_S.SCHEDULED, _E.EDIT): _S.SCHEDULED,
        (_S.SCHEDULED, _E.UNSCHEDULE): _S.DRAFT,
        (_S.SCHEDULED, _E.FAIL): _S.FAILED,
        (_S.SCHEDULED, _E.CANCEL): _S.CANCELLED,
        (_S.PLANNING, _E.PLAN): _S.SENDING,
        (_S.PLANNING, _E.POSTPONE): _S.SCHEDULED,
        (_S.PLANNING, _E.FAIL): _S.FAILED,
        (_S.PLANNING, _E.CANCEL): _S.CANCELLED,
        (_S.SENDING, _E.PAUSE): _S.PAUSED,
        (_S.SENDING, _E.COMPLETE): _S.COMPLETED,
        (_S.SENDING, _E.CANCEL): _S.CANCELLED,
        (_S.PAUSED, _E.RESUME): _S.SENDING,
        (_S.PAUSED, _E.CANCEL): _S.CANCELLED,
    },
)
