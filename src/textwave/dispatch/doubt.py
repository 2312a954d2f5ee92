"""Requests in doubt: what can be said about one, who may say it, and what it is refused for.

Pure. A request is in doubt when nobody knows whether the platform took it. A receipt, a click or a
person settles it, else time does; it is never sent again by itself where keys are not honoured.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple

from textwave.kit.ids import CampaignId
from textwave.kit.refusal import NotFound, Refusal

CAUSE_IN_DOUBT: Final = "in doubt"
CAUSE_NOT_SENT: Final = "not sent"
DOUBTED_CAUSES: Final = (CAUSE_IN_DOUBT, CAUSE_NOT_SENT)
"""Failures that were concluded, not reported: a receipt that comes after all wins over them."""
_key = re.compile(r"([1-9][0-9]{0,17})-(0|[1-9][0-9]{0,8})-(0|[1-9][0-9]{0,3})")


class SettledAs(StrEnum):
    """What a person may say about a request in doubt."""

    SENT = "sent"
    NOT_SENT = "not sent"
    SEND_AGAIN = "send again"


class RequestKey(NamedTuple):
    """Which request; people see it as `campaign-number-attempt`."""

    campaign_id: CampaignId
    number: int
    attempt: int

    def __str__(self) -> str:
        return f"{self.campaign_id}-{self.number}-{self.attempt}"


@dataclass(frozen=True, slots=True)
class DoubtCase:
    """One request in doubt with all that is known of it.

    `prepared_at`: when it was about to leave; `outcome` and `detail`: what came instead of an
    answer; `attempts`: how often its batch was taken. Its `messages` are `unsettled`, or by
    receipts that came meanwhile `delivered` or `failed`; `clicked`: how many opened its link.
    `asked`: how often the platform was asked for it; `asked_at` and `answer`: the last time.
    `settled_as`: what somebody has said already and is being carried out.
    """

    campaign_id: CampaignId
    number: int
    attempt: int
    campaign: str
    campaign_state: str
    platform: str
    honours_keys: bool
    prepared_at: datetime
    outcome: str
    detail: str
    attempts: int
    messages: int
    unsettled: int
    delivered: int
    failed: int
    clicked: int
    asked: int
    asked_at: datetime | None
    answer: str
    settled_as: str | None
    settled_by: str | None

    @property
    def key(self) -> RequestKey:
        """Return which request it is."""
        return RequestKey(self.campaign_id, self.number, self.attempt)

    @property
    def choices(self) -> list[SettledAs]:
        """Return what a person can say about it now."""
        return [] if self.settled_as is not None else choices_of(self)


@dataclass(frozen=True, slots=True)
class DoubtGroup:
    """How much of a campaign is in doubt, and since when."""

    campaign_id: CampaignId
    campaign: str
    campaign_state: str
    platform: str
    honours_keys: bool
    requests: int
    messages: int
    oldest_at: datetime

    @property
    def choices(self) -> list[SettledAs]:
        """Return what a person can say about all of it now."""
        return choices_of(self)


@dataclass(eq=False)
class AlreadySettled(Refusal):
    """Somebody or something was first."""

    code: ClassVar[str] = "doubt_already_settled"
    request: str

    @property
    def sentence(self) -> str:
        return (
            f"The request {self.request} is not in doubt any more: a person, a receipt or its time "
            "limit was first. Look at the campaign's report."
        )


@dataclass(eq=False)
class SettlesItself(Refusal):
    """The platform honours keys, so the doubt ends by asking again."""

    code: ClassVar[str] = "doubt_settles_itself"
    campaign: str
    platform: str

    @property
    def sentence(self) -> str:
        return (
            f"The platform “{self.platform}” sends nothing twice under one key, so Textwave asks "
            f"again by itself. Pause or cancel the campaign “{self.campaign}” to settle by hand."
        )


@dataclass(eq=False)
class SendAgainUnconfirmed(Refusal):
    """Sending again may reach people twice, and nobody said that this is meant."""

    code: ClassVar[str] = "send_again_unconfirmed"
    platform: str

    @property
    def sentence(self) -> str:
        return (
            f"The platform “{self.platform}” honours no keys: whoever got the message already gets "
            "it a second time. Confirm that this is meant."
        )


@dataclass(eq=False)
class SendsNoMore(Refusal):
    """The campaign has ended, or its platform honours keys: there is no sending again by hand."""

    code: ClassVar[str] = "doubt_not_sent_again"
    campaign: str
    state: str

    @property
    def sentence(self) -> str:
        return (
            f"The campaign “{self.campaign}” is {self.state} and sends nothing again by hand. "
            "Settle as sent or as not sent; who failed can be retried as a new campaign."
        )


def read_key(text: str) -> RequestKey:
    """Read `campaign-number-attempt`.

    Raises:
        NotFound: it is nothing of that form.
    """
    key = key_in(text)
    if key is None:
        raise NotFound("request in doubt", text)
    return key


def key_in(text: str) -> RequestKey | None:
    """Return the request that `campaign-number-attempt` names; None: it is nothing of that form."""
    match = _key.fullmatch(text)
    if match is None:
        return None
    campaign_id, number, attempt = (int(group) for group in match.groups())
    return RequestKey(CampaignId(campaign_id), number, attempt)


def choices_of(doubt: DoubtCase | DoubtGroup) -> list[SettledAs]:
    """Return what can be said about doubts of a campaign in this state, on such a platform."""
    if doubt.honours_keys:
        # While it sends, asking again under the same key says more than anybody can.
        asked_again = doubt.campaign_state == "sending"
        return [] if asked_again else [SettledAs.SENT, SettledAs.NOT_SENT]
    if doubt.campaign_state in {"sending", "paused"}:
        return list(SettledAs)
    return [SettledAs.SENT, SettledAs.NOT_SENT]


def check_settlement(
    doubt: DoubtCase | DoubtGroup, settled_as: SettledAs, *, confirmed: bool
) -> None:
    """Accept what a person says about one request in doubt, or about all of a campaign.

    Raises:
        AlreadySettled, SettlesItself, SendsNoMore, SendAgainUnconfirmed.
    """
    if isinstance(doubt, DoubtCase) and doubt.settled_as is not None:
        raise AlreadySettled(str(doubt.key))
    choices = doubt.choices
    if not choices:
        raise SettlesItself(doubt.campaign, doubt.platform)
    if settled_as not in choices:
        raise SendsNoMore(doubt.campaign, doubt.campaign_state)
    if settled_as is SettledAs.SEND_AGAIN and not confirmed:
        raise SendAgainUnconfirmed(doubt.platform)
