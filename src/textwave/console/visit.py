"""One visit to the console: who comes, in which language, and what a form may be trusted with.

A session opened by a key acts under the key's name, as long as the key is in use; one opened by a
ticket, which only the machine itself gives, acts as an administrator called “console”.

Refuses a form from another site, a form without the session's own token, and a large one.
"""

from typing import Any, Final, Protocol
from urllib.parse import parse_qs

import aiohttp
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from textwave.accounts.store import ApiKey, Caller, api_keys, workspace
from textwave.audiences.visibility import Viewer
from textwave.connections.accounts import PlatformAccount
from textwave.console.language import choose_language
from textwave.console.pages import render
from textwave.console.session import (
    Session,
    console_secret,
    form_token,
    is_form_token,
    read_session,
)
from textwave.dispatch.doubt_store import many_in_doubt
from textwave.kit.clock import Clock
from textwave.kit.ids import WorkspaceId
from textwave.platforms.contract import Platform
from textwave.settings import Settings
from textwave.storage.ledger import Connection, Ledger
from textwave.storage.secrets import Vault

SESSION_COOKIE: Final = "textwave_session"
LANGUAGE_COOKIE: Final = "textwave_language"
TICKET_NAME: Final = "console"
MOST_IN_DOUBT: Final = 100
_LARGEST_FORM_BYTES: Final = 8_192


class Ground(Protocol):
    """What the console stands on; the runtime of the web process has it."""

    @property
    def settings(self) -> Settings: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def http(self) -> aiohttp.ClientSession: ...
    def open_platform(self, account: PlatformAccount) -> Platform: ...


class Visit:
    """One request, with who makes it and in which language it is answered."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.ground: Ground = request.app.state.ground()
        self.secret = console_secret(self.ground.vault.key)
        self.now = self.ground.clock.now()
        self.language = choose_language(
            request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", "")
        )
        sealed = request.cookies.get(SESSION_COOKIE, "")
        self.found = read_session(self.secret, sealed, self.now)
        self.viewer = Viewer(TICKET_NAME)
        self.in_doubt = 0

    async def recognise(self) -> None:
        """Look up who holds the session's key; the session of a key out of use has ended.

        A whole page also says how many requests are in doubt; a fragment does not ask.
        """
        if self.found is None:
            return
        workspace_id = self.found.workspace_id
        keys = list[ApiKey]()
        async with self.ground.ledger.transaction(workspace_id) as connection:
            if self.found.key_id:
                keys = await api_keys(connection, workspace_id)
            if "hx-request" not in self.request.headers:
                self.in_doubt = await many_in_doubt(connection, workspace_id, most=MOST_IN_DOUBT)
        if self.found.key_id == 0:
            return
        key = next((key for key in keys if key.id == self.found.key_id), None)
        if key is None:
            self.found = None
        else:
            self.viewer = Viewer(key.name, key.is_administrator)

    @property
    def session(self) -> Session:
        """Return the session, where `_page` has made sure that there is one."""
        if self.found is None:
            raise HTTPException(401)
        return self.found

    @property
    def workspace_id(self) -> WorkspaceId:
        """Return the workspace that is looked at."""
        return self.session.workspace_id

    @property
    def actor(self) -> str:
        """Return the name under which the visitor acts."""
        return self.viewer.name

    async def caller(self, connection: Connection) -> Caller:
        """Return the visitor as operations of the organization know their callers."""
        found = await workspace(connection, self.workspace_id)
        return Caller(
            self.workspace_id,
            found.organization_id,
            self.session.key_id,
            self.actor,
            self.viewer.is_administrator,
        )

    @property
    def encrypted(self) -> bool:
        """Tell whether the browser speaks HTTPS, to us or to a proxy before us."""
        forwarded = self.request.headers.get("x-forwarded-proto", "")
        return "https" in (self.request.url.scheme, forwarded)

    @property
    def name(self) -> str:
        """Return the name in the address.

        Raises:
            HTTPException: nothing can have that name (404).
        """
        name = str(self.request.path_params["name"])
        if not name.isprintable():
            raise HTTPException(404)
        return name

    def page(self, template: str, status: int = 200, /, **values: Any) -> HTMLResponse:
        """Render a page with what every page needs."""
        every = {
            "here": self.request.scope.get("raw_path", b"").decode("ascii", "replace"),
            "signed_in": self.found is not None,
            "in_doubt": self.in_doubt,
            "most_in_doubt": MOST_IN_DOUBT,
            "is_administrator": self.viewer.is_administrator,
            "token": form_token(self.secret, self.found) if self.found else "",
        }
        return HTMLResponse(render(template, self.language, every | values), status)

    async def form(self, most_bytes: int = _LARGEST_FORM_BYTES) -> dict[str, str]:
        """Read a form that was sent from this very site.

        Raises:
            HTTPException: it is too large (413) or comes from another site (403).
        """
        if self.request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            raise HTTPException(403)
        body = b""
        async for chunk in self.request.stream():
            body += chunk
            if len(body) > most_bytes:
                raise HTTPException(413)
        fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: values[-1] for name, values in fields.items()}

    async def trusted_form(self, most_bytes: int = _LARGEST_FORM_BYTES) -> dict[str, str]:
        """Read a form that carries the session's own token.

        Raises:
            HTTPException: it does not (403), or is too large (413).
        """
        form = await self.form(most_bytes)
        if not is_form_token(self.secret, self.session, form.get("token", ""), self.now):
            raise HTTPException(403)
        return form

    def check_header(self) -> None:
        """Refuse a request whose body is a file unless a header carries the session's own token.

        Raises:
            HTTPException: it does not, or comes from another site (403).
        """
        headers = self.request.headers
        same_site = headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")
        token = headers.get("x-form-token", "")
        if not same_site or not is_form_token(self.secret, self.session, token, self.now):
            raise HTTPException(403)
