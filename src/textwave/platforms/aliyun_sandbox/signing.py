"""The signatures of calls: ACS3-HMAC-SHA256 of the service, HMAC-SHA1 of its queues; pure.

Written from the published rules and not from the official client, which is the tests' oracle.
Refused is every call that is not signed completely, by the gateway's codes.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

from textwave.platforms.aliyun_sandbox.errors import CallRefused

ALGORITHM = "ACS3-HMAC-SHA256"
CLOCK_SKEW = timedelta(minutes=15)
NONCE_MAX = 200
_authorization = re.compile(
    ALGORITHM + r" +Credential=([^,\s]{1,200}), *SignedHeaders=([a-z0-9\-;]{1,2000}), *"
    r"Signature=([0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class SignedCall:
    """A call as it came: `query` raw behind the question mark, header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """What a call says of itself in its `Authorization`."""

    key_id: str
    signed_headers: tuple[str, ...]
    signature: str


def read_claim(authorization: str) -> Claim:
    """Return what an `Authorization` claims."""
    found = _authorization.fullmatch(authorization.strip())
    if found is None:
        raise CallRefused("IncompleteSignature")
    key_id, signed_headers, signature = found.groups()
    return Claim(key_id, tuple(signed_headers.split(";")), signature)


def check_call(call: SignedCall, claim: Claim, *, secret: str, now: datetime) -> str:
    """Return the nonce of a call that is signed with the secret.

    Raises:
        CallRefused: it is stale, unsigned in part, changed, or signed with another secret.
    """
    _check_time(call.headers.get("x-acs-date", ""), now)
    nonce = call.headers.get("x-acs-signature-nonce", "")
    if not 0 < len(nonce) <= NONCE_MAX or not _covers(call, claim.signed_headers):
        raise CallRefused("IncompleteSignature")
    digest = hashlib.sha256(call.body).hexdigest()
    if call.headers.get("x-acs-content-sha256", "") != digest:
        raise CallRefused("SignatureDoesNotMatch", "The body is not what was signed.")
    request = canonical_request(call, claim.signed_headers, digest)
    if not hmac.compare_digest(acs3_signature(secret, request), claim.signature):
        raise CallRefused("SignatureDoesNotMatch")
    return nonce


def canonical_request(call: SignedCall, signed_headers: Iterable[str], digest: str) -> str:
    """Return the text that a signature stands for."""
    names = sorted(signed_headers)
    headers = "".join(f"{name}:{call.headers.get(name, '').strip()}\n" for name in names)
    parts = (call.method, call.path, canonical_query(call.query), headers, ";".join(names), digest)
    return "\n".join(parts)


def canonical_query(query: str) -> str:
    """Return a raw query string sorted by name, in the one way of writing it."""
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    return "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)


def acs3_signature(secret: str, request: str) -> str:
    """Return the signature of a canonical request, in hex."""
    hashed = hashlib.sha256(request.encode()).hexdigest()
    return hmac.new(secret.encode(), f"{ALGORITHM}\n{hashed}".encode(), "sha256").hexdigest()


def queue_signature(secret: str, method: str, headers: Mapping[str, str], resource: str) -> str:
    """Return the signature of a call to a queue, in Base64; the resource has its query."""
    own = "".join(
        f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith("x-mns-")
    )
    fields = (headers.get(name, "") for name in ("content-md5", "content-type", "date"))
    text = "\n".join((method, *fields, own + resource))
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), "sha1").digest()).decode()


def _covers(call: SignedCall, signed_headers: tuple[str, ...]) -> bool:
    """Tell whether everything is signed that must be."""
    must = {"host", *(name for name in call.headers if name.startswith("x-acs-"))}
    if call.body and "content-type" in call.headers:
        must.add("content-type")
    return must <= set(signed_headers)


def _check_time(text: str, now: datetime) -> None:
    try:
        sent_at = datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise CallRefused("InvalidTimeStamp.Format") from None
    if abs(now - sent_at) > CLOCK_SKEW:
        raise CallRefused("InvalidTimeStamp.Expired")
