"""Files to examine, made when a test asks: pictures, videos and sounds."""

import io
import zlib
from typing import Any

import av
import numpy as np
from PIL import Image

RATE = 22_050


def picture(form: str, width: int = 100, height: int = 80, *, noisy: bool = False) -> bytes:
    """Return a picture as PNG, JPEG, GIF or BMP; a noisy one hardly gets smaller."""
    chance = np.random.default_rng(7)
    pixels = chance.integers(0, 255 if noisy else 1, (height, width, 3), np.uint8)
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, form)
    return target.getvalue()


def animation(frames: int, width: int = 40, height: int = 30) -> bytes:
    """Return a GIF of several different pictures."""
    pictures = [Image.new("L", (width, height), place * 20) for place in range(frames)]
    target = io.BytesIO()
    pictures[0].save(target, "GIF", save_all=True, append_images=pictures[1:])
    return target.getvalue()


def video(seconds: int = 1, codec: str = "libx264") -> bytes:
    """Return an MP4 of ten pictures a second."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream: Any = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for place in range(seconds * 10):
            pixels = np.full((120, 160, 3), place * 5 % 255, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return target.getvalue()


def sound(seconds: int = 1) -> bytes:
    """Return an MP3 of noise."""
    chance = np.random.default_rng(7)
    target = io.BytesIO()
    with av.open(target, "w", format="mp3") as container:
        stream: Any = container.add_stream("libmp3lame", rate=RATE)
        for place in range(seconds):
            wave = chance.integers(-3_000, 3_000, (1, RATE), np.int16)
            frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, place * RATE
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return target.getvalue()


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """Return a tiny PNG that says it is of billions of pixels."""
    head = width.to_bytes(4) + height.to_bytes(4) + b"\x08\x00\x00\x00\x00"
    body = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)
        for kind, data in ((b"IHDR", head), (b"IDAT", body), (b"IEND", b""))
    )
