"""Platform accounts as the API takes and gives them; a key goes in and never comes out."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, SecretStr

from textwave.api.entry import Name, Text
from textwave.api.shapes import Shape
from textwave.connections.accounts import (
    RATE_MAX,
    CallbackSigning,
    NewPlatform,
    PlatformKind,
    ReceiptsBy,
)
from textwave.connections.change import PlatformChange
from textwave.connections.editing_operations import ShownAccount
from textwave.connections.kinds import RULES
from textwave.connections.testing import About, Verdict
from textwave.kit.text import Counting

Capabilities = Annotated[list[Name], Field(max_length=50)]
Options = Annotated[dict[Name, Name], Field(max_length=20, description="Those of the kind.")]
Address = Annotated[Text, Field(max_length=500)]
Rate = Annotated[int, Field(ge=1, le=RATE_MAX, description="Messages a second.")]
Batch = Annotated[int, Field(ge=1, le=1_000, description="Messages a request at most.")]
OptOutText = Annotated[Text, Field(max_length=100, description="The end of promotional texts.")]
Price = Annotated[
    int, Field(ge=0, le=1_000_000, description="Thousandths of the currency for a billed part.")
]
Currency = Annotated[Text, Field(max_length=3)]
KeyId = Annotated[Text, Field(max_length=200)]


class PlatformToAdd(BaseModel):
    """A platform account; connecting replaces rate, batch and capabilities by what it says."""

    name: Name
    kind: PlatformKind = PlatformKind.THIRDPARTY
    base_url: Address | None = Field(
        default=None, description="Without it: that of the kind, where it has one."
    )
    key: SecretStr
    key_id: KeyId = Field(default="", description="aliyun: the AccessKey id; the key is its secret")
    options: Options = {}
    capabilities: Capabilities | None = None
    rate_per_second: Rate = 100
    max_batch: Batch = 100
    opt_out_text: OptOutText = ""
    counting: Counting = Counting.MAINLAND
    price_milli: Price = 0
    currency: Currency = "CNY"
    callback_signing: CallbackSigning = CallbackSigning.STRICT
    receipts: ReceiptsBy = ReceiptsBy.PUSH
    takes_replies: bool = True

    def account(self) -> NewPlatform:
        """Return it with what the kind says where nothing is given."""
        rules = RULES[self.kind]
        given = self.model_dump(exclude={"key", "capabilities", "base_url"})
        wanted = self.capabilities
        return NewPlatform(
            **given,
            base_url=rules.default_url if self.base_url is None else self.base_url,
            key=self.key.get_secret_value(),
            capabilities=rules.capabilities if wanted is None else frozenset(wanted),
        )


class PlatformToChange(BaseModel):
    """What is to be different of an account; what is left out stays. Options are replaced whole."""

    base_url: Address | None = None
    options: Options | None = None
    capabilities: Capabilities | None = None
    rate_per_second: Rate | None = None
    max_batch: Batch | None = None
    opt_out_text: OptOutText | None = None
    counting: Counting | None = None
    price_milli: Price | None = None
    currency: Currency | None = None
    callback_signing: CallbackSigning | None = None
    receipts: ReceiptsBy | None = None
    takes_replies: bool | None = None

    def change(self) -> PlatformChange:
        """Return it for the operation."""
        given = self.model_dump(exclude={"capabilities"})
        wanted = self.capabilities
        return PlatformChange(**given, capabilities=None if wanted is None else frozenset(wanted))


class KeyToReplace(BaseModel):
    """A new key; callbacks may be signed with the old one for 15 minutes more."""

    key: SecretStr
    key_id: KeyId | None = Field(default=None, description="Left out: as before.")


class DeletedPlatform(BaseModel):
    """An account that was taken away."""

    name: str
    gone: bool = Field(
        description="True: nothing ever used it. False: it is retired, its name stays taken, and "
        "what was sent through it still comes back."
    )


class Platform(Shape):
    """An account at an SMS platform; its key never comes out."""

    id: int
    name: str
    kind: str
    base_url: str
    key_id: str
    options: dict[str, str]
    capabilities: list[str]
    rate_per_second: int
    max_batch: int
    opt_out_text: str
    counting: str
    price_milli: int
    currency: str
    callback_signing: str
    receipts: str
    takes_replies: bool
    workspaces: list[str] = Field(
        default=[], description="Who may use it; for administrators only, else empty."
    )
    previous_key_until: datetime | None = Field(
        description="So long callbacks may be signed with the key before."
    )
    retired_at: datetime | None = Field(description="Nothing new goes through it since.")
    resting_until: datetime | None = Field(
        description="It did not answer and is not sent to before this; it is tried again then."
    )
    resting_reason: str = Field(description="What it said last; empty: it answers")

    callback_addresses: dict[str, str] = Field(
        default={},
        description="What to enter at the platform, by what it pushes there; for administrators.",
    )

    @classmethod
    def of(cls, shown: ShownAccount, addresses: Mapping[str, str] | None = None) -> Self:
        """Return the shape of an account with the workspaces that may use it."""
        found = cls.model_validate(shown.account)
        found.capabilities.sort()
        more = {"workspaces": shown.workspaces, "callback_addresses": dict(addresses or {})}
        return found.model_copy(update=more)


class ConnectionCheck(Shape):
    """One check of a connection test."""

    about: About
    verdict: Verdict
    finding: str
    remedy: str = Field(description="What to do; empty where it is ok.")


class TestedConnection(Shape):
    """What a connection test found, check by check."""

    passed: bool = Field(description="Nothing failed: messages can be sent.")
    checks: list[ConnectionCheck]
    addresses: dict[str, str] = Field(
        description="What to enter at the platform, by what it pushes there."
    )
