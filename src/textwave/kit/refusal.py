"""The base of every refusal: a fact that stops an operation, said so that the reader can act.

A refusal is defined where it is raised, named as a fact, and knows nothing of HTTP; the table
that maps codes to statuses is in `textwave.api.problems`.
"""

from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, ClassVar


class Refusal(Exception):
    """Base class. Subclasses are `@dataclass(eq=False)` with a `code` and a `sentence`."""

    code: ClassVar[str] = "refused"

    @property
    def sentence(self) -> str:
        """Say what is the case and what to do about it, in one or two sentences."""
        raise NotImplementedError

    @property
    def fields(self) -> dict[str, Any]:
        """Return the typed facts, for programs."""
        return asdict(self) if is_dataclass(self) else {}

    def __str__(self) -> str:
        return self.sentence


@dataclass(eq=False)
class NotFound(Refusal):
    """Nothing of that kind and name exists in this workspace."""

    code: ClassVar[str] = "not_found"
    kind: str
    name: str

    @property
    def sentence(self) -> str:
        where = "organization" if self.kind == "workspace" else "workspace"
        return f"There is no {self.kind} “{self.name}” in this {where}."


@dataclass(eq=False)
class AlreadyExists(Refusal):
    """The name is taken in this workspace."""

    code: ClassVar[str] = "already_exists"
    kind: str
    name: str

    @property
    def sentence(self) -> str:
        article = "An" if self.kind[0] in "aeio" else "A"
        return (
            f"{article} {self.kind} named “{self.name}” exists already in this workspace. "
            "Choose another name."
        )


@dataclass(eq=False)
class InvalidValue(Refusal):
    """A value from outside does not fit; `place` says where it stands."""

    code: ClassVar[str] = "invalid_value"
    place: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"{self.place}: {self.problem}"
