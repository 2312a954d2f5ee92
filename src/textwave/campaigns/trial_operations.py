"""Sending a campaign's text to a few typed numbers before it goes to everybody.

`start_test` serves the web role; `run_test` is the job. A test goes the way of all messages: the
same platform and pacing, opt-outs and the deny list; it is no touch, waits for no quiet hours and
is counted nowhere. Refused: more than ten numbers, and a text that the platform has not approved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC
from functools import partial
from typing import Any, Final

import ibis
import pyarrow as pa

from textwave.campaigns import shares_store, store, trial_store
from textwave.campaigns.brief import Brief
from textwave.campaigns.draft import NotReadyToStart, read_sources
from textwave.campaigns.reach import Reach, find_reach
from textwave.campaigns.served import check_served, longest_value
from textwave.campaigns.serving_store import defer_serving
from textwave.campaigns.start_operations import check_signature, record
from textwave.campaigns.texts import parts_of, sent_text
from textwave.campaigns.trial_store import SentTest, SentTestMessage
from textwave.content.rendering import render
from textwave.content.variables import TemplateText, parse
from textwave.kit.clock import Clock
from textwave.kit.ids import CampaignId, OperationId, TemplateId, WorkspaceId, first_message_id
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.plans.plan import Recipients, recipients
from textwave.storage import progress
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.partitions import ensure_partitions
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Lake, Warehouse

TEST_TASK: Final = "campaigns.test_send"
MOST_NUMBERS: Final = 10
MOST_SHOWN: Final = 20
_LONGEST_VALUE: Final = 500
_PREVIEW_TOKEN: Final = "Xy3kP9aZ"  # noqa: S105 - shows where a token will stand


@dataclass(frozen=True, slots=True)
class AskedTest:
    """What is sent to whom: values of variables, or those of a customer; typed ones win."""

    mobiles: list[int]
    values: dict[str, str]
    customer: str | None = None
    variant: str | None = None


@dataclass(frozen=True, slots=True)
class Trying:
    """What a test send is made with."""

    ledger: Ledger
    warehouse: Warehouse
    vault: Vault
    clock: Clock


@dataclass(frozen=True, slots=True)
class _Text:
    """The text that is tested and the template that it is."""

    template: TemplateText
    template_id: TemplateId
    name: str


async def start_test(
    connection: Connection,
    *,
    workspace_id: WorkspaceId,
    actor: str,
    name: str,
    request: AskedTest,
) -> OperationId:
    """Begin to send a campaign's text to at most ten numbers; the result names the test send.

    Raises:
        NotFound: there is no such campaign or variant.
        NotReadyToStart: signature or template are not approved.
        InvalidValue: numbers or values cannot be taken.
    """
    if not 1 <= len(set(request.mobiles)) <= MOST_NUMBERS:
        raise InvalidValue("mobiles", f"give 1 to {MOST_NUMBERS} different numbers.")
    brief = await store.brief(connection, workspace_id, name=name)
    check_served(brief, request.mobiles)
    check_signature(brief)
    text = await _text(connection, brief, request.variant)
    for variable in request.values:
        if variable not in text.template.names:
            raise InvalidValue(f"values.{variable}", f"“{text.name}” has no such variable.")
    _check_lengths(brief, request.values)
    if request.customer is None:
        _check_complete(text, request.values)
    asked = {**asdict(request), "campaign_id": brief.id, "actor": actor}
    return await progress.begin(
        connection, workspace_id=workspace_id, kind=TEST_TASK, request=asked
    )


async def sent_tests(
    connection: Connection, workspace_id: WorkspaceId, name: str
) -> list[tuple[SentTest, list[SentTestMessage]]]:
    """Return the newest test sends of a campaign with what became of their messages.

    Raises:
        NotFound: there is no such campaign.
    """
    brief = await store.brief(connection, workspace_id, name=name)
    found = await trial_store.sent_tests(connection, workspace_id, brief.id, limit=MOST_SHOWN)
    ids = [one.id for one in found]
    messages = await trial_store.messages(connection, workspace_id, ids)
    return [(one, [m for m in messages if m.test_id == one.id]) for one in found]


async def run_test(using: Trying, *, workspace_id: WorkspaceId, operation_id: OperationId) -> None:
    """Do the job of `start_test`; a test that was written is not written again."""
    work = partial(_test, using, workspace_id, operation_id)
    await progress.perform(
        using.ledger, workspace_id=workspace_id, operation_id=operation_id, work=work
    )


async def _test(
    using: Trying, workspace_id: WorkspaceId, operation_id: OperationId, asked: dict[str, Any]
) -> dict[str, Any]:
    names = ("mobiles", "values", "customer", "variant")
    request = AskedTest(**{name: asked[name] for name in names})
    async with using.ledger.transaction() as connection:
        brief = await store.brief(
            connection, workspace_id, campaign_id=CampaignId(asked["campaign_id"])
        )
        text = await _text(connection, brief, request.variant)
        reach = await find_reach(connection, using.vault, brief)
        await ensure_partitions(connection, using.clock.now().astimezone(UTC).date())
    values = dict(request.values)
    if request.customer is not None:
        of_customer = await using.warehouse.run(
            workspace_id, lambda lake: _values_of(lake, brief, reach, text, request.customer)
        )
        values = {**of_customer, **values}
    _check_complete(text, values)
    _check_lengths(brief, values)
    variables = [values[name] for name in text.template.names]
    parts = parts_of(brief, text.template, variables)
    test = f"Test {operation_id} of {brief.name}"
    async with using.ledger.transaction() as connection:
        if not await store.campaigns(connection, workspace_id, name=test):
            await _add(using, connection, brief, text, asked, test, variables, parts)
    shown = render(text.template, variables, _PREVIEW_TOKEN)
    return {"test": test, "size": len(set(request.mobiles)), "parts": parts, "text": shown}


async def _add(
    using: Trying,
    connection: Connection,
    brief: Brief,
    text: _Text,
    asked: Mapping[str, Any],
    test: str,
    variables: Sequence[str],
    parts: int,
) -> None:
    """Write the test send and let the account be served."""
    month = using.clock.now().astimezone(UTC).date()
    mobiles = sorted(set(asked["mobiles"]))
    first_id = await store.take_ids(
        connection, month=month, first_id=first_message_id(month), size=len(mobiles)
    )
    await trial_store.add(
        connection,
        {
            "workspace_id": brief.workspace_id,
            "campaign_id": brief.id,
            "name": test,
            "actor": asked["actor"],
            "template_id": text.template_id,
            "content": text.template.text,
            "first_id": first_id,
            "last_id": first_id + len(mobiles) - 1,
            "mobiles": mobiles,
            "variables": list(variables),
            "parts": parts,
            "size": len(mobiles),
        },
    )
    await defer_serving(connection, brief.platform_id)
    detail = {"test": test, "numbers": len(mobiles), "template": text.name}
    await record(connection, brief, asked["actor"], "test-send", detail)


async def _text(connection: Connection, brief: Brief, variant: str | None) -> _Text:
    """Return the campaign's text, or that of a variant; the first one's when it has some."""
    variants = await shares_store.variants(connection, brief.workspace_id, brief.id)
    named = [one for one in variants if one.number and variant in (None, one.name)]
    if variant is not None and not named:
        raise NotFound("variant", variant)
    template = named[0].template if named and named[0].template else brief.template
    found = await shares_store.templates_named(
        connection, brief.workspace_id, brief.platform_id, [template]
    )
    state = named[0].template_state if named else brief.template_state
    if template not in found or state != "approved":
        problem = f"is {state}. The platform sends tests of approved templates only."
        raise NotReadyToStart("template", template, problem)
    content = sent_text(brief, found[template].content)
    return _Text(parse(content), found[template].id, template)


def _check_complete(text: _Text, values: Mapping[str, str]) -> None:
    for name in text.template.names:
        if not values.get(name, "").strip():
            problem = f"“{text.name}” needs a value for “{name}”. Give it, or a sample customer."
            raise InvalidValue(f"values.{name}", problem)


def _check_lengths(brief: Brief, values: Mapping[str, str]) -> None:
    longest = longest_value(brief.platform_kind) or _LONGEST_VALUE
    for name, written in values.items():
        if len(written) > longest:
            problem = f"has {len(written)} characters; “{brief.platform}” takes {longest}."
            raise InvalidValue(f"values.{name}", problem)


def _values_of(
    lake: Lake, brief: Brief, reach: Reach, text: _Text, customer: str | None
) -> dict[str, str]:
    """Return the values that a customer would get, by the campaign's own rules.

    Raises:
        NotFound: the table has no such customer.
    """
    people: Any = reach.people(lake)
    key = reach.root.customer_column
    known = people.filter(people[key] == ibis.literal(customer, "string")).count().to_pyarrow()
    if not known.as_py():
        raise NotFound("customer", str(customer))
    sources = read_sources(brief.variables)
    members = lake.hold(pa.table({"customer": pa.array([customer], pa.string())}))
    given = Recipients(members, people, key, text.template, sources)
    row = recipients(given).to_pyarrow().to_pylist()[0]
    found = dict(zip(text.template.names, row["variables"] or (), strict=False))
    return {name: found_value for name, found_value in found.items() if found_value}
