"""Signatures on requests between Textwave and a third-party platform, both directions.

`X-QA-Hmac-Signature` proves the key; `X-Textwave-Signature` also binds method, path and body.
Verification refuses requests without, with a wrong or with a stale signature; it hands back the
nonce, because only the caller can remember which ones it has seen.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from textwave.kit.refusal import Refusal

QA_HEADER = "X-QA-Hmac-Signature"
TEXTWAVE_HEADER = "X-Textwave-Signature"
CLOCK_SKEW_SECONDS = 300
NONCE_CHARACTERS = 32
TIMESTAMP_DIGITS_MAX = 12


class SignatureMode(StrEnum):
    """Whether both signatures must be there, or the QA one is enough (old gateways)."""

    strict = "strict"
    qa_only = "qa_only"


class SignatureProblem(StrEnum):
    """Why a request is not taken for authentic."""

    no_key = "no_key"
    missing = "missing"
    bad_timestamp = "bad_timestamp"
    stale = "stale"
    bad_nonce = "bad_nonce"
    wrong = "wrong"
    body_missing = "body_missing"
    body_wrong = "body_wrong"


SENTENCES: dict[SignatureProblem, str] = {
    SignatureProblem.no_key: "No key is configured here. Set one before taking signed requests.",
    SignatureProblem.missing: f"The header {QA_HEADER} is missing. Sign the request.",
    SignatureProblem.bad_timestamp: "`timestamp` must be the UNIX time in seconds.",
    SignatureProblem.stale: (
        f"`timestamp` is more than {CLOCK_SKEW_SECONDS} s off. Set the clock, and sign each "
        "attempt anew."
    ),
    SignatureProblem.bad_nonce: f"`nonce` must be {NONCE_CHARACTERS} letters or digits.",
    SignatureProblem.wrong: f"{QA_HEADER} does not fit. Compare the shared key.",
    SignatureProblem.body_missing: (
        f"The header {TEXTWAVE_HEADER} is missing. Send it, or set the platform to QA-only."
    ),
    SignatureProblem.body_wrong: (
        f"{TEXTWAVE_HEADER} does not fit method, path and body. Sign the bytes that are sent."
    ),
}


@dataclass(eq=False)
class RequestNotAuthentic(Refusal):
    """The request is not proven to come from the other side."""

    code: ClassVar[str] = "request_not_authentic"
    problem: SignatureProblem

    @property
    def sentence(self) -> str:
        return SENTENCES[self.problem]


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What verification looks at; `path` is percent-encoded as sent, without the query."""

    method: str
    path: str
    timestamp: str
    nonce: str
    qa_signature: str
    textwave_signature: str
    body: bytes


def qa_signature(key: str, timestamp: str, nonce: str) -> str:
    """Return the QA header's value; empty if the key is, which turns authentication off."""
    if not key:
        return ""
    text = "".join("".join(sorted((key, timestamp, nonce))).split())
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def textwave_signature(
    key: str, *, method: str, path: str, timestamp: str, nonce: str, body: bytes
) -> str:
    """Return the header's value that also binds method, path and body; empty without a key."""
    if not key:
        return ""
    digest = hashlib.sha256(body).hexdigest()
    text = f"{method}\n{path}\n{timestamp}\n{nonce}\n{digest}"
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


def signature_headers(
    key: str, *, method: str, path: str, timestamp: str, nonce: str, body: bytes
) -> dict[str, str]:
    """Return both headers of an outgoing request."""
    return {
        QA_HEADER: qa_signature(key, timestamp, nonce),
        TEXTWAVE_HEADER: textwave_signature(
            key, method=method, path=path, timestamp=timestamp, nonce=nonce, body=body
        ),
    }


def verify(request: SignedRequest, *, key: str, now: datetime, mode: SignatureMode) -> str:
    """Return the nonce of an authentic request, for the caller to refuse a second time.

    In QA-only mode `X-Textwave-Signature` may be missing, but not wrong.

    Raises:
        RequestNotAuthentic: it is not signed, stale, or signed with another key or body.
    """
    problem = _problem(request, key, now, mode)
    if problem is not None:
        raise RequestNotAuthentic(problem)
    return request.nonce


def _problem(
    request: SignedRequest, key: str, now: datetime, mode: SignatureMode
) -> SignatureProblem | None:
    if not key:
        return SignatureProblem.no_key
    if not request.qa_signature:
        return SignatureProblem.missing
    outdated = _time_problem(request.timestamp, now)
    if outdated is not None:
        return outdated
    nonce = request.nonce
    if not (len(nonce) == NONCE_CHARACTERS and nonce.isascii() and nonce.isalnum()):
        return SignatureProblem.bad_nonce
    if not _same(request.qa_signature, qa_signature(key, request.timestamp, nonce)):
        return SignatureProblem.wrong
    return _body_problem(request, key, mode)


def _time_problem(timestamp: str, now: datetime) -> SignatureProblem | None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= TIMESTAMP_DIGITS_MAX):
        return SignatureProblem.bad_timestamp
    if abs(int(timestamp) - now.timestamp()) > CLOCK_SKEW_SECONDS:
        return SignatureProblem.stale
    return None


def _body_problem(request: SignedRequest, key: str, mode: SignatureMode) -> SignatureProblem | None:
    if not request.textwave_signature:
        return SignatureProblem.body_missing if mode is SignatureMode.strict else None
    expected = textwave_signature(
        key,
        method=request.method,
        path=request.path,
        timestamp=request.timestamp,
        nonce=request.nonce,
        body=request.body,
    )
    if not _same(request.textwave_signature, expected):
        return SignatureProblem.body_wrong
    return None


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
