"""What the form of a campaign offers: accounts, signatures, templates, audiences and columns.

Only what fits together is offered: signatures and templates of the chosen account, templates of the
chosen type, exclusions over the chosen audience's table. What is approved comes first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from textwave.accounts.store import workspace
from textwave.audiences import store as audiences
from textwave.audiences.store import Sort, Wanted
from textwave.audiences.visibility import Viewer
from textwave.connections import store as connection_store
from textwave.console.campaign_forms import MOST_LISTED, VARIANT_ROWS, own_text
from textwave.console.paging import listed
from textwave.content import store as content
from textwave.content.store import Template
from textwave.content.variables import MalformedVariable, parse
from textwave.content.wording import full_text
from textwave.customers import store as customers
from textwave.digital import store as digital
from textwave.digital.store import DigitalTemplate
from textwave.kit.ids import AudienceId, WorkspaceId
from textwave.plans.parts import united
from textwave.platforms.contract import MessageType
from textwave.signatures import store as signature_store
from textwave.storage.ledger import Connection

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class Part:
    """A signature or a template, and whether it can be sent with."""

    name: str
    state: str
    content: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """An audience with the number of its members and since when it is known; None: never."""

    name: str
    table: str
    size: int | None
    computed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Choices:
    """What can be chosen, given what has been."""

    platforms: Sequence[str]
    signatures: Sequence[Part]
    templates: Sequence[Part]
    other_templates: int
    audiences: Sequence[Group]
    exclusions: Sequence[Group]
    columns: Sequence[str]
    variables: Sequence[str]
    text: str
    digital: DigitalTemplate | None
    zone: str
    now: datetime


async def read_choices(
    connection: Connection,
    workspace_id: WorkspaceId,
    given: Mapping[str, str],
    *,
    viewer: Viewer,
    now: datetime,
) -> Choices:
    """Read what a form may offer for what it says so far."""
    accounts = await connection_store.platforms(connection, workspace_id=workspace_id)
    account = next((one for one in accounts if one.name == given.get("platform")), None)
    if account is None and accounts:
        account = accounts[0]
    platform = account.name if account else ""
    signatures = await signature_store.signatures(connection, workspace_id=workspace_id)
    templates = await all_templates(connection, workspace_id)
    fitting = [
        one for one in templates if one.platform == platform and one.type == given.get("type")
    ]
    groups = await _groups(connection, workspace_id, viewer)
    chosen = next((one for one in groups if one.name == given.get("audience")), None)
    tables = {one.name: one for one in await customers.tables(connection, workspace_id)}
    columns = tables[chosen.table].columns if chosen and chosen.table in tables else []
    shown = await _digital(connection, workspace_id, fitting, given)
    return Choices(
        platforms=[one.name for one in accounts],
        signatures=_approved_first(
            [
                Part(one.name, one.state)
                for one in signatures
                if one.platform == platform and (not shown or one.name == shown.row.signature)
            ]
        ),
        templates=_approved_first([Part(one.name, one.state, one.content) for one in fitting]),
        other_templates=len(templates) - len(fitting),
        audiences=groups,
        exclusions=[
            one for one in groups if chosen and one.table == chosen.table and one != chosen
        ],
        columns=[column["name"] for column in columns],
        variables=_variables(fitting, given),
        text=_text(fitting, given, account.opt_out_text if account else ""),
        digital=shown,
        zone=(await workspace(connection, workspace_id)).time_zone,
        now=now,
    )


async def _digital(
    connection: Connection,
    workspace_id: WorkspaceId,
    fitting: Sequence[Template],
    given: Mapping[str, str],
) -> DigitalTemplate | None:
    """Return the chosen digital template: its parts, its carriers, and whose signature it has."""
    named = chosen_templates(given)[:1]
    if given.get("type") != MessageType.digital:
        return None
    found = [one.name for one in fitting if one.name in named]
    return await digital.digital_template(connection, workspace_id, found[0]) if found else None


def settled(given: Mapping[str, str], choices: Choices) -> dict[str, str]:
    """Return the fields with what goes without saying: an account, a signature, columns."""
    fields = dict(given)
    if fields.get("type") == MessageType.digital and fields.get("texts") == "own":
        fields["texts"] = "one"  # a digital message is put together as a template
    if fields.get("texts") == "own" and not fields.get("content", "").strip():
        named = fields.get("template", "")
        fields["content"] = next(
            (one.content for one in choices.templates if one.name == named), ""
        )
    for name, offered in (
        ("platform", choices.platforms),
        ("signature", [one.name for one in choices.signatures if one.state == "approved"]),
    ):
        if fields.get(name) not in offered:
            fields[name] = offered[0] if offered else ""
    for name in choices.variables:
        if fields.get(f"column_{name}") not in choices.columns:
            fields[f"column_{name}"] = _likely(name, choices.columns)
        fields.setdefault(f"missing_{name}", "drop")
    return fields


def _likely(variable: str, columns: Sequence[str]) -> str:
    """Return the column that a variable is named after: the same name, or the one that ends so."""
    if variable in columns:
        return variable
    ending = [column for column in columns if column.lower().endswith(f"_{variable.lower()}")]
    return ending[0] if len(ending) == 1 else ""


def with_first_variant(given: Mapping[str, str]) -> dict[str, str]:
    """Return the fields with the template as the first variant, when there is none yet."""
    fields = dict(given)
    chosen = any(given.get(f"variant_template_{row}") for row in VARIANT_ROWS)
    if given.get("texts") == "several" and given.get("template") and not chosen:
        fields["variant_template_0"] = fields["template"]
    return fields


def chosen_templates(given: Mapping[str, str]) -> list[str]:
    """Return the templates that a form names, each once."""
    names = [given.get("template", "")]
    if given.get("texts") == "several":
        names = [given.get(f"variant_template_{row}", "") for row in VARIANT_ROWS]
    return list(dict.fromkeys(name for name in names if name))


def _texts(fitting: Sequence[Template], given: Mapping[str, str]) -> list[str]:
    if own := own_text(given):
        return [own]
    contents = {one.name: one.content for one in fitting}
    return [contents[name] for name in chosen_templates(given) if name in contents]


def _variables(fitting: Sequence[Template], given: Mapping[str, str]) -> Sequence[str]:
    try:
        return united(parse(text).names for text in _texts(fitting, given))
    except MalformedVariable:
        return []


def _text(fitting: Sequence[Template], given: Mapping[str, str], opt_out_text: str) -> str:
    first = next(iter(_texts(fitting, given)), "")
    kind = given.get("type", "")
    if not first or kind not in list(MessageType):
        return ""
    return full_text(first, MessageType(kind), opt_out_text)


def _approved_first(parts: list[Part]) -> list[Part]:
    """Leave out what is deleted; the newest come first among equals."""
    left = [one for one in reversed(parts) if one.state != "deleted"]
    return sorted(left, key=lambda one: one.state != "approved")


async def all_templates(connection: Connection, workspace_id: WorkspaceId) -> list[Template]:
    """Return the text templates that are not deleted, in the order of their ids."""
    return await listed(
        lambda after: content.templates(connection, workspace_id=workspace_id, after=after),
        content.LONGEST_PAGE,
        lambda one: one.id,
    )


async def _groups(connection: Connection, workspace_id: WorkspaceId, viewer: Viewer) -> list[Group]:
    found: list[Group] = []
    last: AudienceId | None = None
    while len(found) < MOST_LISTED:
        page = await audiences.audiences(
            connection,
            workspace_id,
            wanted=Wanted(sort=Sort.NAME),
            viewer=viewer,
            after=last,
            limit=_PAGE,
        )
        found += [
            Group(
                one.name,
                one.definition.table,
                one.snapshot.size if one.snapshot else None,
                one.snapshot.computed_at if one.snapshot else None,
            )
            for one in page
        ]
        if len(page) < _PAGE:
            break
        last = page[-1].id
    return found
