"""Words of digital messages: kinds of materials, where a carrier's review stands, sizes."""

from collections.abc import Mapping
from typing import Final

from babel.numbers import format_decimal

from textwave.materials.kinds import KILOBYTE, MEGABYTE


def _(message: str) -> str:
    return message


WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "material": {"image": _("image"), "video": _("video"), "audio": _("sound")},
    "materials": {"image": _("Images"), "video": _("Videos"), "audio": _("Sounds")},
    "carrier review": {
        "reviewing": _("in review"),
        "approved": _("approved"),
        "unverified": _("not certain"),
        "rejected": _("rejected"),
        "lapsed": _("lapsed"),
        "missing": _("unknown there"),
    },
    "version": {
        "reviewing": _("in review"),
        "approved": _("approved"),
        "rejected": _("rejected"),
        "withdrawn": _("withdrawn"),
    },
}


def file_size(size_bytes: int, chosen: str) -> str:
    """Write the size of a file, rounded up so that nothing has a size of 0."""
    if size_bytes < 2 * MEGABYTE:
        return f"{format_decimal(-(-size_bytes // KILOBYTE), locale=chosen)} KB"
    return f"{format_decimal(size_bytes / MEGABYTE, '0.#', locale=chosen)} MB"


def length_of_time(milliseconds: int) -> str:
    """Write how long a sound or a video plays, in minutes and seconds."""
    minutes, seconds = divmod(-(-milliseconds // 1_000), 60)
    return f"{minutes}:{seconds:02}"
