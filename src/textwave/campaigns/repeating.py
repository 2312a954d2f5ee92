"""A campaign as the draft of another one, and which failures may be tried again. Pure.

Refuses to repeat to people who said no. What may have been delivered is repeated only when somebody
asks for it by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final

from textwave.campaigns.draft import CampaignDraft
from textwave.campaigns.shares import (
    WHOLE,
    Control,
    Shares,
    Variant,
    WinnerRule,
)
from textwave.campaigns.store import Campaign
from textwave.campaigns.timing import LateRule, Timing, check_window
from textwave.kit.refusal import InvalidValue, Refusal
from textwave.limits.quiet import WhenQuiet

NEVER_AGAIN: Final = ("unsubscribed", "blacklisted")
MAYBE_DELIVERED: Final = ("no receipt", "in doubt")


@dataclass(eq=False)
class NothingToRetry(Refusal):
    """Nobody is left who failed with the causes."""

    code: ClassVar[str] = "nothing_to_retry"
    campaign: str
    causes: tuple[str, ...]

    @property
    def sentence(self) -> str:
        named = ", ".join(f"“{cause}”" for cause in self.causes) or "any cause that is tried again"
        return (
            f"Nobody of “{self.campaign}” who failed with {named} is left without the message. "
            "Look at the causes in its report, and name those that are to be tried again."
        )


def copied(campaign: Campaign, *, name: str, now: datetime) -> CampaignDraft:
    """Return a campaign as a draft under another name; a time that is past is left out.

    Variants and the control group are drawn anew, so that not always the same are held out.
    """
    return CampaignDraft(
        name=name,
        type=campaign.type,
        platform=campaign.platform,
        signature=campaign.signature,
        template=campaign.template,
        audience=campaign.audience,
        variables=campaign.variables,
        numbers=campaign.numbers,
        timing=_timing(campaign, now),
        shares=_shares(campaign),
        quiet=WhenQuiet(campaign.quiet),
        effort=campaign.effort,
    )


def _timing(campaign: Campaign, now: datetime) -> Timing:
    at = campaign.scheduled_at
    return Timing(
        at=at.isoformat() if at is not None and at > now else None,
        late_minutes=campaign.late_minutes,
        late_rule=LateRule(campaign.late_rule),
        window=check_window(campaign.window_from, campaign.window_until, campaign.window_days),
        spread_minutes=campaign.spread_minutes,
    )


def _shares(campaign: Campaign) -> Shares:
    control = None
    if campaign.control_share_milli or campaign.control_size:
        control = Control(campaign.control_share_milli or 0, campaign.control_size or 0)
    winner = None
    if campaign.test_share_milli is not None and campaign.winner_by is not None:
        minutes = campaign.winner_after_minutes
        winner = WinnerRule(campaign.test_share_milli, campaign.winner_by)
        if minutes is not None:
            winner = WinnerRule(campaign.test_share_milli, campaign.winner_by, minutes)
    return Shares(
        exclude=tuple(campaign.exclude),
        control=control,
        variants=tuple(
            Variant(one["name"], one["template"], round(one["share"] * WHOLE))
            for one in campaign.variants
        ),
        winner=winner,
    )


def choose_causes(asked: Sequence[str] | None, there: Sequence[str]) -> tuple[str, ...]:
    """Return the causes that are tried again; without a choice all that were surely not delivered.

    Raises:
        InvalidValue: one means that the person said no, or nobody failed with it.
    """
    if asked is None:
        return tuple(one for one in there if one not in (*NEVER_AGAIN, *MAYBE_DELIVERED))
    for cause in asked:
        if cause in NEVER_AGAIN:
            problem = f"“{cause}” means that the person said no. It is never tried again."
            raise InvalidValue("causes", problem)
        if cause not in there:
            known = ", ".join(f"“{one}”" for one in there) or "no cause at all"
            raise InvalidValue("causes", f"nobody failed with “{cause}”; there is {known}.")
    return tuple(dict.fromkeys(asked))
