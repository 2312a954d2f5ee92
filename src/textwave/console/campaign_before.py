"""What the page of a campaign shows before it starts: what it says, its dry run, its test sends.

Numbers of test sends are masked. The newest dry run says how many would get a message and what that
costs; where there is none, only the size of the audience is known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from textwave.accounts.store import workspace
from textwave.campaigns import rehearsal_store, shares_store, store, trial_operations
from textwave.campaigns.brief import Brief
from textwave.campaigns.operations import campaign
from textwave.campaigns.store import Campaign
from textwave.campaigns.texts import sent_text
from textwave.campaigns.trial_store import SentTest
from textwave.console.visit import Visit
from textwave.content.variables import parse
from textwave.kit.mobile import Mobile, masked
from textwave.kit.money import Money
from textwave.storage import progress
from textwave.storage.progress import Operation

BEFORE: Final = ("draft", "rejected", "scheduled")
MOVING_TESTS: Final = ("planned", "prepared", "held", "submitted")


@dataclass(frozen=True, slots=True)
class TestMessage:
    """What became of one message of a test send; the number is masked."""

    number: str
    state: str
    cause: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Test:
    """One test send."""

    sent: SentTest
    messages: Sequence[TestMessage]

    @property
    def moving(self) -> bool:
        """Tell whether an answer may still come."""
        return any(message.state in MOVING_TESTS for message in self.messages)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What the newest dry run said; `stale`: of what is not so any more."""

    at: datetime
    messages: int
    audience: int
    parts: int
    price: str
    stale: bool


@dataclass(frozen=True, slots=True)
class Before:
    """Everything that is shown of a campaign that has not begun."""

    campaign: Campaign
    brief: Brief
    texts: Mapping[str, Sequence[str]]
    dry_run: Operation | None
    tests: Sequence[Test]
    zone: str
    now: datetime

    @property
    def variables(self) -> list[str]:
        """Return the variables of all its texts, each once."""
        return list(dict.fromkeys(name for names in self.texts.values() for name in names))

    @property
    def rehearsed(self) -> Rehearsed | None:
        """Return what the newest dry run said, if it has ended well."""
        run = self.dry_run
        if run is None or run.result is None or run.finished_at is None:
            return None
        found: dict[str, Any] = run.result
        price = str(Money(found["price_milli"], found["currency"]))
        changes = (self.brief.edited_at, self.brief.audience_computed_at)
        return Rehearsed(
            run.finished_at,
            found["messages"],
            found["audience"],
            found["parts"],
            price,
            stale=any(at is not None and at > run.created_at for at in changes),
        )


async def read_before(visit: Visit) -> Before:
    """Read what the page of a campaign shows before it starts.

    Raises:
        NotFound: the workspace has no campaign of that name.
    """
    workspace_id = visit.workspace_id
    async with visit.ground.ledger.transaction(workspace_id) as connection:
        found = await campaign(connection, workspace_id, visit.name)
        brief = await store.brief(connection, workspace_id, name=visit.name)
        variants = await shares_store.variants(connection, workspace_id, found.id)
        last = await rehearsal_store.newest_dry_run(connection, workspace_id, found.id)
        dry_run = None
        if last is not None:
            dry_run = await progress.read(connection, workspace_id=workspace_id, operation_id=last)
        zone = (await workspace(connection, workspace_id)).time_zone
    texts = {one.name: one.content for one in variants if one.number and one.content}
    return Before(
        campaign=found,
        brief=brief,
        texts={
            name: parse(sent_text(brief, content)).names
            for name, content in (texts or {"": brief.template_content}).items()
        },
        dry_run=dry_run,
        tests=await read_tests(visit),
        zone=zone,
        now=visit.now,
    )


async def read_tests(visit: Visit) -> list[Test]:
    """Read the newest test sends of a campaign."""
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        found = await trial_operations.sent_tests(connection, visit.workspace_id, visit.name)
    return [
        Test(
            sent,
            [
                TestMessage(
                    number=masked(Mobile(one.mobile)),
                    state=one.state,
                    cause=one.cause,
                    at=one.finished_at or one.answered_at or one.prepared_at,
                )
                for one in messages
            ],
        )
        for sent, messages in found
    ]
