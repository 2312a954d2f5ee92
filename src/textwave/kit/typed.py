"""Texts that people type: lengths, and characters that cannot be stored or shown.

Refuses control characters (a text of several lines may have line breaks) and lone surrogates.
"""

import unicodedata
from typing import Final

from textwave.kit.refusal import InvalidValue

_UNFIT: Final = frozenset({"Cc", "Cs"})


def check_line(place: str, text: str, longest: int) -> None:
    """Accept one line of 1 to `longest` characters that is not blank.

    Raises:
        InvalidValue: it is blank, too long, or has a control character.
    """
    if not text.strip():
        raise InvalidValue(place, f"is empty. Write 1-{longest} characters.")
    if len(text) > longest:
        raise InvalidValue(place, f"has {len(text)} characters; at most {longest} are allowed.")
    check_characters(place, text)


def check_characters(place: str, text: str, allowed: str = "") -> None:
    """Accept a text without control characters, but for the allowed ones.

    Raises:
        InvalidValue: one is there; says where.
    """
    for position, character in enumerate(text):
        if unicodedata.category(character) in _UNFIT and character not in allowed:
            problem = f"character {position + 1} is a control character. Take it out."
            raise InvalidValue(place, problem)
