"""A platform on loopback whose reviewer is the test: it says what the test put down."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

NAME = "gate"


@dataclass
class Gateway:
    """States that are told, templates that were taken, and how often each call was made."""

    url: str = ""
    signatures: dict[str, str] = field(default_factory=dict[str, str])
    templates: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    states: dict[str, str] = field(default_factory=dict[str, str])
    reason: str = ""
    trouble: tuple[int, str] | None = None
    account: dict[str, Any] = field(
        default_factory=lambda: {
            "balance": 5_000,
            "ratePerSecond": 250,
            "maxBatch": 400,
            "capabilities": ["variables", "short_links", "something new"],
        }
    )
    calls: Counter[str] = field(default_factory=Counter[str])

    def application(self) -> web.Application:
        application = web.Application()
        add = application.router.add_route
        add("GET", "/sms/smsSign/{name}", self._signature)
        add("POST", "/sms/smsTemplate", self._create)
        add("PUT", "/sms/smsTemplate/{code}", self._change)
        add("GET", "/sms/smsTemplate/{code}", self._state)
        add("DELETE", "/sms/smsTemplate/{code}", self._delete)
        add("GET", "/sms/account", self._account)
        return application

    def _answer(self, call: str, code: str = "OK", **more: Any) -> web.Response:
        self.calls[call] += 1
        status = 200
        if self.trouble is not None:
            status, code = self.trouble
        body = {"platformName": NAME, "code": code, "message": "", "requestId": "1", **more}
        return web.json_response(body, status=status)

    async def _signature(self, request: web.Request) -> web.Response:
        status = self.signatures.get(request.match_info["name"])
        code = "OK" if status else "NOT_FOUND"
        return self._answer("signature", code, signStatus=status or "", reason=self.reason)

    async def _create(self, request: web.Request) -> web.Response:
        code = f"SMS_{len(self.templates) + 1}"
        if self.trouble is None:
            self.templates[code] = await request.json()
            self.states[code] = "reviewing"
        return self._answer("create", templateCode=code)

    async def _change(self, request: web.Request) -> web.Response:
        code = request.match_info["code"]
        self.templates[code] = await request.json()
        self.states[code] = "reviewing"
        return self._answer("change", templateCode=code)

    async def _state(self, request: web.Request) -> web.Response:
        status = self.states.get(request.match_info["code"])
        code = "OK" if status else "NOT_FOUND"
        return self._answer("state", code, templateStatus=status or "", reason=self.reason)

    async def _delete(self, request: web.Request) -> web.Response:
        known = self.states.pop(request.match_info["code"], None)
        return self._answer("delete", "OK" if known else "NOT_FOUND")

    async def _account(self, request: web.Request) -> web.Response:
        del request
        return self._answer("account", **self.account)
