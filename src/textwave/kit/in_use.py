"""The refusal to take away what a campaign under way needs."""

from dataclasses import dataclass
from typing import ClassVar

from textwave.kit.refusal import Refusal


@dataclass(eq=False)
class InUse(Refusal):
    """A campaign under way needs what was to be deleted."""

    code: ClassVar[str] = "in_use"
    kind: str
    name: str
    campaign: str

    @property
    def sentence(self) -> str:
        return (
            f"The {self.kind} “{self.name}” is used by the campaign “{self.campaign}”. Wait until "
            "that is completed, or cancel it."
        )
