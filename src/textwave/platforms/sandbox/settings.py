"""How the simulated platform behaves; refuses rates that make no sense.

All rates are shares between 0 and 1. The four fates (delivered, failed, expired, no receipt) are
weights: only their proportion counts.
"""

from dataclasses import dataclass

from textwave.platforms.sandbox.changes import check, is_web_address

FIXED = frozenset(
    {"host", "port", "name", "key", "seed", "max_messages", "templates_file", "qa_only"}
)
SHARES = (
    "delivered",
    "failed",
    "expired",
    "no_receipt",
    "bad_number",
    "blacklisted",
    "throttled",
    "busy",
    "error_500",
    "unknown_after_accept",
    "reply_rate",
    "opt_out_reply_rate",
    "click_rate",
    "bot_click_rate",
    "duplicate_receipts",
)
COUNTS_FROM_ONE = ("max_batch", "max_messages")
COUNTS_FROM_ZERO = (
    "port",
    "review_seconds",
    "answer_milliseconds",
    "throttle_milliseconds",
    "rate_per_second",
)
BATCH_MAX = 1000


SAID = {
    "host": "Address to listen on.",
    "port": "Port to listen on; 0: a free one.",
    "name": "The platform's name: what its answers say, and where its callbacks go.",
    "key": "Key that requests must be signed with; empty: they are not checked.",
    "textwave_url": "Where Textwave takes callbacks; empty: they wait to be pulled.",
    "push_key": "Key that callbacks are signed with: that of the account in Textwave.",
    "push": "Push receipts, replies and reviews; else they wait to be pulled.",
    "links_url": "Where to open short links that lead elsewhere.",
    "seed": "Seed of every chance: the same seed and messages give the same fates.",
    "review_seconds": "How long a review takes.",
    "receipt_seconds": "Shortest and longest time until a receipt.",
    "delivered": "Weight of messages that are delivered.",
    "failed": "Weight of messages that fail.",
    "expired": "Weight of messages that expire at the carrier.",
    "no_receipt": "Weight of messages without any receipt.",
    "bad_number": "Share of numbers that are refused as bad.",
    "blacklisted": "Share of numbers that are refused as blacklisted.",
    "throttled": "Share of requests that are answered “throttled”.",
    "busy": "Share of requests that are answered “busy”.",
    "error_500": "Share of requests that are answered with status 500.",
    "unknown_after_accept": "Share of messages whose request is taken and then cut off.",
    "reply_rate": "Share of delivered messages that are answered.",
    "opt_out_reply_rate": "Share of delivered messages that are answered with an opt-out.",
    "click_rate": "Share of delivered messages whose link is opened.",
    "bot_click_rate": "Share of these clicks that programs make.",
    "duplicate_receipts": "Share of receipts that come twice.",
    "shuffled_receipts": "Send receipts in no order.",
    "answer_milliseconds": "How long an answer takes.",
    "throttle_milliseconds": "After how long a throttled request may come again.",
    "rate_per_second": "Messages a second that are taken; 0: any number.",
    "max_batch": "Most messages of one request.",
    "max_messages": "Most messages to remember; more are turned away as “busy”.",
    "templates_file": "Where templates are kept over restarts; empty: nowhere.",
    "qa_only": "Sign and check as old gateways do: the QA signature alone.",
    "idempotency": "Send nothing twice under one key; else a repeated key is sent again.",
}
"""What each setting does, for people."""


@dataclass(frozen=True, slots=True)
class SandboxSettings:
    """Settings of one sandbox.

    `port` 0 takes a free one; `key` empty turns authentication off; `textwave_url` empty or
    `push` off leaves receipts and replies to be pulled. Links are opened only on this machine
    and on Textwave's own host; `links_url` says where to open all others instead. Without
    `idempotency` a request that comes again under its key is taken as a new one.
    """

    host: str = "127.0.0.1"
    port: int = 0
    name: str = "sandbox"
    key: str = ""
    textwave_url: str = ""
    push_key: str = ""
    push: bool = True
    idempotency: bool = True
    qa_only: bool = False
    links_url: str = ""
    seed: int = 1
    review_seconds: float = 1.0
    receipt_seconds: tuple[float, float] = (0.2, 3.0)
    delivered: float = 0.93
    failed: float = 0.04
    expired: float = 0.01
    no_receipt: float = 0.02
    bad_number: float = 0.002
    blacklisted: float = 0.001
    throttled: float = 0.0
    busy: float = 0.0
    error_500: float = 0.0
    unknown_after_accept: float = 0.0
    reply_rate: float = 0.005
    opt_out_reply_rate: float = 0.002
    click_rate: float = 0.03
    bot_click_rate: float = 0.1
    duplicate_receipts: float = 0.02
    shuffled_receipts: bool = True
    answer_milliseconds: float = 0.0
    throttle_milliseconds: float = 200.0
    rate_per_second: int = 100_000
    max_batch: int = BATCH_MAX
    max_messages: int = 5_000_000
    templates_file: str = ""

    def __post_init__(self) -> None:
        for name in SHARES:
            check(name, 0 <= getattr(self, name) <= 1, "must be between 0 and 1")
        for name in COUNTS_FROM_ONE:
            check(name, getattr(self, name) >= 1, "must be at least 1")
        for name in COUNTS_FROM_ZERO:
            check(name, getattr(self, name) >= 0, "must not be negative")
        check("max_batch", self.max_batch <= BATCH_MAX, f"must be at most {BATCH_MAX}")
        check("delivered", self.fates > 0, "one of the four fates must have a weight above 0")
        for name in ("textwave_url", "links_url"):
            url = getattr(self, name)
            check(name, not url or is_web_address(url), "must be an http:// or https:// address")
        low, high = self.receipt_seconds
        check("receipt_seconds", 0 <= low <= high, "must be [shortest, longest]")

    @property
    def fates(self) -> float:
        """Return the sum of the four weights."""
        return self.delivered + self.failed + self.expired + self.no_receipt
