"""Who is in what Textwave itself keeps: snapshots, models, uploaded lists, campaigns.

The warehouse has their rows under the id of a run, which the ledger gives; rows of other runs are
never read.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, cast

import ibis
import ibis.expr.types as ir

from textwave.audiences.calendar import Calendar, read_day
from textwave.audiences.conditions import joined, negation
from textwave.audiences.identity import People, list_values
from textwave.audiences.occurrences import not_later
from textwave.audiences.people import new_key
from textwave.audiences.rule import (
    Aipl,
    AiplFlow,
    InAudience,
    InCampaign,
    InList,
    Outcome,
    Rfm,
    Stage,
)
from textwave.audiences.tables import AiplModel, Source, Surroundings

AUDIENCE_MEMBER: Final = "audience_member"
RFM_SCORE: Final = "rfm_score"
AIPL_LABEL: Final = "aipl_label"
LIST_ID: Final = "list_id"
MESSAGE_EVENT: Final = "message_event"
STAGES: Final = (Stage.AWARE, Stage.INTERESTED, Stage.PURCHASED, Stage.LOYAL)
"""The stages in their order: the label of the first is 1."""
_HUMAN: Final = "human"
_CONCLUDED: Final = ("no receipt", "in doubt", "not sent")
"""Failures that nobody reported: a receipt that comes after all wins over them."""

Membership = InAudience | Rfm | Aipl | AiplFlow | InCampaign | InList


def is_member(
    node: Membership, *, people: People, known: Surroundings, source: Source, calendar: Calendar
) -> ir.BooleanValue:
    """Return the condition that a customer is among those of the node."""
    match node:
        case InAudience():
            members = _of_run(
                source(AUDIENCE_MEMBER), "snapshot_id", known.audiences[node.audience]
            )
            return people.key.isin(members["customer"])
        case Rfm():
            id_type = known.rfm_models[node.model].id_type
            customers = _scored(node, known, source)["customer"]
            return people.have(list_values(customers, id_type), id_type)
        case Aipl():
            model = known.aipl_models[node.model]
            day = max(model.runs) if node.day is None else _day(node.day)
            return _in_stages(node.stages, model.runs[day], people, source)
        case AiplFlow():
            return _flowed(node, known.aipl_models[node.model], people, source)
        case InList():
            return _listed(node, people, known, source)
        case InCampaign():
            return _reached(node, people, known, source, calendar)


def _of_run(rows: ir.Table, column: str, run: object) -> ir.Table:
    return rows.filter(rows[column] == run)


def _scored(node: Rfm, known: Surroundings, source: Source) -> ir.Table:
    scores = _of_run(source(RFM_SCORE), "run_id", known.rfm_models[node.model].run_id)
    conditions: list[ir.BooleanValue] = []
    if node.types is not None:
        conditions.append(_one_of(scores["type"], node.types))
    ranges = {"r": node.recency, "f": node.frequency, "m": node.monetary}
    for column, bounds in ranges.items():
        if bounds is not None:
            score: Any = scores[column]
            conditions.append((score >= bounds[0]) & (score <= bounds[1]))
    return scores.filter(*conditions)


def _flowed(node: AiplFlow, model: AiplModel, people: People, source: Source) -> ir.BooleanValue:
    first, last = model.runs[_day(node.from_)], model.runs[_day(node.until)]
    was = _in_stages(node.was, first, people, source)
    return was & _in_stages(node.became, last, people, source)


def _in_stages(
    stages: Sequence[Stage], run: int, people: People, source: Source
) -> ir.BooleanValue:
    labels = _of_run(source(AIPL_LABEL), "run_id", run)
    numbers = [STAGES.index(stage) + 1 for stage in stages if stage is not Stage.NONE]
    conditions: list[ir.BooleanValue] = []
    if numbers:
        wanted = labels.filter(_one_of(labels["stage"], numbers))
        conditions.append(people.key.isin(wanted["customer"]))
    if Stage.NONE in stages:
        conditions.append(negation(people.key.isin(labels["customer"])))
    return joined(conditions, every=False)


def _listed(node: InList, people: People, known: Surroundings, source: Source) -> ir.BooleanValue:
    """Find those who have an id of the list, and the new people who were kept from one."""
    uploaded = known.lists[node.list]
    rows = _of_run(source(LIST_ID), "list_id", uploaded.id)
    has_id = people.have(list_values(rows["value"], uploaded.id_type), uploaded.id_type)
    new_people = rows.select(customer=new_key(rows["value"], uploaded.id_type))
    return has_id | people.key.isin(new_people["customer"])


def _reached(
    node: InCampaign, people: People, known: Surroundings, source: Source, calendar: Calendar
) -> ir.BooleanValue:
    if MESSAGE_EVENT not in known.tables:  # nothing has come of any message yet
        return cast("ir.BooleanValue", ibis.literal(value=False))
    events = not_later(source(MESSAGE_EVENT), known.tables[MESSAGE_EVENT].time_column, calendar)
    events = _of_run(events, "campaign_id", known.campaigns[node.campaign])
    match node.outcome:
        case Outcome.WAITING:
            settled = negation(_had(events, people, Outcome.DELIVERED, Outcome.FAILED))
            return _had(events, people, Outcome.SENT) & settled
        case Outcome.FAILED:
            failed = _failed(events, people, node.reasons)
            return failed & negation(_had(events, people, Outcome.DELIVERED))
        case Outcome.DROPPED:
            return _had(_because(events, node.reasons), people, Outcome.DROPPED)
        case Outcome.CLICKED:
            return _had(_because(events, (_HUMAN,)), people, Outcome.CLICKED)
        case outcome:
            return _had(events, people, outcome)


def _failed(events: ir.Table, people: People, causes: Sequence[str] | None) -> ir.BooleanValue:
    """Find who failed for one of the causes; silence and doubt only where no receipt ended them."""
    concluded = [cause for cause in causes or () if cause in _CONCLUDED]
    if not concluded:
        return _had(_because(events, causes), people, Outcome.FAILED)
    others = [cause for cause in causes or () if cause not in _CONCLUDED]
    silent = _had(_because(events, concluded), people, Outcome.FAILED)
    result = events["result"]
    reported = events.filter(result.notnull(), negation(_one_of(result, _CONCLUDED)))
    answered = _had(reported, people, Outcome.FAILED)
    told = _had(_because(events, others), people, Outcome.FAILED)
    return joined([silent & negation(answered), told], every=False)


def _had(events: ir.Table, people: People, *outcomes: Outcome) -> Any:
    wanted = events.filter(_one_of(events["type"], outcomes), events["customer"].notnull())
    return people.key.isin(wanted["customer"])


def _because(events: ir.Table, reasons: Sequence[str] | None) -> ir.Table:
    return events if reasons is None else events.filter(_one_of(events["result"], reasons))


def _one_of(column: Any, values: Sequence[object]) -> ir.BooleanValue:
    condition: ir.BooleanValue = column.isin(values)
    return condition


def _day(text: str) -> date:
    return cast("date", read_day(text))
