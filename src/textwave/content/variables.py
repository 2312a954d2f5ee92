"""Variables of a template: `${name}` for a value of the recipient, `${sp_link}` for a click token.

A text is read once into a template; an unknown or ill-formed variable is refused with its place.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Final

from textwave.kit.refusal import Refusal

TOKEN_PREFIX: Final = "sp_"  # noqa: S105 - how a click token is named in a template
_OPENING: Final = "${"
_match_variable = re.compile(r"\$\{((?!sp_\})[A-Za-z_][A-Za-z0-9_]*)\}").match


@dataclass(eq=False)
class MalformedVariable(Refusal):
    """A `${` starts no variable; `position` counts characters from 0."""

    code: ClassVar[str] = "malformed_variable"
    position: int
    found: str

    @property
    def sentence(self) -> str:
        return (
            f"“{self.found}” at character {self.position + 1} is no variable. Write ${{name}} with "
            "letters, digits and underscores, not starting with a digit."
        )


@dataclass(eq=False)
class UnknownVariable(Refusal):
    """The template names a variable that nothing gives a value to."""

    code: ClassVar[str] = "unknown_variable"
    name: str
    position: int
    known: tuple[str, ...]

    @property
    def sentence(self) -> str:
        choice = f"Known are: {', '.join(self.known)}." if self.known else "None is known here."
        return f"The variable “{self.name}” at character {self.position + 1} is not known. {choice}"


@dataclass(frozen=True, slots=True)
class Variable:
    """One place in a text that a value fills; `position` and `end` count characters from 0."""

    name: str
    position: int
    end: int

    @property
    def is_token(self) -> bool:
        """Tell whether a click token fills it."""
        return self.name.startswith(TOKEN_PREFIX)


@dataclass(frozen=True, slots=True)
class TemplateText:
    """A text in pieces: `literals` around `variables`, one more than these.

    `names` are the names of the values that it takes, each once, in order of appearance; click
    tokens are not among them. `form` is the text for `str.format`: 0 is the token, then `names`.
    """

    text: str
    literals: tuple[str, ...]
    variables: tuple[Variable, ...]
    names: tuple[str, ...]
    form: str = field(repr=False, compare=False)

    @property
    def has_token(self) -> bool:
        """Tell whether the text has a link with a click token."""
        return any(variable.is_token for variable in self.variables)


class WhenMissing(StrEnum):
    """What to do where a recipient has no value for a variable."""

    DEFAULT = "default"
    EMPTY = "empty"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class MissingValue:
    """What one variable does without a value; `default` is its text if that is a default."""

    when_missing: WhenMissing = WhenMissing.DROP
    default: str = ""

    @property
    def text(self) -> str | None:
        """Return what stands in for the value; None drops the recipient."""
        if self.when_missing is WhenMissing.DROP:
            return None
        return self.default if self.when_missing is WhenMissing.DEFAULT else ""


def parse(text: str, known: Collection[str] | None = None) -> TemplateText:
    """Read a template; with `known`, refuse names (also `sp_…`) that are not among these.

    Raises:
        MalformedVariable: a `${` without a name and `}` after it.
        UnknownVariable: a name that is not known.
    """
    variables = tuple(_variables(text))
    if known is not None:
        _refuse_unknown(variables, known)
    starts = [0, *(variable.end for variable in variables)]
    ends = [*(variable.position for variable in variables), len(text)]
    literals = tuple(text[start:end] for start, end in zip(starts, ends, strict=True))
    names = tuple(dict.fromkeys(v.name for v in variables if not v.is_token))
    return TemplateText(text, literals, variables, names, _form(literals, variables, names))


def _variables(text: str) -> "list[Variable]":
    variables: list[Variable] = []
    start = text.find(_OPENING)
    while start >= 0:
        found = _match_variable(text, start)
        if not found:
            raise MalformedVariable(start, _excerpt(text, start))
        variables.append(Variable(found[1], start, found.end()))
        start = text.find(_OPENING, found.end())
    return variables


def _excerpt(text: str, start: int) -> str:
    """Return the ill-formed variable up to its brace, or its first characters."""
    longest_shown = 20
    end = text.find("}", start, start + longest_shown)
    return text[start : end + 1] if end >= 0 else text[start : start + longest_shown]


def _refuse_unknown(variables: tuple[Variable, ...], known: Collection[str]) -> None:
    for variable in variables:
        if variable.name not in known:
            raise UnknownVariable(variable.name, variable.position, tuple(sorted(known)))


def _form(
    literals: tuple[str, ...], variables: tuple[Variable, ...], names: tuple[str, ...]
) -> str:
    places = {name: place for place, name in enumerate(names, start=1)}
    escaped = [literal.replace("{", "{{").replace("}", "}}") for literal in literals]
    slots = [f"{{{places.get(variable.name, 0)}}}" for variable in variables]
    return "".join(piece for pair in zip(escaped, [*slots, ""], strict=True) for piece in pair)
