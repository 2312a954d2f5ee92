"""Lists of the console that show everything there is, up to a limit: page after page of a store."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from textwave.console.campaign_forms import MOST_LISTED

RowT = TypeVar("RowT")


async def listed(
    read: Callable[[int], Awaitable[list[RowT]]], page: int, id_of: Callable[[RowT], int]
) -> list[RowT]:
    """Return the rows behind id 0 in the order of their ids; `page` is how many `read` gives."""
    found: list[RowT] = []
    while len(found) < MOST_LISTED:
        more = await read(id_of(found[-1]) if found else 0)
        found += more
        if len(more) < page:
            break
    return found
