"""What a writer is told while typing: what is wrong with a text, what it comes to and costs.

Nothing is kept. A text that is no template yet (a variable half typed) is counted as it stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from textwave.connections import store as connection_store
from textwave.connections.accounts import PlatformAccount
from textwave.content.capabilities import (
    CapabilityMissing,
    TypeNotOffered,
    takes_opt_out_text,
)
from textwave.content.lint import TextNotAcceptable
from textwave.content.operations import examine
from textwave.content.variables import MalformedVariable, TemplateText, parse
from textwave.content.wording import Cost, full_text, preview_count
from textwave.kit.findings import Finding, error
from textwave.kit.ids import WorkspaceId
from textwave.kit.money import Money, price_of
from textwave.kit.refusal import InvalidValue
from textwave.kit.text import Count, Counting
from textwave.platforms.contract import MessageType
from textwave.storage.ledger import Connection

MOST_SAMPLES: Final = 100
LONGEST_VALUE: Final = 35
"""What platforms take for one variable; what the longest text is counted with."""
_FILLER: Final = "国"


@dataclass(frozen=True, slots=True)
class Writing:
    """A text as far as it is written, and whom it may go to.

    `values` are those of the recipient who is counted; `samples` are those of others. Without a
    platform it is counted by the rule, without an opt-out text and a price.
    """

    text: str
    signature: str = ""
    message_type: MessageType = MessageType.notification
    platform: str | None = None
    rule: Counting = Counting.MAINLAND
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    samples: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Priced:
    """What one text comes to; no price where no platform was named."""

    count: Count
    price: Money | None


@dataclass(frozen=True, slots=True)
class Average:
    """What the sample recipients come to on average."""

    units: float
    parts: float
    price: Money | None


@dataclass(frozen=True, slots=True)
class Counted:
    """A text counted for the recipient typed, for the worst and for the average.

    `characters` are those of the text that is sent, without the signature. `worst` is the worst of
    the samples; without samples, what the longest values that platforms take would come to.
    """

    text: str
    characters: int
    typed: Priced
    worst: Priced
    average: Average | None


async def count_writing(
    connection: Connection, *, workspace_id: WorkspaceId, writing: Writing
) -> Counted:
    """Count a text as it would be sent: with the signature, the opt-out text and values.

    Raises:
        NotFound: the workspace has no such platform. InvalidValue: too many samples.
    """
    if len(writing.samples) > MOST_SAMPLES:
        raise InvalidValue("samples", f"give at most {MOST_SAMPLES}.")
    if writing.platform is None:
        return counted_by(writing, writing.text, writing.rule, None)
    account = await connection_store.platform_named(
        connection, workspace_id=workspace_id, name=writing.platform
    )
    ending = account.opt_out_text if takes_opt_out_text(writing.message_type, account) else ""
    text = full_text(writing.text, writing.message_type, ending)
    return counted_by(writing, text, account.counting, Money(account.price_milli, account.currency))


async def check_writing(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    writing: Writing,
    links_url: str,
    now: datetime,
) -> list[Finding]:
    """Return everything that would stop or should change a text, in the order of the text.

    Raises:
        NotFound: the workspace has no such platform. InvalidValue: none is named.
    """
    if writing.platform is None:
        raise InvalidValue("platform", "is needed: each asks something else of a text.")
    account: PlatformAccount = await connection_store.platform_named(
        connection, workspace_id=workspace_id, name=writing.platform
    )
    try:
        return await examine(
            connection,
            workspace_id=workspace_id,
            account=account,
            message_type=writing.message_type,
            content=writing.text,
            links_url=links_url,
            now=now,
        )
    except TextNotAcceptable as refused:
        return refused.findings
    except (CapabilityMissing, TypeNotOffered, InvalidValue) as refused:
        return [error(refused.code, 0, refused.sentence)]


def counted_by(writing: Writing, text: str, rule: Counting, price: Money | None) -> Counted:
    """Count a whole text by a rule, at a price for each part."""
    template = _template(text)
    part_price = price or Money(0, "CNY")
    typed = preview_count(template, writing.signature, rule, part_price, [writing.values])
    longest = dict.fromkeys(template.names, _FILLER * LONGEST_VALUE)
    samples = list(writing.samples)
    cost = preview_count(template, writing.signature, rule, part_price, samples or [longest])
    return Counted(
        text=text,
        characters=len(text),
        typed=_priced(typed.worst, price),
        worst=_priced(cost.worst, price),
        average=_average(cost, price) if samples else None,
    )


def _template(text: str) -> TemplateText:
    try:
        return parse(text)
    except MalformedVariable:
        return TemplateText(text, (text,), (), (), text.replace("{", "{{").replace("}", "}}"))


def _priced(counted: Count, part_price: Money | None) -> Priced:
    return Priced(counted, None if part_price is None else price_of(counted.parts, part_price))


def _average(cost: Cost, price: Money | None) -> Average:
    return Average(cost.average_units, cost.average_parts, cost.average_price if price else None)
