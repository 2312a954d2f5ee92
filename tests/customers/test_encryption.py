"""Decrypting ids in blocks: public vectors, and everything else against one value at a time."""

import base64
import binascii

import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7
from hypothesis import given, settings
from hypothesis import strategies as st

from textwave.customers.encryption import decrypt, read_key
from textwave.kit.refusal import InvalidValue

KEY = b"0123456789abcdef"


def encrypted(plain: bytes, key: bytes = KEY) -> bytes:
    padder = PKCS7(128).padder()
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the profile
    return cipher.update(padder.update(plain) + padder.finalize()) + cipher.finalize()


def oracle(text: str | None, key: bytes) -> str | None:
    """Decrypt one value as the profile says."""
    if text is None:
        return None
    written = text.strip(" \t\r\n")
    try:
        data = bytes.fromhex(written) if " " not in written else b""
    except ValueError:
        try:
            data = base64.b64decode(written, validate=True)
        except (binascii.Error, ValueError):
            return None
    if not data or len(data) % 16 or len(data) > 256:
        return None
    cipher = Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305 - the profile
    unpadder = PKCS7(128).unpadder()
    try:
        padded = cipher.update(data) + cipher.finalize()
        return (unpadder.update(padded) + unpadder.finalize()).decode()
    except ValueError:
        return None


def folded(key: bytes) -> bytes:
    """Fold a longer key into 16 bytes as MySQL does."""
    halves = zip(key[:16], key[16:], strict=True)
    return bytes(first ^ second for first, second in halves)


@pytest.mark.parametrize(
    ("key", "ciphertext", "plain"),
    [
        (folded(b"F3229A0B371ED2D9441B830D21A390C3"), "uv/Lhzm74syo8JlfWarwKA==", "starrocks"),
        (b"0000111122223333", "xrsSNC1NEmSaAUjrTV7VlA==", "Hello World"),
        (KEY, "F1F22B193600433151FAD3765ADD320D", "13800138000"),
        (KEY, "f1f22b193600433151fad3765add320d", "13800138000"),
        (KEY, "8fIrGTYAQzFR+tN2Wt0yDQ==", "13800138000"),
    ],
)
def test_what_others_encrypted_is_read(key: bytes, ciphertext: str, plain: str) -> None:
    assert decrypt(pa.array([ciphertext]), key).to_pylist() == [plain]


WRITINGS = [
    lambda data: data.hex(),
    lambda data: data.hex().upper(),
    lambda data: base64.b64encode(data).decode(),
]
plain_texts = st.one_of(
    st.integers(15400000000, 15499999999).map(str),
    st.text(max_size=80),
)
ciphertexts = st.builds(
    lambda plain, write, key: write(encrypted(plain.encode(), key)),
    plain_texts,
    st.sampled_from(WRITINGS),
    st.sampled_from([KEY, b"another key 4567"]),
)
not_utf8 = st.binary(min_size=1, max_size=20).map(lambda data: encrypted(data).hex())
bad_padding = st.binary(min_size=16, max_size=48).map(
    lambda data: data[: len(data) // 16 * 16].hex()
)
junk = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.text("0123456789abcdefg=+/ ", min_size=24, max_size=24),
    st.text("0123456789abcdefABCDEFg ", min_size=32, max_size=32),
    not_utf8,
    bad_padding,
    ciphertexts.map(lambda text: f"  {text}\n"),
    ciphertexts.map(lambda text: text[:-1]),
)


@given(
    st.one_of(
        st.lists(ciphertexts | junk, max_size=30),
        st.lists(st.integers(0, 10**11).map(lambda n: encrypted(str(n).encode()).hex())),
    ),
    st.integers(0, 3),
)
@settings(deadline=None)
def test_a_block_is_decrypted_as_its_values_one_by_one(texts: list[str | None], skip: int) -> None:
    block = pa.array(texts, pa.string())[skip:]
    assert decrypt(block, KEY).to_pylist() == [oracle(text, KEY) for text in texts[skip:]]


@pytest.mark.parametrize("key", ["", "short", "0123456789abcdef\n", "0123456789abcdeé", "0" * 32])
def test_a_key_that_is_not_16_ascii_characters_is_refused_without_repeating_it(key: str) -> None:
    with pytest.raises(InvalidValue, match="exactly 16") as refused:
        read_key(key)
    assert not key or key.strip() not in refused.value.sentence
