"""A platform that misbehaves: it stands before the sandbox, which stays the witness.

A share of the requests meets a misdeed, in an order drawn by a seed. Before the sandbox heard of
it: put off, broken, led astray. After it took them: silence, or an answer that says anything but
the truth.
"""

import asyncio
import itertools
import json
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from aiohttp import web

LONG_BYTES: Final = 11 * 1024 * 1024
SLOW_SECONDS: Final = 0.3
RETRY_AFTER_SECONDS: Final = 1
HTML: Final = "<!doctype html><title>Portal</title><p>Please accept the terms of this network."

Heard = tuple[int, bytes]
"""What the sandbox answered: status and body."""
Forward = Callable[[], Awaitable[Heard]]
Misdeed = Callable[["Hostile", web.Request, Forward], Awaitable[web.StreamResponse]]


@dataclass
class Hostile:
    """The server's state: what it does to how many, and what it has done."""

    platform_url: str
    seed: int
    share: float
    misdeeds: tuple[str, ...]
    session: aiohttp.ClientSession
    url: str = ""
    elsewhere_url: str = ""
    done: Counter[str] = field(default_factory=Counter[str])
    led_astray: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        # each in its turn, so that none is left out
        shuffled = self._chance.sample(self.misdeeds, len(self.misdeeds))
        self._turns = itertools.cycle(shuffled)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Pass the request on, or commit a misdeed."""
        body = await request.read()

        async def forward() -> Heard:
            # what was signed must arrive as it was written
            target = f"{self.platform_url}{request.raw_path}"
            async with self.session.request(
                request.method, target, data=body or None, headers=_headers(request.headers)
            ) as answer:
                return answer.status, await answer.read()

        if request.path == "/sms/send" and self._chance.random() < self.share:
            name = next(self._turns)
            self.done[name] += 1
            return await MISDEEDS[name](self, request, forward)
        self.done["honest"] += 1
        return _json(*await forward())

    async def astray(self, request: web.Request) -> web.Response:
        """Count who follows a redirect to another host."""
        _ = request
        self.led_astray += 1
        return web.Response(text=HTML, content_type="text/html")


async def _slow(_: Hostile, __: web.Request, forward: Forward) -> web.StreamResponse:
    heard = await forward()
    await asyncio.sleep(SLOW_SECONDS)
    return _json(*heard)


async def _throttled(_: Hostile, __: web.Request, ___: Forward) -> web.StreamResponse:
    return web.Response(status=429, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _throttled_absurdly(_: Hostile, __: web.Request, ___: Forward) -> web.StreamResponse:
    return web.Response(status=429, headers={"Retry-After": "-7 parsecs"})


async def _broken(_: Hostile, __: web.Request, ___: Forward) -> web.StreamResponse:
    return web.Response(status=500, text=HTML, content_type="text/html")


async def _broken_after(_: Hostile, __: web.Request, forward: Forward) -> web.StreamResponse:
    await forward()
    return web.Response(status=502, text=HTML, content_type="text/html")


async def _reset_before(_: Hostile, request: web.Request, __: Forward) -> web.StreamResponse:
    return _reset(request)


async def _reset_after(_: Hostile, request: web.Request, forward: Forward) -> web.StreamResponse:
    await forward()
    return _reset(request)


async def _silent_after(_: Hostile, request: web.Request, forward: Forward) -> web.StreamResponse:
    await forward()
    await asyncio.sleep(60)  # the caller loses patience first
    return _reset(request)


async def _redirect(it: Hostile, request: web.Request, _: Forward) -> web.StreamResponse:
    raise web.HTTPTemporaryRedirect(it.elsewhere_url + request.path_qs)


async def _html(_: Hostile, __: web.Request, forward: Forward) -> web.StreamResponse:
    await forward()
    return web.Response(text=HTML, content_type="text/html")


async def _endless(_: Hostile, __: web.Request, forward: Forward) -> web.StreamResponse:
    await forward()
    return web.Response(body=b'{"code":"OK","x":"' + b"x" * LONG_BYTES, content_type=JSON)


async def _dripping(_: Hostile, request: web.Request, forward: Forward) -> web.StreamResponse:
    _status, body = await forward()
    drip = web.StreamResponse(headers={"Content-Type": JSON})
    await drip.prepare(request)
    for byte in body[:60]:
        await drip.write(bytes([byte]))
        await asyncio.sleep(1)
    return drip


def _altered(change: Callable[[dict[str, Any]], object]) -> Misdeed:
    async def misdeed(_: Hostile, __: web.Request, forward: Forward) -> web.StreamResponse:
        status, body = await forward()
        told = json.loads(body)
        return _json(status, json.dumps(change(told)).encode())

    return misdeed


def _without(*names: str) -> Callable[[dict[str, Any]], object]:
    return lambda told: {name: told[name] for name in told.keys() - set(names)}


def _with(**more: object) -> Callable[[dict[str, Any]], object]:
    return lambda told: told | more


JSON: Final = "application/json"
MISDEEDS: Final[Mapping[str, Misdeed]] = {
    "slow": _slow,
    "429": _throttled,
    "429 with nonsense": _throttled_absurdly,
    "500": _broken,
    "502 after accepting": _broken_after,
    "reset before": _reset_before,
    "reset after accepting": _reset_after,
    "silence after accepting": _silent_after,
    "redirect to another host": _redirect,
    "HTML": _html,
    "10 MB": _endless,
    "slow drip": _dripping,
    "wrong types": _altered(_with(code=["OK"], results="all of them")),
    "a list": _altered(lambda told: [told]),
    "null": _altered(lambda _: None),
    "missing code": _altered(_without("code")),
    "missing results": _altered(_without("results")),
    "results for others": _altered(_with(results=[{"messageId": "1", "code": "OK"}])),
    "wrong platform name": _altered(_with(platformName="another platform")),
    "a code nobody knows": _altered(_with(code="🙃" * 5000)),
}


def _json(status: int, body: bytes) -> web.Response:
    return web.Response(status=status, body=body, content_type=JSON)


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _headers(given: Mapping[str, str]) -> dict[str, str]:
    left_out = {"host", "content-length", "connection", "transfer-encoding"}
    return {name: value for name, value in given.items() if name.lower() not in left_out}


@asynccontextmanager
async def hostile(
    platform_url: str, *, seed: int, share: float, misdeeds: tuple[str, ...] = tuple(MISDEEDS)
) -> AsyncGenerator[Hostile, None]:
    """Run it on a free port of the loopback, and the other host that it redirects to."""
    async with aiohttp.ClientSession() as session:
        it = Hostile(platform_url, seed, share, misdeeds, session)
        runners: list[web.AppRunner] = []
        for handler in (it.answer, it.astray):
            app = web.Application(client_max_size=64 * 1024 * 1024)
            app.router.add_route("*", "/{anything:.*}", handler)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            runners.append(runner)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
        it.url, it.elsewhere_url = (f"http://127.0.0.1:{r.addresses[0][1]}" for r in runners)
        try:
            yield it
        finally:
            for runner in runners:
                await runner.cleanup()
