"""Encrypted ids: the profile that MySQL, ADB and common gateways share, decrypted in blocks.

AES-128 in ECB mode with PKCS #7 padding; the key is 16 ASCII characters; a ciphertext is written as
hex in either case or as Base64. It is for data that comes encrypted: nothing is encrypted here.
What does not decrypt is null, never an error.
"""

import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

from textwave.kit.refusal import InvalidValue

KEY_CHARACTERS: Final = 16

_BLOCK_BYTES: Final = 16
_LONGEST_BYTES: Final = 256
"""Of a ciphertext: room for any id; a longer text is not looked at."""

_FIRST_NOT_ASCII: Final = 0x80
_BLANKS: Final = " \t\r\n"

_Bytes = NDArray[np.uint8]
_Marks = NDArray[np.bool_]


def read_key(text: str) -> bytes:
    """Read a key: 16 ASCII characters, as they are typed.

    Raises:
        InvalidValue: it is of another length or has other characters; the text is not repeated.
    """
    if len(text) != KEY_CHARACTERS or not text.isascii() or not text.isprintable():
        problem = (
            f"It must be exactly {KEY_CHARACTERS} printable ASCII characters; what was given has "
            f"{len(text)} characters."
        )
        raise InvalidValue("key", problem)
    return text.encode("ascii")


def decrypt(ciphertexts: pa.StringArray, key: bytes) -> pa.StringArray:
    """Decrypt a block of texts; null where there is none or it does not decrypt.

    Values of one length and writing are decrypted together by one call of the cipher, so a block
    of mobile numbers (32 hexadecimal digits or 24 characters of Base64) has no loop over values.
    """
    lengths = _lengths(ciphertexts)
    if len(lengths) and lengths[0] in _WRITINGS and (lengths == lengths[0]).all():
        return _decrypt_alike(ciphertexts, int(lengths[0]), key)
    trimmed = pc.call_function("ascii_trim", [ciphertexts], pc.TrimOptions(_BLANKS))
    lengths = _lengths(trimmed)
    whole = pa.nulls(len(trimmed), pa.string())
    for length in _WRITINGS.keys() & set(np.unique(lengths).tolist()):
        marks = pa.array(lengths == length)
        alike = _decrypt_alike(trimmed.filter(marks), length, key)
        whole = pc.call_function("replace_with_mask", [whole, marks, alike])
    return whole


def _lengths(texts: pa.StringArray) -> NDArray[np.int32]:
    """Return the bytes of each text; -1 where there is none."""
    return pc.call_function("binary_length", [texts]).fill_null(-1).to_numpy(zero_copy_only=False)


def _decrypt_alike(texts: pa.StringArray, length: int, key: bytes) -> pa.StringArray:
    """Decrypt texts of one length, none of them null."""
    characters = _characters(texts, length)
    left = np.ones(len(texts), dtype=np.bool_)
    whole = pa.nulls(len(texts), pa.string())
    for writing in _WRITINGS[length]:
        marks = left & writing.marks(characters)
        left &= ~marks
        if marks.all():
            return _plain_texts(writing.read(characters), key)
        if not marks.any():
            continue
        plain = _plain_texts(writing.read(characters[marks]), key)
        whole = pc.call_function("replace_with_mask", [whole, pa.array(marks), plain])
    return whole


def _characters(texts: pa.StringArray, length: int) -> _Bytes:
    """Return the texts as a matrix, a row each."""
    _, offsets, values = texts.buffers()
    first = int(np.frombuffer(offsets, dtype=np.int32)[texts.offset])
    size = len(texts) * length
    return np.frombuffer(values, dtype=np.uint8, count=size, offset=first).reshape(-1, length)


@dataclass(frozen=True, slots=True)
class _Writing:
    """How bytes are written as text: which characters, and how many `=` end it."""

    known: _Marks
    padding: int
    read: Callable[[_Bytes], _Bytes]

    def marks(self, characters: _Bytes) -> _Marks:
        """Tell which rows are written so."""
        digits = characters.shape[1] - self.padding
        ends = (characters[:, digits:] == ord("=")).all(axis=1)
        return ends & self.known[characters[:, :digits]].all(axis=1)


def _read_hex(characters: _Bytes) -> _Bytes:
    read = binascii.unhexlify(np.ascontiguousarray(characters).data)
    return np.frombuffer(read, dtype=np.uint8).reshape(len(characters), -1)


def _read_base64(padding: int) -> Callable[[_Bytes], _Bytes]:
    def read(characters: _Bytes) -> _Bytes:
        rows, length = characters.shape
        full = characters.copy()
        full[:, length - padding :] = ord("A")  # only the last text of a row of them may be padded
        decoded = np.frombuffer(binascii.a2b_base64(full.data), dtype=np.uint8)
        return np.ascontiguousarray(decoded.reshape(rows, -1)[:, : length // 4 * 3 - padding])

    return read


def _known(characters: bytes) -> _Marks:
    marks = np.zeros(256, dtype=np.bool_)
    marks[list(characters)] = True
    return marks


def _writings() -> Mapping[int, tuple[_Writing, ...]]:
    """Return how texts of each length may be written; hex first, where both are possible."""
    digits = b"0123456789"
    small, large = bytes(range(ord("a"), ord("z") + 1)), bytes(range(ord("A"), ord("Z") + 1))
    hexadecimal = _Writing(_known(digits + b"abcdefABCDEF"), 0, _read_hex)
    found: dict[int, tuple[_Writing, ...]] = {}
    sizes = range(_BLOCK_BYTES, _LONGEST_BYTES + 1, _BLOCK_BYTES)
    for size in sizes:
        found[2 * size] = (hexadecimal,)
    for size in sizes:
        padding = -size % 3
        base64 = _Writing(_known(small + large + digits + b"+/"), padding, _read_base64(padding))
        length = (size + padding) // 3 * 4
        found[length] = (*found.get(length, ()), base64)
    return found


_WRITINGS: Final = _writings()


def _plain_texts(blocks: _Bytes, key: bytes) -> pa.StringArray:
    """Decrypt rows of whole cipher blocks; null where padding or UTF-8 is wrong."""
    rows, width = blocks.shape
    # the profile is given from outside; what it hides is decided by who encrypted
    cipher = Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - the profile's mode
    plain = np.frombuffer(cipher.decryptor().update(blocks.data), dtype=np.uint8).reshape(
        rows, width
    )
    padding = plain[:, -1]
    is_padding = np.arange(width, 0, -1) <= padding[:, None]
    fits = (padding >= 1) & (padding <= _BLOCK_BYTES)
    fits &= ((plain == padding[:, None]) | ~is_padding).all(axis=1)
    kept = ~is_padding & fits[:, None]
    return _texts(plain[kept], kept.sum(axis=1), fits)


def _texts(characters: _Bytes, lengths: NDArray[np.int64], fits: _Marks) -> pa.StringArray:
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    parts: list[Any] = [
        pa.array(fits).buffers()[1],
        pa.py_buffer(offsets),
        pa.py_buffer(characters),
    ]
    if (characters < _FIRST_NOT_ASCII).all():
        return pa.Array.from_buffers(pa.string(), len(lengths), parts)
    found = pa.Array.from_buffers(pa.binary(), len(lengths), parts)
    return pa.array([_utf8(value) for value in found.to_pylist()], pa.string())


def _utf8(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
