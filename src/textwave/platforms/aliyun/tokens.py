"""Tokens that queues are read with, kept while they last, as an adapter is opened for each pull.

They live as long as the session that they were asked through. A token of another key is not given
out, and the one asked for longest ago goes when there are many.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from weakref import WeakKeyDictionary

import aiohttp
from yarl import URL

from textwave.platforms.aliyun.calls import Line
from textwave.platforms.aliyun.wire import WireToken

TOKEN_MARGIN: Final = timedelta(minutes=2)
TOKENS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Source:
    """A queue: what kind of reports it has, by the service's name, its own name, and where."""

    report: str
    queue: str
    token_endpoint: URL
    queue_endpoint: URL


@dataclass(frozen=True, slots=True)
class _Kept:
    token: WireToken = field(repr=False)
    key_id: str
    key: str = field(repr=False)
    until: datetime


_Shelf = dict[tuple[str, Source], _Kept]
_shelves: WeakKeyDictionary[aiohttp.ClientSession, _Shelf] = WeakKeyDictionary()


def kept_token(line: Line, source: Source) -> WireToken | None:
    """Return the token of an account's queue, if there is one of its key that still lasts."""
    kept = _shelf(line).get((line.name, source))
    if kept is None or (kept.key_id, kept.key) != (line.key_id, line.key):
        return None
    return kept.token if line.now < kept.until else None


def keep_token(line: Line, source: Source, token: WireToken, expires_at: datetime) -> None:
    """Keep a token until shortly before it expires, in the place of the one before."""
    forget_token(line, source)
    shelf = _shelf(line)
    shelf[line.name, source] = _Kept(token, line.key_id, line.key, expires_at - TOKEN_MARGIN)
    while len(shelf) > TOKENS_MAX:
        del shelf[next(iter(shelf))]


def forget_token(line: Line, source: Source) -> None:
    """Forget the token of a queue, since it may be why a call was refused."""
    _shelf(line).pop((line.name, source), None)


def _shelf(line: Line) -> _Shelf:
    return _shelves.setdefault(line.session, {})
