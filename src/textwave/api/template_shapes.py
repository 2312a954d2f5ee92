"""What the API says of templates, their versions, and what a text comes to."""

from datetime import datetime

from pydantic import BaseModel, Field

from textwave.api.shapes import Finding, Shape
from textwave.content.writing_operations import Average as CountedAverage
from textwave.content.writing_operations import Counted, Priced


class Template(Shape):
    """A text with variables, and how its review stands."""

    id: int
    platform: str
    name: str
    type: str
    content: str
    remark: str
    signature: str = Field(description="Reviewers see the text with it; empty: the first approved")
    state: str
    reason: str = Field(description="Why it was rejected, or why the platform has it not yet")
    code: str | None
    created_at: datetime
    turn_at: datetime | None = Field(description="When it goes to a platform that gives turns")
    submitted_at: datetime | None
    decided_at: datetime | None


class WrittenTemplate(Shape):
    """A template that was written, and what its writer should look at."""

    template: Template
    warnings: list[Finding]


class TemplateVersion(Shape):
    """A text as it was once submitted, and what the platform decided on it."""

    number: int = Field(description="From 1; the newest comes first")
    content: str
    remark: str
    submitted_by: str
    submitted_at: datetime
    handed_over_at: datetime | None = Field(description="When the platform got it")
    code: str | None
    decision: str | None = Field(description="approved, rejected, withdrawn; null: under review")
    reason: str
    decided_at: datetime | None


class TextCount(BaseModel):
    """What one text comes to; no price without a platform."""

    encoding: str
    units: int
    parts: int
    price_milli: int | None
    currency: str | None


class AverageCount(BaseModel):
    """What the samples come to on average."""

    units: float
    parts: float
    price_milli: int | None
    currency: str | None


class Count(TextCount):
    """What a text comes to: as typed, at worst, and on average over the samples."""

    text: str = Field(description="The text as it is sent, with its opt-out text")
    characters: int
    worst: TextCount = Field(description="Of the samples; without any, with the longest values")
    average: AverageCount | None


def count_shape(counted: Counted) -> Count:
    """Shape what a text comes to."""
    return Count(
        **_priced(counted.typed).model_dump(),
        text=counted.text,
        characters=counted.characters,
        worst=_priced(counted.worst),
        average=None if counted.average is None else _average(counted.average),
    )


def _priced(priced: Priced) -> TextCount:
    price = priced.price
    return TextCount(
        encoding=priced.count.encoding,
        units=priced.count.units,
        parts=priced.count.parts,
        price_milli=None if price is None else price.milli,
        currency=None if price is None else price.currency,
    )


def _average(average: CountedAverage) -> AverageCount:
    price = average.price
    return AverageCount(
        units=average.units,
        parts=average.parts,
        price_milli=None if price is None else price.milli,
        currency=None if price is None else price.currency,
    )
