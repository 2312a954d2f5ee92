"""Looking at a file that is to become a material: what it is, that it is whole, and its thumbnail.

Decodes with Pillow and FFmpeg, so it runs in a process of its own (`examiner`) with limits. It
refuses what is not one of the formats by its content, is damaged, or is larger, longer or of more
pixels than the library takes; what hangs on behind a file's own end is cut off.
"""

import io
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

import av
import av.error
from PIL import Image, ImageOps, ImageSequence

from textwave.materials.extent import extent, suffix_of
from textwave.materials.kinds import (
    COMPRESSED_ABOVE_BYTES,
    KIND_OF_SUFFIX,
    LARGEST_OF_KIND,
    LONGEST_AUDIO_MILLISECONDS,
    LONGEST_VIDEO_MILLISECONDS,
    MEGABYTE,
    MOST_FRAMES,
    MOST_PIXELS,
    MOST_PIXELS_OF_ALL_FRAMES,
    THUMBNAIL_PIXELS,
    Examined,
    Kind,
    MaterialNotAcceptable,
)

_PILLOW_FORMATS: Final = {"gif": "GIF", "jpg": "JPEG", "png": "PNG", "bmp": "BMP"}
_QUALITY: Final = 85
_SHRINK: Final = 0.85
_SMALLEST_SIDE: Final = 64
_MICROSECONDS_A_MILLISECOND: Final = 1_000
_PADDING_MILLISECONDS: Final = 100  # encoders fill the last frame
_LONGEST_SIDE_OF_VIDEO: Final = 4_096
# Pillow only warns of large pictures; the limits here refuse them before they are decoded
Image.MAX_IMAGE_PIXELS = None


def examine(content: bytes) -> Examined:
    """Look at a file.

    Raises:
        MaterialNotAcceptable: says what is wrong and what would be right.
    """
    suffix = suffix_of(content)
    if suffix is None:
        problem = (
            "is no BMP, GIF, JPG or PNG image, no MP4 video and no MP3 sound, whatever its name "
            "says. Save it as one of these."
        )
        raise MaterialNotAcceptable(problem)
    kind = KIND_OF_SUFFIX[suffix]
    if len(content) > LARGEST_OF_KIND[kind]:
        most = LARGEST_OF_KIND[kind] // MEGABYTE
        raise MaterialNotAcceptable(f"is larger than {most} MB, the most for {kind}. Shorten it.")
    whole = _whole(content, suffix)
    with _damage_refused():
        if kind is Kind.IMAGE:
            return _image(whole, suffix)
        return _video(whole) if kind is Kind.VIDEO else _audio(whole)


@contextmanager
def _damage_refused() -> Generator[None]:
    """Refuse what the libraries cannot decode, in whichever way they say so."""
    try:
        yield
    except MaterialNotAcceptable:
        raise
    except (OSError, ValueError, SyntaxError, IndexError, EOFError, av.error.FFmpegError) as error:
        problem = "is damaged or cut off: it cannot be shown. Save or export it again."
        raise MaterialNotAcceptable(problem) from error


def _whole(content: bytes, suffix: str) -> bytes:
    """Return the file up to its own end: what was hung on behind is no part of what is shown."""
    end = extent(content, suffix)
    if end is None:
        problem = f"begins like {suffix.upper()}, but is damaged or cut off. Save it again."
        raise MaterialNotAcceptable(problem)
    return content[:end]


def _image(content: bytes, suffix: str) -> Examined:
    with Image.open(io.BytesIO(content), formats=(_PILLOW_FORMATS[suffix],)) as picture:
        width, height = picture.size
        frames = int(getattr(picture, "n_frames", 1))
        _check_pixels(width, height, frames)
        shown = _decoded(picture)
        kept, kept_suffix = content, suffix
        if frames == 1 and (suffix == "bmp" or len(content) > COMPRESSED_ABOVE_BYTES):
            kept, kept_suffix, (width, height) = _smaller(
                shown, "png" if suffix == "bmp" else suffix
            )
    thumbnail = _thumbnail(shown)
    made = Examined(Kind.IMAGE, kept_suffix, suffix, kept, thumbnail, width, height, frames)
    return replace(made, codec=kept_suffix)


def _check_pixels(width: int, height: int, frames: int) -> None:
    if width * height > MOST_PIXELS:
        problem = (
            f"has {width:,} x {height:,} pixels; at most {MOST_PIXELS:,} are taken. Scale it down."
        )
        raise MaterialNotAcceptable(problem)
    if frames > MOST_FRAMES or width * height * frames > MOST_PIXELS_OF_ALL_FRAMES:
        problem = f"is an animation of {frames:,} pictures, which is too much. Shorten it."
        raise MaterialNotAcceptable(problem)


def _decoded(picture: Image.Image) -> Image.Image:
    """Decode every frame, so that a damaged one is noticed; return the first as it is shown."""
    first: Image.Image | None = None
    for frame in ImageSequence.Iterator(picture):
        frame.load()
        if first is None:
            first = ImageOps.exif_transpose(frame.copy())
    if first is None:
        raise EOFError
    return first


def _smaller(picture: Image.Image, suffix: str) -> tuple[bytes, str, tuple[int, int]]:
    """Return a still picture of at most 2 MB, its format and its size, scaled down as needed."""
    fitting = picture if picture.mode in {"RGB", "RGBA", "L", "P"} else picture.convert("RGB")
    written = _written(fitting, suffix)
    while len(written) > COMPRESSED_ABOVE_BYTES and min(fitting.size) > _SMALLEST_SIDE:
        width, height = (max(int(side * _SHRINK), 1) for side in fitting.size)
        plain = fitting.convert("RGBA") if fitting.mode == "P" else fitting
        fitting = plain.resize((width, height), Image.Resampling.LANCZOS)
        written = _written(fitting, suffix)
    return written, suffix, fitting.size


def _written(picture: Image.Image, suffix: str) -> bytes:
    target = io.BytesIO()
    opaque = picture.convert("RGB") if suffix == "jpg" else picture
    opaque.save(target, _PILLOW_FORMATS[suffix], quality=_QUALITY, optimize=True)
    return target.getvalue()


def _thumbnail(picture: Image.Image) -> bytes:
    """Return a small JPEG; what is transparent becomes white."""
    small = picture.convert("RGBA")
    small.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
    ground = Image.new("RGB", small.size, "white")
    ground.paste(small, mask=small.getchannel("A"))
    return _written(ground, "jpg")


def _video(content: bytes) -> Examined:
    with av.open(io.BytesIO(content), "r", format="mp4") as container:
        if not container.streams.video:
            raise MaterialNotAcceptable("is an MP4 without a video. Export it with one.")
        stream = container.streams.video[0]
        coded: Any = stream.codec_context
        if coded is None:
            raise EOFError
        coded.thread_count = 1
        width, height = coded.width, coded.height
        if max(width, height) > _LONGEST_SIDE_OF_VIDEO:
            most = _LONGEST_SIDE_OF_VIDEO
            problem = f"has {width:,} x {height:,} pixels; {most:,} is the longest side. Scale it."
            raise MaterialNotAcceptable(problem)
        frame: Any = next(container.decode(stream), None)
        if frame is None:
            raise EOFError
        picture = frame.to_image()
        codec = coded.codec.name
        milliseconds = max(container.duration or 0, 0) // _MICROSECONDS_A_MILLISECOND
    if milliseconds > LONGEST_VIDEO_MILLISECONDS:
        raise MaterialNotAcceptable("says that it plays longer than ten minutes. Shorten it.")
    return Examined(
        Kind.VIDEO, "mp4", "mp4", content, _thumbnail(picture), width, height,
        milliseconds=milliseconds, codec=codec,
    )  # fmt: skip


def _audio(content: bytes) -> Examined:
    with av.open(io.BytesIO(content), "r", format="mp3") as container:
        stream = container.streams.audio[0]
        samples = sum(frame.samples for frame in container.decode(stream))
        milliseconds = samples * 1_000 // (stream.codec_context.sample_rate or 1)
    if milliseconds > LONGEST_AUDIO_MILLISECONDS + _PADDING_MILLISECONDS:
        seconds = milliseconds / 1_000
        most = LONGEST_AUDIO_MILLISECONDS // 1_000
        raise MaterialNotAcceptable(f"plays {seconds:.1f} seconds; {most} is the most. Shorten it.")
    return Examined(Kind.AUDIO, "mp3", "mp3", content, None, milliseconds=milliseconds, codec="mp3")
