"""The whole text that goes out, and what it comes to: parts and price before anything is sent.

Refuses nothing; the text was checked when it was written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from textwave.content.rendering import render
from textwave.content.tokens import TOKEN_LENGTH
from textwave.content.variables import TemplateText
from textwave.kit.money import Money, price_of
from textwave.kit.text import Count, Counting, count
from textwave.platforms.contract import MessageType

_SAMPLE_TOKEN: Final = "0" * TOKEN_LENGTH


@dataclass(frozen=True, slots=True)
class Cost:
    """What a template comes to for some recipients: the worst one, and the average."""

    samples: int
    worst: Count
    worst_price: Money
    average_units: float
    average_parts: float
    average_price: Money


def full_text(content: str, message_type: MessageType, opt_out_text: str) -> str:
    """Return the text as it is sent: promotional ones end with the opt-out text, once."""
    if message_type is not MessageType.promotional or content.rstrip().endswith(opt_out_text):
        return content
    return content + opt_out_text


def preview_count(
    template: TemplateText,
    signature: str,
    counting: Counting,
    part_price: Money,
    samples: Sequence[Mapping[str, str]],
) -> Cost:
    """Count the full text for sample recipients: their values by variable, no value is no text.

    Without samples the text itself is counted, with nothing in its variables.
    """
    counts = [
        count(render(template, _values(template, sample), _SAMPLE_TOKEN), signature, counting)
        for sample in samples or [{}]
    ]
    worst = max(counts, key=lambda counted: (counted.parts, counted.units))
    parts = sum(counted.parts for counted in counts)
    return Cost(
        samples=len(samples),
        worst=worst,
        worst_price=price_of(worst.parts, part_price),
        average_units=sum(counted.units for counted in counts) / len(counts),
        average_parts=parts / len(counts),
        average_price=Money(round(parts * part_price.milli / len(counts)), part_price.currency),
    )


def _values(template: TemplateText, sample: Mapping[str, str]) -> list[str]:
    return [sample.get(name, "") for name in template.names]
