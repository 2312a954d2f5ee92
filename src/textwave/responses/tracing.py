"""Whose reply it is: the workspace, signature, campaign and message that it belongs to.

Pure. The message that the reply can answer decides; else the signature it was sent to; else the
platform's only workspace. Refuses to guess between workspaces.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textwave.kit.ids import SignatureId, WorkspaceId
from textwave.platforms.contract import Reply
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
    traced: Mapping[int, TracedReply],
    named: Sequence[NamedSignature],
    only_workspace: WorkspaceId | None,
) -> tuple[list[PlacedReply], list[Reply]]:
    """Return the replies with their places, and those that belong nowhere.

    `traced` is by a reply's position in `replies`.
    """
    placed: list[PlacedReply] = []
    homeless: list[Reply] = []
    for ordinal, reply in enumerate(replies):
        same_name = [signature for signature in named if signature.name == reply.signature]
        found = _place(reply, traced.get(ordinal), same_name, only_workspace)
        if found is None:
            homeless.append(reply)
        else:
            placed.append(found)
    return placed, homeless


def _place(
    reply: Reply,
    traced: TracedReply | None,
    same_name: Sequence[NamedSignature],
    only_workspace: WorkspaceId | None,
) -> PlacedReply | None:
    if traced is not None:
        signatures = [(traced.workspace_id, traced.signature_id)]
    else:
        # Nobody knows which workspace wrote: all that share the name must be silent.
        signatures = [(signature.workspace_id, signature.id) for signature in same_name]
    workspace_id = signatures[0][0] if signatures else only_workspace
    if workspace_id is None:
        return None
    intent = intent_of(reply.content)
    kept = NewReply(
        workspace_id=workspace_id,
        platform_reply_id=reply.reply_id,
        signature_id=signatures[0][1] if signatures else None,
        campaign_id=traced.campaign_id if traced else None,
        message_id=traced.message_id if traced else None,
        mobile=reply.mobile,
        content=reply.content,
        intent=intent,
        received_at=reply.received_at,
    )
    return PlacedReply(kept, _blocked(reply, signatures) if intent is Intent.opt_out else ())


def _blocked(
    reply: Reply, signatures: Sequence[tuple[WorkspaceId, SignatureId]]
) -> list[NewOptOut]:
    evidence = f"reply {reply.reply_id}: {reply.content.strip()}"
    return [
        NewOptOut(workspace_id, signature_id, reply.mobile, evidence, reply.received_at)
        for workspace_id, signature_id in signatures
    ]
