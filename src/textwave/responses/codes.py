"""Whose an extend code is: the code that a phone replies to, where the platform names no signature.

Pure. Learned from replies of people to whom one signature alone has written lately; a single one
may answer an older message of another, so it takes several that agree.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from textwave.kit.ids import SignatureId, WorkspaceId
from textwave.platforms.contract import Reply

LEAST_SEEN: Final = 3
"""So many replies must agree before a code is known."""


@dataclass(frozen=True, slots=True)
class Written:
    """A signature that has written to somebody lately."""

    workspace_id: WorkspaceId
    signature_id: SignatureId


def codes_in(replies: Sequence[Reply]) -> list[str]:
    """Return the extend codes of replies that name no signature."""
    return sorted({r.extend_code for r in replies if r.extend_code and not r.signature})


def learned(
    replies: Sequence[Reply], written: Mapping[int, Sequence[Written]], new: Collection[str]
) -> Counter[tuple[str, Written]]:
    """Count what new replies tell of codes; `written` is by a reply's position."""
    told: Counter[tuple[str, Written]] = Counter()
    for position, reply in enumerate(replies):
        who = written.get(position, ())
        is_sure = len(who) == 1 and reply.reply_id in new
        if reply.extend_code and not reply.signature and is_sure:
            told[reply.extend_code, who[0]] += 1
    return told
