"""The stand-in itself: takes messages, decides their fate, and lets time pass over them.

Knows nothing of HTTP. It refuses what its settings say, and more than it can hold.
"""

import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from textwave.platforms.aliyun_sandbox import reports
from textwave.platforms.aliyun_sandbox.applications import Applications
from textwave.platforms.aliyun_sandbox.book import Book, NewRow, TakenCall, packed
from textwave.platforms.aliyun_sandbox.errors import CallRefused
from textwave.platforms.aliyun_sandbox.fates import Recipient, decided, dest_code, is_opt_out
from textwave.platforms.aliyun_sandbox.faults import Faults
from textwave.platforms.aliyun_sandbox.limits import NumberLimits, Sent
from textwave.platforms.aliyun_sandbox.numbers import write_day
from textwave.platforms.aliyun_sandbox.queues import Held, Queues
from textwave.platforms.aliyun_sandbox.records import SignatureRecord, TemplateRecord
from textwave.platforms.aliyun_sandbox.settings import StandInSettings
from textwave.platforms.aliyun_sandbox.shelf import Shelf
from textwave.platforms.sandbox.agenda import Agenda, Event, ReplyDue, VisitDue
from textwave.platforms.sandbox.chance import (
    Fate,
    draws,
    receipt_delay_seconds,
    reply_text,
    visit,
)
from textwave.platforms.sandbox.gate import Meter
from textwave.platforms.sandbox.world import DUPLICATE_AFTER_SECONDS, LINK, SHUFFLE_PRIME

VISITS_MAX = 100_000
WAITING_MAX = 2_000_000


@dataclass(frozen=True, slots=True)
class Send:
    """A send that was understood: one text for all its numbers, or one for each."""

    numbers: Sequence[int]
    signatures: Sequence[str]
    texts: Sequence[str]
    template: TemplateRecord
    out_id: str


@dataclass(frozen=True, slots=True)
class NumberProblem:
    """Why a number is refused; no message: the documented one."""

    code: str = ""
    message: str = ""


@dataclass(slots=True)
class Tally:
    """What became of the sends of a day."""

    total: int = 0
    delivered: int = 0
    failed: int = 0


class StandIn:
    """The state of one simulated account at Alibaba Cloud."""

    def __init__(self, settings: StandInSettings, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self.started_at = clock()
        self.book = Book(settings.max_messages)
        self.shelf = Shelf(settings, self.started_at)
        self.applications = Applications()
        self.queues = Queues(settings.user_id)
        self.faults = Faults()
        self.meter = Meter()
        self.limits = NumberLimits()
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.tallies: dict[tuple[str, int, str], Tally] = {}
        self.opted_out: set[tuple[str, int]] = set()
        self.unpushed: dict[str, deque[Held]] = {kind: deque() for kind in reports.KINDS}
        self.visits: deque[VisitDue] = deque()
        self.agenda = Agenda()
        self._reported = array("q")
        self._replies = 0
        self.use(settings)

    def use(self, settings: StandInSettings) -> None:
        """Behave by other settings from now on."""
        self.settings = settings
        self.people = settings.people()
        self.ranges = settings.ranges()
        self.faults.use(settings)

    def take(self, send: Send) -> str:
        """Take a call and return its BizId.

        What concerns one number refuses the call if that is the only one, or if so set; otherwise
        it comes as the receipt of that number.

        Raises:
            CallRefused: no number of the call was taken.
        """
        now = self.clock()
        if not self.book.has_room(len(send.numbers)):
            raise CallRefused("isp.SYSTEM_ERROR", "The stand-in is full. Start a new one.")
        errors = [self._number_problem(send, place, now) for place in range(len(send.numbers))]
        if len(errors) == 1 or self.settings.refuse_together:
            for error in filter(lambda one: one.code, errors):
                raise CallRefused(error.code, error.message)
        first = len(self.book)
        biz_id = f"{draws(self.settings.seed, 'biz', first)[0]:010d}{int(now * 1000)}^0"
        template = send.template
        call = TakenCall(
            biz_id,
            send.out_id,
            template.code,
            template.type,
            send.signatures,
            packed(send.texts),
            now,
            first,
        )
        rows = [self._fate(send, place, error.code, now) for place, error in enumerate(errors)]
        self.book.add(call, rows)
        self._count(send, errors, now)
        for row in range(first, len(self.book)):
            self._begin(row, send, now)
        return biz_id

    def _count(self, send: Send, errors: Sequence[NumberProblem], now: float) -> None:
        if self.settings.number_limits:
            for place, error in enumerate(errors):
                if not error.code:
                    self.limits.note(_sent(send, place), now)

    def _number_problem(self, send: Send, place: int, now: float) -> NumberProblem:
        """Return why a number is refused; without a code if it is not."""
        mobile, signature = send.numbers[place], send.signatures[place % len(send.signatures)]
        recipient = Recipient(mobile, signature, send.template, self.ranges.carrier_of(mobile))
        opted_out = (signature, mobile) in self.opted_out
        code = decided(recipient, self.settings.seed, self.people, opted_out=opted_out)
        if code or not self.settings.number_limits:
            return NumberProblem(code)
        problem = self.limits.problem(_sent(send, place), now)
        return NumberProblem("isv.BUSINESS_LIMIT_CONTROL" if problem else "", problem)

    def _fate(self, send: Send, place: int, error: str, now: float) -> NewRow:
        mobile = send.numbers[place]
        signature = send.signatures[place % len(send.signatures)]
        carrier = self.ranges.carrier_of(mobile)
        recipient = Recipient(mobile, signature, send.template, carrier)
        chance = draws(self.settings.seed, "message", f"{send.out_id}:{mobile}")
        text = send.texts[place % len(send.texts)]
        record = self.shelf.signatures.get(signature)
        end, code, parts = recipient.end(self.people, chance, error, text, record)
        return NewRow(mobile, end, code, now + receipt_delay_seconds(self.people, chance[1]), parts)

    def _begin(self, row: int, send: Send, now: float) -> None:
        """Plan the receipt, the reply and the click of a message."""
        book = self.book
        signature, mobile = book.signature_of(row), book.mobiles[row]
        self._tally(write_day(now), send.template.type, signature).total += 1
        end, due = Fate(book.fates[row]), book.due[row]
        if end is Fate.no_receipt:
            return
        chance = draws(self.settings.seed, "message", f"{send.out_id}:{mobile}")
        self.agenda.add_row(due, row)
        if chance[2] < self.settings.duplicate_receipts * 2**32:
            self.agenda.add_row(due + DUPLICATE_AFTER_SECONDS, ~row)
        if end is Fate.delivered:
            text = send.texts[(row - book.call_of(row).first_row) % len(send.texts)]
            self._answer_and_click(text, row, due, chance)

    def _answer_and_click(
        self, content: str, row: int, due: float, chance: tuple[int, ...]
    ) -> None:
        text = reply_text(self.people, chance[3], chance[4])
        if text is not None:
            at = due + receipt_delay_seconds(self.people, chance[4])
            self._plan(at, ReplyDue(row, text))
        opened = visit(self.people, chance[5], chance[6])
        if opened is None:
            return
        for link in LINK.findall(content):
            at = due + receipt_delay_seconds(self.people, chance[7])
            self._plan(at, VisitDue(link.rstrip(".,;:!?)'"), opened))

    def _plan(self, at: float, event: Event) -> None:
        if not self.agenda.add(at, event):
            self.counts["events_skipped"] += 1

    def pass_time(self) -> None:
        """Let everything happen that is due by now."""
        now = self.clock()
        due = self.agenda.take(now)
        rows = list(due.rows)
        if self.settings.shuffled_receipts:
            salt = draws(self.settings.seed, "order", 0)[0] | 1
            rows.sort(key=lambda row: row * salt % SHUFFLE_PRIME)
        for row in rows:
            self._report_row(row)
        for event in due.events:
            self._happen(event)
        self.decide_reviews()

    def decide_reviews(self) -> None:
        """End the reviews that are due by now; each call sees what is decided by then."""
        for record in self.shelf.decide(self.settings, self.clock()):
            self.announce(record)

    def _report_row(self, row: int) -> None:
        if row < 0:
            self.counts["duplicate_receipts"] += 1
            self.report(reports.RECEIPTS, ~row)
            return
        error = self.book.error_of(row)
        call = self.book.call_of(row)
        tally = self._tally(
            write_day(call.sent_at), call.template_type, self.book.signature_of(row)
        )
        if error:
            tally.failed += 1
        else:
            tally.delivered += 1
        self.counts["failed" if error else "delivered"] += 1
        self.report(reports.RECEIPTS, row)

    def _happen(self, event: Event) -> None:
        match event:
            case ReplyDue(row, text):
                self.reply(self.book.mobiles[row], text, self.book.signature_of(row))
            case VisitDue():
                if len(self.visits) < VISITS_MAX:
                    self.visits.append(event)
                else:
                    self.counts["events_skipped"] += 1
            case _:  # reviews are the shelf's
                pass

    def reply(self, mobile: int, text: str, signature: str) -> str:
        """Let one phone answer now; an opt-out is remembered as the service does."""
        self._replies += 1
        now = self.clock()
        if is_opt_out(text):
            self.opted_out.add((signature, mobile))
        sequence_id = f"{int(self.started_at)}{self._replies:08d}"
        answer = reports.reply(
            mobile, text, number=dest_code(signature), sequence_id=sequence_id, at=now
        )
        if self.settings.sign_name_in_replies:
            answer["sign_name"] = signature
        self.counts["replies"] += 1
        self.report(reports.REPLIES, msgspec.json.encode(answer))
        return sequence_id

    def announce(self, record: SignatureRecord | TemplateRecord) -> None:
        """Report how a review ended."""
        queued = not self.settings.pushes
        if isinstance(record, SignatureRecord):
            report = reports.signature_review(record, queued=queued)
            self.report(reports.SIGNATURE_REVIEWS, msgspec.json.encode(report))
        else:
            report = reports.template_review(record, queued=queued)
            self.report(reports.TEMPLATE_REVIEWS, msgspec.json.encode(report))

    def report(self, kind: str, held: Held) -> None:
        """Let a report wait to be pushed, or in its queue."""
        if not self.settings.pushes:
            kept = self.queues.by_kind[kind].put(held, self.clock())
        elif kept := len(self.unpushed[kind]) < WAITING_MAX:
            self.unpushed[kind].append(held)
        if not kept:
            self.counts["reports_skipped"] += 1

    def report_body(self, held: Held) -> bytes:
        """Return a report as JSON."""
        if isinstance(held, bytes):
            return held
        book, call = self.book, self.book.call_of(held)
        return msgspec.json.encode(
            reports.receipt(
                book.mobiles[held],
                error=book.error_of(held),
                parts=book.parts[held],
                biz_id=call.biz_id,
                out_id=call.out_id,
                sent_at=call.sent_at,
                due=book.due[held],
            )
        )

    def _tally(self, day: str, template_type: int, signature: str) -> Tally:
        return self.tallies.setdefault((day, template_type, signature), Tally())


def _sent(send: Send, place: int) -> Sent:
    signature = send.signatures[place % len(send.signatures)]
    return Sent(send.numbers[place], send.template.type, signature, send.template.code)
