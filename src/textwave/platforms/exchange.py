"""One HTTP exchange with a platform, bounded in time and size, that ends in a named way.

Every adapter's calls go through here. It refuses to follow redirects, to read endless answers, to
send anything twice, and to end in any other way than a whole answer or `NoAnswer`.
"""

import codecs
import io
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

from textwave.platforms.outcomes import Outcome

DETAIL_CHARACTERS = 200
_SENT_AT_ONCE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one exchange may take and how much may be read."""

    total_seconds: float = 30.0
    connect_seconds: float = 5.0
    answer_bytes: int = 10 * 1024 * 1024


USUAL_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Letter:
    """What goes out: `body` empty sends none."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Heard:
    """A whole HTTP answer; the names of headers are told apart without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NoAnswer(Exception):
    """The exchange ended without a whole answer."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        super().__init__(detail)
        self.outcome = outcome
        self.detail = detail


async def exchange(session: aiohttp.ClientSession, letter: Letter, limits: Limits) -> Heard:
    """Send a letter once and return the whole answer.

    Raises:
        NoAnswer: no whole answer came; its outcome says whether the letter left.
    """
    timeout = aiohttp.ClientTimeout(total=limits.total_seconds, sock_connect=limits.connect_seconds)
    try:
        async with session.request(
            letter.method,
            letter.url,
            data=_sent(letter.body),
            headers=letter.headers,
            timeout=timeout,
            allow_redirects=False,
            # What is signed must be all there is: nothing is said of a body that is not there.
            skip_auto_headers=("Content-Type",),
        ) as response:
            body = await _read_bounded(response, limits.answer_bytes)
            # Some programs begin whatever they write in UTF-8 with a mark that says nothing
            body = body.removeprefix(codecs.BOM_UTF8)
            return Heard(response.status, response.headers, body)
    except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
        raise NoAnswer(Outcome.unreachable, _said(error)) from error
    except TimeoutError as error:
        detail = f"no answer within {limits.total_seconds:g} s"
        raise NoAnswer(Outcome.unknown, detail) from error
    except (aiohttp.ClientError, OSError, ValueError) as error:
        raise NoAnswer(Outcome.unknown, _said(error)) from error


def _sent(body: bytes) -> bytes | io.BytesIO | None:
    """Return what a session sends; files of digital messages go in pieces, as others wait too."""
    if len(body) > _SENT_AT_ONCE_BYTES:
        return io.BytesIO(body)
    return body or None


async def _read_bounded(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > bytes_max:
            response.close()
            raise NoAnswer(Outcome.unknown, f"the answer is longer than {bytes_max} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def legible(text: str | int | None, characters: int = DETAIL_CHARACTERS) -> str:
    """Return a foreign text fit to be stored and shown: no control characters, not too long."""
    if not text:
        return ""
    line = str(text)[: characters * 2]
    return "".join(mark if mark.isprintable() else " " for mark in line).strip()[:characters]


def _said(error: Exception) -> str:
    """Say what went wrong, without the address: some have numbers and values in it."""
    said = str(error)
    if isinstance(error, aiohttp.ClientResponseError):
        said = error.message
    elif isinstance(error, aiohttp.InvalidURL):
        said = "the address is none"
    return legible(f"{type(error).__name__}: {said}")
