"""What a campaign is made of before it starts, and the checks that need no database.

Refuses a draft whose variables have no source, whose sources are no columns, or whose parts are
not ready; each refusal says what to do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from textwave.campaigns.effort import Effort
from textwave.campaigns.shares import Shares
from textwave.campaigns.timing import Timing
from textwave.content.variables import MissingValue, WhenMissing
from textwave.kit.refusal import InvalidValue, Refusal
from textwave.limits.quiet import WhenQuiet
from textwave.plans.plan import VariableSource

_LONGEST_NAME = 100
_LONGEST_DEFAULT = 100


@dataclass(frozen=True, slots=True)
class CampaignDraft:
    """A campaign as the marketer gives it: everything by name.

    `variables`: for each variable of the template its `column`, and under `missing` what happens
    without a value: `default` (with `default`), `empty` or `drop`. `numbers`: which of a customer's
    numbers get the text: `first`, `latest` or `all`. With variants `template` is the first one's.
    `quiet`: whether messages wait or are dropped while their recipients must be left alone.
    `effort`: its priority, and how much may fail before it pauses itself. `content`: a text of its
    own, which becomes a template named after the campaign; empty: that of `template`.
    """

    name: str
    type: str
    platform: str
    signature: str
    template: str
    audience: str
    variables: Mapping[str, Mapping[str, str]] = field(default_factory=dict[str, dict[str, str]])
    numbers: str = "first"
    timing: Timing = field(default_factory=Timing)
    shares: Shares = field(default_factory=Shares)
    quiet: WhenQuiet = WhenQuiet.WAIT
    effort: Effort = field(default_factory=Effort)
    content: str = ""


@dataclass(eq=False)
class VariableWithoutSource(Refusal):
    """Nothing says where a variable of the template comes from."""

    code: ClassVar[str] = "variable_without_source"
    variable: str
    columns: list[str]

    @property
    def sentence(self) -> str:
        return (
            f"The template's variable “{self.variable}” has no column. Name one of: "
            f"{', '.join(self.columns)}."
        )


@dataclass(eq=False)
class SourceNotInTemplate(Refusal):
    """A source is given for a variable that the template does not have."""

    code: ClassVar[str] = "source_not_in_template"
    variable: str
    known: list[str]

    @property
    def sentence(self) -> str:
        known = f"It has: {', '.join(self.known)}." if self.known else "It has no variables."
        return f"The template has no variable “{self.variable}”. {known}"


@dataclass(eq=False)
class ColumnUnknown(Refusal):
    """The audience's table has no such column."""

    code: ClassVar[str] = "column_unknown"
    column: str
    table: str
    known: list[str]

    @property
    def sentence(self) -> str:
        return (
            f"The table “{self.table}” has no column “{self.column}”. It has: "
            f"{', '.join(self.known)}."
        )


@dataclass(eq=False)
class TypeDiffers(Refusal):
    """The template is for messages of another type."""

    code: ClassVar[str] = "type_differs"
    campaign_type: str
    template_type: str

    @property
    def sentence(self) -> str:
        return (
            f"The template is for {self.template_type} messages and the campaign is "
            f"{self.campaign_type}. Choose a template of the campaign's type."
        )


@dataclass(eq=False)
class NotReadyToStart(Refusal):
    """A part of the campaign is not ready."""

    code: ClassVar[str] = "not_ready_to_start"
    part: str
    name: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"The {self.part} “{self.name}” {self.problem}"


def check_name(name: str) -> None:
    """Accept a campaign's name: one line of 1-100 characters."""
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        problem = f"use 1-{_LONGEST_NAME} printable characters on one line."
        raise InvalidValue("name", problem)


def check_sources(
    names: Sequence[str],
    variables: Mapping[str, Mapping[str, str]],
    table: str,
    columns: Sequence[Mapping[str, Any]],
) -> None:
    """Accept sources that give each of the templates' variables a column of the table.

    Raises:
        VariableWithoutSource, SourceNotInTemplate, ColumnUnknown, InvalidValue.
    """
    known = [str(column["name"]) for column in columns]
    for name in variables:
        if name not in names:
            raise SourceNotInTemplate(name, list(names))
    for name in names:
        if not variables.get(name, {}).get("column"):
            raise VariableWithoutSource(name, known)
    for source in read_sources(variables).values():
        if source.column not in known:
            raise ColumnUnknown(source.column, table, known)


def read_sources(variables: Mapping[str, Mapping[str, str]]) -> dict[str, VariableSource]:
    """Read the kept form of sources.

    Raises:
        InvalidValue: what to do without a value is not one of default, empty, drop.
    """
    return {name: _source(name, given) for name, given in variables.items()}


def _source(name: str, given: Mapping[str, str]) -> VariableSource:
    missing = given.get("missing", WhenMissing.DROP)
    if missing not in list(WhenMissing):
        choices = ", ".join(WhenMissing)
        raise InvalidValue(f"variables.{name}.missing", f"“{missing}” is none of: {choices}.")
    default = given.get("default", "")
    if missing == WhenMissing.DEFAULT and not default.strip():
        raise InvalidValue(f"variables.{name}.default", "is empty. Write the default, or “empty”.")
    if len(default) > _LONGEST_DEFAULT:
        raise InvalidValue(
            f"variables.{name}.default", f"has more than {_LONGEST_DEFAULT} characters."
        )
    return VariableSource(given["column"], MissingValue(WhenMissing(missing), default))
