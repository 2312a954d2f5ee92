"""What a file is, by its content alone."""

import asyncio
import io
import random
import threading
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.materials.files import animation, bomb, picture, sound, video
from textwave.materials.examination import examine
from textwave.materials.examining import examined
from textwave.materials.extent import extent, suffix_of
from textwave.materials.kinds import (
    COMPRESSED_ABOVE_BYTES,
    MEGABYTE,
    Kind,
    MaterialNotAcceptable,
)

PNG, JPG, GIF = picture("PNG"), picture("JPEG", noisy=True), animation(3)
MP4, MP3 = video(2), sound(3)
WHOLE = {"png": PNG, "jpg": JPG, "gif": GIF, "mp4": MP4, "mp3": MP3}


@pytest.mark.parametrize("suffix", WHOLE)
def test_a_file_is_what_its_content_says_and_stays_as_it_is(suffix: str) -> None:
    found = examine(WHOLE[suffix])
    assert (found.suffix, found.original_suffix) == (suffix, suffix)
    assert found.content == WHOLE[suffix]


def test_a_picture_says_its_size_and_an_animation_its_frames() -> None:
    still, moving = examine(PNG), examine(GIF)
    assert (still.kind, still.width, still.height, still.frames) == (Kind.IMAGE, 100, 80, 1)
    assert (moving.width, moving.height, moving.frames) == (40, 30, 3)


def test_a_video_says_its_length_its_size_and_its_codec() -> None:
    found = examine(MP4)
    assert (found.kind, found.codec, found.width, found.height) == (Kind.VIDEO, "h264", 160, 120)
    assert found.milliseconds == 2_000


def test_a_sound_of_a_minute_is_taken_and_a_longer_one_refused() -> None:
    assert examine(sound(60)).milliseconds == pytest.approx(60_000, abs=100)
    with pytest.raises(MaterialNotAcceptable, match=r"plays 61\.\d seconds; 60 is the most"):
        examine(sound(61))


@pytest.mark.parametrize("content", [PNG, JPG, GIF, MP4])
def test_what_can_be_seen_has_a_thumbnail(content: bytes) -> None:
    thumbnail = examine(content).thumbnail
    assert thumbnail is not None
    with Image.open(io.BytesIO(thumbnail)) as small:
        assert small.format == "JPEG"
        assert max(small.size) <= 320


def test_a_bitmap_becomes_a_png() -> None:
    found = examine(picture("BMP"))
    assert (found.suffix, found.original_suffix) == ("png", "bmp")
    assert suffix_of(found.content) == "png"


@pytest.mark.parametrize(("form", "size"), [("PNG", (1_200, 900)), ("JPEG", (2_400, 1_800))])
def test_a_large_picture_is_made_smaller(form: str, size: tuple[int, int]) -> None:
    large = picture(form, *size, noisy=True)
    assert len(large) > COMPRESSED_ABOVE_BYTES
    found = examine(large)
    assert len(found.content) <= COMPRESSED_ABOVE_BYTES
    with Image.open(io.BytesIO(found.content)) as small:
        assert small.size == (found.width, found.height)
        assert small.width / small.height == pytest.approx(size[0] / size[1], rel=0.01)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"plain text",
        b"%PDF-1.7 and so on",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"RIFF\x10\0\0\0WEBPVP8 ",
        b"PK\x03\x04" + b"\0" * 40,
    ],
)
def test_other_files_are_refused_whatever_their_name(content: bytes) -> None:
    with pytest.raises(MaterialNotAcceptable, match="whatever its name says"):
        examine(content)


@pytest.mark.parametrize("suffix", WHOLE)
@pytest.mark.parametrize("kept", [0.3, 0.95])
def test_a_file_that_was_cut_off_is_refused(suffix: str, kept: float) -> None:
    whole = WHOLE[suffix]
    if suffix == "mp3":  # whole frames of a sound are a sound
        return
    with pytest.raises(MaterialNotAcceptable, match="damaged or cut off"):
        examine(whole[: int(len(whole) * kept)])


@pytest.mark.parametrize("suffix", WHOLE)
def test_what_hangs_on_behind_the_end_is_cut_off(suffix: str) -> None:
    hidden = io.BytesIO()
    with zipfile.ZipFile(hidden, "w") as archive:
        archive.writestr("page.html", "<script>alert(1)</script>")
    found = examine(WHOLE[suffix] + hidden.getvalue())
    assert found.content == WHOLE[suffix]


@pytest.mark.parametrize("suffix", WHOLE)
def test_the_end_of_a_file_is_found_wherever_it_is(suffix: str) -> None:
    whole = WHOLE[suffix]
    assert extent(whole, suffix) == len(whole)


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(MaterialNotAcceptable, match=r"60,000 x 60,000 pixels; at most 40,000,000"):
        examine(bomb())


def test_a_picture_whose_rows_are_missing_is_refused() -> None:
    with pytest.raises(MaterialNotAcceptable, match="damaged or cut off"):
        examine(bomb(5_000, 5_000))


def test_a_file_above_the_limit_of_its_kind_is_refused() -> None:
    with pytest.raises(MaterialNotAcceptable, match="larger than 2 MB, the most for audio"):
        examine(MP3 + b"\0" * 2 * MEGABYTE)


async def test_the_process_apart_says_the_same() -> None:
    found, expected = await examined(GIF), examine(GIF)
    assert found == expected
    with pytest.raises(MaterialNotAcceptable, match="whatever its name says"):
        await examined(b"plain text")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.integers(0, 2**32))
def test_a_damaged_file_is_refused_or_whole_and_never_an_error(suffix: str, seed: int) -> None:
    chance = random.Random(seed)
    damaged = bytearray(WHOLE[suffix])
    for _ in range(chance.randint(1, 20)):
        damaged[chance.randrange(8, len(damaged))] = chance.randrange(256)
    try:
        found = examine(bytes(damaged))
    except MaterialNotAcceptable:
        return
    assert found.content == bytes(damaged)[: len(found.content)]


async def test_files_that_wait_to_be_examined_take_no_thread_from_other_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = threading.Event()

    def hang(_content: bytes) -> None:
        done.wait(10)

    monkeypatch.setattr("textwave.materials.examining._ask", hang)
    waiting = [asyncio.create_task(examined(b"a file")) for _ in range(64)]
    try:
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "done"), 5) == "done"
    finally:
        done.set()
        await asyncio.gather(*waiting)
