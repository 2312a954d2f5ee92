"""What the API says of signatures, and takes of their papers."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from textwave.api.entry import Text
from textwave.api.shapes import Shape
from textwave.kit.carriers import Carrier
from textwave.platforms.contract import CarrierState
from textwave.signatures.papers import REMARK_MAX, SCENE_MAX, Papers, Source
from textwave.signatures.registration import warnings
from textwave.signatures.store import Signature as KeptSignature

Number = Annotated[int, Field(ge=1, le=2**63 - 1)]


class SignaturePapers(Shape):
    """What proves that somebody may speak under a name; filed at the platform before."""

    source: Source = Field(
        description="What the name is: the enterprise's, a trademark's, an app's"
    )
    qualification_id: Number = Field(description="The number of the qualification, as shown there")
    remark: Annotated[Text, Field(max_length=REMARK_MAX)] = ""
    scene: Annotated[Text, Field(max_length=SCENE_MAX, description="Where it is used")] = ""
    authorization_letter_id: Number | None = Field(None, description="For somebody else's name")
    trademark_id: Number | None = Field(None, description="Of the source trademark alone")
    app_record_id: Number | None = Field(None, description="Of the source app alone")

    def papers(self) -> Papers:
        """Return them as the product takes them."""
        return Papers(**self.model_dump())


class CarrierRegistration(BaseModel):
    """How the registration stands at one carrier, for its own numbers."""

    carrier: Carrier
    state: CarrierState
    reason: str


class SignatureWarning(Shape):
    """Something that may keep messages under the signature from arriving."""

    code: str
    sentence: str


class Signature(Shape):
    """Who speaks."""

    id: int
    platform: str
    kind: str = Field(description="The kind of the platform")
    name: str
    state: str
    reason: str
    verified: bool
    rate_per_second: int | None = Field(
        description="Messages a second under it at most; null: as many as the account takes"
    )
    papers: SignaturePapers | None = Field(
        description="What it was created with; null: it existed at the platform"
    )
    carriers: list[CarrierRegistration] = Field(description="Where each carrier registers it")
    warnings: list[SignatureWarning]
    created_at: datetime
    submitted_at: datetime | None = Field(description="Since when the platform has it")
    decided_at: datetime | None
    last_sent_at: datetime | None = Field(description="When a campaign under it was planned last")


def signature_shape(kept: KeptSignature, now: datetime) -> Signature:
    """Shape a signature with what is to be known before it is sent with."""
    return Signature(
        id=kept.id,
        platform=kept.platform,
        kind=kept.kind,
        name=kept.name,
        state=kept.state,
        reason=kept.reason,
        verified=kept.verified,
        rate_per_second=kept.rate_per_second,
        papers=None if kept.papers is None else SignaturePapers.model_validate(kept.papers),
        carriers=[
            CarrierRegistration(carrier=carrier, state=said.state, reason=said.reason)
            for carrier, said in kept.carriers.items()
        ],
        warnings=[SignatureWarning.model_validate(one) for one in warnings(kept, now)],
        created_at=kept.created_at,
        submitted_at=kept.submitted_at,
        decided_at=kept.decided_at,
        last_sent_at=kept.last_sent_at,
    )
