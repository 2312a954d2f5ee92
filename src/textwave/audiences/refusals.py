"""Why a rule does not fit what the workspace has: each with its place and what would be right."""

from dataclasses import dataclass
from typing import ClassVar, Final

from textwave.audiences.rule import Value
from textwave.kit.refusal import Refusal

_MOST_SHOWN: Final = 60


@dataclass(eq=False)
class TableUnknown(Refusal):
    """The rule names a table that the workspace does not have as that kind."""

    code: ClassVar[str] = "rule_table_unknown"
    place: str
    table: str
    kind: str
    known: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return (
            f"{self.place}: “{self.table}” is no table of {self.kind} in this workspace. "
            f"{_choice(self.known, 'Import one first.')}"
        )


@dataclass(eq=False)
class ColumnUnknown(Refusal):
    """The rule names a column that the table does not have, or not of the type that is needed."""

    code: ClassVar[str] = "rule_column_unknown"
    place: str
    table: str
    column: str
    needed: str
    known: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return (
            f"{self.place}: “{self.column}” is no {self.needed} of the table “{self.table}”. "
            f"{_choice(self.known, 'The table has none; import it with one.')}"
        )


@dataclass(eq=False)
class ColumnMissing(Refusal):
    """The rule needs a column that is neither named nor declared for the table."""

    code: ClassVar[str] = "rule_column_missing"
    place: str
    table: str
    needed: str
    known: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return (
            f"{self.place}: this needs a {self.needed} of the table “{self.table}”, and none is "
            f"named or declared. {_choice(self.known, 'The table has none; import it with one.')}"
        )


@dataclass(eq=False)
class OperatorUnfit(Refusal):
    """The operator is not one that this column or measure takes."""

    code: ClassVar[str] = "rule_operator_unfit"
    place: str
    operator: str
    subject: str
    known: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return (
            f"{self.place}: “{self.operator}” cannot be asked of {self.subject}. "
            f"{_choice(self.known, '')}"
        )


@dataclass(eq=False)
class ValueUnfit(Refusal):
    """The value is not what the operator needs here."""

    code: ClassVar[str] = "rule_value_unfit"
    place: str
    given: str
    needed: str

    @property
    def sentence(self) -> str:
        return f"{self.place}: {self.given} was given; needed is {self.needed}."


@dataclass(eq=False)
class ReferenceUnknown(Refusal):
    """The rule names an audience, a model, a list or a campaign that does not exist."""

    code: ClassVar[str] = "rule_reference_unknown"
    place: str
    what: str
    name: str
    known: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return (
            f"{self.place}: there is no {self.what} “{self.name}” in this workspace. "
            f"{_choice(self.known, 'Make one first.')}"
        )


@dataclass(eq=False)
class NotComputed(Refusal):
    """The rule names an audience or a model that has not been computed yet."""

    code: ClassVar[str] = "rule_not_computed"
    place: str
    what: str
    name: str

    @property
    def sentence(self) -> str:
        return (
            f"{self.place}: the {self.what} “{self.name}” has not been computed yet. "
            "Refresh it first."
        )


@dataclass(eq=False)
class DayNotLabelled(Refusal):
    """The rule asks for a day on which the AIPL model labelled nobody."""

    code: ClassVar[str] = "rule_day_not_labelled"
    place: str
    model: str
    day: str
    known: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return (
            f"{self.place}: the AIPL model “{self.model}” has no labels of {self.day}. Ask for a "
            f"labelled day, or label this one. {_choice(self.known, '')}"
        )


@dataclass(eq=False)
class IdTypeMissing(Refusal):
    """What the rule names is known by ids of a type that the customer table does not have."""

    code: ClassVar[str] = "rule_id_type_missing"
    place: str
    subject: str
    id_type: str
    table: str
    known: tuple[str, ...]
    encrypted: bool = False

    @property
    def sentence(self) -> str:
        if self.encrypted:
            return (
                f"{self.place}: {self.subject} holds mobile numbers, and those of the table "
                f"“{self.table}” are encrypted: they are decrypted only while a campaign is "
                "planned. Join the two by another id."
            )
        return (
            f"{self.place}: {self.subject} holds ids of the type “{self.id_type}”, and the table "
            f"“{self.table}” declares no column of this type. Declare one when you import it. "
            f"{_choice(self.known, '')}"
        ).rstrip()


def _choice(known: tuple[str, ...], otherwise: str) -> str:
    if not known:
        return otherwise
    more = f" and {len(known) - _MOST_SHOWN} more" if len(known) > _MOST_SHOWN else ""
    return f"There are: {', '.join(known[:_MOST_SHOWN])}{more}."


def shown(value: Value | None) -> str:
    """Say what was given as a value."""
    if value is None:
        return "no value"
    if isinstance(value, tuple):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return f"the text “{value[:_MOST_SHOWN]}”"
    return f"the number {value:g}"
