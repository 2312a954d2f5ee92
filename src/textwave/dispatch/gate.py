"""The gate: who of a batch may be sent to now, who never, who later; when a campaign may at all.

Decides within the transaction that prepares the batch, so that nothing can change between the
decision and the request: opt-outs and the deny list first, then quiet hours, then fatigue, which
writes the touches of all who pass. Of messages it writes nothing; its caller does.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from textwave.campaigns.limits import opens_at as window_and_quiet
from textwave.campaigns.trial_store import TEST_PURPOSE
from textwave.dispatch.requests import Recipient
from textwave.dispatch.store import Batch, SendingCampaign
from textwave.limits import allowlist_store
from textwave.limits import store as limits_store
from textwave.limits.clocks import openings
from textwave.limits.fatigue import FATIGUE
from textwave.limits.fatigue_operations import touch
from textwave.limits.quiet import (
    NEVER,
    QUIET_HOURS,
    QuietTimes,
    QuietZone,
    WhenQuiet,
)
from textwave.limits.store import LimitsInForce
from textwave.limits.touch_store import Touched
from textwave.plans.plan import OPTED_OUT
from textwave.platforms.contract import MessageType
from textwave.storage.ledger import Connection
from textwave.suppression.deny_store import drop_reasons
from textwave.suppression.store import opted_out


@dataclass(slots=True)
class Gated:
    """What the gate says of each recipient.

    `passed`: may be sent to now, in order of id. `dropped`: ids of messages that never go, by
    reason. `held`: ids of messages that wait, with the moment when each may go.
    """

    passed: list[Recipient]
    dropped: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    held: dict[int, datetime] = field(default_factory=dict[int, datetime])

    def drop(self, reasons: dict[int, str]) -> None:
        """Drop messages, each for its reason."""
        for message_id, reason in reasons.items():
            self.dropped.setdefault(reason, []).append(message_id)
        self._leave_out(reasons)

    def hold(self, openings: dict[int, datetime]) -> None:
        """Let messages wait, each until its moment."""
        self.held.update(openings)
        self._leave_out(openings)

    def _leave_out(self, ids: Collection[int]) -> None:
        if ids:
            self.passed = [recipient for recipient in self.passed if recipient.id not in ids]


async def gate(
    connection: Connection,
    *,
    campaign: SendingCampaign,
    batch: Batch,
    recipients: Sequence[Recipient],
    now: datetime,
) -> Gated:
    """Say who of a batch may be sent to now, and write the touches of marketing messages."""
    _ = batch
    gated = Gated(list(recipients))
    gated.drop(await barred(connection, campaign=campaign, recipients=gated.passed))
    if not _is_limited(campaign) or not gated.passed:
        return gated
    limits = await limits_store.in_force(connection, campaign.workspace_id, campaign.signature_id)
    exempt = await _exempt(connection, campaign, limits, gated.passed)
    _keep_quiet(gated, campaign, limits, exempt, now)
    too_many = await touch(
        connection,
        Touched(campaign.workspace_id, campaign.signature_id, campaign.id),
        messages=[(recipient.id, recipient.mobile) for recipient in gated.passed],
        exempt=exempt,
        limits=limits,
        now=now,
    )
    gated.drop(dict.fromkeys(sorted(too_many), FATIGUE))
    return gated


def _is_limited(campaign: SendingCampaign) -> bool:
    """Tell whether quiet hours and fatigue apply: not to notifications, nor to test sends."""
    return campaign.type != MessageType.notification and campaign.purpose != TEST_PURPOSE


async def barred(
    connection: Connection, *, campaign: SendingCampaign, recipients: Sequence[Recipient]
) -> dict[int, str]:
    """Return the messages that must not go whatever the hour, with the reason of each."""
    if not recipients:
        return {}
    marketing = campaign.type != MessageType.notification
    mobiles = [recipient.mobile for recipient in recipients]
    platform_id = campaign.platform_id if marketing else None
    reasons = await drop_reasons(connection, campaign.workspace_id, platform_id, mobiles)
    if marketing:
        blocked = await opted_out(connection, campaign.signature_id, mobiles)
        reasons |= dict.fromkeys(blocked, OPTED_OUT)
    return {r.id: reasons[r.mobile] for r in recipients if r.mobile in reasons}


async def stopped(
    connection: Connection,
    *,
    campaign: SendingCampaign,
    recipients: Sequence[Recipient],
    now: datetime,
) -> Gated:
    """Say who that passed the gate before and certainly got nothing must not get it now.

    Their owners may have opted out since, and it may have become quiet. Whom that drops or holds
    has touches already, which its caller gives back: who is held passes the gate again.
    """
    gated = Gated(list(recipients))
    gated.drop(await barred(connection, campaign=campaign, recipients=recipients))
    if not _is_limited(campaign) or not gated.passed:
        return gated
    limits = await limits_store.in_force(connection, campaign.workspace_id, campaign.signature_id)
    exempt = await _exempt(connection, campaign, limits, gated.passed)
    _keep_quiet(gated, campaign, limits, exempt, now)
    return gated


async def opens_at(
    connection: Connection, *, campaign: SendingCampaign, now: datetime
) -> datetime | None:
    """Return when the whole campaign may send again; None: it may now.

    Its window and the workspace's quiet hours together. Where recipients have clocks of their own,
    or an allowlist says who need not wait, the gate decides of each one.
    """
    quiet = await _quiet_for_all(connection, campaign)
    return window_and_quiet(campaign.window, quiet, campaign.zone, now)


async def _quiet_for_all(connection: Connection, campaign: SendingCampaign) -> QuietTimes:
    """Return the times in which the whole campaign waits."""
    if not _is_limited(campaign) or campaign.quiet != WhenQuiet.WAIT:
        return QuietTimes()
    limits = await limits_store.in_force(connection, campaign.workspace_id, campaign.signature_id)
    if limits.quiet_zone is not QuietZone.WORKSPACE or limits.has_allowlist:
        return QuietTimes()
    return limits.quiet


async def _exempt(
    connection: Connection,
    campaign: SendingCampaign,
    limits: LimitsInForce,
    recipients: Sequence[Recipient],
) -> set[int]:
    """Return the numbers that neither quiet hours nor fatigue apply to."""
    if not (limits.has_allowlist and recipients):
        return set()
    mobiles = [recipient.mobile for recipient in recipients]
    return await allowlist_store.on_list(connection, campaign.workspace_id, mobiles)


def _keep_quiet(
    gated: Gated,
    campaign: SendingCampaign,
    limits: LimitsInForce,
    exempt: Collection[int],
    now: datetime,
) -> None:
    """Drop or hold those who must be left alone now."""
    if limits.quiet.never:
        return
    mobiles = (r.mobile for r in gated.passed if r.mobile not in exempt)
    later_of = openings(mobiles, limits.quiet, limits.quiet_zone, limits.time_zone, now)
    later = {r.id: later_of[r.mobile] for r in gated.passed if r.mobile in later_of}
    waits = campaign.quiet == WhenQuiet.WAIT
    gated.drop({i: QUIET_HOURS for i, at in later.items() if at == NEVER or not waits})
    gated.hold({i: at for i, at in later.items() if at != NEVER and waits})
