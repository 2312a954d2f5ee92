"""Every decision of chance, as a function of the seed and of what it is about; pure.

The same seed and the same message ids and numbers give the same refusals, receipts, replies and
clicks, whatever the timing and the grouping into requests.
"""

import hashlib
import struct
from dataclasses import dataclass
from enum import IntEnum

from textwave.platforms.sandbox.settings import SandboxSettings

SPAN = 2.0**32
_eight = struct.Struct("<8I").unpack
OPT_OUT_TEXTS = ("T", "TD", "退订", "t", "T ", "退訂", "TD")
LEANING_TEXTS = ("别再发了", "不要再给我发短信了", "烦不烦", "stop sending me this", "取消")
ORDINARY_TEXTS = ("好的", "谢谢", "有货吗？", "几点关门", "1", "收到", "Where is your shop?")
LEANING_SHARE = 0.25
FAILURES = ("UNDELIV", "MK:0001", "MK:1024", "DB:0140", "CA:0054", "ID:0076")
PHONES = (
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
    ),
    (
        "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/137.0.0.0 Mobile Safari/537.36"
    ),
    (
        "Mozilla/5.0 (Linux; Android 14; 23127PN0CC) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Version/4.0 Chrome/126.0.0.0 Mobile Safari/537.36 MicroMessenger/8.0.50"
    ),
)
BOTS = (
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
    "facebookexternalhit/1.1",
    "TelegramBot (like TwitterBot)",
)


class Fate(IntEnum):
    """What becomes of a message; one byte in the sandbox's memory."""

    refused = 0
    delivered = 1
    failed = 2
    expired = 3
    no_receipt = 4


STATUSES: dict[Fate, str] = {
    Fate.delivered: "DELIVERED",
    Fate.failed: "FAILED",
    Fate.expired: "EXPIRED",
}


@dataclass(frozen=True, slots=True)
class Visit:
    """One opening of a link, by a person's phone or by a machine."""

    method: str
    user_agent: str


def draws(seed: int, subject: str, identity: object) -> tuple[int, ...]:
    """Return eight 32-bit draws that depend on nothing but the arguments."""
    text = f"{seed}:{subject}:{identity}".encode()
    return _eight(hashlib.blake2b(text, digest_size=32).digest())


def request_code(settings: SandboxSettings, identity: str) -> str:
    """Return the code with which a whole request is turned away, or OK."""
    first = draws(settings.seed, "request", identity)[0] / SPAN
    for code, share in (
        ("THROTTLED", settings.throttled),
        ("BUSY", settings.busy),
        ("INTERNAL", settings.error_500),
    ):
        if first < share:
            return code
        first -= share
    return "OK"


def cuts_after_accept(settings: SandboxSettings, message_id: int) -> bool:
    """Tell whether the connection is cut after the request was accepted."""
    return draws(settings.seed, "cut", message_id)[0] < settings.unknown_after_accept * SPAN


def number_code(settings: SandboxSettings, mobile: int) -> str:
    """Return the code with which a number is refused, always the same for a number, or OK."""
    share = draws(settings.seed, "number", mobile)[0] / SPAN
    if share < settings.bad_number:
        return "BAD_NUMBER"
    return "BLACKLISTED" if share < settings.bad_number + settings.blacklisted else "OK"


def fate(settings: SandboxSettings, draw: int) -> Fate:
    """Return what becomes of an accepted message."""
    share = draw / SPAN * settings.fates
    for chosen, weight in (
        (Fate.delivered, settings.delivered),
        (Fate.failed, settings.failed),
        (Fate.expired, settings.expired),
    ):
        if share < weight:
            return chosen
        share -= weight
    return Fate.no_receipt


def receipt_delay_seconds(settings: SandboxSettings, draw: int) -> float:
    """Return how long after the send a receipt comes."""
    low, high = settings.receipt_seconds
    return low + (high - low) * draw / SPAN


def reply_text(settings: SandboxSettings, draw: int, choice: int) -> str | None:
    """Return what a person answers to a delivered message; mostly None."""
    share = draw / SPAN
    if share < settings.opt_out_reply_rate:
        leaning = share < settings.opt_out_reply_rate * LEANING_SHARE
        texts = LEANING_TEXTS if leaning else OPT_OUT_TEXTS
        return texts[choice % len(texts)]
    if share < settings.opt_out_reply_rate + settings.reply_rate:
        return ORDINARY_TEXTS[choice % len(ORDINARY_TEXTS)]
    return None


def visit(settings: SandboxSettings, draw: int, choice: int) -> Visit | None:
    """Return how the link of a delivered message is opened; mostly None."""
    share = draw / SPAN
    if share >= settings.click_rate:
        return None
    if share < settings.click_rate * settings.bot_click_rate:
        return Visit("HEAD" if choice & 1 else "GET", BOTS[choice % len(BOTS)])
    return Visit("GET", PHONES[choice % len(PHONES)])
