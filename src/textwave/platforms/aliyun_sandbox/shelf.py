"""All signatures and templates, by name and by code, and the reviews that are under way.

Kept in a file if one is named, so that they outlive a restart. More than it may hold it refuses.
"""

import heapq
import os
from pathlib import Path

import msgspec

from textwave.kit.carriers import Carrier
from textwave.platforms.aliyun_sandbox.records import (
    DIGITAL,
    OPERATORS,
    VENDORS,
    Registration,
    SignatureRecord,
    Standing,
    TemplateRecord,
    VendorStanding,
    signature_problem,
    template_problem,
)
from textwave.platforms.aliyun_sandbox.settings import StandInSettings

RECORDS_MAX = 20_000

Record = SignatureRecord | TemplateRecord


class Kept(msgspec.Struct):
    """What the file holds."""

    signatures: list[SignatureRecord]
    templates: list[TemplateRecord]


class Shelf:
    """Records and their reviews."""

    def __init__(self, settings: StandInSettings, now: float) -> None:
        self._file = Path(settings.state_file) if settings.state_file else None
        self._orders = 0
        self._reviews: list[tuple[float, str]] = []
        self._by_order: dict[str, Record] = {}
        self.signatures: dict[str, SignatureRecord] = {}
        self.templates: dict[str, TemplateRecord] = {}
        if self._file is not None and self._file.exists():
            self._read(msgspec.json.decode(self._file.read_bytes(), type=Kept))
        for name in settings.signatures.split(","):
            if name.strip() and name.strip() not in self.signatures:
                self._approve(name.strip(), now)

    def _read(self, kept: Kept) -> None:
        self._orders = len(kept.signatures) + len(kept.templates) + 1_000
        for record in (*kept.signatures, *kept.templates):
            self.put(record)

    def _approve(self, name: str, now: float) -> None:
        registrations = {operator.value: int(Registration.registered) for operator in OPERATORS}
        self.put(
            SignatureRecord(
                name, self.new_order(), now, now, Standing.passed, registrations=registrations
            )
        )

    def is_full(self) -> bool:
        """Tell whether no record more is taken."""
        return len(self.signatures) + len(self.templates) >= RECORDS_MAX

    def new_order(self) -> str:
        """Return the number of a new application."""
        self._orders += 1
        return str(20_000_000_000 + self._orders)

    def new_code(self, template_type: int) -> str:
        """Return the code of a new template."""
        if template_type == DIGITAL:
            return f"DIGITAL_SMS_{len(self.templates) + self._orders:04d}"
        return f"SMS_{480_000_000 + self._orders + 1}"

    def put(self, record: Record) -> None:
        """Keep a new or changed record; one under review is decided when its time comes."""
        if isinstance(record, SignatureRecord):
            self.signatures[record.name] = record
        else:
            self.templates[record.code] = record
        self._by_order[record.order_id] = record
        if record.standing is Standing.reviewing:
            heapq.heappush(self._reviews, (record.reviewed_at, record.order_id))
        self.save()

    def remove(self, record: Record) -> None:
        """Forget a record."""
        if isinstance(record, SignatureRecord):
            del self.signatures[record.name]
        else:
            del self.templates[record.code]
        del self._by_order[record.order_id]
        self.save()

    def decide(self, settings: StandInSettings, now: float) -> list[Record]:
        """End the reviews that are due and return what was decided."""
        decided: list[Record] = []
        while self._reviews and self._reviews[0][0] <= now:
            _, order_id = heapq.heappop(self._reviews)
            record = self._by_order.get(order_id)
            # Changed or deleted meanwhile: that review does not count any more.
            if record is None or record.standing is not Standing.reviewing:
                continue
            if isinstance(record, SignatureRecord):
                review_signature(record, settings)
            else:
                review_template(record, settings)
            decided.append(record)
        if decided:
            self.save()
        return decided

    def save(self) -> None:
        """Write the file, whole or not at all."""
        if self._file is None:
            return
        kept = Kept(list(self.signatures.values()), list(self.templates.values()))
        fresh = self._file.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(kept))
        os.replace(fresh, self._file)  # noqa: PTH105 - the atomic one, by name


def review_signature(record: SignatureRecord, settings: StandInSettings) -> None:
    """Decide about a signature and register it with the carriers."""
    record.reason = signature_problem(record.name)
    record.standing = Standing.failed if record.reason else Standing.passed
    refusing = settings.carriers("unregistered")
    state = Registration.unregistered if record.reason else Registration.registered
    record.registrations = {
        operator.value: int(Registration.failed if operator in refusing else state)
        for operator in OPERATORS
    }


def review_template(record: TemplateRecord, settings: StandInSettings) -> None:
    """Decide about a template; each carrier decides about a digital one."""
    record.reason = template_problem(record, promotional_variables=settings.promotional_variables)
    refusing = settings.carriers("digital_rejected")
    if record.type == DIGITAL:
        record.vendors = {
            vendor: int(_vendor_standing(record.reason, carrier, refusing))
            for vendor, carrier in VENDORS.items()
        }
        if VendorStanding.passed not in record.vendors.values():
            record.reason = record.reason or "三家运营商均未通过"
    record.standing = Standing.failed if record.reason else Standing.passed


def _vendor_standing(reason: str, carrier: Carrier, refusing: frozenset[Carrier]) -> VendorStanding:
    return VendorStanding.failed if reason or carrier in refusing else VendorStanding.passed
