"""What a material can be, and how large: the limits of the library.

The limits are those of Quick Audience's library; pictures and sounds of a digital message have
further ones of their own (see `textwave.digital.rules`).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from textwave.kit.refusal import Refusal

KILOBYTE: Final = 1024
MEGABYTE: Final = 1024 * KILOBYTE
LARGEST_BYTES: Final = 10 * MEGABYTE
"""No file of any kind has more."""

COMPRESSED_ABOVE_BYTES: Final = 2 * MEGABYTE
"""A still picture above it is made smaller, down to it."""

MOST_PIXELS: Final = 40_000_000
MOST_PIXELS_OF_ALL_FRAMES: Final = 400_000_000
MOST_FRAMES: Final = 1_000
LONGEST_AUDIO_MILLISECONDS: Final = 60_000
LONGEST_VIDEO_MILLISECONDS: Final = 600_000
THUMBNAIL_PIXELS: Final = 320


class Kind(StrEnum):
    """What a material is."""

    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


KIND_OF_SUFFIX: Final = {
    "gif": Kind.IMAGE,
    "jpg": Kind.IMAGE,
    "png": Kind.IMAGE,
    "bmp": Kind.IMAGE,
    "mp3": Kind.AUDIO,
    "mp4": Kind.VIDEO,
}
LARGEST_OF_KIND: Final = {
    Kind.IMAGE: 10 * MEGABYTE,
    Kind.AUDIO: 2 * MEGABYTE,
    Kind.VIDEO: 10 * MEGABYTE,
}
MEDIA_TYPES: Final = {
    "gif": "image/gif",
    "jpg": "image/jpeg",
    "png": "image/png",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
}


@dataclass(eq=False)
class MaterialNotAcceptable(Refusal):
    """A file cannot become a material."""

    code: ClassVar[str] = "material_not_acceptable"
    problem: str

    @property
    def sentence(self) -> str:
        return f"The file {self.problem}"


@dataclass(frozen=True, slots=True)
class Examined:
    """A file that was looked at: what it is by its content, and what is kept of it.

    Lengths in pixels and milliseconds, None where there is no such thing. `content` differs from
    the file where that was made smaller or turned into another format. `thumbnail` is a JPEG.
    """

    kind: Kind
    suffix: str
    original_suffix: str
    content: bytes
    thumbnail: bytes | None
    width: int | None = None
    height: int | None = None
    frames: int | None = None
    milliseconds: int | None = None
    codec: str = ""
