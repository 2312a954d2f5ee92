"""The REST API from the command line: where it is, with which key, and its refusals as sentences.

Address and key come from TEXTWAVE_URL and TEXTWAVE_API_KEY, else from what the data folder says of
the installation that runs on this machine.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import aiohttp
from rich.console import Console

from textwave.cli.installation import read_api_key, read_running
from textwave.kit.refusal import Refusal
from textwave.settings import load_settings

WAIT_SECONDS = 30
PAGE = 1_000
_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 120
_BLOCK_BYTES = 1 << 18
Answer = dict[str, Any]


@dataclass(eq=False)
class ApiUnknown(Refusal):
    """Nothing says where the API is."""

    code: ClassVar[str] = "api_unknown"
    data: str

    @property
    def sentence(self) -> str:
        return (
            f"Textwave does not run from {self.data}. Start it with `textwave up`, or name another "
            "folder in TEXTWAVE_DATA, or give TEXTWAVE_URL and TEXTWAVE_API_KEY."
        )


@dataclass(eq=False)
class ApiUnreachable(Refusal):
    """The API does not answer."""

    code: ClassVar[str] = "api_unreachable"
    url: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"{self.url} does not answer ({self.problem}). Check that Textwave runs there."


@dataclass(eq=False)
class ApiRefused(Refusal):
    """The API refused; the sentence is its own."""

    code: ClassVar[str] = "api_refused"
    status: int
    refusal_code: str
    detail: str

    @property
    def sentence(self) -> str:
        return self.detail


@dataclass(eq=False)
class OperationFailed(Refusal):
    """A long-running operation ended with a problem; the sentence is its own."""

    code: ClassVar[str] = "operation_failed"
    operation_id: int
    problem: dict[str, Any]

    @property
    def sentence(self) -> str:
        return str(self.problem.get("sentence") or "The operation failed.")


@dataclass(eq=False)
class OperationCancelled(Refusal):
    """Somebody ended a long-running operation before it was done."""

    code: ClassVar[str] = "operation_cancelled"
    operation_id: int

    @property
    def sentence(self) -> str:
        return f"Operation {self.operation_id} was cancelled; nothing has changed."


@dataclass(frozen=True, slots=True)
class Api:
    """One installation's API."""

    url: str
    key: str

    def get(self, path: str, **query: Any) -> Answer:
        """Read; None in the query is left out."""
        return asyncio.run(self._ask("GET", path, query=query))

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, key: str = "") -> Answer:
        """Ask for a change; with an idempotency key the same change is made once."""
        return asyncio.run(self._ask("POST", path, body=body or {}, key=key))

    def patch(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Change what is given; None in the body leaves as it is."""
        return asyncio.run(self._ask("PATCH", path, body=body))

    def put(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Put a thing in the place of what is there."""
        return asyncio.run(self._ask("PUT", path, body=body))

    def delete(self, path: str) -> Answer:
        """Ask for a thing to be deleted."""
        return asyncio.run(self._ask("DELETE", path))

    def upload(
        self, path: str, file: Path, query: Mapping[str, Any], sent: Callable[[int], None]
    ) -> Answer:
        """Send a file as it lies; `sent` is told the bytes of each piece."""
        return asyncio.run(self._ask("POST", path, query=query, pieces=_pieces(file, sent)))

    def download(self, path: str, target: Path) -> None:
        """Write what an address gives to a file, which is there when it is whole."""
        asyncio.run(self._fetch(path, target))

    def items(self, path: str, *, limit: int, **query: Any) -> Iterator[Answer]:
        """Read a listing page by page, at most so many items."""
        after: int | None = None
        while limit > 0:
            page = self.get(path, limit=min(limit, PAGE), after=after, **query)
            yield from page["items"]
            limit -= len(page["items"])
            after = page.get("next")
            if after is None:
                return

    def finished(
        self,
        operation: Answer,
        seen: Callable[[Answer], None] | None = None,
        *,
        every_seconds: float = 1,
    ) -> Answer:
        """Wait for the end of an operation and return its result; Ctrl-C cancels it.

        `seen` is told the way there; without it a line on the terminal says how far it is.

        Raises:
            OperationFailed: it ended with a problem.
            OperationCancelled: somebody ended it.
        """
        line = Console(stderr=True).status("waiting")
        told = seen or (lambda known: line.update(_way(known)))
        with line if seen is None else nullcontext():
            try:
                operation = self._ended(operation, told, every_seconds)
            except KeyboardInterrupt:
                operation = self.post(f"/api/operations/{operation['id']}/cancel")
                operation = self._ended(operation, told, every_seconds)
        if operation["state"] == "cancelled":
            raise OperationCancelled(operation["id"])
        if operation["state"] == "failed":
            raise OperationFailed(operation["id"], operation["problem"] or {})
        result: Answer = operation["result"] or {}
        return result

    def _ended(
        self, operation: Answer, told: Callable[[Answer], None], every_seconds: float
    ) -> Answer:
        while operation["state"] not in ("succeeded", "failed", "cancelled"):
            told(operation)
            path = f"/api/operations/{operation['id']}"
            operation = self.get(path, wait_seconds=every_seconds)
        return operation

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        pieces: AsyncIterator[bytes] | None = None,
        key: str = "",
    ) -> Answer:
        sent = json.dumps(body).encode() if body is not None else None
        limits = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_SECONDS, sock_read=_ANSWER_SECONDS
        )
        kind = "application/json" if pieces is None else "application/octet-stream"
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": kind}
        if key:
            headers["Idempotency-Key"] = key
        data = sent if pieces is None else pieces
        try:
            async with (
                aiohttp.ClientSession(self.url, timeout=limits, headers=headers) as http,
                http.request(method, path, params=_query(query or {}), data=data) as response,
            ):
                return await _read(response)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ApiUnreachable(self.url, str(error) or type(error).__name__) from None

    async def _fetch(self, path: str, target: Path) -> None:
        limits = aiohttp.ClientTimeout(
            total=None, sock_connect=_CONNECT_SECONDS, sock_read=_ANSWER_SECONDS
        )
        headers = {"Authorization": f"Bearer {self.key}"}
        part = target.with_name(target.name + ".part")
        try:
            async with (
                aiohttp.ClientSession(self.url, timeout=limits, headers=headers) as http,
                http.get(path) as response,
            ):
                if not response.ok:
                    await _read(response)
                with part.open("wb") as file:
                    async for piece in response.content.iter_chunked(_BLOCK_BYTES):
                        await asyncio.to_thread(file.write, piece)
            part.replace(target)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise ApiUnreachable(self.url, str(error) or type(error).__name__) from None
        finally:
            part.unlink(missing_ok=True)


def open_api() -> Api:
    """Find the API and the key.

    Raises:
        ApiUnknown, NoApiKey: neither the environment nor the data folder names them.
    """
    data = load_settings().data.resolve()
    url = os.environ.get("TEXTWAVE_URL", "").rstrip("/")
    if not url:
        running = read_running(data)
        if running is None:
            raise ApiUnknown(str(data))
        url = running.addresses.web
    return Api(url, os.environ.get("TEXTWAVE_API_KEY") or read_api_key(data))


def _way(operation: Answer) -> str:
    """Say how far an operation is."""
    known = operation.get("progress") or {}
    phase = str(known.get("phase") or operation["state"])
    return f"{phase}, {known['percent']:.0f} %" if "percent" in known else phase


def segment(name: str) -> str:
    """Write a name as a part of a path."""
    return quote(name, safe="")


def _query(query: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, value in query.items():
        values = value if isinstance(value, list | tuple) else [value]
        pairs += [(name, str(one)) for one in values if one is not None]
    return pairs


async def _read(response: aiohttp.ClientResponse) -> Answer:
    if response.status == HTTPStatus.NO_CONTENT:
        return {}
    if response.ok:
        answer: Answer = await response.json()
        return answer
    try:
        problem = await response.json(content_type=None)
        raise ApiRefused(response.status, problem["code"], problem["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"{response.url.origin()} answered {response.status} {response.reason}."
        raise ApiRefused(response.status, "", detail) from None


async def _pieces(file: Path, sent: Callable[[int], None]) -> AsyncIterator[bytes]:
    with file.open("rb") as opened:
        while piece := await asyncio.to_thread(opened.read, _BLOCK_BYTES):
            yield piece
            sent(len(piece))
