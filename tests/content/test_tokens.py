from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textwave.content.tokens import (
    BASE_62,
    TOKEN_COUNT,
    TokenKey,
    message_id,
    message_ids,
    tokens,
)
from textwave.kit.refusal import InvalidValue

KEY = TokenKey(1, b"a secret of thirty-two bytes or so")
IDS = st.integers(0, TOKEN_COUNT - 1)
KEYS = st.builds(TokenKey, st.integers(1, 1000), st.binary(min_size=16, max_size=40))
FIRST = 8_200_000_000_000
CONSECUTIVE = range(FIRST, FIRST + 20_000)


@settings(deadline=None)
@given(ids=st.lists(IDS, max_size=50), key=KEYS)
def test_a_token_leads_back_to_its_message(ids: list[int], key: TokenKey) -> None:
    spelled = tokens(ids, key)
    assert message_ids(spelled, key) == ids
    assert [message_id(token, key) for token in spelled] == ids


@settings(deadline=None)
@given(characters=st.lists(st.text(BASE_62, min_size=8, max_size=8), max_size=50), key=KEYS)
def test_every_spelling_is_the_token_of_exactly_one_number(
    characters: list[str], key: TokenKey
) -> None:
    ids = message_ids(characters, key)
    assert all(number is not None and 0 <= number < TOKEN_COUNT for number in ids)
    assert tokens([number for number in ids if number is not None], key) == characters


def test_no_two_of_many_messages_share_a_token() -> None:
    assert len(set(tokens(CONSECUTIVE, KEY))) == len(CONSECUTIVE)


def test_the_ends_of_the_range_have_tokens_too() -> None:
    ends = [0, TOKEN_COUNT - 1]
    spelled = tokens(ends, KEY)
    assert [len(token) for token in spelled] == [8, 8]
    assert message_ids(spelled, KEY) == ends


def test_an_array_of_ids_gives_the_tokens_of_the_list() -> None:
    ids = list(CONSECUTIVE[:100])
    assert tokens(np.array(ids), KEY) == tokens(ids, KEY)
    assert tokens([], KEY) == []
    assert message_ids([], KEY) == []


@pytest.mark.parametrize(
    "wrong",
    ["", "abcdefg", "abcdefghi", "abcdefg-", "abcdefgé", "abcdefg１", "abcdefg\n", "\0" * 8],
)
def test_what_cannot_be_a_token_has_no_message_and_disturbs_no_other(wrong: str) -> None:
    good = tokens([FIRST], KEY)[0]
    assert message_ids([wrong, good, wrong], KEY) == [None, FIRST, None]
    assert message_id(wrong, KEY) is None


@pytest.mark.parametrize("outside", [-1, TOKEN_COUNT])
def test_an_id_outside_the_range_is_an_error(outside: int) -> None:
    with pytest.raises(ValueError, match="outside"):
        tokens([0, outside], KEY)


@pytest.mark.parametrize(
    "other", [TokenKey(2, KEY.secret), TokenKey(1, KEY.secret + b"!"), TokenKey(1, bytes(16))]
)
def test_another_key_or_version_gives_other_tokens(other: TokenKey) -> None:
    ids = CONSECUTIVE[:1000]
    same = [a for a, b in zip(tokens(ids, KEY), tokens(ids, other), strict=True) if a == b]
    assert same == []


def test_tokens_are_the_same_in_every_release() -> None:
    assert tokens([0, FIRST], TokenKey(1, bytes(range(32)))) == ["BS86mKAb", "C8swNoxk"]


def test_tokens_of_consecutive_messages_use_every_character_equally_at_every_place() -> None:
    spelled = tokens(CONSECUTIVE, KEY)
    expected = len(spelled) / len(BASE_62)
    for place in range(8):
        seen = Counter(token[place] for token in spelled)
        chi_square = sum((seen[char] - expected) ** 2 / expected for char in BASE_62)
        assert chi_square < 130  # 61 degrees of freedom: by chance less than once in a million


def test_tokens_of_neighbours_are_as_far_apart_as_those_of_strangers() -> None:
    spelled = tokens(CONSECUTIVE, KEY)
    alike = sum(
        a == b for left, right in pairwise(spelled) for a, b in zip(left, right, strict=True)
    )
    by_chance = 8 * (len(spelled) - 1) / len(BASE_62)
    assert abs(alike - by_chance) < 6 * by_chance**0.5


def test_a_key_does_not_show_its_secret() -> None:
    assert "secret" not in repr(KEY)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(InvalidValue, match="16 bytes or more"):
        TokenKey(1, b"too short")
