"""Who comes in: the key, the clock, the signature and the nonce of every call."""

from collections import OrderedDict
from datetime import UTC, datetime
from typing import Final

from textwave.platforms.aliyun_sandbox.errors import CallRefused
from textwave.platforms.aliyun_sandbox.signing import CLOCK_SKEW, SignedCall, check_call, read_claim

VERSION: Final = "2017-05-25"
NONCES_MAX: Final = 1_000_000


class Gate:
    """Refuses unsigned, wrongly signed, stale and replayed calls."""

    def __init__(self, key_id: str, key_secret: str) -> None:
        self._key_id = key_id
        self._key_secret = key_secret
        self._seen: OrderedDict[str, float] = OrderedDict()

    def action_of(self, call: SignedCall, now: float) -> str:
        """Return the action that an authentic call asks for.

        Raises:
            CallRefused: it may not come in.
        """
        claim = read_claim(call.headers.get("authorization", ""))
        if claim.key_id != self._key_id:
            raise CallRefused("InvalidAccessKeyId.NotFound")
        at = datetime.fromtimestamp(now, UTC)
        nonce = check_call(call, claim, secret=self._key_secret, now=at)
        if not self._is_new(nonce, now):
            raise CallRefused("SignatureNonceUsed")
        if call.headers.get("x-acs-version", "") != VERSION:
            raise CallRefused("InvalidVersion")
        return call.headers.get("x-acs-action", "")

    def _is_new(self, nonce: str, now: float) -> bool:
        if nonce in self._seen:
            return False
        self._seen[nonce] = now
        # A date may lie ahead, so a nonce matters for twice the allowed skew.
        oldest = now - 2 * CLOCK_SKEW.total_seconds()
        while self._seen[next(iter(self._seen))] < oldest or len(self._seen) > NONCES_MAX:
            self._seen.popitem(last=False)
        return True
