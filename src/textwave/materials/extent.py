"""Where a file really ends: the sizes that PNG, GIF, JPEG, BMP, MP4 and MP3 state of themselves.

Pure; reads no pictures. Behind its end a file may hold a second one, such as a ZIP or a page with
a script; one that stops before its end was cut off. `extent` returns the end, or None where the
structure is broken.
"""

from collections.abc import Callable
from typing import Final

_PNG_START: Final = b"\x89PNG\r\n\x1a\n"
_STARTS: Final = {
    _PNG_START: "png",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
    b"\xff\xd8\xff": "jpg",
    b"BM": "bmp",
    b"ID3": "mp3",
}
_GIF_TRAILER, _GIF_EXTENSION, _GIF_IMAGE = 0x3B, 0x21, 0x2C
_MARKER: Final = 0xFF
_RESTARTS: Final = range(0xD0, 0xD8)
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_STANDALONE: Final = frozenset({0x01, *_RESTARTS, 0xD8})
_BITRATES: Final = {
    # kilobits a second by version (1, or 2 and 2.5) and the index of the frame, layer III
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_SAMPLE_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000),
                        0: (11_025, 12_000, 8_000)}  # fmt: skip
_ID3_HEADER: Final = 10
_ID3_TAIL: Final = 128


def suffix_of(content: bytes) -> str | None:
    """Return what a file is by its first bytes: gif, jpg, png, bmp, mp3 or mp4; None: another."""
    for start, suffix in _STARTS.items():
        if content.startswith(start):
            return suffix
    if content[4:8] == b"ftyp":
        return "mp4"
    return "mp3" if _frame_length(content, 0) else None


def extent(content: bytes, suffix: str) -> int | None:
    """Return how many bytes the file has by its own account; None: it is broken or cut off."""
    try:
        end = _EXTENTS[suffix](content)
    except IndexError:
        return None
    return end if end is not None and end <= len(content) else None


def _png(content: bytes) -> int | None:
    place = len(_PNG_START)
    while place + 8 <= len(content):
        length, kind = int.from_bytes(content[place : place + 4]), content[place + 4 : place + 8]
        place += 12 + length
        if kind == b"IEND":
            return place
    return None


def _gif(content: bytes) -> int | None:
    place = 13 + _color_table(content[10])
    while True:
        introducer = content[place]
        if introducer == _GIF_TRAILER:
            return place + 1
        if introducer == _GIF_EXTENSION:
            place += 2
        elif introducer == _GIF_IMAGE:
            place += 11 + _color_table(content[place + 9])
        else:
            return None
        while length := content[place]:
            place += 1 + length
        place += 1


def _color_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _jpeg(content: bytes) -> int | None:
    place = 2
    while content[place] == _MARKER:
        marker = content[place + 1]
        place += 2 if marker != _MARKER else 1
        if marker == _END_OF_IMAGE:
            return place
        if marker in _STANDALONE or marker == _MARKER:
            continue
        place += int.from_bytes(content[place : place + 2])
        if marker == _START_OF_SCAN:
            place = _behind_scan(content, place)
    return None


def _behind_scan(content: bytes, place: int) -> int:
    """Return where the next marker stands behind coded data, in which 0xFF is followed by 0."""
    while True:
        place = content.find(b"\xff", place)
        if place < 0:
            raise IndexError
        follower = content[place + 1]
        if follower and follower not in _RESTARTS:
            return place
        place += 2


def _bmp(content: bytes) -> int | None:
    size = int.from_bytes(content[2:6], "little")
    return size if size > 14 else None  # noqa: PLR2004 - its header


def _mp4(content: bytes) -> int | None:
    place, kinds = 0, set[bytes]()
    while place + 8 <= len(content):
        length, kind = int.from_bytes(content[place : place + 4]), content[place + 4 : place + 8]
        if length == 1:
            length = int.from_bytes(content[place + 8 : place + 16])
        if length == 0:
            length = len(content) - place
        if length < 8 or not all(32 <= byte < 127 for byte in kind):  # noqa: PLR2004 - a box's head, letters
            break
        place += length
        kinds.add(kind)
    return place if {b"moov", b"mdat"} <= kinds else None


def _mp3(content: bytes) -> int | None:
    start = 0
    if content.startswith(b"ID3"):
        size = content[6:10]
        start = _ID3_HEADER + sum((byte & 0x7F) << shift for byte, shift in zip(
            size, (21, 14, 7, 0), strict=True))  # fmt: skip
    place, frames = start, 0
    while length := _frame_length(content, place):
        place += length
        frames += 1
    if content[place : place + 3] == b"TAG":
        place += _ID3_TAIL
    return place if frames else None


def _frame_length(content: bytes, place: int) -> int:
    """Return the length of the MPEG audio frame of layer III at a place; 0: there is none."""
    head = content[place : place + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # noqa: PLR2004 - a frame's head
        return 0
    version, rate = (head[1] >> 3) & 3, (head[2] >> 2) & 3
    bits = head[2] >> 4
    if version == 1 or rate == 3 or bits in {0, 15}:  # noqa: PLR2004 - reserved values
        return 0
    newest = version == 3  # noqa: PLR2004 - MPEG 1
    bitrate = _BITRATES[1 if newest else 2][bits] * 1_000
    slots = 144 if newest else 72
    return slots * bitrate // _SAMPLE_RATES[version][rate] + ((head[2] >> 1) & 1)


_EXTENTS: Final[dict[str, Callable[[bytes], int | None]]] = {
    "png": _png,
    "gif": _gif,
    "jpg": _jpeg,
    "bmp": _bmp,
    "mp4": _mp4,
    "mp3": _mp3,
}
