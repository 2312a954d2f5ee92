"""What the pages of opt-outs read: three lists, each newest first, and whom an entry is about.

Which list is a word in the address: `signatures`, `platforms` or `denied`. Numbers leave masked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from textwave.accounts.store import workspace
from textwave.connections import store as connection_store
from textwave.connections.accounts import PlatformAccount
from textwave.console.fields import row_id
from textwave.console.visit import Visit
from textwave.kit.ids import OptOutId, PlatformId, SignatureId
from textwave.kit.mobile import Mobile, masked
from textwave.kit.refusal import NotFound
from textwave.signatures import store as signature_store
from textwave.signatures.store import Signature
from textwave.storage.ledger import Connection
from textwave.suppression import deny_store, store

SIGNATURES: Final = "signatures"
PLATFORMS: Final = "platforms"
DENIED: Final = "denied"
LISTS: Final = (SIGNATURES, PLATFORMS, DENIED)
_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Entry:
    """A number that gets nothing, as it is shown; `number` is for the operations, never shown."""

    id: int
    number: int
    signature_id: int | None
    source: str
    reason: str
    evidence: str
    by: str
    since: datetime

    @property
    def mobile(self) -> str:
        """The number to its last four digits."""
        return masked(Mobile(self.number))


@dataclass(frozen=True, slots=True)
class OptOutList:
    """A page of one of the lists, and what else can be looked at; `older` goes on."""

    kind: str
    entries: Sequence[Entry]
    platforms: Sequence[PlatformAccount]
    signatures: Sequence[Signature]
    platform_id: int | None
    signature_id: int | None
    older: int | None
    zone: str

    def signature_of(self, entry: Entry) -> str:
        """Return the signature of an entry, with its platform."""
        named = (s for s in self.signatures if s.id == entry.signature_id)
        return next((f"{one.name} · {one.platform}" for one in named), "")


async def read_list(visit: Visit) -> OptOutList:
    """Read a page of the list that the address names.

    Raises:
        NotFound: there is no such list, platform or signature.
    """
    kind, asked = _kind(visit), visit.request.query_params
    after = row_id(asked.get("after", ""))
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        workspace_id = visit.workspace_id
        platforms = await connection_store.platforms(connection, workspace_id=workspace_id)
        signatures = await signature_store.signatures(connection, workspace_id=workspace_id)
        signature_id = row_id(asked.get("signature", ""))
        platform_id = _platform(asked.get("platform", ""), platforms) if kind == PLATFORMS else None
        entries = list[Entry]()
        if kind != PLATFORMS or platform_id is not None:
            entries = await _entries(connection, visit, kind, platform_id, signature_id, after)
        zone = (await workspace(connection, workspace_id)).time_zone
    older = entries[-1].id if len(entries) == _SHOWN else None
    return OptOutList(kind, entries, platforms, signatures, platform_id, signature_id, older, zone)


async def read_entry(visit: Visit, shown: OptOutList) -> Entry:
    """Read one entry in force by the id in the address.

    Raises:
        NotFound: it is not there, or was lifted.
    """
    wanted = int(visit.request.path_params["id"])
    async with visit.ground.ledger.transaction(visit.workspace_id) as connection:
        found = await _entries(
            connection, visit, shown.kind, shown.platform_id, None, min(wanted, 2**62) + 1, limit=1
        )
    if not found or found[0].id != wanted:
        raise NotFound("opt-out", str(wanted))
    return found[0]


async def _entries(
    connection: Connection,
    visit: Visit,
    kind: str,
    platform_id: int | None,
    signature_id: int | None,
    after: int | None,
    limit: int = _SHOWN,
) -> list[Entry]:
    if kind == SIGNATURES:
        found = await store.opt_outs(
            connection,
            workspace_id=visit.workspace_id,
            signature_id=None if signature_id is None else SignatureId(signature_id),
            after=None if after is None else OptOutId(after),
            limit=limit,
        )
        return [
            Entry(o.id, o.mobile, o.signature_id, o.source, "", o.evidence, "", o.opted_out_at)
            for o in found
        ]
    denied = await deny_store.entries(
        connection,
        workspace_id=visit.workspace_id,
        platform_id=None if platform_id is None else PlatformId(platform_id),
        after=after,
        limit=limit,
    )
    return [
        Entry(d.id, d.mobile, None, d.source, d.reason, d.evidence, d.denied_by, d.denied_at)
        for d in denied
    ]


def _kind(visit: Visit) -> str:
    kind = str(visit.request.path_params.get("kind", SIGNATURES))
    if kind not in LISTS:
        raise NotFound("list", kind[:30])
    return kind


def _platform(wanted: str, platforms: Sequence[PlatformAccount]) -> int | None:
    """Return the id of the platform that is asked for, else of the first; None without any."""
    if not wanted:
        return platforms[0].id if platforms else None
    for account in platforms:
        if str(account.id) == wanted:
            return account.id
    raise NotFound("platform", wanted[:30])
