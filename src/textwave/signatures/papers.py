"""The papers that a new signature is created with, where a platform takes them.

They are filed at the platform before (qualifications, letters, records) and named by number here.
Pure. Refused are papers that do not fit together, and names that no reviewer there would pass.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from textwave.connections.accounts import PlatformKind
from textwave.kit.findings import Finding, error
from textwave.kit.refusal import InvalidValue
from textwave.kit.typed import check_characters
from textwave.platforms.contract import SignatureSubmission
from textwave.signatures.wording import SignatureNotAcceptable, check_signature

CREATING: Final = frozenset({PlatformKind.ALIYUN})
"""Kinds of platforms that take new signatures with papers by a call."""

KEPT_WHILE_REVIEWED: Final = frozenset({PlatformKind.ALIYUN})
"""Kinds of platforms that delete nothing which they have under review."""

SHORTEST_NAME: Final = 2
LONGEST_NAME: Final = 12
REMARK_MAX: Final = 200
SCENE_MAX: Final = 500
_NUMBER_MAX: Final = 2**63 - 1
_test = re.compile("测试|test", re.IGNORECASE)
_punctuation = re.compile("[,.，。、]")


class Source(StrEnum):
    """What the name is: the enterprise's own, a trademark's or an app's."""

    ENTERPRISE = "enterprise"
    TRADEMARK = "trademark"
    APP = "app"


@dataclass(frozen=True, slots=True)
class Papers:
    """What proves that somebody may speak under a name.

    A letter of authorization is for somebody else's name; a trademark's and an app record's number
    are for those sources.
    """

    source: Source
    qualification_id: int
    remark: str = ""
    scene: str = ""
    authorization_letter_id: int | None = None
    trademark_id: int | None = None
    app_record_id: int | None = None

    def __post_init__(self) -> None:
        """Take the source of a kept row as what it stands for."""
        object.__setattr__(self, "source", Source(self.source))


def check_papers(name: str, papers: Papers) -> None:
    """Accept a name and papers that can go to review.

    Raises:
        SignatureNotAcceptable: the name would be sent back.
        InvalidValue: a paper is missing, or there is one that does not belong.
    """
    check_signature(name)
    if findings := list(_name(name)):
        raise SignatureNotAcceptable(name, findings)
    _check_number("qualification_id", papers.qualification_id)
    if papers.authorization_letter_id is not None:
        _check_number("authorization_letter_id", papers.authorization_letter_id)
    _check_belongs("trademark_id", papers.trademark_id, papers.source, Source.TRADEMARK)
    _check_belongs("app_record_id", papers.app_record_id, papers.source, Source.APP)
    _check_text("remark", papers.remark, REMARK_MAX)
    _check_text("scene", papers.scene, SCENE_MAX)


def submission_of(name: str, papers: Papers) -> SignatureSubmission:
    """Return the signature as its platform takes it."""
    return SignatureSubmission(
        name=name,
        source=str(papers.source),
        qualification_id=papers.qualification_id,
        remark=papers.remark,
        scene=papers.scene,
        authorization_letter_id=papers.authorization_letter_id,
        trademark_id=papers.trademark_id,
        app_record_id=papers.app_record_id,
    )


def _name(name: str) -> Iterator[Finding]:
    if not SHORTEST_NAME <= len(name) <= LONGEST_NAME:
        limits = f"{SHORTEST_NAME} to {LONGEST_NAME}"
        sentence = f"The signature has {len(name)} characters; a new one has {limits}."
        yield error("signature_length", min(len(name), LONGEST_NAME), sentence)
    if found := _test.search(name):
        sentence = f"No signature with “{found[0]}” is approved. Write who really speaks."
        yield error("signature_for_tests", found.start(), sentence)
    if found := _punctuation.search(name):
        sentence = f"A new signature has no “{found[0]}”. Take it out."
        yield error("signature_punctuation", found.start(), sentence)


def _check_number(place: str, number: int) -> None:
    if not 1 <= number <= _NUMBER_MAX:
        raise InvalidValue(place, "give the number that the platform's console shows.")


def _check_belongs(place: str, number: int | None, source: Source, belongs_to: Source) -> None:
    if source is belongs_to and number is None:
        raise InvalidValue(place, f"is needed when the source is {belongs_to}.")
    if source is not belongs_to and number is not None:
        problem = f"belongs to the source {belongs_to} alone; the source is {source}."
        raise InvalidValue(place, problem)
    if number is not None:
        _check_number(place, number)


def _check_text(place: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise InvalidValue(place, f"has {len(text)} characters; at most {longest} are allowed.")
    check_characters(place, text, allowed="\n")
