"""How the stand-in behaves; refuses rates that make no sense and codes that nobody documented.

All rates are shares between 0 and 1. The four fates (delivered, failed, expired, no receipt) are
weights: only their proportion counts.
"""

import re
from dataclasses import dataclass

from textwave.kit.carriers import PUBLIC_RANGES, Carrier, CarrierRanges
from textwave.kit.refusal import InvalidValue
from textwave.platforms.aliyun_sandbox.errors import ERRORS
from textwave.platforms.sandbox.changes import check, is_web_address
from textwave.platforms.sandbox.settings import SandboxSettings

FIXED = frozenset({"host", "port", "key_id", "key_secret", "user_id", "seed", "max_messages"}) | {
    "state_file",
    "signatures",
}
SHARES = (
    "delivered",
    "failed",
    "expired",
    "no_receipt",
    "blacklisted",
    "throttled",
    "busy",
    "error_500",
    "dropped",
    "unknown_after_accept",
    "error_after_accept",
    "slow",
    "reply_rate",
    "opt_out_reply_rate",
    "click_rate",
    "bot_click_rate",
    "duplicate_receipts",
)
COUNTS_FROM_ZERO = (
    "port",
    "review_seconds",
    "template_apart_seconds",
    "answer_milliseconds",
    "slow_seconds",
    "throttle_milliseconds",
    "calls_per_second",
    "templates_a_day",
    "signatures_a_day",
    "visibility_seconds",
)
PEOPLE = (
    "seed",
    "links_url",
    "delivered",
    "failed",
    "expired",
    "no_receipt",
    "blacklisted",
    "receipt_seconds",
    "reply_rate",
    "opt_out_reply_rate",
    "click_rate",
    "bot_click_rate",
)
_switched = re.compile(r"(?:([A-Za-z]{1,60}):)?([A-Za-z._]{1,60})=(0(?:\.\d{1,9})?|1(?:\.0)?)")

SAID = {
    "host": "Address to listen on.",
    "port": "Port to listen on; 0: a free one.",
    "key_id": "The AccessKey id that calls must be signed with.",
    "key_secret": "The secret of the AccessKey.",
    "user_id": "The account's number, which the names of its queues contain.",
    "push_url": "Where reports are pushed to, up to their type's name; empty: into queues.",
    "push": "Push reports to that address; else they go into queues.",
    "push_retry_seconds": "After how long a push that was not taken comes again.",
    "links_url": "Where to open short links that lead elsewhere.",
    "seed": "Seed of every chance: the same seed and messages give the same fates.",
    "signatures": "Signatures that are approved from the beginning, with commas between them.",
    "review_seconds": "How long a review takes.",
    "templates_a_day": "Templates that may be applied for in a day; 0: any number.",
    "signatures_a_day": "Signatures that may be applied for in a day; 0: any number.",
    "template_apart_seconds": "Seconds between two applications for templates.",
    "promotional_variables": "Let promotional templates have variables.",
    "number_limits": "Keep to what one number may get in a minute, an hour and a day.",
    "refuse_together": "Refuse a whole call for one number that must not get it; else that number "
    "gets a receipt that says so, unless it is the only one.",
    "carrier_ranges": "Further number ranges of carriers, such as 154=mobile 164=unicom.",
    "unregistered": "Carriers that register no signature, with commas between them.",
    "digital_rejected": "Carriers that reject digital templates, with commas between them.",
    "receipt_seconds": "Shortest and longest time until a receipt.",
    "delivered": "Weight of messages that are delivered.",
    "failed": "Weight of messages that fail.",
    "expired": "Weight of messages that expire at the carrier.",
    "no_receipt": "Weight of messages without any receipt.",
    "blacklisted": "Share of numbers that want no promotion from anybody.",
    "throttled": "Share of sends that are throttled.",
    "busy": "Share of sends that are answered with status 503.",
    "error_500": "Share of sends that are answered with status 500.",
    "dropped": "Share of sends that are cut off without being taken.",
    "unknown_after_accept": "Share of sends that are taken and then cut off.",
    "error_after_accept": "Share of sends that are taken and answered “isp.SYSTEM_ERROR”.",
    "slow": "Share of sends whose answer comes late.",
    "slow_seconds": "How late it comes.",
    "errors": "Documented errors and their shares, such as “isv.AMOUNT_NOT_ENOUGH=0.1”; in front "
    "may stand the action, such as “GetSmsSign:isp.SYSTEM_ERROR=1”, else it is any send.",
    "reply_rate": "Share of delivered messages that are answered.",
    "opt_out_reply_rate": "Share of delivered messages that are answered with an opt-out.",
    "sign_name_in_replies": "Name the signature in replies, as older accounts get it.",
    "click_rate": "Share of delivered messages whose link is opened.",
    "bot_click_rate": "Share of these clicks that programs make.",
    "duplicate_receipts": "Share of receipts that come twice.",
    "shuffled_receipts": "Send receipts in no order.",
    "answer_milliseconds": "How long an answer takes.",
    "throttle_milliseconds": "After how long a throttled call may come again.",
    "calls_per_second": "Sends a second that are taken; 0: any number.",
    "token_seconds": "How long the credentials of a queue are good.",
    "visibility_seconds": "After how long a message that was not deleted shows up again.",
    "max_messages": "Most messages to remember; more are turned away.",
    "state_file": "Where signatures and templates are kept over restarts; empty: nowhere.",
}
"""What each setting does, for people."""


@dataclass(frozen=True, slots=True)
class Switched:
    """A documented error that a share of calls gets; no action: all sends."""

    action: str
    code: str
    share: float


@dataclass(frozen=True, slots=True)
class StandInSettings:
    """Settings of one stand-in; `SAID` says what each does.

    Reports are pushed if there is an address and `push` is on; otherwise they wait in the queues.
    """

    host: str = "127.0.0.1"
    port: int = 0
    key_id: str = "stand-in-key"
    key_secret: str = "stand-in-secret"  # noqa: S105 - a simulated platform's
    user_id: str = "1000000000000000"
    push_url: str = ""
    push: bool = True
    push_retry_seconds: tuple[float, float, float] = (60.0, 300.0, 600.0)
    links_url: str = ""
    seed: int = 1
    signatures: str = ""
    review_seconds: float = 1.0
    templates_a_day: int = 100
    signatures_a_day: int = 100
    template_apart_seconds: float = 30.0
    promotional_variables: bool = True
    number_limits: bool = True
    refuse_together: bool = False
    carrier_ranges: str = ""
    unregistered: str = ""
    digital_rejected: str = ""
    receipt_seconds: tuple[float, float] = (0.2, 3.0)
    delivered: float = 0.93
    failed: float = 0.04
    expired: float = 0.01
    no_receipt: float = 0.02
    blacklisted: float = 0.001
    throttled: float = 0.0
    busy: float = 0.0
    error_500: float = 0.0
    dropped: float = 0.0
    unknown_after_accept: float = 0.0
    error_after_accept: float = 0.0
    slow: float = 0.0
    slow_seconds: float = 5.0
    errors: str = ""
    reply_rate: float = 0.005
    opt_out_reply_rate: float = 0.002
    sign_name_in_replies: bool = False
    click_rate: float = 0.03
    bot_click_rate: float = 0.1
    duplicate_receipts: float = 0.02
    shuffled_receipts: bool = True
    answer_milliseconds: float = 0.0
    throttle_milliseconds: float = 200.0
    calls_per_second: int = 5000
    token_seconds: float = 3600.0
    visibility_seconds: float = 30.0
    max_messages: int = 5_000_000
    state_file: str = ""

    def __post_init__(self) -> None:
        for name in SHARES:
            check(name, 0 <= getattr(self, name) <= 1, "must be between 0 and 1")
        for name in COUNTS_FROM_ZERO:
            check(name, getattr(self, name) >= 0, "must not be negative")
        for name in ("key_id", "key_secret", "user_id"):
            check(name, bool(getattr(self, name)), "must not be empty")
        check("push_retry_seconds", min(self.push_retry_seconds) >= 0, "must not be negative")
        check("token_seconds", self.token_seconds > 0, "must be above 0")
        check("max_messages", self.max_messages >= 1, "must be at least 1")
        for name in ("push_url", "links_url"):
            url = getattr(self, name)
            check(name, not url or is_web_address(url), "must be an http:// or https:// address")
        self.people()
        self.ranges()
        self.switched()
        for name in ("unregistered", "digital_rejected"):
            self.carriers(name)

    def people(self) -> SandboxSettings:
        """Return what the chances of the third-party sandbox need to know."""
        return SandboxSettings(**{name: getattr(self, name) for name in PEOPLE})

    def ranges(self) -> CarrierRanges:
        """Return the carriers' number ranges."""
        return PUBLIC_RANGES.changed(self.carrier_ranges)

    def carriers(self, name: str) -> frozenset[Carrier]:
        """Return the carriers that a setting lists."""
        listed = getattr(self, name).replace(",", " ").split()
        for one in listed:
            check(name, one in set(Carrier), f"knows no carrier “{one}”")
        return frozenset(Carrier(one) for one in listed)

    def switched(self) -> list[Switched]:
        """Return the errors that are switched on."""
        return [_read_switched(entry) for entry in self.errors.replace(",", " ").split()]

    @property
    def pushes(self) -> bool:
        """Tell whether reports are pushed."""
        return self.push and bool(self.push_url)


def _read_switched(entry: str) -> Switched:
    found = _switched.fullmatch(entry)
    if found is None:
        raise InvalidValue("errors", f"“{entry}” is not written as code=share or action:code=share")
    action, code, share = found.groups()
    check("errors", code in ERRORS, f"“{code}” is not a documented error")
    return Switched(action or "", code, float(share))
