"""What a digital template is made of, and whether the carriers will take it.

Pure. Each finding says which part it is about and what to do; errors stop the template, warnings
are for its writer. A reviewer may still reject what is found good here.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from textwave.content.lint import Severity, TextRules, lint
from textwave.content.variables import MalformedVariable, parse
from textwave.kit.refusal import Refusal
from textwave.materials.kinds import KILOBYTE, Kind

MOST_PARTS: Final = 9
MOST_VIDEOS: Final = 1
MOST_VARIABLES: Final = 3
LONGEST_VARIABLE: Final = 15
LONGEST_PART: Final = 500
SMALLEST_BYTES: Final = 660 * KILOBYTE
LARGEST_BYTES: Final = 1_900 * KILOBYTE
LONGEST_SIGNATURE: Final = 16
LONGEST_SUBJECT: Final = 20
VIDEO_CODEC: Final = "h264"
_SHOWN: Final = frozenset({Kind.IMAGE, Kind.VIDEO})


@dataclass(frozen=True, slots=True)
class TextPart:
    """A text, which may have variables and short links."""

    text: str


@dataclass(frozen=True, slots=True)
class MaterialPart:
    """An image, a sound or a video of the library, by its name."""

    material: str


Part = TextPart | MaterialPart


@dataclass(frozen=True, slots=True)
class KnownMaterial:
    """What the rules ask of a material."""

    kind: Kind
    size_bytes: int
    codec: str


@dataclass(frozen=True, slots=True)
class PartFinding:
    """One thing to mend; `part` counts from 1, None: the template as a whole."""

    code: str
    severity: Severity
    part: int | None
    sentence: str


@dataclass(eq=False)
class DigitalNotAcceptable(Refusal):
    """A digital template has errors that its review would fail on."""

    code: ClassVar[str] = "digital_not_acceptable"
    findings: list[PartFinding]

    @property
    def sentence(self) -> str:
        return " ".join(finding.sentence for finding in self.findings)


def content_of(parts: Sequence[Part]) -> str:
    """Return all texts, one below the other: what variables and links are looked for in."""
    return "\n".join(part.text for part in parts if isinstance(part, TextPart))


def size_of(parts: Sequence[Part], materials: Mapping[str, KnownMaterial]) -> int:
    """Return the bytes of all parts together."""
    texts = sum(len(part.text.encode()) for part in parts if isinstance(part, TextPart))
    files = [materials[part.material] for part in parts if isinstance(part, MaterialPart)]
    return texts + sum(one.size_bytes for one in files)


def check_parts(
    parts: Sequence[Part], materials: Mapping[str, KnownMaterial], rules: TextRules
) -> list[PartFinding]:
    """Return what is wrong with the parts; `materials` has each that they name."""
    return [*_mix(parts, materials), *_size(parts, materials), *_texts(parts, rules)]


def check_signature(signature: str) -> Iterator[PartFinding]:
    """Yield what carriers do not take of a signature in front of a digital message."""
    if len(signature) > LONGEST_SIGNATURE:
        sentence = (
            f"The signature has {len(signature)} characters; digital messages take "
            f"{LONGEST_SIGNATURE} at most. Choose a shorter one."
        )
        yield _error("signature_too_long", None, sentence)
    if signature.isascii() and any(character.isalpha() for character in signature):
        sentence = (
            "Carriers take no signature in English letters alone for digital messages. Choose one "
            "with Chinese characters."
        )
        yield _error("signature_all_english", None, sentence)


def refuse_errors(findings: Iterable[PartFinding]) -> list[PartFinding]:
    """Return the warnings among findings.

    Raises:
        DigitalNotAcceptable: some are errors.
    """
    found = list(findings)
    if errors := [finding for finding in found if finding.severity is Severity.ERROR]:
        raise DigitalNotAcceptable(errors)
    return found


def _mix(parts: Sequence[Part], materials: Mapping[str, KnownMaterial]) -> Iterator[PartFinding]:
    kinds = [None if isinstance(one, TextPart) else materials[one.material].kind for one in parts]
    if len(parts) > MOST_PARTS:
        sentence = f"It has {len(parts)} parts; carriers take {MOST_PARTS} at most. Take some out."
        yield _error("too_many_parts", MOST_PARTS + 1, sentence)
    if None not in kinds:
        yield _error("no_text", None, "It has no text. Add a text part that says what it is about.")
    if not _SHOWN & set(kinds):
        sentence = "It has neither an image nor a video. Add one, or send a text campaign."
        yield _error("nothing_to_see", None, sentence)
    videos = [place for place, kind in enumerate(kinds, start=1) if kind is Kind.VIDEO]
    if len(videos) > MOST_VIDEOS:
        sentence = f"Part {videos[1]} is a second video; only one is allowed. Take it out."
        yield _error("two_videos", videos[1], sentence)
    for place in videos:
        codec = materials[_name(parts[place - 1])].codec
        if codec != VIDEO_CODEC:
            sentence = (
                f"Part {place} is a video coded as {codec or 'something unknown'}; phones and "
                "carriers want H.264. Export it again as MP4 with H.264."
            )
            yield _error("video_codec", place, sentence)


def _name(part: Part) -> str:
    return part.material if isinstance(part, MaterialPart) else ""


def _size(parts: Sequence[Part], materials: Mapping[str, KnownMaterial]) -> Iterator[PartFinding]:
    size = size_of(parts, materials)
    if size > LARGEST_BYTES:
        sizes = [size_of([part], materials) for part in parts]
        largest = sizes.index(max(sizes)) + 1
        sentence = (
            f"All parts together have {_kilobytes(size)} KB; {LARGEST_BYTES // KILOBYTE:,} KB is "
            f"the most. Make part {largest} smaller, the largest with {_kilobytes(max(sizes))} KB."
        )
        yield _error("too_large", largest, sentence)
    elif size <= SMALLEST_BYTES:
        sentence = (
            f"All parts together have {_kilobytes(size)} KB. Carriers may send back less than "
            f"{SMALLEST_BYTES // KILOBYTE} KB; use an image or a video of better quality."
        )
        yield PartFinding("small", Severity.WARNING, None, sentence)


def _kilobytes(size: int) -> str:
    return f"{-(-size // KILOBYTE):,}"


def _texts(parts: Sequence[Part], rules: TextRules) -> Iterator[PartFinding]:
    seen: dict[str, int] = {}
    strict = replace(rules, most_variables=MOST_VARIABLES, longest=LONGEST_PART)
    for place, part in enumerate(parts, start=1):
        if not isinstance(part, TextPart):
            continue
        for finding in lint(part.text, strict):
            sentence = f"Part {place}: {finding.sentence}"
            yield PartFinding(finding.code, finding.severity, place, sentence)
        yield from _variables(part.text, place, seen)


def _variables(text: str, place: int, seen: dict[str, int]) -> Iterator[PartFinding]:
    try:
        names = dict.fromkeys(variable.name for variable in parse(text).variables)
    except MalformedVariable:
        return  # found by the linter
    for name in names:
        if name in seen:
            sentence = (
                f"Part {place}: the variable “{name}” is in part {seen[name]} already. Give it "
                "another name here."
            )
            yield _error("variable_repeated", place, sentence)
        if len(name) > LONGEST_VARIABLE or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            sentence = (
                f"Part {place}: the variable “{name}” is too long; {LONGEST_VARIABLE} characters "
                "are the most."
            )
            yield _error("variable_too_long", place, sentence)
        seen.setdefault(name, place)


def _error(code: str, part: int | None, sentence: str) -> PartFinding:
    return PartFinding(code, Severity.ERROR, part, sentence)
