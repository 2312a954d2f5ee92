"""Encrypted mobile numbers in blocks of rows: decrypted, read, and checked against a wrong key.

Nothing decrypted is written anywhere from here. Refused: a key that does not fit most of a sample.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

import pyarrow as pa
import pyarrow.compute as pc

from textwave.customers.encryption import decrypt
from textwave.customers.key_operations import OpenedKey
from textwave.kit.mobile import MAINLAND_PATTERN, read_mobile
from textwave.kit.refusal import Refusal

SAMPLE_ROWS: Final = 1_000
_FEWEST_FITTING_SHARE: Final = 0.5
_MAINLAND: Final = "CN"
_MAINLAND_CODE: Final = 8_600_000_000_000
_MAINLAND_DIGITS: Final = 11


@dataclass(frozen=True, slots=True)
class MobileCipher:
    """How the mobile numbers of a table are read: decrypted with a key, then as of a region."""

    key: OpenedKey
    region: str = field(default=_MAINLAND)

    def read(self, ciphertexts: pa.StringArray) -> pa.Int64Array:
        """Return the number that each ciphertext hides; null where there is none."""
        return read_mobiles(decrypt(ciphertexts, self.key.secret), self.region)


@dataclass(eq=False)
class EncryptionKeyWrong(Refusal):
    """Most values of a sample do not decrypt to mobile numbers."""

    code: ClassVar[str] = "encryption_key_wrong"
    table: str
    column: str
    version: int
    fitted: int
    looked_at: int
    place: str
    """Where one is that does not fit; may be empty."""

    @property
    def sentence(self) -> str:
        example = f" (not {self.place}, for example)" if self.place else ""
        return (
            f"Of {self.looked_at:,} values of column “{self.column}” of table “{self.table}”, "
            f"{self.fitted:,} decrypt to mobile numbers with key version {self.version}{example}. "
            "Name the version that they are encrypted with, or add its key: "
            "textwave encryption add. They must be AES-128-ECB, PKCS7, in hex or Base64."
        )


def read_mobiles(texts: pa.StringArray, region: str) -> pa.Int64Array:
    """Read each text as `kit.mobile` does; null where it is no mobile number."""
    if region == _MAINLAND:
        plain = pc.call_function(
            "match_substring_regex", [texts], pc.MatchSubstringOptions(MAINLAND_PATTERN)
        ).fill_null(fill_value=False)
    else:
        plain = pa.repeat(False, len(texts))
    digits = pc.call_function(
        "utf8_slice_codeunits", [texts.filter(plain)], pc.SliceOptions(-_MAINLAND_DIGITS)
    )
    mobiles = pc.call_function("add", [digits.cast(pa.int64()), pa.scalar(_MAINLAND_CODE)])
    left = pc.call_function("and", [texts.is_valid(), pc.call_function("invert", [plain])])
    read = [read_mobile(text, region) for text in texts.filter(left).to_pylist()]
    whole = pa.nulls(len(texts), pa.int64())
    whole = pc.call_function("replace_with_mask", [whole, plain, mobiles])
    return pc.call_function("replace_with_mask", [whole, left, pa.array(read, pa.int64())])


def is_written(ciphertexts: pa.StringArray) -> pa.BooleanArray:
    """Tell which cells hold more than blanks."""
    trimmed = pc.call_function("ascii_trim_whitespace", [ciphertexts])
    written = pc.call_function("not_equal", [trimmed, pa.scalar("")])
    return written.fill_null(fill_value=False)


def check_key(
    cipher: MobileCipher,
    ciphertexts: pa.StringArray,
    *,
    table: str,
    column: str,
    places: Sequence[str] = (),
) -> None:
    """Accept a sample of which at least half decrypts to mobile numbers; blank cells do not count.

    `places` says where each value stands, for the refusal.

    Raises:
        EncryptionKeyWrong: it does not.
    """
    written = is_written(ciphertexts)
    fits = cipher.read(ciphertexts).is_valid()
    looked_at, fitted = written.true_count, fits.true_count
    if fitted >= _FEWEST_FITTING_SHARE * looked_at:
        return
    unfit = int(pc.call_function("and_not", [written, fits]).to_pylist().index(True))
    place = places[unfit] if places else ""
    raise EncryptionKeyWrong(table, column, cipher.key.version, fitted, looked_at, place)
