"""Click tokens: the eight characters at the end of a link that say whose link it is.

A token is the message id under a keyed permutation of [0, 62**8): nothing is stored, two ids never
share a token, and without the key a token says nothing of its id. The permutation is a balanced
Feistel network over two halves of 62**4 with addition, its round function AES.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

from textwave.kit.refusal import InvalidValue

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers import CipherContext
    from numpy.typing import NDArray

TOKEN_LENGTH: Final = 8
BASE_62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TOKEN_COUNT: Final = len(BASE_62) ** TOKEN_LENGTH
SHORTEST_SECRET_BYTES: Final = 16

_ROUNDS: Final = 10
_HALF: Final = len(BASE_62) ** (TOKEN_LENGTH // 2)
_PAIR: Final = len(BASE_62) ** 2
_BLOCK_BYTES: Final = 16
_PURPOSE: Final = b"textwave click token"
_NO_TOKEN: Final = "!" * TOKEN_LENGTH

_match_token = re.compile(rf"[0-9A-Za-z]{{{TOKEN_LENGTH}}}\Z").match

_PAIRS: Final = np.frombuffer(
    "".join(a + b for a in BASE_62 for b in BASE_62).encode(), dtype="<u2"
)
"""All pairs of characters in the order of their value."""

_VALUES: Final = np.full(256, -1, dtype=np.int64)
_VALUES[np.frombuffer(BASE_62.encode(), dtype=np.uint8)] = np.arange(len(BASE_62))
_VALUE_OF: Final[list[int]] = _VALUES.tolist()
_WEIGHTS: Final = len(BASE_62) ** np.arange(TOKEN_LENGTH - 1, -1, -1, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key of click tokens: `secret` of 16 bytes or more, and the version that names it."""

    version: int
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < SHORTEST_SECRET_BYTES:
            problem = f"the secret needs {SHORTEST_SECRET_BYTES} bytes or more. Make a longer one."
            raise InvalidValue("click token key", problem)


def tokens(ids: "Sequence[int] | NDArray[np.int64]", key: TokenKey) -> list[str]:
    """Return the token of each message id.

    Raises:
        ValueError: an id is outside [0, 62**8).
    """
    numbers = np.asarray(ids, dtype=np.int64)
    if not numbers.size:
        return []
    if numbers.min() < 0 or numbers.max() >= TOKEN_COUNT:
        raise ValueError("a message id is outside what a click token can carry")
    left, right = np.divmod(numbers, _HALF)
    mixed = _Rounds(key, numbers.size)
    for number in range(_ROUNDS):
        left, right = right, (left + mixed(number, right)) % _HALF
    return _spell(left * _HALF + right)


def message_ids(tokens: Sequence[str], key: TokenKey) -> list[int | None]:
    """Return the message id of each token; None where the text cannot be a token.

    A well-formed token that was never given out yields an id like any other: look it up.
    """
    if not tokens:
        return []
    numbers, well_formed = _read(tokens)
    left, right = np.divmod(numbers, _HALF)
    mixed = _Rounds(key, numbers.size)
    for number in reversed(range(_ROUNDS)):
        left, right = (right - mixed(number, left)) % _HALF, left
    ids = (left * _HALF + right).tolist()
    return [id_ if good else None for id_, good in zip(ids, well_formed.tolist(), strict=True)]


def message_id(token: str, key: TokenKey) -> int | None:
    """Return the message id of one token as `message_ids` does; a third of its cost for one."""
    if not _match_token(token):
        return None
    number = 0
    for character in token.encode("ascii"):
        number = number * len(BASE_62) + _VALUE_OF[character]
    left, right = divmod(number, _HALF)
    encryptor = _encryptor(key)
    version = key.version << 8
    for round_number in reversed(range(_ROUNDS)):
        block = (version | round_number | left << 64).to_bytes(_BLOCK_BYTES, "little")
        mixed = int.from_bytes(encryptor.update(block)[:8], "little")
        left, right = (right - mixed) % _HALF, left
    return left * _HALF + right


class _Rounds:
    """The round function for all ids at once: one AES call a round.

    A block is the round, the version of the key, and the half: nothing else is ever encrypted with
    this key, which is derived from the secret for this purpose only.
    """

    def __init__(self, key: TokenKey, size: int) -> None:
        self._version = key.version << 8
        self._blocks = np.zeros((size, 2), dtype="<u8")
        self._input = self._blocks.data.cast("B")
        self._output = bytearray((size + 1) * _BLOCK_BYTES)
        self._halves = np.frombuffer(self._output, dtype="<u8", count=size * 2)[::2]
        self._encryptor = _encryptor(key)

    def __call__(self, number: int, half: "NDArray[np.int64]") -> "NDArray[np.int64]":
        self._blocks[:, 0] = self._version | number
        self._blocks[:, 1] = half
        self._encryptor.update_into(self._input, self._output)
        return (self._halves % _HALF).astype(np.int64)


def _encryptor(key: TokenKey) -> "CipherContext":
    """Return AES on single blocks: a round function, not the encryption of a text."""
    secret = hashlib.sha256(_PURPOSE + key.secret).digest()
    return Cipher(AES(secret), ECB()).encryptor()  # noqa: S305 - the round function


def _spell(numbers: "NDArray[np.int64]") -> list[str]:
    pairs = np.empty((numbers.size, TOKEN_LENGTH // 2), dtype="<u2")
    for place in reversed(range(TOKEN_LENGTH // 2)):
        numbers, pair = np.divmod(numbers, _PAIR)
        pairs[:, place] = _PAIRS[pair]
    spelled = pairs.tobytes().decode("ascii")
    return [spelled[start : start + TOKEN_LENGTH] for start in range(0, len(spelled), TOKEN_LENGTH)]


def _read(tokens: Sequence[str]) -> "tuple[NDArray[np.int64], NDArray[np.bool_]]":
    """Return the numbers that tokens spell, and which of them are spelled well."""
    joined = "".join(
        token if len(token) == TOKEN_LENGTH and token.isascii() else _NO_TOKEN for token in tokens
    )
    characters = np.frombuffer(joined.encode("ascii"), dtype=np.uint8)
    values = _VALUES[characters].reshape(-1, TOKEN_LENGTH)
    well_formed = values.min(axis=1) >= 0
    return np.where(well_formed, values @ _WEIGHTS, 0), well_formed
