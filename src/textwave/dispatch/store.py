"""Rows of batches, requests and the messages in them; everything in sets, one batch at a time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from textwave.dispatch.requests import Recipient, Request, RequestState, Verdict
from textwave.kit.ids import CampaignId, PlatformId, SignatureId, WorkspaceId
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements

_SQL = load_statements(__package__ or "textwave.dispatch")


@dataclass(frozen=True, slots=True)
class BatchKey:
    """Which batch: the arguments of its job."""

    workspace_id: WorkspaceId
    campaign_id: CampaignId
    batch: int

    def parameters(self, **more: Any) -> dict[str, Any]:
        """Return the key as parameters of a statement."""
        return {
            "workspace_id": self.workspace_id,
            "campaign_id": self.campaign_id,
            "batch": self.batch,
            **more,
        }


@dataclass(frozen=True, slots=True)
class SendingCampaign:
    """What every batch of a campaign has in common."""

    id: CampaignId
    workspace_id: WorkspaceId
    type: str
    state: str
    content: str
    first_message_id: int
    request_size: int
    token_version: int
    platform_id: PlatformId
    signature_id: SignatureId
    quiet: str
    signature: str
    template_code: str
    installation: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch that this job holds."""

    number: int
    first_id: int
    last_id: int
    attempts: int
    previous_state: str


@dataclass(frozen=True, slots=True)
class Turn:
    """When the platform account is free for what is about to be sent."""

    wait_seconds: float
    rate_per_second: int


@dataclass(frozen=True, slots=True)
class ForgottenBatch:
    """An open batch without a job."""

    workspace_id: WorkspaceId
    campaign_id: CampaignId
    number: int


@dataclass(frozen=True, slots=True)
class _Settled:
    number: int
    attempt: int
    state: str


async def campaign(connection: Connection, key: BatchKey) -> SendingCampaign | None:
    """Read the campaign and hold its row shared until the transaction ends."""
    return await one(connection, SendingCampaign, _SQL["campaign"], key.parameters())


async def take_batch(connection: Connection, key: BatchKey) -> Batch | None:
    """Take the batch for this job; None when it is done."""
    return await one(connection, Batch, _SQL["take_batch"], key.parameters())


async def recipients(connection: Connection, key: BatchKey, batch: Batch) -> list[Recipient]:
    """Return the batch's messages in order of id."""
    parameters = key.parameters(first_id=batch.first_id, last_id=batch.last_id)
    cursor = await connection.execute(_SQL["recipients"], parameters, binary=True)
    return [Recipient(*row) for row in await cursor.fetchall()]


async def drop_messages(
    connection: Connection, key: BatchKey, batch: Batch, ids: Sequence[int], reason: str
) -> None:
    """Turn messages into drops with a reason; the tallies follow."""
    await execute(
        connection,
        _SQL["drop_messages"],
        key.parameters(
            first_id=batch.first_id, last_id=batch.last_id, ids=list(ids), reason=reason
        ),
    )


async def add_requests(connection: Connection, key: BatchKey, requests: Sequence[Request]) -> None:
    """Write first requests as prepared."""
    await execute(
        connection,
        _SQL["add_requests"],
        key.parameters(
            numbers=[r.number for r in requests],
            firsts=[r.first_id for r in requests],
            lasts=[r.last_id for r in requests],
            sizes=[r.size for r in requests],
        ),
    )


async def open_requests(connection: Connection, key: BatchKey) -> list[Request]:
    """Return the requests of the batch that have no final answer."""
    return await many(connection, Request, _SQL["open_requests"], key.parameters())


async def record(connection: Connection, key: BatchKey, batch: Batch, verdict: Verdict) -> bool:
    """Write what a round of answers changed; return whether the batch is done."""
    span = {"first_id": batch.first_id, "last_id": batch.last_id}
    settled = await many(
        connection, _Settled, _SQL["settle_requests"], key.parameters(**_columns(verdict))
    )
    first_to_settle = {(s.number, s.attempt) for s in settled}
    for request in verdict.again:
        if (request.number, request.attempt - 1) in first_to_settle:
            await execute(connection, _SQL["add_retry"], key.parameters(**_retry_columns(request)))
    retried = [
        message_id
        for request in verdict.accepted
        for message_id in request.message_ids or ()
        if message_id not in verdict.failed
    ]
    if retried:
        await execute(connection, _SQL["submit_retried"], {**span, "ids": retried})
    if verdict.failed:
        failures = {"ids": list(verdict.failed), "causes": list(verdict.failed.values())}
        await execute(connection, _SQL["fail_messages"], key.parameters(**span, **failures))
    await execute(
        connection,
        _SQL["tally_submitted"],
        key.parameters(
            count=_submitted(verdict, first_to_settle), **_taken(verdict, first_to_settle)
        ),
    )
    state = await value(connection, _SQL["close_batch"], key.parameters(trouble=verdict.trouble))
    if state == "done":
        await execute(connection, _SQL["complete"], key.parameters())
    return bool(state == "done")


async def pause(connection: Connection, key: BatchKey, reason: str) -> bool:
    """Pause the campaign, if it is sending."""
    return await execute(connection, _SQL["pause"], key.parameters(reason=reason)) == 1


async def take_turn(
    connection: Connection, platform_id: PlatformId, messages: int, *, ahead_seconds: float
) -> Turn | None:
    """Take the account's next free moment for so many messages, atomically.

    None when that moment is more than `ahead_seconds` away.
    """
    parameters = {
        "platform_id": platform_id,
        "messages": messages,
        "ahead_seconds": ahead_seconds,
    }
    return await one(connection, Turn, _SQL["take_turn"], parameters)


async def seconds_until_free(connection: Connection, platform_id: PlatformId) -> float:
    """Return how long the account is taken."""
    seconds = await value(connection, _SQL["seconds_until_free"], {"platform_id": platform_id})
    if seconds is None:
        raise LookupError(f"platform {platform_id} is gone")
    return float(seconds)


async def forgotten_batches(connection: Connection) -> list[ForgottenBatch]:
    """Return open batches that no job will take, in any workspace."""
    return await many(connection, ForgottenBatch, _SQL["forgotten_batches"])


def _submitted(verdict: Verdict, first_to_settle: set[tuple[int, int]]) -> int:
    """Count submitted messages of the requests that this transaction settled, no others."""
    if all((r.number, r.attempt) in first_to_settle for r in verdict.accepted):
        return verdict.submitted
    refused = _refused(verdict)
    return sum(
        request.size - sum(request.covers(i) for i in refused)
        for request in verdict.accepted
        if (request.number, request.attempt) in first_to_settle
    )


def _refused(verdict: Verdict) -> set[int]:
    """Return the messages that were not taken though their request was."""
    again = (i for request in verdict.again for i in request.message_ids or ())
    return {*verdict.failed, *again}


def _taken(verdict: Verdict, first_to_settle: set[tuple[int, int]]) -> dict[str, list[int]]:
    """Return the ids of accepted requests as ranges, and those of them that were refused."""
    spans: list[tuple[int, int]] = []
    for request in verdict.accepted:
        if (request.number, request.attempt) not in first_to_settle:
            continue
        if request.message_ids is None:
            spans.append((request.first_id, request.last_id))
        else:
            spans += [(message_id, message_id) for message_id in request.message_ids]
    return {
        "firsts": [first for first, _ in spans],
        "lasts": [last for _, last in spans],
        "refused": sorted(_refused(verdict)),
    }


def _columns(verdict: Verdict) -> Mapping[str, list[Any]]:
    states = [
        *((r, RequestState.ACCEPTED) for r in verdict.accepted),
        *((r, RequestState.IN_DOUBT) for r in verdict.in_doubt),
        *((r, RequestState.PREPARED) for r in verdict.unsent),
    ]
    answers = [verdict.answers[r.number, r.attempt] for r, _ in states]
    return {
        "numbers": [r.number for r, _ in states],
        "attempts": [r.attempt for r, _ in states],
        "states": [state.value for _, state in states],
        "outcomes": [answer.outcome.value for answer in answers],
        "details": [answer.detail for answer in answers],
        "request_ids": [answer.request_id for answer in answers],
    }


def _retry_columns(request: Request) -> dict[str, Any]:
    return {
        "number": request.number,
        "attempt": request.attempt,
        "first_id": request.first_id,
        "last_id": request.last_id,
        "message_ids": request.message_ids,
        "size": request.size,
    }
