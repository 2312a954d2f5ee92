"""Whose reply it is: the workspace, signature, campaign and message that it belongs to.

Pure. The message that the reply can answer decides; else the signature or the extend code that it
was sent to; else the platform's only workspace. Refuses to guess between workspaces.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textwave.kit.ids import WorkspaceId
from textwave.platforms.contract import Reply
from textwave.responses.codes import Written
from textwave.responses.intent import Intent, intent_of
from textwave.responses.store import NamedSignature, NewReply, TracedReply
from textwave.suppression.store import NewOptOut


@dataclass(frozen=True, slots=True)
class PlacedReply:
    """A reply with its place, and every signature that it may opt out of."""

    reply: NewReply
    blocked: Sequence[NewOptOut]


def place(
    replies: Sequence[Reply],
    *,
    traced: Mapping[int, Sequence[TracedReply]],
    named: Sequence[NamedSignature],
    codes: Mapping[str, Written],
    only_workspace: WorkspaceId | None,
) -> tuple[list[PlacedReply], list[Reply]]:
    """Return the replies with their places, and those that belong nowhere.

    `traced` is by a reply's position in `replies`; `codes`: whose extend codes are.
    """
    placed: list[PlacedReply] = []
    homeless: list[Reply] = []
    for ordinal, reply in enumerate(replies):
        asked = _asked(reply, traced.get(ordinal, ()), named, codes)
        workspace_id = asked.signatures[0].workspace_id if asked.signatures else only_workspace
        if workspace_id is None:
            homeless.append(reply)
        else:
            placed.append(_placed(reply, asked, workspace_id))
    return placed, homeless


@dataclass(frozen=True, slots=True)
class _Asked:
    """The message that a reply answers, and the signatures that it may be meant for."""

    message: TracedReply | None
    signatures: Sequence[Written]


def _asked(
    reply: Reply,
    traced: Sequence[TracedReply],
    named: Sequence[NamedSignature],
    codes: Mapping[str, Written],
) -> _Asked:
    newest = max(traced, key=lambda found: found.message_id, default=None)
    if reply.signature:
        if newest is not None:
            return _Asked(newest, [_written(newest)])
        # Nobody knows which workspace wrote: all that share the name must be silent.
        shared = [s for s in named if s.name == reply.signature]
        return _Asked(None, [Written(s.workspace_id, s.id) for s in shared])
    meant = codes.get(reply.extend_code or "")
    if meant is not None:
        of_it = (found for found in traced if _written(found) == meant)
        return _Asked(next(of_it, None), [meant])
    if newest is None:
        return _Asked(None, [])
    # Nobody knows which signature is meant: all that wrote to this number must be silent.
    others = [_written(found) for found in traced if found is not newest]
    return _Asked(newest, [_written(newest), *others])


def wrote(traced: Sequence[TracedReply]) -> list[Written]:
    """Return the signatures that have written lately to whom a reply came from."""
    return [_written(found) for found in traced]


def _written(found: TracedReply) -> Written:
    return Written(found.workspace_id, found.signature_id)


def _placed(reply: Reply, asked: _Asked, workspace_id: WorkspaceId) -> PlacedReply:
    intent = intent_of(reply.content)
    kept = NewReply(
        workspace_id=workspace_id,
        platform_reply_id=reply.reply_id,
        signature_id=asked.signatures[0].signature_id if asked.signatures else None,
        campaign_id=asked.message.campaign_id if asked.message else None,
        message_id=asked.message.message_id if asked.message else None,
        mobile=reply.mobile,
        content=reply.content,
        intent=intent,
        received_at=reply.received_at,
    )
    blocked = _blocked(reply, asked.signatures) if intent is Intent.opt_out else ()
    return PlacedReply(kept, blocked)


def _blocked(reply: Reply, signatures: Sequence[Written]) -> list[NewOptOut]:
    evidence = f"reply {reply.reply_id}: {reply.content.strip()}"
    return [
        NewOptOut(
            written.workspace_id, written.signature_id, reply.mobile, evidence, reply.received_at
        )
        for written in signatures
    ]
