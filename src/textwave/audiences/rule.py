"""The rule of an audience as a tree of immutable values, read from JSON and written to JSON.

This module knows the form of a rule: kinds, fields, depth, number of nodes. Whether its columns
exist and its operators fit is the business of `check`. Refused: what is no rule, with its place.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final, Literal, cast, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import ErrorDetails

from textwave.kit.refusal import Refusal

MAX_DEPTH: Final = 20
MAX_NODES: Final = 500
MAX_VALUES: Final = 2_000
MAX_VALUES_IN_RULE: Final = 20_000
MAX_TEXT_CHARACTERS: Final = 1_000
MAX_DAYS: Final = 3_660
MAX_NUMBER: Final = 10**15
MAX_SCORE: Final = 1_000
MAX_REASONS: Final = 100
_UNFIT_TYPES: Final = frozenset({"string_type", "int_type", "float_type", "tuple_type"})


class Operator(StrEnum):
    """How a value is compared. Which operators a column takes depends on its type."""

    IS = "is"
    IS_NOT = "is_not"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    NOT_CONTAINS = "not_contains"
    STARTS_WITH = "starts_with"
    NOT_STARTS_WITH = "not_starts_with"
    ENDS_WITH = "ends_with"
    NOT_ENDS_WITH = "not_ends_with"
    LESS_THAN = "less_than"
    AT_MOST = "at_most"
    MORE_THAN = "more_than"
    AT_LEAST = "at_least"
    BETWEEN = "between"
    NOT_BETWEEN = "not_between"
    BEFORE = "before"
    ON_OR_AFTER = "on_or_after"
    IN_LAST_DAYS = "in_last_days"
    NOT_IN_LAST_DAYS = "not_in_last_days"
    IN_NEXT_DAYS = "in_next_days"
    IN_CURRENT = "in_current"
    IN_PREVIOUS = "in_previous"
    ANNIVERSARY_IN_NEXT_DAYS = "anniversary_in_next_days"
    ANY_OF = "any_of"
    ALL_OF = "all_of"
    NONE_OF = "none_of"
    EMPTY = "empty"
    NOT_EMPTY = "not_empty"


class Measure(StrEnum):
    """What is computed over a customer's matching rows."""

    COUNT = "count"
    SUM = "sum"
    AVERAGE = "average"
    MINIMUM = "minimum"
    MAXIMUM = "maximum"
    DISTINCT = "distinct"
    FIRST = "first"
    LAST = "last"


class Period(StrEnum):
    """A stretch of the workspace's calendar; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class Stage(StrEnum):
    """A stage of an AIPL model, or none of them."""

    AWARE = "aware"
    INTERESTED = "interested"
    PURCHASED = "purchased"
    LOYAL = "loyal"
    NONE = "none"


class Outcome(StrEnum):
    """What came of a campaign's message to a customer."""

    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    WAITING = "waiting"
    CLICKED = "clicked"
    REPLIED = "replied"
    OPTED_OUT = "opted_out"
    DROPPED = "dropped"


def _storable_number(number: float) -> float:
    if not math.isfinite(number) or abs(number) > MAX_NUMBER:
        raise ValueError(f"numbers lie between -{MAX_NUMBER:,} and {MAX_NUMBER:,}")
    return number


def _storable_text(text: str) -> str:
    if "\0" in text:
        raise ValueError("a text cannot hold the character U+0000")
    return text


Text = Annotated[str, Field(max_length=MAX_TEXT_CHARACTERS), AfterValidator(_storable_text)]
Number = Annotated[StrictInt | StrictFloat, AfterValidator(_storable_number)]
Scalar = Text | Number
Value = Scalar | tuple[Scalar, ...]
Days = Annotated[StrictInt, Field(ge=1, le=MAX_DAYS)]
Score = Annotated[StrictInt, Field(ge=0, le=MAX_SCORE)]
RfmType = Annotated[str, Field(pattern="^[HL]{3}$")]
"""High or low recency, frequency and monetary value, in this order."""
LabelledStage = Literal[Stage.AWARE, Stage.INTERESTED, Stage.PURCHASED, Stage.LOYAL]


class _Node(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True)


class All(_Node):
    """Every one of the rules holds. With none, it is every customer of the table."""

    kind: Literal["all"] = "all"
    of: tuple["Rule", ...]


class AnyOf(_Node):
    """At least one of the rules holds."""

    kind: Literal["any"] = "any"
    of: Annotated[tuple["Rule", ...], Field(min_length=1)]


class Not(_Node):
    """The rule does not hold: exactly the customers that it does not select."""

    kind: Literal["not"] = "not"
    of: "Rule"


class Minus(_Node):
    """The first rule holds, and none of the others."""

    kind: Literal["minus"] = "minus"
    of: Annotated[tuple["Rule", ...], Field(min_length=2)]


class Attribute(_Node):
    """A column compared with a value, a list of values, a pair, or nothing (empty, not_empty).

    The column is the customer table's, or that of `table`: another one with a row a customer.
    """

    kind: Literal["attribute"] = "attribute"
    table: Text | None = None
    column: Text
    operator: Operator
    value: Value | None = None


class LastDays(_Node):
    """Today and so many days before it, in the workspace's time zone."""

    last_days: Days


class Span(_Node):
    """From a time (included) until a time (excluded); one of them may be left out."""

    from_: Annotated[Text | None, Field(alias="from")] = None
    until: Text | None = None


class _Occurrences(_Node):
    """The customer has rows in a table, and a measure over them compares as said.

    Without operator and value: at least one row. `did` false: exactly the customers for whom that
    is not so. Rows count when all of `where` hold and their time lies `within`.
    """

    table: Text
    did: StrictBool = True
    where: tuple[Attribute, ...] = ()
    within: LastDays | Span | None = None
    measure: Measure = Measure.COUNT
    column: Text | None = None
    operator: Operator | None = None
    value: Value | None = None


class _Repeatable(_Occurrences):
    """With `again_within_days`, only rows count that another row follows so soon (24 h a day)."""

    again_within_days: Days | None = None


class Orders(_Repeatable):
    """Rows of a table of orders; a measure is over the amount unless a column is named."""

    kind: Literal["orders"] = "orders"


class Behaviours(_Repeatable):
    """Rows of a table of behaviours."""

    kind: Literal["behaviours"] = "behaviours"


class Metrics(_Occurrences):
    """Rows of a table of metrics, as a rule their sum."""

    kind: Literal["metrics"] = "metrics"
    measure: Measure = Measure.SUM


class InAudience(_Node):
    """Members of the newest snapshot of an audience."""

    kind: Literal["audience"] = "audience"
    audience: Text


class Rfm(_Node):
    """Customers of these types and within these scores (both ends included) of an RFM model."""

    kind: Literal["rfm"] = "rfm"
    model: Text
    types: Annotated[tuple[RfmType, ...] | None, Field(min_length=1, max_length=8)] = None
    recency: tuple[Score, Score] | None = None
    frequency: tuple[Score, Score] | None = None
    monetary: tuple[Score, Score] | None = None


class Aipl(_Node):
    """Customers in one of these stages of an AIPL model, on the newest labelled day or another."""

    kind: Literal["aipl"] = "aipl"
    model: Text
    stages: Annotated[tuple[LabelledStage, ...], Field(min_length=1, max_length=4)]
    day: Text | None = None


class AiplFlow(_Node):
    """Customers who were in one of these stages on a day and in one of those on a later day."""

    kind: Literal["aipl_flow"] = "aipl_flow"
    model: Text
    from_: Annotated[Text, Field(alias="from")]
    until: Text
    was: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=5)]
    became: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=5)]


class InCampaign(_Node):
    """Customers for whom a campaign had this outcome, perhaps only for these reasons."""

    kind: Literal["campaign"] = "campaign"
    campaign: Text
    outcome: Outcome
    reasons: Annotated[tuple[Text, ...] | None, Field(min_length=1, max_length=MAX_REASONS)] = None


class InList(_Node):
    """People of an uploaded list."""

    kind: Literal["list"] = "list"
    list: Text


Occurrences = Orders | Behaviours | Metrics
"""What a customer did or did not do."""

Joined = All | AnyOf | Minus
"""Several rules made one."""

_Kind = (
    Joined
    | Not
    | Attribute
    | Occurrences
    | InAudience
    | Rfm
    | Aipl
    | AiplFlow
    | InCampaign
    | InList
)
Rule = Annotated[_Kind, Field(discriminator="kind")]
"""One node of the tree, told apart by its kind."""

_MODELS: Final = (*get_args(_Kind), LastDays, Span)
_PLACE_FIELDS: Final = frozenset(
    field.alias or name for model in _MODELS for name, field in model.model_fields.items()
)
KINDS: Final[tuple[str, ...]] = tuple(
    model.model_fields["kind"].default for model in get_args(_Kind)
)
_adapter: TypeAdapter[Rule] = TypeAdapter(Rule)


@dataclass(eq=False)
class RuleMalformed(Refusal):
    """What was given has not the form of a rule; `place` is a path such as `$.of[2].value`."""

    code: ClassVar[str] = "rule_malformed"
    place: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"The rule is not well formed at {self.place}: {self.problem}."


@dataclass(eq=False)
class RuleTooLarge(Refusal):
    """The tree is deeper, or has more nodes or values, than is taken."""

    code: ClassVar[str] = "rule_too_large"
    place: str
    what: str
    most: int

    @property
    def sentence(self) -> str:
        return (
            f"The rule has more than {self.most} {self.what} at {self.place}. Split it into "
            "several audiences, or put lists of values into one condition with “in”."
        )


def read_rule(written: object) -> Rule:
    """Read a rule from decoded JSON (dicts, lists, strings, numbers).

    Raises:
        RuleMalformed: it has not the form of a rule.
        RuleTooLarge: it has more than 20 levels, 500 nodes or 20,000 values.
    """
    _measure_tree(written)
    try:
        return _adapter.validate_python(written)
    except ValidationError as error:
        raise _as_refusal(_telling(error.errors(include_url=False))) from error


def write_rule(rule: Rule) -> dict[str, Any]:
    """Write a rule as JSON values; `read_rule` gives the same rule back."""
    return rule.model_dump(mode="json", by_alias=True, exclude_none=True)


def rule_schema() -> dict[str, Any]:
    """Return the JSON Schema of a rule."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Rule of an audience",
        **_adapter.json_schema(by_alias=True),
    }


def _measure_tree(written: object) -> None:
    """Refuse a tree that is too large, before anything recursive touches it."""
    nodes, values = 0, 0
    waiting: list[tuple[object, int, str]] = [(written, 1, "$")]
    while waiting:
        node, depth, place = waiting.pop()
        nodes, values = nodes + 1, values + _values_in(node)
        if depth > MAX_DEPTH:
            raise RuleTooLarge(place, "levels", MAX_DEPTH)
        if nodes > MAX_NODES:
            raise RuleTooLarge(place, "nodes", MAX_NODES)
        if values > MAX_VALUES_IN_RULE:
            raise RuleTooLarge(place, "values", MAX_VALUES_IN_RULE)
        waiting.extend((child, depth + 1, where) for child, where in _children(node, place))


def _values_in(node: object) -> int:
    value = cast("Mapping[str, object]", node).get("value") if isinstance(node, Mapping) else None
    return len(cast("Sequence[object]", value)) if isinstance(value, list | tuple) else 1


def _children(node: object, place: str) -> list[tuple[object, str]]:
    if not isinstance(node, Mapping):
        return []
    fields = cast("Mapping[str, object]", node)
    children: list[tuple[object, str]] = []
    for name in ("of", "where"):
        inner = fields.get(name)
        if isinstance(inner, Sequence) and not isinstance(inner, str):
            items = cast("Sequence[object]", inner)
            children += [(item, f"{place}.{name}[{i}]") for i, item in enumerate(items)]
        elif isinstance(inner, Mapping):
            children.append((cast("object", inner), f"{place}.{name}"))
    return children


def _telling(errors: Sequence[ErrorDetails]) -> ErrorDetails:
    """Return the error that says most: not that a union's other members did not fit."""
    return next((error for error in errors if error["type"] not in _UNFIT_TYPES), errors[0])


def _as_refusal(error: ErrorDetails) -> RuleMalformed:
    kept = _path(error["loc"])
    unknown = str(error["loc"][-1])[:60] if error["type"] == "extra_forbidden" else ""
    if unknown and kept[-1:] != [unknown]:
        kept.append(unknown)
    place = "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in kept)
    return RuleMalformed(place, _problem(error, in_value="value" in kept))


def _path(location: Sequence[int | str]) -> list[int | str]:
    """Leave out what is no field: names of types, and the kind, which may be a field's name too."""
    kept: list[int | str] = []
    kind_follows = True
    for part in location:
        if isinstance(part, int):
            kept.append(part)
        elif kind_follows and part in KINDS:
            kind_follows = False
        elif part in _PLACE_FIELDS:
            kept.append(part)
            kind_follows = part == "of"
    return kept


_KNOWN_KINDS: Final = ", ".join(KINDS)
_PROBLEMS: Final[Mapping[str, str]] = {
    "extra_forbidden": "there is no such field",
    "missing": "this field is missing",
    "string_pattern_mismatch": (
        "a type is three letters H or L: recency, frequency, monetary value"
    ),
    "union_tag_not_found": f"a rule is an object with a “kind”: {_KNOWN_KINDS}",
    "model_attributes_type": f"a rule is an object with a “kind”: {_KNOWN_KINDS}",
    "union_tag_invalid": f"this kind is not known; known are {_KNOWN_KINDS}",
}


def _problem(error: ErrorDetails, *, in_value: bool) -> str:
    if error["type"] in _PROBLEMS:
        return _PROBLEMS[error["type"]]
    if in_value and error["type"] in _UNFIT_TYPES:
        return "a value is a text, a number, or a list of these"
    message = error["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
