"""Digital templates over HTTP: parts in their order, and where each carrier stands."""

import json
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field, model_validator

from textwave.accounts.store import Caller
from textwave.api.entry import After, Limit, Name, Rt, Text, Who
from textwave.api.material_routes import librarian
from textwave.api.shapes import Page, Shape, page_of
from textwave.content.version_store import Version, versions
from textwave.digital import operations as digital
from textwave.digital import store
from textwave.digital.operations import DigitalDraft, Surroundings, WrittenDigital
from textwave.digital.parts import LONGEST_PART, MaterialPart, Part, PartFinding, TextPart
from textwave.digital.store import DigitalTemplate as KeptTemplate
from textwave.digital.verdict import CARRIER_NAMES
from textwave.kit.carriers import Carrier
from textwave.materials.kinds import Kind
from textwave.platforms.contract import CarrierState
from textwave.wiring import Runtime, links_url

routes = APIRouter(tags=["digital templates"])
Named = Annotated[Name, Path()]
_MOST_PARTS = 30


class PartToWrite(BaseModel):
    """One part: either a text, or the name of a material of the library."""

    text: Text | None = Field(None, max_length=LONGEST_PART * 4)
    material: Name | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.text is None) == (self.material is None):
            raise ValueError("give either a text or a material")
        return self

    def part(self) -> Part:
        """Return it as what it is."""
        if self.material is not None:
            return MaterialPart(self.material)
        return TextPart(self.text or "")


class DigitalChange(BaseModel):
    """What a digital template says; subject 1-20, remark for the reviewers 1-100 characters."""

    signature: Name
    subject: Name
    remark: Name
    parts: list[PartToWrite] = Field(min_length=1, max_length=_MOST_PARTS)

    def draft(self, name: str, platform: str) -> DigitalDraft:
        """Return it as the draft of a template."""
        parts = [one.part() for one in self.parts]
        return DigitalDraft(name, platform, self.signature, self.subject, self.remark, parts)


class DigitalToWrite(DigitalChange):
    """A digital template: name 1-20 characters, unique among all templates."""

    name: Name
    platform: Name


class DigitalCopy(BaseModel):
    """The name of the copy."""

    name: Name


class DigitalPart(Shape):
    """A part: a text, or a material with its measures."""

    text: str | None
    material: str | None
    kind: Kind | None
    suffix: str | None
    size_bytes: int | None
    width: int | None
    height: int | None
    milliseconds: int | None


class CarrierStanding(BaseModel):
    """Where a template stands at one carrier, since when, and why if it was rejected."""

    carrier: Carrier
    name: str
    state: CarrierState
    reason: str
    changed_at: datetime


class DigitalTemplate(Shape):
    """A digital template; it is sent to numbers of the carriers that have approved it."""

    id: int
    name: str
    platform: str
    signature: str
    subject: str
    remark: str
    content: str = Field(description="All texts, one below the other: where its variables are.")
    state: str
    reason: str
    code: str | None
    size_bytes: int
    parts: list[DigitalPart]
    carriers: list[CarrierStanding]
    created_at: datetime
    turn_at: datetime | None
    submitted_at: datetime | None
    decided_at: datetime | None


class DigitalFinding(Shape):
    """One thing to look at; `part` counts from 1, null: the template as a whole."""

    code: str
    severity: Literal["error", "warning"]
    part: int | None
    sentence: str


class WrittenTemplate(BaseModel):
    """A digital template that was written, and what its writer should look at."""

    template: DigitalTemplate
    warnings: list[DigitalFinding]


class DigitalVersion(BaseModel):
    """What was submitted once, when and by whom, and what came of it."""

    number: int
    content: dict[str, Any] = Field(description="subject, signature and parts as they were")
    remark: str
    submitted_by: str
    submitted_at: datetime
    code: str | None
    decision: str | None
    reason: str
    decided_at: datetime | None


def shape_of(kept: KeptTemplate) -> DigitalTemplate:
    """Return a template as the API gives it."""
    parts = [DigitalPart.model_validate(part) for part in kept.parts]
    texts = sum(len(part.text.encode()) for part in parts if part.text is not None)
    carriers = [
        CarrierStanding(
            carrier=one.carrier,
            name=CARRIER_NAMES[one.carrier],
            state=one.state,
            reason=one.reason,
            changed_at=one.changed_at,
        )
        for one in kept.carriers
    ]
    row = {name: getattr(kept.row, name) for name in kept.row.__slots__}
    size = texts + sum(part.size_bytes or 0 for part in parts)
    return DigitalTemplate(**row, size_bytes=size, parts=parts, carriers=carriers)


def _written(made: WrittenDigital) -> WrittenTemplate:
    warnings = [_finding(one) for one in made.warnings]
    return WrittenTemplate(template=shape_of(made.template), warnings=warnings)


def _finding(one: PartFinding) -> DigitalFinding:
    return DigitalFinding.model_validate(one)


def _around(runtime: Runtime, caller: Caller) -> Surroundings:
    return Surroundings(
        caller.workspace_id,
        librarian(caller),
        links_url(runtime.settings),
        runtime.clock.now(),
    )


@routes.get("/digital-templates", summary="List the digital templates.")
async def list_digital(
    runtime: Rt, caller: Who, after: After = None, limit: Limit = 100
) -> Page[DigitalTemplate]:
    """Return digital templates in the order in which they were written."""
    bounded = min(limit, store.LONGEST_PAGE)
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.digital_templates(
            connection, caller.workspace_id, after=after or 0, limit=bounded
        )
    return page_of(found, bounded, shape_of, lambda one: one.row.id)


@routes.post("/digital-templates", status_code=201, summary="Write a digital template.")
async def create_digital(runtime: Rt, caller: Who, new: DigitalToWrite) -> WrittenTemplate:
    """Write a template of texts and materials; it is a draft until it is submitted."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        draft = new.draft(new.name, new.platform)
        return _written(await digital.create_digital(connection, _around(runtime, caller), draft))


@routes.get(
    "/digital-templates/{name:path}/versions", summary="List a digital template's versions."
)
async def list_digital_versions(runtime: Rt, caller: Who, name: Named) -> Page[DigitalVersion]:
    """Return what was submitted when and by whom with the decisions, the newest first."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        found = await store.digital_template(connection, caller.workspace_id, name)
        kept = await versions(
            connection, workspace_id=caller.workspace_id, template_id=found.row.id
        )
    return Page(items=[_version(one) for one in kept])


@routes.get("/digital-templates/{name:path}", summary="Read a digital template.")
async def read_digital(runtime: Rt, caller: Who, name: Named) -> DigitalTemplate:
    """Return a template, its parts, and where it stands at each carrier."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        return shape_of(await store.digital_template(connection, caller.workspace_id, name))


@routes.put("/digital-templates/{name:path}", summary="Change a digital template.")
async def edit_digital(
    runtime: Rt, caller: Who, name: Named, change: DigitalChange
) -> WrittenTemplate:
    """Change a draft or a rejected template, which is a draft then."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        draft = change.draft(name, "")
        return _written(await digital.edit_digital(connection, _around(runtime, caller), draft))


@routes.post(
    "/digital-templates/{name:path}/submit",
    status_code=202,
    summary="Submit a digital template to the carriers.",
)
async def submit_digital(runtime: Rt, caller: Who, name: Named) -> WrittenTemplate:
    """Hand the template to the platform; read it again to see how each carrier decided."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await digital.submit_digital(connection, _around(runtime, caller), name=name)
        return _written(made)


@routes.post(
    "/digital-templates/{name:path}/copy", status_code=201, summary="Copy a digital template."
)
async def copy_digital(runtime: Rt, caller: Who, name: Named, copy: DigitalCopy) -> WrittenTemplate:
    """Write a draft with the parts of another template."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        made = await digital.copy_digital(
            connection, _around(runtime, caller), name=name, new_name=copy.name
        )
        return _written(made)


@routes.delete(
    "/digital-templates/{name:path}", status_code=204, summary="Delete a digital template."
)
async def delete_digital(runtime: Rt, caller: Who, name: Named) -> None:
    """Delete a template that no campaign under way sends, here and at its platform."""
    async with runtime.ledger.transaction(caller.workspace_id) as connection:
        await digital.delete_digital(connection, _around(runtime, caller), name=name)


def _version(kept: Version) -> DigitalVersion:
    return DigitalVersion(
        number=kept.number,
        content=json.loads(kept.content),
        remark=kept.remark,
        submitted_by=kept.submitted_by,
        submitted_at=kept.submitted_at,
        code=kept.code,
        decision=kept.decision,
        reason=kept.reason,
        decided_at=kept.decided_at,
    )
