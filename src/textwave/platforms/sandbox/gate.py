"""Who comes in and how fast: authentication with a memory of nonces, and the account's rate."""

from collections import OrderedDict
from dataclasses import replace
from datetime import UTC, datetime

from aiohttp import web

from textwave.platforms.signing import (
    CLOCK_SKEW_SECONDS,
    QA_HEADER,
    TEXTWAVE_HEADER,
    RequestNotAuthentic,
    SignatureMode,
    SignedRequest,
    verify,
)

NONCES_MAX = 1_000_000


class Gate:
    """Refuses unsigned, wrongly signed, stale and replayed requests; open without a key.

    `qa_only`: it looks at the QA signature alone, as an old gateway does.
    """

    def __init__(self, key: str, *, qa_only: bool = False) -> None:
        self._key = key
        self._qa_only = qa_only
        self._seen: OrderedDict[str, float] = OrderedDict()

    def problem(self, request: web.Request, body: bytes, now: float) -> str:
        """Return why a request may not come in; empty if it may."""
        if not self._key:
            return ""
        seen, mode = signed_request(request, body), SignatureMode.strict
        if self._qa_only:
            seen, mode = replace(seen, textwave_signature=""), SignatureMode.qa_only
        try:
            nonce = verify(seen, key=self._key, now=datetime.fromtimestamp(now, UTC), mode=mode)
        except RequestNotAuthentic as refusal:
            return refusal.sentence
        return "" if self._is_new(nonce, now) else "The nonce was seen before. Sign anew."

    def _is_new(self, nonce: str, now: float) -> bool:
        if nonce in self._seen:
            return False
        self._seen[nonce] = now
        # A timestamp may lie ahead, so a nonce matters for twice the allowed skew.
        oldest = now - 2 * CLOCK_SKEW_SECONDS
        while self._seen[next(iter(self._seen))] < oldest or len(self._seen) > NONCES_MAX:
            self._seen.popitem(last=False)
        return True


class Meter:
    """Counts messages against a rate, with one second of burst."""

    def __init__(self) -> None:
        self._left = 0.0
        self._at: float | None = None

    def wait_seconds(self, messages: int, rate_per_second: int, now: float) -> float:
        """Take messages and return 0, or take none and return when to come again."""
        if rate_per_second == 0:
            return 0.0
        elapsed = 1.0 if self._at is None else max(now - self._at, 0.0)
        self._left = min(self._left + elapsed * rate_per_second, rate_per_second)
        self._at = now
        needed = min(messages, rate_per_second)
        if self._left < needed:
            return (needed - self._left) / rate_per_second
        self._left -= messages
        return 0.0


def signed_request(request: web.Request, body: bytes) -> SignedRequest:
    """Return what verification looks at."""
    return SignedRequest(
        request.method,
        request.raw_path.partition("?")[0],
        request.query.get("timestamp", ""),
        request.query.get("nonce", ""),
        request.headers.get(QA_HEADER, ""),
        request.headers.get(TEXTWAVE_HEADER, ""),
        body,
    )
