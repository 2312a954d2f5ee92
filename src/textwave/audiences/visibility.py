"""Who sees and changes an audience.

A public one is seen, copied and used by everybody of the workspace; a private one by its maker and
by administrators, and to others it is not there. Either is changed by its maker and administrators.
"""

from dataclasses import dataclass
from typing import ClassVar

from textwave.kit.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who asks for audiences, by the name that audiences are made under."""

    name: str
    is_administrator: bool = True

    @property
    def bound_name(self) -> str | None:
        """The name of somebody who does not see everything; None: sees everything."""
        return None if self.is_administrator else self.name

    def may_change(self, created_by: str) -> bool:
        """Tell whether the viewer may change an audience that is seen."""
        return self.is_administrator or created_by == self.name


SEES_ALL = Viewer("", is_administrator=True)
"""For jobs, which act for nobody."""


@dataclass(eq=False)
class AudienceOfAnother(Refusal):
    """A public audience can be changed by its maker and administrators only."""

    code: ClassVar[str] = "audience_of_another"
    audience: str
    created_by: str

    @property
    def sentence(self) -> str:
        return (
            f"The audience “{self.audience}” was made by “{self.created_by}”; only they and "
            "administrators change it. Copy it and change the copy."
        )
