"""Telling from an error what has become of the ground: the disk is full, or the database is gone.

Three libraries say each of it in their own way (PostgreSQL's driver, ADBC, DuckDB); some only in
words. Errors that say neither are no trouble of the ground.
"""

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

import psycopg
from psycopg_pool import PoolTimeout

from textwave.kit.refusal import Refusal

_FULL_NUMBERS: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_FULL_WORDS: Final = ("no space left on device", "disk quota exceeded", "disk full")
_GONE: Final = (psycopg.OperationalError, psycopg.InterfaceError, PoolTimeout)
_GONE_WORDS: Final = (
    "server closed the connection",
    "terminating connection",
    "connection refused",
    "the database system is",
    "no connection to the server",
    "unable to connect to postgres",
    "could not connect to server",
    "ssl connection has been closed",
    "could not receive data from server",
    "could not send data to server",
)


@dataclass(eq=False)
class DiskFull(Refusal):
    """There is no room for what was to be written."""

    code: ClassVar[str] = "disk_full"

    @property
    def sentence(self) -> str:
        return (
            "There is no room left on the disk, so nothing of this was kept; what was there before "
            "is whole. Make room on the disk of the data folder or of PostgreSQL, then try again."
        )


def is_disk_full(error: BaseException) -> bool:
    """Tell whether an error, or one behind it, says that there is no room."""
    return any(
        (isinstance(one, OSError) and one.errno in _FULL_NUMBERS)
        or isinstance(one, psycopg.errors.DiskFull)
        or _says(one, _FULL_WORDS)
        for one in _chain(error)
    )


def is_database_gone(error: BaseException) -> bool:
    """Tell whether an error, or one behind it, says that PostgreSQL cannot be reached any more."""
    return any(
        (isinstance(one, _GONE) and not isinstance(one, psycopg.errors.DiskFull))
        or _says(one, _GONE_WORDS)
        for one in _chain(error)
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    one: BaseException | None = error
    while one is not None:
        yield one
        one = one.__cause__ or one.__context__


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    said = str(error).lower()
    return any(word in said for word in words)
