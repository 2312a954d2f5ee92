"""Rows of batches, requests and the messages in them; everything in sets, one batch at a time."""

from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.rows import args_row

from textwave.campaigns.timing import Window, check_window
from textwave.dispatch.requests import (
    UNSENT,
    Parting,
    Recipient,
    Request,
    RequestState,
    Verdict,
)
from textwave.dispatch.serving import Batch, BatchKey
from textwave.kit.ids import CampaignId, PlatformId, SignatureId, WorkspaceId
from textwave.kit.mobile import mask_numbers
from textwave.storage.ledger import Connection, execute, many, one, value
from textwave.storage.statements import load_statements
from textwave.suppression.store import UNSUBSCRIBED, block_unsubscribed

_SQL = load_statements(__package__ or "textwave.dispatch")


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
    purpose: str
    window_from: time | None
    window_until: time | None
    window_days: list[int]
    time_zone: str
    signature: str
    template_code: str
    installation: str

    @property
    def window(self) -> Window | None:
        """When its messages may leave; None: always."""
        return check_window(self.window_from, self.window_until, self.window_days)

    @property
    def zone(self) -> ZoneInfo:
        """The workspace's time zone."""
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True, slots=True)
class OpenRecipients:
    """The messages of a batch that was begun.

    `held`: ids of those that are held back; `moved`: of those that a later attempt has or had;
    `ended`: of those whose end is known.
    """

    all: list[Recipient]
    held: set[int]
    moved: set[int]
    ended: set[int]

    @property
    def apart(self) -> set[int]:
        """Ids that are in the range of a first attempt and not of it."""
        return self.held | self.moved


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where the campaign stands after a round: what its error budget is measured by."""

    state: str
    answered: int
    failed: int
    budget_failed: int
    budget_percent: int | None
    budget_after: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How a batch is given back: who had it, what waits, and for how long."""

    job_id: int
    honours_keys: bool
    backoff_seconds: float = 0.0
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Settled:
    number: int
    attempt: int
    state: str


async def campaign(connection: Connection, key: BatchKey) -> SendingCampaign | None:
    """Read the campaign, without a lock."""
    return await one(connection, SendingCampaign, _SQL["campaign"], key.parameters())


async def begin_batch(connection: Connection, key: BatchKey, job_id: int) -> bool:
    """Say that the batch is being sent; False when another has it or its campaign sends no more."""
    parameters = key.parameters(job_id=job_id)
    return await execute(connection, _SQL["begin_batch"], parameters) == 1


async def recipients(connection: Connection, key: BatchKey, batch: Batch) -> list[Recipient]:
    """Return the batch's messages in order of id."""
    parameters = key.parameters(first_id=batch.first_id, last_id=batch.last_id)
    async with connection.cursor(row_factory=args_row(Recipient), binary=True) as cursor:
        await cursor.execute(_SQL["recipients"], parameters)
        return await cursor.fetchall()


async def open_recipients(connection: Connection, key: BatchKey, batch: Batch) -> OpenRecipients:
    """Return the messages of a batch that was begun, in order of id."""
    parameters = key.parameters(first_id=batch.first_id, last_id=batch.last_id)
    cursor = await connection.execute(_SQL["open_recipients"], parameters, binary=True)
    rows = await cursor.fetchall()
    return OpenRecipients(
        [Recipient(*row[:3]) for row in rows],
        {row[0] for row in rows if row[3]},
        {row[0] for row in rows if row[4]},
        {row[0] for row in rows if row[5]},
    )


async def hold_messages(
    connection: Connection, key: BatchKey, batch: Batch, ids: Sequence[int]
) -> None:
    """Keep messages back until the batch is taken again."""
    parameters = key.parameters(first_id=batch.first_id, last_id=batch.last_id, ids=list(ids))
    await execute(connection, _SQL["hold_messages"], parameters)


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
            outcomes=[r.outcome for r in requests],
        ),
    )


async def add_attempts(
    connection: Connection, key: BatchKey, batch: Batch, numbers: Mapping[int, int]
) -> list[Request]:
    """Write later attempts for messages that were held back: request numbers by message id."""
    parameters = key.parameters(
        first_id=batch.first_id,
        last_id=batch.last_id,
        ids=list(numbers),
        numbers=list(numbers.values()),
    )
    return await many(connection, Request, _SQL["add_attempts"], parameters)


async def doubt_interrupted(connection: Connection, key: BatchKey) -> None:
    """Put requests in doubt that were about to leave when their worker died."""
    await execute(connection, _SQL["doubt_interrupted"], key.parameters())


async def resize_requests(
    connection: Connection,
    key: BatchKey,
    before: Sequence[Request],
    after: Sequence[Request],
    lost: Collection[int],
) -> None:
    """Write which messages unsent requests have lost; requests that have none left go."""
    sizes = {(r.number, r.attempt): r.size for r in after}
    gone = [r for r in before if (r.number, r.attempt) not in sizes]
    if gone:
        await execute(connection, _SQL["delete_requests"], key.parameters(**_which(gone)))
    parameters = key.parameters(**_which(after), sizes=list(sizes.values()), lost=list(lost))
    await execute(connection, _SQL["resize_requests"], parameters)


async def tally_returned(
    connection: Connection, key: BatchKey, ids: Sequence[int], count: int
) -> None:
    """Count messages as submitted that were to leave again when a receipt came for them."""
    parameters = key.parameters(ids=list(ids), count=count)
    await execute(connection, _SQL["tally_returned"], parameters)


async def leave(connection: Connection, key: BatchKey, requests: Sequence[Request]) -> None:
    """Write that unsent requests are about to leave again."""
    await execute(connection, _SQL["leave"], key.parameters(**_which(requests)))


async def open_requests(connection: Connection, key: BatchKey) -> list[Request]:
    """Return the requests of the batch that have no final answer."""
    return await many(connection, Request, _SQL["open_requests"], key.parameters())


async def record(
    connection: Connection, key: BatchKey, batch: Batch, verdict: Verdict, apart: AbstractSet[int]
) -> Recorded:
    """Write what a round of answers changed; the batch is still held."""
    span = {"first_id": batch.first_id, "last_id": batch.last_id}
    settled = await many(
        connection, _Settled, _SQL["settle_requests"], key.parameters(**_columns(verdict))
    )
    first_to_settle = {(s.number, s.attempt) for s in settled}
    for parting in verdict.parted:
        if (parting.request.number, parting.request.attempt) in first_to_settle:
            await _part(connection, key, parting)
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
        await block_unsubscribed(
            connection, [i for i, cause in verdict.failed.items() if cause == UNSUBSCRIBED]
        )
    taken = {**_taken(verdict, first_to_settle), "apart": sorted(apart)}
    parameters = key.parameters(count=_submitted(verdict, first_to_settle), **taken)
    recorded = await one(connection, Recorded, _SQL["tally_submitted"], parameters)
    if recorded is None:
        raise LookupError(f"campaign {key.campaign_id} has no tally")
    return recorded


async def _part(connection: Connection, key: BatchKey, parting: Parting) -> None:
    """Write what of a request in doubt was answered as an attempt of its own."""
    request = parting.request
    left = {
        "numbers": [request.number],
        "attempts": [request.attempt],
        "sizes": [request.size - len(parting.moved)],
        "lost": parting.moved,
    }
    await execute(connection, _SQL["resize_requests"], key.parameters(**left))
    if parting.answered:
        ids = parting.answered
        answered = Request(request.number, 0, ids[0], ids[-1], ids, len(ids))
        await execute(connection, _SQL["add_answered"], key.parameters(**_retry_columns(answered)))


async def close(connection: Connection, key: BatchKey, ending: Ending, verdict: Verdict) -> bool:
    """Give the batch back, or end it, and with the last one its campaign; True: it is done."""
    parameters = key.parameters(
        job_id=ending.job_id,
        honours_keys=ending.honours_keys,
        backoff_seconds=ending.backoff_seconds,
        held_until=ending.held_until,
        has_progress=verdict.has_progress,
        trouble=mask_numbers(verdict.trouble or verdict.pause_reason),
    )
    state = await value(connection, _SQL["close_batch"], parameters)
    if state == "done":
        await execute(connection, _SQL["complete"], key.parameters())
    return bool(state == "done")


async def pause(connection: Connection, key: BatchKey, reason: str) -> bool:
    """Pause the campaign, if it is sending."""
    parameters = key.parameters(reason=mask_numbers(reason))
    return await execute(connection, _SQL["pause"], parameters) == 1


async def failures_by_cause(connection: Connection, key: BatchKey) -> dict[str, int]:
    """Return how many messages of the campaign failed, by cause."""
    cursor = await connection.execute(_SQL["failures_by_cause"], key.parameters())
    return {row[0]: row[1] for row in await cursor.fetchall()}


async def pause_for_budget(
    connection: Connection, key: BatchKey, reason: str, *, answered: int, failed: int
) -> bool:
    """Pause the campaign, if it is sending, and begin its budget anew."""
    parameters = key.parameters(reason=reason, answered=answered, failed=failed)
    return await execute(connection, _SQL["pause_for_budget"], parameters) == 1


def _submitted(verdict: Verdict, first_to_settle: set[tuple[int, int]]) -> int:
    """Count submitted messages of the requests that this transaction settled, no others."""
    apart = len(_taken_apart(verdict, first_to_settle))
    if all((r.number, r.attempt) in first_to_settle for r in verdict.accepted):
        return verdict.submitted + apart
    refused = _refused(verdict)
    return apart + sum(
        request.size - sum(request.covers(i) for i in refused)
        for request in verdict.accepted
        if (request.number, request.attempt) in first_to_settle
    )


def _taken_apart(verdict: Verdict, first_to_settle: set[tuple[int, int]]) -> list[int]:
    """Return who was taken though others of the request are in doubt."""
    return [
        message_id
        for parting in verdict.parted
        if (parting.request.number, parting.request.attempt) in first_to_settle
        for message_id in parting.taken
    ]


def _refused(verdict: Verdict) -> set[int]:
    """Return the messages that were not taken though their request was."""
    again = (i for request in verdict.again for i in request.message_ids or ())
    return {*verdict.failed, *again}


def _taken(verdict: Verdict, first_to_settle: set[tuple[int, int]]) -> dict[str, list[int]]:
    """Return the ids of accepted requests, as ranges or one by one, and those of them refused."""
    settled = [r for r in verdict.accepted if (r.number, r.attempt) in first_to_settle]
    ranges = [request for request in settled if request.message_ids is None]
    return {
        "firsts": [request.first_id for request in ranges],
        "lasts": [request.last_id for request in ranges],
        "own_ids": [
            *(i for request in settled for i in request.message_ids or ()),
            *_taken_apart(verdict, first_to_settle),
        ],
        "refused": sorted(_refused(verdict)),
    }


def _which(requests: Sequence[Request]) -> dict[str, list[int]]:
    return {
        "numbers": [request.number for request in requests],
        "attempts": [request.attempt for request in requests],
    }


def _columns(verdict: Verdict) -> Mapping[str, list[Any]]:
    states = [
        *((r, RequestState.ACCEPTED) for r in verdict.accepted),
        *((r, RequestState.IN_DOUBT) for r in verdict.in_doubt),
        *((r, RequestState.PREPARED) for r in verdict.unsent),
    ]
    answers = [verdict.answers[r.number, r.attempt] for r, _ in states]
    later = [r for r in verdict.later if r.state == RequestState.PREPARED]
    return {
        **_which([*(r for r, _ in states), *later]),
        "states": [*(state.value for _, state in states), *(r.state for r in later)],
        "outcomes": [*(answer.outcome.value for answer in answers), *(UNSENT for _ in later)],
        "details": [*(mask_numbers(answer.detail) for answer in answers), *("" for _ in later)],
        "request_ids": [*(answer.request_id for answer in answers), *("" for _ in later)],
    }


def _retry_columns(request: Request) -> dict[str, Any]:
    return {
        "number": request.number,
        "first_id": request.first_id,
        "last_id": request.last_id,
        "message_ids": request.message_ids,
        "size": request.size,
    }
