"""Who calls, and the pieces of the runtime that a route uses.

A caller is told by an API key as Bearer token; what it may see is its workspace, which every
transaction of a route names.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, cast

from fastapi import Depends, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import AfterValidator, Field

from textwave.accounts.operations import identify
from textwave.accounts.store import Caller
from textwave.audiences.visibility import Viewer
from textwave.kit.refusal import Refusal
from textwave.wiring import Runtime

PAGE_MAX = 1_000
_bearer = HTTPBearer(auto_error=False, description="An API key: “Authorization: Bearer tw_…”.")


@dataclass(eq=False)
class KeyMissing(Refusal):
    """The request carries no API key."""

    code: ClassVar[str] = "key_missing"

    @property
    def sentence(self) -> str:
        return (
            "The request carries no API key. Send one as “Authorization: Bearer …”; on the machine "
            "itself `textwave key show` prints the first one."
        )


def runtime_of(request: Request) -> Runtime:
    """Return the runtime of the process."""
    return cast("Runtime", request.app.state.runtime)


async def caller_of(
    runtime: Annotated[Runtime, Depends(runtime_of)],
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    """Tell who calls.

    Raises:
        KeyMissing, KeyUnknown: nobody that is known.
    """
    if credentials is None:
        raise KeyMissing
    return await identify(runtime.ledger, api_key=credentials.credentials)


def viewer_of(caller: Caller) -> Viewer:
    """Return who looks at audiences, and whether all of them are shown."""
    return Viewer(caller.name, caller.is_administrator)


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("it holds a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half a surrogate pair") from None
    return text


Rt = Annotated[Runtime, Depends(runtime_of)]
Who = Annotated[Caller, Depends(caller_of)]
Text = Annotated[str, AfterValidator(_storable)]
Name = Annotated[Text, Field(min_length=1, max_length=200)]
RowId = Annotated[int, Field(ge=1, le=2**63 - 1)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX, description="Most items of the page.")]
After = Annotated[
    RowId | None, Query(description="The id with which the page before ended; none: the first.")
]
