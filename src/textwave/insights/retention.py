"""Which months of messages stay in the ledger, and what keeps an older one there.

Pure. The month under way and so many whole months before it stay. A month goes only when all of
its campaigns have ended, every message is delivered or failed, and every outcome is exported.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar, Final

from textwave.kit.refusal import Refusal

_MONTHS_A_YEAR: Final = 12


class HeldUp(StrEnum):
    """What keeps a month in the ledger that is old enough to go."""

    CAMPAIGNS = "campaigns not ended"
    MESSAGES = "messages not final"
    OUTCOMES = "outcomes not exported"
    BUSY = "tables busy"
    DIFFERENT = "copy differs"


@dataclass(eq=False)
class RetentionRunning(Refusal):
    """Months are being moved already."""

    code: ClassVar[str] = "retention_running"

    @property
    def sentence(self) -> str:
        return "Old months are being moved already. Wait for its end: `textwave retention show`."


@dataclass(eq=False)
class RetentionOff(Refusal):
    """Messages are kept for ever."""

    code: ClassVar[str] = "retention_off"

    @property
    def sentence(self) -> str:
        return (
            "Messages are kept in the ledger for ever: TEXTWAVE_MESSAGE_MONTHS is 0. Set it to the "
            "number of months that are to stay, for web and workers, and start them again."
        )


@dataclass(eq=False)
class HistoryDiffers(Refusal):
    """The warehouse's copy of a campaign is not what the ledger has."""

    code: ClassVar[str] = "history_differs"
    campaign_id: int
    what: str

    @property
    def sentence(self) -> str:
        return (
            f"The warehouse's copy of the {self.what} of campaign {self.campaign_id} differs from "
            "the ledger, which keeps them. Nothing was dropped; the next run copies them again."
        )


def oldest_kept(today: date, *, months: int) -> date:
    """Return the first day of the oldest month that stays; `months` is at least 1."""
    index = today.year * _MONTHS_A_YEAR + today.month - 1 - months
    return date(index // _MONTHS_A_YEAR, index % _MONTHS_A_YEAR + 1, 1)


def due_months(known: Iterable[date], *, today: date, months: int) -> list[date]:
    """Return which of the months are old enough to go, the oldest first; 0 months keeps all."""
    if months == 0:
        return []
    oldest = oldest_kept(today, months=months)
    return sorted(month for month in known if month < oldest)
