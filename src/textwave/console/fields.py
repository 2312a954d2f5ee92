"""Fields of a form as they are read: bounded, and without what no column of a database holds."""

from collections.abc import Mapping
from typing import Final

from textwave.kit.refusal import InvalidValue

LONGEST_TEXT: Final = 1_000


def text(form: Mapping[str, str], name: str) -> str:
    """Return a field's text without blanks around it; "" when it is not there.

    Raises:
        InvalidValue: it is longer than any field of the console.
    """
    given = form.get(name, "").replace("\0", "").strip()
    if len(given) > LONGEST_TEXT:
        raise InvalidValue(name, f"is longer than {LONGEST_TEXT:,} characters. Shorten it.")
    return given


def row_id(written: str) -> int | None:
    """Read the id of a row; None when it is none. A bigint has at most 19 digits."""
    fits = written.isascii() and written.isdigit() and len(written) < 19  # noqa: PLR2004 - said above
    return int(written) if fits else None
