"""The queues that reports wait in: what was received shows up again unless it is deleted.

Knows nothing of HTTP. A queue that is full takes no report more; the witness counts them.
"""

import heapq
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass

from textwave.platforms.aliyun_sandbox.numbers import write_time
from textwave.platforms.aliyun_sandbox.reports import KINDS

MESSAGES_MAX = 2_000_000
TOKENS_MAX = 1_000

Held = int | bytes
"""What waits: the row of a receipt, or a whole report."""


@dataclass(slots=True)
class Received:
    """A message that somebody is looking at; good until `visible_at` under its handle."""

    number: int
    held: Held
    handle: str
    enqueued_at: float
    visible_at: float
    times: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that nobody looks at."""

    number: int
    held: Held
    enqueued_at: float
    times: int


class Queue:
    """One queue."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self._received: dict[str, Received] = {}
        self._visible: list[tuple[float, str]] = []
        self._made = 0
        self.deleted = 0

    def __len__(self) -> int:
        return len(self._waiting) + len(self._received)

    def put(self, held: Held, now: float) -> bool:
        """Let something wait; False if the queue is full."""
        if len(self) >= MESSAGES_MAX:
            return False
        self._made += 1
        self._waiting.append(Waiting(self._made, held, now, 0))
        return True

    def receive(self, most: int, now: float, visibility_seconds: float) -> list[Received]:
        """Hand out messages, which nobody else gets for a while."""
        self._show_again(now)
        found = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
        return [self._hand_out(one, now + visibility_seconds) for one in found]

    def _hand_out(self, one: Waiting, visible_at: float) -> Received:
        handle = f"1-{one.number}-{secrets.token_hex(8)}"
        received = Received(
            one.number, one.held, handle, one.enqueued_at, visible_at, one.times + 1
        )
        self._received[handle] = received
        heapq.heappush(self._visible, (visible_at, handle))
        return received

    def delete(self, handle: str, now: float) -> bool:
        """Forget a message; False if its handle is not good any more."""
        self._show_again(now)
        if self._received.pop(handle, None) is None:
            return False
        self.deleted += 1
        return True

    def _show_again(self, now: float) -> None:
        while self._visible and self._visible[0][0] <= now:
            _, handle = heapq.heappop(self._visible)
            one = self._received.pop(handle, None)
            if one is not None:
                self._waiting.append(Waiting(one.number, one.held, one.enqueued_at, one.times))


@dataclass(frozen=True, slots=True)
class Token:
    """Credentials of one queue for a while."""

    key_id: str
    secret: str
    security_token: str
    queue: str
    created_at: float
    expires_at: float

    def answer(self) -> dict[str, str]:
        """Return the credentials as the service answers them."""
        return {
            "AccessKeyId": self.key_id,
            "AccessKeySecret": self.secret,
            "SecurityToken": self.security_token,
            "CreateTime": write_time(self.created_at),
            "ExpireTime": write_time(self.expires_at),
        }


class Queues:
    """The queues of one account by type of report, and who may read them."""

    def __init__(self, user_id: str) -> None:
        self.by_kind = {kind: Queue() for kind in KINDS}
        self._user_id = user_id
        self._tokens: OrderedDict[str, Token] = OrderedDict()

    def name_of(self, kind: str) -> str:
        """Return the name of the queue of a type of reports."""
        return f"Alicom-Queue-{self._user_id}-{kind}"

    def find(self, name: str) -> tuple[str, Queue] | None:
        """Return the type and the queue of a name."""
        kind = name.rpartition("-")[2]
        queue = self.by_kind.get(kind)
        return None if queue is None or name != self.name_of(kind) else (kind, queue)

    def grant(self, queue: str, now: float, seconds: float) -> Token:
        """Return new credentials for a queue."""
        token = Token(
            f"STS.{secrets.token_hex(12)}",
            secrets.token_urlsafe(30),
            secrets.token_urlsafe(60),
            queue,
            now,
            now + seconds,
        )
        self._tokens[token.key_id] = token
        while len(self._tokens) > TOKENS_MAX:
            self._tokens.popitem(last=False)
        return token

    def token(self, key_id: str) -> Token | None:
        """Return the credentials of a key."""
        return self._tokens.get(key_id)
