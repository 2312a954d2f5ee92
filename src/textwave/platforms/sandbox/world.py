"""The sandbox itself: takes messages, decides their fate, and lets time pass over them.

Knows nothing of HTTP. It refuses what its settings say, and more than it can hold.
"""

import re
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from textwave.platforms.sandbox.agenda import (
    Agenda,
    Event,
    ReplyDue,
    ReviewDue,
    SignatureReviewDue,
    VisitDue,
)
from textwave.platforms.sandbox.chance import (
    FAILURES,
    STATUSES,
    Fate,
    draws,
    fate,
    number_code,
    receipt_delay_seconds,
    reply_text,
    visit,
)
from textwave.platforms.sandbox.gate import Gate, Meter
from textwave.platforms.sandbox.messages import AnswerBook, MessageBook
from textwave.platforms.sandbox.outgoing import (
    SandboxMessage,
    SandboxReceipt,
    SandboxReply,
    SandboxResult,
    SandboxReview,
    SandboxSend,
)
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.templates import SignatureDesk, TemplateShelf, template_status
from textwave.platforms.thirdparty.mobiles import read_mobile, write_mobile

LINK = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
REPLIES_MAX = 1_000_000
ATTEMPTS_MAX = 100_000
VISITS_MAX = 100_000
BRACKETS = 2
ONE_PART = 70
PART_OF_MANY = 67
DUPLICATE_AFTER_SECONDS = 1.0
SHUFFLE_PRIME = 2_147_483_647


@dataclass(slots=True)
class Decided:
    """One message of a send, decided: refused by a code, or taken with its later life."""

    code: str
    mobile: int


class Sandbox:
    """The state of one simulated platform."""

    def __init__(self, settings: SandboxSettings, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.clock = clock
        self.started_at = clock()
        self.book = MessageBook(settings.max_messages)
        self.answers = AnswerBook(settings.max_messages)
        self.templates = TemplateShelf(settings.seed, settings.templates_file)
        self.signatures = SignatureDesk()
        self.gate = Gate(settings.key, qa_only=settings.qa_only)
        self.meter = Meter()
        self.counts: Counter[str] = Counter()
        self.agenda = Agenda()
        self.receipt_rows = array("q")
        self.replies: list[SandboxReply] = []
        self.repliers: dict[str, str] = {}
        self.unpushed_receipts: deque[int] = deque()
        self.unpushed_replies: deque[SandboxReply] = deque()
        self.unpushed_reviews: deque[SandboxReview] = deque()
        self.visits: deque[VisitDue] = deque()
        self._attempts: dict[str, int] = {}

    def attempt(self, batch_id: str) -> int:
        """Count the attempts under a batch id that was not accepted yet."""
        number = self._attempts.get(batch_id, 0)
        if number == 0 and len(self._attempts) >= ATTEMPTS_MAX:
            del self._attempts[next(iter(self._attempts))]
        self._attempts[batch_id] = number + 1
        return number

    def reply_problem(self, send: SandboxSend) -> str:
        """Return why a send does not answer a reply as it should; empty if it does, or is none."""
        if not send.reply_to:
            return ""
        if len(send.messages) != 1:
            return "replyTo: one message at a time answers a reply"
        number = self.repliers.get(send.reply_to)
        if number is None:
            return "replyTo: there is no such reply"
        if read_mobile(send.messages[0].phone_number) != read_mobile(number):
            return "replyTo: that reply came from another number"
        return ""

    def take(self, send: SandboxSend) -> list[SandboxResult]:
        """Take the messages of one request and return what became of each."""
        self._attempts.pop(send.batch_id, None)
        self.counts["answers_to_replies"] += bool(send.reply_to)
        now = self.clock()
        texts: list[str] = []
        results: list[SandboxResult] = []
        for message in send.messages:
            decided = self._decide(message)
            results.append(SandboxResult(str(message.message_id), decided.code, ""))
            if not self.book.see_again(message.message_id):
                texts.append(message.content)
                self._begin(message, decided, len(send.sign_name), now)
            if decided.code != "OK":
                self.counts[decided.code] += 1
        self.book.add_texts(send.sign_name, texts)
        return results

    def _decide(self, message: SandboxMessage) -> Decided:
        mobile = read_mobile(message.phone_number)
        if mobile is None:
            return Decided("BAD_NUMBER", 0)
        if not message.content:
            return Decided("BAD_PARAMS", mobile)
        return Decided(number_code(self.settings, mobile), mobile)

    def _begin(
        self, message: SandboxMessage, decided: Decided, signature_characters: int, now: float
    ) -> None:
        """Keep a new message and plan its receipt, its reply and its click."""
        parts = parts_of(len(message.content) + signature_characters + BRACKETS)
        if decided.code != "OK":
            self.book.add(message.message_id, decided.mobile, Fate.refused, now, parts)
            return
        chance = draws(self.settings.seed, "message", message.message_id)
        end = fate(self.settings, chance[0])
        due = now + receipt_delay_seconds(self.settings, chance[1])
        row = self.book.add(message.message_id, decided.mobile, end, due, parts)
        if end is not Fate.no_receipt:
            self.agenda.add_row(due, row)
            if chance[2] < self.settings.duplicate_receipts * 2**32:
                self.agenda.add_row(due + DUPLICATE_AFTER_SECONDS, ~row)
        if end is Fate.delivered:
            self._answer_and_click(message, row, due, chance)

    def _answer_and_click(
        self, message: SandboxMessage, row: int, due: float, chance: tuple[int, ...]
    ) -> None:
        text = reply_text(self.settings, chance[3], chance[4])
        if text is not None:
            self._plan(due + receipt_delay_seconds(self.settings, chance[4]), ReplyDue(row, text))
        opened = visit(self.settings, chance[5], chance[6])
        if opened is None:
            return
        for link in LINK.findall(message.content):
            at = due + receipt_delay_seconds(self.settings, chance[7])
            self._plan(at, VisitDue(link.rstrip(".,;:!?)'"), opened))

    def _plan(self, at: float, event: Event) -> None:
        if not self.agenda.add(at, event):
            self.counts["events_skipped"] += 1

    def pass_time(self) -> None:
        """Let everything happen that is due by now."""
        due = self.agenda.take(self.clock())
        rows = list(due.rows)
        if self.settings.shuffled_receipts:
            salt = draws(self.settings.seed, "order", 0)[0] | 1
            rows.sort(key=lambda row: row * salt % SHUFFLE_PRIME)
        self._report(rows)
        for event in due.events:
            self._happen(event)

    def _report(self, rows: list[int]) -> None:
        for row in rows:
            if row < 0:
                self.counts["duplicate_receipts"] += 1
            else:
                self.counts[STATUSES[Fate(self.book.fates[row])]] += 1
        originals = [row if row >= 0 else ~row for row in rows]
        self.receipt_rows.extend(originals)
        if self.pushes:
            self.unpushed_receipts.extend(originals)

    def _happen(self, event: Event) -> None:
        match event:
            case ReplyDue(row, text):
                mobile, signature = self.book.mobiles[row], self.book.signature_of(row)
                self.reply(f"r{self.book.identities[row]}", mobile, text, signature)
            case VisitDue():
                if len(self.visits) < VISITS_MAX:
                    self.visits.append(event)
                else:
                    self.counts["events_skipped"] += 1
            case ReviewDue(code, reviewed_at):
                self._review(code, reviewed_at)
            case SignatureReviewDue(name):
                status, reason = self.signatures.status(name, self.clock())
                self._announce(
                    SandboxReview(kind="sign", status=status, reason=reason, sign_name=name)
                )

    def reply(self, reply_id: str, mobile: int, text: str, signature: str) -> bool:
        """Let one phone answer now; False if no reply more is kept."""
        if len(self.replies) >= REPLIES_MAX:
            self.counts["events_skipped"] += 1
            return False
        received_at = datetime.fromtimestamp(self.clock(), UTC)
        reply = SandboxReply(reply_id, write_mobile(mobile), text, signature, received_at)
        self.replies.append(reply)
        self.repliers[reply_id] = reply.phone_number
        if self.pushes:
            self.unpushed_replies.append(reply)
        return True

    def _review(self, code: str, reviewed_at: float) -> None:
        template = self.templates.find(code)
        # Changed or deleted meanwhile: that review does not count any more.
        if template is None or template.reviewed_at != reviewed_at:
            return
        status, reason = template_status(template, self.clock())
        self._announce(
            SandboxReview(kind="template", status=status, reason=reason, template_code=code)
        )

    def _announce(self, review: SandboxReview) -> None:
        if self.pushes:
            self.unpushed_reviews.append(review)

    def signature_status(self, name: str) -> tuple[str, str]:
        """Return the state of a signature and why it was rejected; some begin their review now."""
        reviewed_at = self.clock() + self.settings.review_seconds
        if self.signatures.open(name, reviewed_at):
            self.agenda.add(reviewed_at, SignatureReviewDue(name))
        return self.signatures.status(name, self.clock())

    @property
    def pushes(self) -> bool:
        """Tell whether Textwave is told by itself."""
        return self.settings.push and bool(self.settings.textwave_url)

    def receipt(self, row: int) -> SandboxReceipt:
        """Return the receipt of a row as it goes out."""
        book = self.book
        identity, end = book.identities[row], Fate(book.fates[row])
        error = FAILURES[(identity * 2654435761 >> 7) % len(FAILURES)]
        return SandboxReceipt(
            str(identity),
            write_mobile(book.mobiles[row]),
            STATUSES[end],
            {Fate.failed: error, Fate.expired: "EXPIRED"}.get(end, ""),
            book.parts[row],
            datetime.fromtimestamp(book.due[row], UTC),
        )


def parts_of(characters: int) -> int:
    """Return the billed segments of a text with signature, by the mainland's rule."""
    return 1 if characters <= ONE_PART else -(-characters // PART_OF_MANY)
