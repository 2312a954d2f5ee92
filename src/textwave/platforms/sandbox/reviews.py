"""The contract's routes for signatures and templates, as the sandbox serves them."""

from typing import Protocol

import msgspec
from aiohttp import web

from textwave.kit.refusal import InvalidValue
from textwave.platforms.sandbox.agenda import ReviewDue
from textwave.platforms.sandbox.templates import Template, template_status
from textwave.platforms.sandbox.world import Sandbox
from textwave.platforms.thirdparty.wire import WireTemplate


class Answer(Protocol):
    """Makes an answer as the contract shapes it."""

    def __call__(
        self, code: str = "OK", message: str = "", status: int = 200, **more: object
    ) -> web.Response:
        """Return the answer."""
        ...


class ReviewDoors:
    """Handlers of the review routes."""

    def __init__(self, sandbox: Sandbox, answer: Answer) -> None:
        self._sandbox = sandbox
        self._answer = answer

    async def signature(self, request: web.Request) -> web.Response:
        """Say how a signature stands."""
        status, reason = self._sandbox.signature_status(request.match_info["signName"])
        return self._answer(signStatus=status, reason=reason)

    async def create(self, request: web.Request) -> web.Response:
        """Take a new template to review."""
        submission = _submission(await request.read())
        if self._sandbox.templates.is_full():
            return self._answer("BUSY", "No template more is taken. Delete some.", 503)
        return self._review(self._sandbox.templates.new_code(submission.template_name), submission)

    async def change(self, request: web.Request) -> web.Response:
        """Take a changed template to review."""
        template = self._find(request)
        return self._review(template.code, _submission(await request.read()))

    async def state(self, request: web.Request) -> web.Response:
        """Say how a template stands."""
        status, reason = template_status(self._find(request), self._sandbox.clock())
        return self._answer(templateStatus=status, reason=reason)

    async def delete(self, request: web.Request) -> web.Response:
        """Forget a template."""
        self._sandbox.templates.remove(self._find(request).code)
        return self._answer()

    def _review(self, code: str, submission: WireTemplate) -> web.Response:
        sandbox = self._sandbox
        reviewed_at = sandbox.clock() + sandbox.settings.review_seconds
        sandbox.templates.put(
            Template(
                code,
                submission.template_name,
                submission.template_content,
                submission.template_type,
                submission.remark,
                reviewed_at,
            )
        )
        sandbox.agenda.add(reviewed_at, ReviewDue(code, reviewed_at))
        return self._answer(templateCode=code)

    def _find(self, request: web.Request) -> Template:
        template = self._sandbox.templates.find(request.match_info["templateCode"])
        if template is None:
            raise web.HTTPNotFound(reason="There is no such template.")
        return template


def add_review_routes(router: web.UrlDispatcher, sandbox: Sandbox, answer: Answer) -> None:
    """Add the routes of signatures and templates."""
    doors = ReviewDoors(sandbox, answer)
    router.add_get("/sms/smsSign/{signName}", doors.signature, allow_head=False)
    router.add_post("/sms/smsTemplate", doors.create)
    router.add_put("/sms/smsTemplate/{templateCode}", doors.change)
    router.add_get("/sms/smsTemplate/{templateCode}", doors.state, allow_head=False)
    router.add_delete("/sms/smsTemplate/{templateCode}", doors.delete)


def _submission(body: bytes) -> WireTemplate:
    try:
        return msgspec.json.decode(body, type=WireTemplate)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidValue("body", str(error)) from None
