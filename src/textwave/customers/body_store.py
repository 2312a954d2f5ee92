"""Storing a file as it is sent, piece by piece: never whole in memory, never above the limit."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from textwave.kit.refusal import Refusal
from textwave.storage.trouble import DiskFull, is_disk_full

_BUFFER_BYTES: Final = 1 << 20
_MEGABYTE: Final = 1_000_000


@dataclass(eq=False)
class FileTooLarge(Refusal):
    """The file has more bytes than an import takes."""

    code: ClassVar[str] = "body_too_large"
    limit_megabytes: int

    @property
    def sentence(self) -> str:
        return (
            f"A file may have {self.limit_megabytes:,} MB. Split it and import the pieces with the "
            "mode “append” or “upsert”, or raise TEXTWAVE_UPLOAD_LIMIT_MEGABYTES."
        )


@asynccontextmanager
async def stored_body(
    pieces: AsyncIterator[bytes], path: Path, limit_megabytes: int
) -> AsyncGenerator[None, None]:
    """Write the body to a file as it comes; it stays if what is begun with it begins.

    Raises:
        FileTooLarge: it has more bytes than the limit.
        DiskFull: there is no room for it.
    """
    try:
        await _store(pieces, path, limit_megabytes)
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


async def _store(pieces: AsyncIterator[bytes], path: Path, limit_megabytes: int) -> None:
    try:
        await _write(pieces, path, limit_megabytes)
    except OSError as error:
        if is_disk_full(error):
            raise DiskFull from error
        raise


async def _write(pieces: AsyncIterator[bytes], path: Path, limit_megabytes: int) -> None:
    length, buffer = 0, bytearray()
    with path.open("wb") as file:
        async for piece in pieces:
            length += len(piece)
            if length > limit_megabytes * _MEGABYTE:
                raise FileTooLarge(limit_megabytes)
            buffer += piece
            if len(buffer) >= _BUFFER_BYTES:
                await asyncio.to_thread(file.write, bytes(buffer))
                buffer.clear()
        file.write(buffer)
