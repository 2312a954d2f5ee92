"""What is wrong with a text that people wrote, with its place, so that they can mend it."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error stops the submission; a warning is for the writer to judge."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to mend; `position` counts characters from 0."""

    code: str
    severity: Severity
    position: int
    sentence: str


def error(code: str, position: int, sentence: str) -> Finding:
    """Return a finding that stops the submission."""
    return Finding(code, Severity.ERROR, position, sentence)


def warning(code: str, position: int, sentence: str) -> Finding:
    """Return a finding for the writer to judge."""
    return Finding(code, Severity.WARNING, position, sentence)
