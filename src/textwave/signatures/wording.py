"""How a signature is typed: without brackets, white space or more than its platform takes.

Pure; a platform's reviewer still decides.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final

from textwave.kit.findings import Finding, error
from textwave.kit.refusal import Refusal

LONGEST_SIGNATURE: Final = 18
_signature_brackets = re.compile(r"[【】\[\]()（）［］]")
_signature_blank = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060\ufeff]")


@dataclass(eq=False)
class SignatureNotAcceptable(Refusal):
    """A signature cannot be used as it was typed."""

    code: ClassVar[str] = "signature_not_acceptable"
    signature: str
    findings: list[Finding]

    @property
    def sentence(self) -> str:
        return " ".join(finding.sentence for finding in self.findings)


def check_signature(text: str) -> None:
    """Accept a signature typed without brackets.

    Raises:
        SignatureNotAcceptable: brackets, white space, nothing, or more than 18 characters.
    """
    if findings := list(_signature(text)):
        raise SignatureNotAcceptable(text, findings)


def _signature(text: str) -> Iterator[Finding]:
    if not text:
        yield error("signature_empty", 0, "The signature is empty. Type who is speaking.")
    if found := _signature_brackets.search(text):
        sentence = "Type the signature without brackets, they are added when sending."
        yield error("signature_brackets", found.start(), sentence)
    if found := _signature_blank.search(text):
        sentence = "A signature has no spaces, line breaks or invisible characters. Take them out."
        yield error("signature_white_space", found.start(), sentence)
    if len(text) > LONGEST_SIGNATURE:
        sentence = f"The signature has {len(text)} characters; at most {LONGEST_SIGNATURE} fit."
        yield error("signature_too_long", LONGEST_SIGNATURE, sentence)
