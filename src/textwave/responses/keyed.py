"""Receipts that name their message by the key of its request and its number.

Pure. A platform that takes no ids of messages gives the key back with each number. Refuses keys of
other installations and of other systems that use the same account: those receipts are strays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from textwave.dispatch.doubt import RequestKey, key_in
from textwave.platforms.contract import Receipt


@dataclass(frozen=True, slots=True)
class Asked:
    """Which message is meant by the receipt at this position."""

    position: int
    key: RequestKey
    mobile: int


def is_keyed(receipt: Receipt) -> bool:
    """Tell whether a receipt names its message by its request."""
    return receipt.message_id == 0


def asked_of(receipts: Sequence[Receipt], installation: str) -> list[Asked]:
    """Return the messages that keyed receipts ask for, where the key is one of ours."""
    known: dict[str, RequestKey | None] = {}
    asked: list[Asked] = []
    for position, receipt in enumerate(receipts):
        text = receipt.request_key
        if text not in known:
            known[text] = _key_in(text, installation)
        key = known[text]
        if key is not None and receipt.mobile is not None:
            asked.append(Asked(position, key, receipt.mobile))
    return asked


def named(
    receipts: Sequence[Receipt], message_ids: Mapping[int, int]
) -> tuple[list[Receipt], list[Receipt]]:
    """Return the receipts with the messages found for them, by position, and the strays."""
    found: list[Receipt] = []
    strays: list[Receipt] = []
    for position, receipt in enumerate(receipts):
        message_id = message_ids.get(position)
        if message_id is None:
            strays.append(receipt)
        else:
            found.append(
                Receipt(
                    message_id,
                    receipt.mobile,
                    receipt.state,
                    receipt.error_code,
                    receipt.parts,
                    receipt.reported_at,
                    part=receipt.part,
                )
            )
    return found, strays


def _key_in(text: str, installation: str) -> RequestKey | None:
    prefix = f"{installation}-"
    return key_in(text.removeprefix(prefix)) if text.startswith(prefix) else None
