"""What a reply asks for: an opt-out by itself, maybe one, or something else.

Exact words opt out at once; a text that contains one is only leaning and is put before a person.
Refuses to guess: nothing else ever becomes an opt-out.
"""

import unicodedata
from enum import StrEnum
from typing import Final


class Intent(StrEnum):
    """What a reply asks for."""

    opt_out = "opt out"
    leaning = "leaning"
    other = "other"


# What the texts of Chinese platforms and of carriers elsewhere tell people to reply.
OPT_OUT_WORDS: Final = frozenset(
    {
        *("T", "TD", "R", "N", "0000", "00000"),
        *(
            "退订",
            "退訂",
            "拒收",
            "取消",
            "取消订阅",
            "回T",
            "回TD",
            "回T退订",
            "回复T",
            "拒收请回复R",
        ),
        *("STOP", "STOPALL", "UNSUBSCRIBE", "UNSUB", "OPTOUT", "OPT OUT", "OPT-OUT"),
        *("CANCEL", "END", "QUIT", "ARRET"),
    }
)

LEANING_WORDS: Final = (
    *(
        "退订",
        "退訂",
        "拒收",
        "取消",
        "不要再发",
        "别再发",
        "别发",
        "不要发",
        "勿扰",
        "骚扰",
        "投诉",
    ),
    *("举报", "不需要"),
    *("STOP", "UNSUBSCRIBE", "OPT OUT", "OPT-OUT", "REMOVE ME", "NO MORE", "SPAM", "COMPLAIN"),
)

_EDGE: Final = " \t\r\n\u3000.,;:!?。，；：！？、~～\"'“”‘’「」[]【】()（）<>《》*_-—"


def intent_of(content: str) -> Intent:
    """Tell what a reply asks for; full-width and lower-case letters count as plain ones."""
    plain = " ".join(unicodedata.normalize("NFKC", content).strip(_EDGE).upper().split())
    if plain in OPT_OUT_WORDS:
        return Intent.opt_out
    if any(word in plain for word in LEANING_WORDS):
        return Intent.leaning
    return Intent.other
