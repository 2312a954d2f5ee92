"""The jobs that merge what came back, as whoever stores it defers them.

One of a kind runs at a time, and at most one waits; it merges until nothing is left.
"""

from typing import Final

from textwave.storage.queue import Job

QUEUE: Final = "responses"


def _merge(task: str) -> Job:
    return Job(task=task, queue=QUEUE, args={}, lock=task, queueing_lock=task)


MERGE_RECEIPTS: Final = _merge("responses.merge_receipts")
MERGE_REPLIES: Final = _merge("responses.merge_replies")
MERGE_REVIEWS: Final = _merge("responses.merge_reviews")
MERGE_CLICKS: Final = _merge("responses.merge_clicks")

OF_CALLBACK: Final[dict[str, Job]] = {
    "receipts": MERGE_RECEIPTS,
    "replies": MERGE_REPLIES,
    "reviews": MERGE_REVIEWS,
}
