"""The texts of a plan: one, or those of the variants with the rest behind them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from textwave.campaigns.brief import Brief
from textwave.campaigns.shares import division
from textwave.campaigns.shares_store import Rules, WrittenVariant
from textwave.content.variables import TemplateText, parse
from textwave.content.wording import full_text
from textwave.kit.text import Counting
from textwave.plans.draw import Held, draw_for, lots_for
from textwave.plans.parts import DearestMeasure, DigitalMeasure, Measure, PartsMeasure
from textwave.plans.plan import Division
from textwave.platforms.contract import MessageType


@dataclass(frozen=True, slots=True)
class Texts:
    """What may be sent: by place a template's measure, and the variant's number and name.

    Without variants there is one place, and neither numbers nor names.
    """

    templates: Sequence[TemplateText]
    measures: Sequence[Measure]
    numbers: Sequence[int] = ()
    names: Sequence[str] = ()
    division: Division | None = None

    @property
    def contents(self) -> dict[int, str]:
        """The full texts by the variants' numbers."""
        return {
            number: template.text
            for number, template in zip(self.numbers, self.templates, strict=False)
        }


def texts_of(brief: Brief, rules: Rules, variants: Sequence[WrittenVariant]) -> Texts:
    """Return the texts as they will be sent, with the opt-out text where it belongs."""
    if not variants:
        template = parse(sent_text(brief, brief.template_content))
        return Texts([template], [_measure(brief, template)])
    chosen = [one.content for one in variants if one.number and one.content]
    templates = [parse(sent_text(brief, content)) for content in chosen]
    counted = [_measure(brief, template) for template in templates]
    shares = [one.share_milli for one in variants if one.number]
    names = [template.names for template in templates]
    measures: list[Measure] = [*counted]
    if rules.test_share_milli is not None:
        measures.append(DearestMeasure(counted))
    return Texts(
        templates,
        measures,
        [one.number for one in variants],
        [one.name for one in variants],
        division(rules.seed, names, shares, rules.test_share_milli),
    )


def sent_text(brief: Brief, content: str) -> str:
    """Return a template's text as the campaign sends it."""
    return full_text(content, MessageType(brief.type), brief.opt_out_text)


def parts_of(brief: Brief, template: TemplateText, values: Sequence[str]) -> int:
    """Return the parts of one message with these values of the template's variables."""
    rows = pa.array([list(values)], pa.list_(pa.string()))
    return int(_measure(brief, template)(rows)[0])


def held_share(rules: Rules) -> Held | None:
    """Return the control group that is a share; None: there is none, or it has an exact size."""
    if rules.control_share_milli is None:
        return None
    return Held(draw_for(rules.seed, "control"), lots_for(rules.control_share_milli))


def _measure(brief: Brief, template: TemplateText) -> PartsMeasure:
    counts = DigitalMeasure if brief.type == MessageType.digital else PartsMeasure
    return counts(template, brief.signature, Counting(brief.counting))
