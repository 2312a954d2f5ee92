"""Asking a platform for a request in doubt: when, and what is said of its answer.

Pure. Not to be known is evidence for a person and no more: nothing is ever sent again for it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from textwave.dispatch.doubt import RequestKey
from textwave.kit.ids import PlatformId, WorkspaceId
from textwave.kit.mobile import mask_numbers
from textwave.kit.refusal import Refusal
from textwave.platforms.contract import NotOffered, Question

FIRST_AFTER: Final = timedelta(seconds=60)
"""A platform needs a moment to know what it has taken."""
AGAIN_AFTER: Final = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=6),
)
NOT_KNOWN: Final = "it did not know the request"
TAKEN: Final = "it had the request"
CANNOT_BE_ASKED: Final = "it cannot be asked for requests"
_ANSWER_MAX: Final = 300


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A request in doubt that its platform is to be asked for; `asked`: how often it was before."""

    workspace_id: WorkspaceId
    platform_id: PlatformId
    key: RequestKey
    asked: int
    question: Question


def again_at(asked: int, now: datetime) -> datetime:
    """Return when to ask again after so many times, later and later."""
    return now + AGAIN_AFTER[min(asked, len(AGAIN_AFTER)) - 1]


def said(refusal: Refusal) -> str:
    """Return what is kept of a platform that did not answer the question."""
    if isinstance(refusal, NotOffered):
        return CANNOT_BE_ASKED
    return mask_numbers(f"it gave no answer: {refusal.sentence}")[:_ANSWER_MAX]
