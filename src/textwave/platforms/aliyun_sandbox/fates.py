"""What becomes of one message, as a function of the seed and of what it is about; pure.

Carriers block signatures that are not registered with them and digital templates that they have
not passed; the service blocks who opted out and who wants no promotion.
"""

import hashlib
from dataclasses import dataclass

from textwave.kit.carriers import Carrier
from textwave.kit.text import Counting, count
from textwave.platforms.aliyun_sandbox.numbers import is_mainland
from textwave.platforms.aliyun_sandbox.records import (
    DIGITAL,
    PROMOTION,
    VENDORS,
    Registration,
    SignatureRecord,
    TemplateRecord,
    VendorStanding,
)
from textwave.platforms.sandbox.chance import SPAN, Fate, draws, fate
from textwave.platforms.sandbox.settings import SandboxSettings

FAILURES = (
    "MOBILE_NOT_ON_SERVICE",
    "MOBILE_NOT_ON_SERVICE",
    "INVALID_NUMBER",
    "MOBILE_SEND_LIMIT",
    "MOBLLE_TERMINAL_ERROR",
    "NO_ROUTE",
    "MK:0001",
    "MN:0017",
    "SP_UNKNOWN_ERROR",
)
OPT_OUTS = frozenset({"R", "T", "TD", "N", "退订", "退訂", "拒收", "0000"})
SENDABLE = frozenset({Registration.registered, Registration.unverified})
_vendor_of = {carrier: vendor for vendor, carrier in VENDORS.items()}


@dataclass(frozen=True, slots=True)
class Recipient:
    """One number with what goes to it; `carrier` is that of its range."""

    mobile: int
    signature: str
    template: TemplateRecord
    carrier: Carrier | None

    def end(
        self,
        people: SandboxSettings,
        chance: tuple[int, ...],
        error: str,
        text: str,
        record: SignatureRecord | None,
    ) -> tuple[Fate, str, int]:
        """Return the fate, its code (empty if delivered) and the billed parts."""
        rule = Counting.MAINLAND if is_mainland(self.mobile) else Counting.INTERNATIONAL
        parts = 1 if self.template.type == DIGITAL else count(text, self.signature, rule).parts
        error = error or self._carrier_problem(record)
        if error:
            return Fate.failed, error, parts
        end = fate(people, chance[0])
        failure = FAILURES[chance[0] % len(FAILURES)]
        return end, {Fate.failed: failure, Fate.expired: "EXPIRED"}.get(end, ""), parts

    def _carrier_problem(self, record: SignatureRecord | None) -> str:
        if self.template.type == DIGITAL:
            vendor = _vendor_of.get(self.carrier) if self.carrier else None
            passed = vendor and self.template.vendors.get(vendor) == VendorStanding.passed
            return "" if passed else "NO_ROUTE"
        if record is None or self.carrier is None or self.carrier.value not in record.registrations:
            return ""
        state = record.registrations[self.carrier.value]
        return "" if state in SENDABLE else "PORT_NOT_REGISTERED"


def decided(recipient: Recipient, seed: int, people: SandboxSettings, *, opted_out: bool) -> str:
    """Return the code with which the service refuses a number, or nothing."""
    if recipient.template.type not in {PROMOTION, DIGITAL}:
        return ""
    if opted_out:
        return "isv.CUSTOMER_REFUSED"
    share = draws(seed, "number", recipient.mobile)[0] / SPAN
    return "isv.BLACK_KEY_CONTROL_LIMIT" if share < people.blacklisted else ""


def is_opt_out(text: str) -> bool:
    """Tell whether the service takes a reply for an opt-out."""
    return text.strip().upper() in OPT_OUTS


def dest_code(signature: str) -> str:
    """Return the extend code that the service made for a signature."""
    digest = hashlib.blake2b(signature.encode(), digest_size=4).digest()
    return f"{int.from_bytes(digest, 'big') % 1_000_000:06d}"
