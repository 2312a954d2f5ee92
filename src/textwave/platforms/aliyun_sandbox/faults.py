"""Which calls fail, and how: by chance, by documented errors that are switched on, or in turn."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from textwave.kit.refusal import InvalidValue
from textwave.platforms.aliyun_sandbox.errors import ERRORS, OK, CallRefused
from textwave.platforms.aliyun_sandbox.settings import StandInSettings
from textwave.platforms.sandbox.chance import SPAN, draws

SENDS = frozenset({"SendSms", "SendBatchSms"})
ATTEMPTS_MAX = 100_000
TURNS_MAX = 10_000


class Trouble(StrEnum):
    """What goes wrong with an answer, whatever it says."""

    none = "none"
    dropped = "dropped"
    cut_after_accept = "cut_after_accept"
    error_after_accept = "error_after_accept"


class Turn(Struct, frozen=True):
    """How the next `times` calls end; no action: all sends.

    `code` is a documented error, or one of the troubles.
    """

    code: Annotated[str, Meta(min_length=1, max_length=100)]
    action: Annotated[str, Meta(max_length=100)] = ""
    message: Annotated[str, Meta(max_length=500)] = ""
    times: Annotated[int, Meta(ge=1, le=TURNS_MAX)] = 1
    retry_after_milliseconds: Annotated[int, Meta(ge=0, le=86_400_000)] = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to one call; `late_seconds` before its answer."""

    trouble: Trouble = Trouble.none
    late_seconds: float = 0.0


class Faults:
    """Decides about calls; the same calls in the same order fail in the same way."""

    def __init__(self) -> None:
        self._turns: deque[Turn] = deque()
        self._attempts: dict[str, int] = {}

    def use(self, settings: StandInSettings) -> None:
        """Behave by other settings from now on."""
        self._settings = settings
        self._switched = settings.switched()
        self._shares = {
            "Throttling.User": settings.throttled,
            "ServiceUnavailable": settings.busy,
            "InternalError": settings.error_500,
            Trouble.dropped: settings.dropped,
            Trouble.cut_after_accept: settings.unknown_after_accept,
            Trouble.error_after_accept: settings.error_after_accept,
        }

    def next(self, turn: Turn) -> None:
        """Let the next calls end so.

        Raises:
            InvalidValue: nobody knows that code, or too many wait.
        """
        if turn.code not in ERRORS and turn.code not in set(Trouble) - {Trouble.none}:
            raise InvalidValue("code", f"“{turn.code}” is neither a documented error nor a trouble")
        if len(self._turns) + turn.times > TURNS_MAX:
            raise InvalidValue("times", f"at most {TURNS_MAX} calls can be told to fail")
        self._turns.extend([turn] * turn.times)

    def of(self, action: str, parameters: Mapping[str, str]) -> Fault:
        """Return what happens to a call.

        Raises:
            CallRefused: it is answered with an error and nothing is done.
        """
        for place, turn in enumerate(self._turns):
            if _concerns(turn.action, action):
                del self._turns[place]
                return self._fault(turn.code, turn.message, turn.retry_after_milliseconds)
        identity = self._identity(action, parameters)
        for place, one in enumerate(self._switched):
            share = draws(self._settings.seed, f"switched {place}", identity)[0] / SPAN
            if _concerns(one.action, action) and share < one.share:
                return self._fault(one.code)
        return self._by_chance(identity) if action in SENDS else Fault()

    def _by_chance(self, identity: str) -> Fault:
        first, second = draws(self._settings.seed, "request", identity)[:2]
        share = first / SPAN
        late = self._settings.slow_seconds if second / SPAN < self._settings.slow else 0.0
        for code, weight in self._shares.items():
            if share < weight:
                return self._fault(code, late_seconds=late)
            share -= weight
        return Fault(late_seconds=late)

    def _fault(
        self, code: str, message: str = "", wait: int = 0, late_seconds: float = 0.0
    ) -> Fault:
        if code in set(Trouble):
            return Fault(Trouble(code), late_seconds)
        if code.startswith("Throttling") and not wait:
            wait = max(round(self._settings.throttle_milliseconds), 1)
        raise CallRefused(code, message, wait)

    def _identity(self, action: str, parameters: Mapping[str, str]) -> str:
        """Name a call by what it is about and how often it came."""
        name = f"{action}:{parameters.get('OutId', '')}"
        number = self._attempts.get(name, 0)
        if number == 0 and len(self._attempts) >= ATTEMPTS_MAX:
            del self._attempts[next(iter(self._attempts))]
        self._attempts[name] = number + 1
        return f"{name}:{number}"


def _concerns(wanted: str, action: str) -> bool:
    return wanted == action if wanted else action in SENDS


def refusals(counted: Counter[str]) -> dict[str, int]:
    """Return how often each code was answered."""
    return {code: number for code, number in sorted(counted.items()) if code != OK}
