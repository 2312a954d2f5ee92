"""Reading mobile numbers in blocks, against one at a time."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textwave.customers.decryption import EncryptionKeyWrong, MobileCipher, check_key, read_mobiles
from textwave.customers.key_operations import OpenedKey
from textwave.kit.mobile import read_mobile

texts = st.one_of(
    st.none(),
    st.integers(15400000000, 15499999999).map(str),
    st.integers(15400000000, 15499999999).map(lambda number: f"+86 {number}"),
    st.sampled_from(["+447700900123", "07700 900123", "+15550100", "86", "", "０", "x"]),
    st.text(max_size=15),
)


@given(st.lists(texts, max_size=20), st.sampled_from(["CN", "GB"]), st.integers(0, 3))
@settings(deadline=None)  # the first foreign number loads the tables of the world's numbers
def test_a_block_is_read_as_its_numbers_one_by_one(
    block: list[str | None], region: str, skip: int
) -> None:
    expected = [None if text is None else read_mobile(text, region) for text in block]
    read = read_mobiles(pa.array(block, pa.string())[skip:], region)
    assert read.to_pylist() == expected[skip:]


def test_a_sample_of_blanks_says_nothing_against_a_key() -> None:
    cipher = MobileCipher(OpenedKey(1, b"0123456789abcdef"), "CN")
    check_key(cipher, pa.array(["", " ", None]), table="t", column="c")
    with pytest.raises(EncryptionKeyWrong, match="Of 1 values") as refused:
        check_key(cipher, pa.array(["", "x"]), table="t", column="c", places=["a", "b"])
    assert "0123456789abcdef" not in str(refused.value)
    assert "not b" in refused.value.sentence
