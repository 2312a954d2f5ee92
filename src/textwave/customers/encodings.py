"""The encoding of a text that is no UTF-8, guessed from its first megabyte.

Encodings of Chinese, Japanese and Korean texts are told apart surely enough to be used; the
single-byte ones of Europe are not: they fit any bytes, so a guess is only said to the user.
"""

from pathlib import Path
from typing import Final

SURE: Final = frozenset({"gb18030", "big5", "cp932", "cp949"})
"""Encodings whose texts hardly fit another one."""

_SAMPLE_BYTES: Final = 1_000_000
_LEAST_BYTES: Final = 12
_ASCII: Final = bytes(range(128))
_WIDER: Final = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz": "gb18030",
    "big5hkscs": "big5",
    "shift_jis": "cp932",
    "shift_jis_2004": "cp932",
    "euc_kr": "cp949",
}
"""What a guessed encoding is a part of."""


def guess_encoding(path: Path) -> str | None:
    """Return Python's name of the encoding that fits best, or None."""
    from charset_normalizer import from_bytes

    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES)
    if len(sample) == _SAMPLE_BYTES:  # a character may be cut at the end: stop at a line's
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    if _beyond_ascii(sample) < _LEAST_BYTES or _is_damaged_utf8(sample):
        return None
    found = from_bytes(sample).best()
    return None if found is None else _WIDER.get(found.encoding, found.encoding)


def _is_damaged_utf8(sample: bytes) -> bool:
    """Tell whether most of the text is UTF-8, and only a part of it is not."""
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        return _beyond_ascii(sample[: error.start]) * 2 > _beyond_ascii(sample)
    return True


def _beyond_ascii(text: bytes) -> int:
    return len(text.translate(None, _ASCII))
