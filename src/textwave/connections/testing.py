"""What a connection test says: one check after the other, each with what is wrong and what to do.

Pure: it judges what was found of an account. The clock of a platform is judged by the tolerance of
its kind; a platform that says nothing of something is not blamed for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from textwave.connections.accounts import (
    IDEMPOTENCY,
    CallbackSigning,
    PlatformAccount,
    PlatformKind,
    ReceiptsBy,
)
from textwave.kit.refusal import Refusal
from textwave.platforms.contract import (
    REMEDIES,
    Account,
    NotOffered,
    PlatformAnsweredNonsense,
    PlatformRefused,
)
from textwave.platforms.outcomes import Outcome

CERTIFICATE_DAYS: Final = 14
"""A certificate that ends sooner is warned of."""
CLOCK_SECONDS: Final = {PlatformKind.THIRDPARTY: 300, PlatformKind.ALIYUN: 900}
"""How far the clocks may be apart before requests are refused."""
_NOTICEABLE: Final = 10


class About(StrEnum):
    """What is checked, in this order."""

    RESOLVES = "name resolves"
    CONNECTS = "connects"
    ENCRYPTED = "encrypted"
    CLOCK = "clock"
    AUTHENTIC = "key"
    NAME = "platform name"
    RIGHTS = "rights"
    BALANCE = "balance"
    CAPABILITIES = "capabilities"
    LIMITS = "limits"
    PULLED = "receipts and replies"
    CALLBACKS = "callbacks"


class Verdict(StrEnum):
    """How a check ended; `skipped`: one before it failed, or it says nothing of this account."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was found, and what to do about it; nothing to do where it is ok."""

    about: About
    verdict: Verdict
    finding: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """All checks of one account, and the addresses to enter at the platform for callbacks."""

    checks: Sequence[Check]
    addresses: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def passed(self) -> bool:
        """Tell whether messages can be sent: nothing failed."""
        return all(check.verdict is not Verdict.FAILED for check in self.checks)


_REFUSED_BY: Final[dict[str, About]] = {
    "InvalidAccessKeyId": About.AUTHENTIC,
    "SignatureDoesNotMatch": About.AUTHENTIC,
    "IncompleteSignature": About.AUTHENTIC,
    "InvalidTimeStamp": About.CLOCK,
    "Forbidden.": About.RIGHTS,
    "NoPermission": About.RIGHTS,
    "isp.RAM_PERMISSION_DENY": About.RIGHTS,
    "isv.DENY_IP_RANGE": About.RIGHTS,
    "isv.PRODUCT_UN": About.RIGHTS,
    "isv.ACCOUNT_": About.RIGHTS,
    "isv.SECURITY_FROZEN_ACCOUNT": About.RIGHTS,
}
"""What a code says more exactly than its outcome, by how it begins."""
_BY_OUTCOME: Final[dict[Outcome, About]] = {
    Outcome.forbidden: About.AUTHENTIC,
    Outcome.no_balance: About.BALANCE,
}
_REMEDIES: Final[dict[About, str]] = {
    About.CLOCK: "Set the clock of this machine by NTP.",
    About.AUTHENTIC: "Replace the key by the one that the platform shows for this account.",
    About.RIGHTS: "Grant the account, or the sub-account of the key, the SMS service there.",
    About.BALANCE: "Top up the account at the platform.",
}


def judge_clock(kind: PlatformKind, theirs: datetime | None, ours: datetime) -> Check:
    """Compare the clocks; an answer has whole seconds, and took some to come."""
    if theirs is None:
        return Check(About.CLOCK, Verdict.SKIPPED, "The platform does not say what time it has.")
    apart = round((theirs - ours).total_seconds())
    finding = f"The platform's clock is {abs(apart)} s {'ahead' if apart > 0 else 'behind'}."
    if abs(apart) > CLOCK_SECONDS[kind]:
        remedy = f"Set both clocks by NTP: above {CLOCK_SECONDS[kind]} s each refuses the other."
        return Check(About.CLOCK, Verdict.FAILED, finding, remedy)
    if abs(apart) > _NOTICEABLE:
        return Check(About.CLOCK, Verdict.WARNING, finding, "Set both clocks by NTP.")
    return Check(About.CLOCK, Verdict.OK, "The clocks agree.")


def judge_certificate(ends_at: datetime, now: datetime) -> Check:
    """Judge a certificate that was verified by how long it is good for."""
    left = ends_at - now
    finding = f"The certificate is good until {ends_at:%Y-%m-%d}."
    if left < timedelta(days=CERTIFICATE_DAYS):
        remedy = "Have the platform renew it, else nothing can be sent after that day."
        return Check(About.ENCRYPTED, Verdict.WARNING, finding, remedy)
    return Check(About.ENCRYPTED, Verdict.OK, finding)


def judge_account(account: PlatformAccount, found: Account) -> list[Check]:
    """Judge what the platform says of the account against what is configured."""
    return [
        Check(About.AUTHENTIC, Verdict.OK, "The platform takes the key."),
        Check(About.NAME, Verdict.OK, _answers_as(account)),
        Check(About.RIGHTS, Verdict.OK, "The account may be asked for."),
        _judge_balance(account, found.balance),
        _judge_capabilities(account, found.capabilities),
        _judge_limits(account, found),
    ]


def judge_refusal(account: PlatformAccount, refusal: Refusal) -> list[Check]:
    """Say which check a platform failed that did not tell of the account."""
    if isinstance(refusal, NotOffered):
        finding = "The platform cannot be asked for the account."
        return [Check(About.AUTHENTIC, Verdict.SKIPPED, finding, "Look whether a test send goes.")]
    if isinstance(refusal, PlatformAnsweredNonsense):
        return [_judge_nonsense(account, refusal)]
    if not isinstance(refusal, PlatformRefused):
        remedy = "Check the address, and that the platform runs and answers in time."
        return [Check(About.CONNECTS, Verdict.FAILED, refusal.sentence, remedy)]
    about = _refused_by(refusal)
    said = f"The platform says {refusal.platform_code} {refusal.detail}".rstrip().rstrip(".") + "."
    if about is None:
        waits = refusal.outcome in (Outcome.throttled, Outcome.busy)
        remedy = REMEDIES.get(refusal.outcome, "Ask the platform what the code means.")
        verdict = Verdict.WARNING if waits else Verdict.FAILED
        return [Check(About.RIGHTS, verdict, said, remedy)]
    return [Check(about, Verdict.FAILED, said, _REMEDIES[about])]


def judge_callbacks(
    account: PlatformAccount, taken_at: datetime | None, *, reachable: bool
) -> Check:
    """Judge whether callbacks come and are let in; `reachable`: not this machine's own address."""
    refused_at = account.callback_refused_at
    if refused_at is not None and (taken_at is None or taken_at < refused_at):
        finding = f"A callback was refused at {refused_at:%Y-%m-%d %H:%M} UTC."
        strict = account.callback_signing is CallbackSigning.STRICT
        old = " An old gateway that signs no bodies needs callback signing qa." if strict else ""
        return Check(About.CALLBACKS, Verdict.FAILED, finding, account.callback_problem + old)
    if account.receipts is ReceiptsBy.PULL:
        return Check(About.CALLBACKS, Verdict.SKIPPED, "Receipts are pulled, none are expected.")
    if taken_at is not None:
        return Check(
            About.CALLBACKS, Verdict.OK, f"The last came at {taken_at:%Y-%m-%d %H:%M} UTC."
        )
    if not reachable:
        remedy = "Set TEXTWAVE_PUBLIC_URL to where the platform reaches this installation."
        finding = "The addresses are this machine's own; another machine cannot call them."
        return Check(About.CALLBACKS, Verdict.WARNING, finding, remedy)
    remedy = "Enter the addresses below at the platform, then send a test message."
    return Check(About.CALLBACKS, Verdict.WARNING, "None has come lately.", remedy)


def skipped(done: Sequence[Check]) -> list[Check]:
    """Return the checks that were not come to, in their order among those that were."""
    by_subject = {check.about: check for check in done}
    nothing = "Not looked at: a check before it failed."
    return [by_subject.get(about) or Check(about, Verdict.SKIPPED, nothing) for about in About]


def _refused_by(refusal: PlatformRefused) -> About | None:
    for beginning, about in _REFUSED_BY.items():
        if refusal.platform_code.startswith(beginning):
            return about
    return _BY_OUTCOME.get(refusal.outcome)


def _answers_as(account: PlatformAccount) -> str:
    if account.kind is PlatformKind.THIRDPARTY:
        return f"The platform calls itself “{account.name}”, as it is called here."
    return "Platforms of this kind have no name of their own."


def _judge_nonsense(account: PlatformAccount, refusal: PlatformAnsweredNonsense) -> Check:
    said = f"It answered otherwise than its contract says: {refusal.detail}."
    if "platformName" in refusal.detail:
        remedy = (
            f"Let the platform answer with platformName “{account.name}”, or add the account again "
            "under the name that it gives."
        )
        return Check(About.NAME, Verdict.FAILED, said, remedy)
    remedy = "Check the address: something else may answer there. Run “textwave platform check”."
    return Check(About.CONNECTS, Verdict.FAILED, said, remedy)


def _judge_balance(account: PlatformAccount, balance: int | None) -> Check:
    if balance is None:
        return Check(About.BALANCE, Verdict.SKIPPED, "The platform does not say the balance.")
    finding = f"The balance is {balance / 1000:,.2f} {account.currency}."
    if balance <= 0:
        return Check(About.BALANCE, Verdict.FAILED, finding, _REMEDIES[About.BALANCE])
    return Check(About.BALANCE, Verdict.OK, finding)


def _judge_capabilities(account: PlatformAccount, said: frozenset[str]) -> Check:
    if not said:
        finding = "The platform does not say what the account can."
        return Check(About.CAPABILITIES, Verdict.SKIPPED, finding)
    missing = sorted(account.capabilities - said)
    if missing:
        finding = f"Configured here, but not granted there: {', '.join(missing)}."
        remedy = "Ask the platform for it, or connect the account again to take what it says."
        harm = Verdict.FAILED if IDEMPOTENCY in missing else Verdict.WARNING
        return Check(About.CAPABILITIES, harm, finding, remedy)
    return Check(About.CAPABILITIES, Verdict.OK, "The platform grants what is configured.")


def _judge_limits(account: PlatformAccount, found: Account) -> Check:
    above = [
        f"{said} {what} there, {here} here"
        for what, said, here in (
            ("messages a second", found.rate_per_second, account.rate_per_second),
            ("messages a request", found.max_batch, account.max_batch),
        )
        if 0 < said < here
    ]
    if above:
        finding = f"More is configured than the account takes: {'; '.join(above)}."
        return Check(About.LIMITS, Verdict.WARNING, finding, "Connect the account again.")
    return Check(About.LIMITS, Verdict.OK, "Rate and batch are within what the account takes.")
