"""A small SMS gateway that Textwave can send through: the whole contract, standard library only.

    python gateway.py --key secret --textwave http://127.0.0.1:8080

It delivers nothing: `hand_to_carrier` is where yours begins. Everything that must survive a crash
is in one SQLite file, and is there before it is answered.
"""

import argparse
import hashlib
import hmac
import json
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qs, quote, unquote, urlsplit
from urllib.request import Request, urlopen

Json = dict[str, Any]
CLOCK_SKEW_SECONDS = 300
BODY_BYTES_MAX = 16 * 1024 * 1024
MESSAGES_MAX = 1000
LENGTHS = {"templateName": 30, "templateContent": 500, "remark": 100}
NUMBER = re.compile(r"\+?[0-9]{7,15}")
TABLES = """
CREATE TABLE IF NOT EXISTS answer (batch_id TEXT PRIMARY KEY, body TEXT, at REAL);
CREATE TABLE IF NOT EXISTS template (code TEXT PRIMARY KEY, name TEXT, content TEXT);
CREATE TABLE IF NOT EXISTS receipt (
    place INTEGER PRIMARY KEY AUTOINCREMENT, message_id TEXT, phone_number TEXT, status TEXT,
    parts INTEGER, reported_at TEXT, pushed INTEGER DEFAULT 0);
CREATE TABLE IF NOT EXISTS reply (
    place INTEGER PRIMARY KEY AUTOINCREMENT, phone_number TEXT, content TEXT, sign_name TEXT,
    received_at TEXT, pushed INTEGER DEFAULT 0);
"""


@dataclass(frozen=True)
class Settings:
    """What a gateway is told when it starts."""

    name: str
    key: str
    textwave: str = ""
    database: str = ":memory:"
    push_again_seconds: tuple[float, ...] = (60, 300, 600)


class Refused(Exception):
    """The request is answered with a code other than OK, and nothing of it was done."""

    def __init__(self, code: str, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


@dataclass
class Gateway:
    """All that is kept; one thread at a time changes it."""

    settings: Settings
    nonces: dict[str, float] = field(default_factory=dict[str, float])
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.ledger = sqlite3.connect(self.settings.database, check_same_thread=False)
        self.ledger.executescript(TABLES)

    # 1. Who comes in

    def authenticate(
        self, method: str, path: str, query: dict[str, str], headers: Any, body: bytes
    ) -> None:
        """Refuse what is not signed with the key, is late, or came before."""
        stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        wanted = signatures(self.settings.key, method, path, stamp, nonce, body)
        for name, value in wanted.items():
            if not hmac.compare_digest(headers.get(name, "").encode(), value.encode()):
                raise Refused("FORBIDDEN", f"{name} does not fit.", 401)
        now = time.time()
        if not stamp.isdigit() or abs(int(stamp) - now) > CLOCK_SKEW_SECONDS:
            raise Refused("FORBIDDEN", "The timestamp is off.", 401)
        if nonce in self.nonces:
            raise Refused("FORBIDDEN", "The nonce came before.", 401)
        self.nonces[nonce] = now
        for old in [one for one, at in self.nonces.items() if at < now - 2 * CLOCK_SKEW_SECONDS]:
            del self.nonces[old]

    # 2. Signatures and templates

    def signature(self, name: str) -> Json:
        """Say how a signature stands; here everybody may send under any."""
        return {"signStatus": "approved", "reason": "", "signName": name}

    def create_template(self, template: Json) -> Json:
        """Keep a new template; in a real gateway a person looks at it now."""
        code = "T" + secrets.token_hex(6)
        return self._keep_template(code, template)

    def change_template(self, code: str, template: Json) -> Json:
        """Replace a template; it goes to review again."""
        self.template(code)
        return self._keep_template(code, template)

    def _keep_template(self, code: str, template: Json) -> Json:
        for name, longest in LENGTHS.items():
            text = template.get(name)
            if not isinstance(text, str) or not 1 <= len(text) <= longest:
                raise Refused("BAD_PARAMS", f"{name}: 1-{longest} characters.", 400)
        if template.get("templateType") not in (1, 2):
            raise Refused("BAD_PARAMS", "templateType: 1 or 2.", 400)
        row = (code, template["templateName"], template["templateContent"])
        self.ledger.execute("INSERT OR REPLACE INTO template VALUES (?, ?, ?)", row)
        return {"templateCode": code}

    def template(self, code: str) -> Json:
        """Say how a template stands."""
        found = self.ledger.execute("SELECT 1 FROM template WHERE code = ?", (code,)).fetchone()
        if found is None:
            raise Refused("NOT_FOUND", "There is no such template.", 404)
        return {"templateStatus": "approved", "reason": ""}

    def delete_template(self, code: str) -> Json:
        """Forget a template."""
        self.template(code)
        self.ledger.execute("DELETE FROM template WHERE code = ?", (code,))
        return {}

    # 3. Messages

    def send(self, send: Json) -> Json:
        """Take messages once: the same batchId gets the answer that it got before."""
        batch_id, messages = send.get("batchId"), send.get("messages")
        if not isinstance(batch_id, str) or not isinstance(messages, list):
            raise Refused("BAD_PARAMS", "batchId and messages are needed.", 400)
        if not 1 <= len(messages) <= MESSAGES_MAX:
            raise Refused("BAD_PARAMS", f"messages: 1-{MESSAGES_MAX} at once.", 400)
        if send.get("replyTo") and len(messages) > 1:
            raise Refused("BAD_PARAMS", "replyTo: one message answers a reply.", 400)
        known = self.ledger.execute("SELECT body FROM answer WHERE batch_id = ?", (batch_id,))
        kept = known.fetchone()
        if kept is not None:
            return json.loads(kept[0])
        try:
            self.template(str(send.get("templateCode")))
        except Refused:
            raise Refused("TEMPLATE_NOT_APPROVED", "There is no such template.") from None
        answer = {"results": [self.take(message) for message in messages]}
        # With the messages, before the answer leaves: or a lost answer would send them twice.
        row = (batch_id, json.dumps(answer), time.time())
        self.ledger.execute("INSERT INTO answer VALUES (?, ?, ?)", row)
        self.ledger.execute("DELETE FROM answer WHERE at < ?", (time.time() - 73 * 3600,))
        return answer

    def take(self, message: Json) -> Json:
        """Take or refuse one message; the others go on."""
        identity, number = str(message.get("messageId")), str(message.get("phoneNumber"))
        code = "OK" if NUMBER.fullmatch(number) else "BAD_NUMBER"
        if code == "OK":
            self.hand_to_carrier(identity, number, str(message.get("content")))
        return {"messageId": identity, "code": code, "message": ""}

    def hand_to_carrier(self, identity: str, number: str, content: str) -> None:
        """Deliver a message; this carrier says at once that it arrived."""
        parts = 1 if len(content) <= 70 else -(-len(content) // 67)
        row = (identity, number, "DELIVERED", parts, now_in_utc())
        self.ledger.execute(
            "INSERT INTO receipt (message_id, phone_number, status, parts, reported_at)"
            " VALUES (?, ?, ?, ?, ?)",
            row,
        )

    # 4. What came of it, to be pulled

    def receipts(self, query: dict[str, str]) -> Json:
        """Give a page of receipts; `next` is the place of the last one."""
        return self._page("receipt", query, receipt_json)

    def replies(self, query: dict[str, str]) -> Json:
        """Give a page of replies."""
        return self._page("reply", query, reply_json)

    def _page(self, table: str, query: dict[str, str], shape: Callable[[Any], Json]) -> Json:
        after, limit = query.get("after") or "0", query.get("limit", "1000")
        if not after.isdigit() or not limit.isdigit() or not 1 <= int(limit) <= MESSAGES_MAX:
            raise Refused("BAD_PARAMS", f"after: a cursor; limit: 1-{MESSAGES_MAX}.", 400)
        statement = f"SELECT * FROM {table} WHERE place > ? ORDER BY place LIMIT ?"
        rows = self.ledger.execute(statement, (int(after), int(limit))).fetchall()
        items = [shape(row) for row in rows]
        return {"items": items, "next": str(rows[-1][0]) if rows else after}

    def account(self) -> Json:
        """Say what may be sent; `idempotency` claims that no batchId is ever sent twice."""
        capabilities = ["variables", "short_links", "click_tokens", "opt_out_text", "idempotency"]
        return {
            "balance": 1_000_000,
            "ratePerSecond": 500,
            "maxBatch": MESSAGES_MAX,
            "capabilities": capabilities,
        }

    # 5. What came of it, pushed

    def push(self, stop: threading.Event) -> None:
        """Push receipts and replies until told to stop; what nobody took can still be pulled."""
        shapes = {"receipt": receipt_json, "reply": reply_json}
        while not stop.wait(0.2):
            for table, shape in shapes.items():
                statement = f"SELECT * FROM {table} WHERE pushed = 0 LIMIT 500"
                with self.lock:
                    rows = self.ledger.execute(statement).fetchall()
                if rows:
                    kind = {"receipt": "receipts", "reply": "replies"}[table]
                    self._push(kind, [shape(row) for row in rows], stop)
                    self._mark(table, [row[0] for row in rows])

    def _push(self, kind: str, items: list[Json], stop: threading.Event) -> None:
        """Push the same again after 1, 5 and 10 minutes, each time signed anew."""
        for seconds in (*self.settings.push_again_seconds, None):
            if self._is_taken(kind, json.dumps(items).encode()):
                return
            if seconds is None or stop.wait(seconds):
                return

    def _is_taken(self, kind: str, body: bytes) -> bool:
        url = f"{self.settings.textwave}/callbacks/{quote(self.settings.name)}/{kind}"
        stamp, nonce = str(int(time.time())), secrets.token_hex(16)
        headers = signatures(self.settings.key, "POST", urlsplit(url).path, stamp, nonce, body)
        target = f"{url}?timestamp={stamp}&nonce={nonce}"
        headers["Content-Type"] = "application/json"
        try:
            with urlopen(Request(target, body, headers), timeout=30) as answer:
                return answer.status == 200 and json.loads(answer.read(65_536)).get("code") == 0
        except (URLError, OSError, ValueError):
            return False

    def _mark(self, table: str, places: Iterable[int]) -> None:
        statement = f"UPDATE {table} SET pushed = 1 WHERE place = ?"
        with self.lock, self.ledger:
            self.ledger.executemany(statement, [(place,) for place in places])


def signatures(
    key: str, method: str, path: str, stamp: str, nonce: str, body: bytes
) -> dict[str, str]:
    """Return both headers of a request; `path` is percent-encoded as sent, without the query."""
    qa_text = "".join("".join(sorted([key, stamp, nonce])).split())
    digest = hashlib.sha256(body).hexdigest()
    text = f"{method}\n{path}\n{stamp}\n{nonce}\n{digest}"
    return {
        "X-QA-Hmac-Signature": hmac.new(key.encode(), qa_text.encode(), "sha256").hexdigest(),
        "X-Textwave-Signature": hmac.new(key.encode(), text.encode(), "sha256").hexdigest(),
    }


def receipt_json(row: Any) -> Json:
    """Return a receipt as Textwave reads it."""
    names = ("messageId", "phoneNumber", "status", "parts", "reportedAt")
    return dict(zip(names, row[1:6], strict=True)) | {"errorCode": ""}


def reply_json(row: Any) -> Json:
    """Return a reply as Textwave reads it."""
    names = ("phoneNumber", "content", "signName", "receivedAt")
    return dict(zip(names, row[1:5], strict=True)) | {"replyId": f"reply-{row[0]}"}


def now_in_utc() -> str:
    """Return the time with its zone."""
    return datetime.now(UTC).isoformat()


class Handler(BaseHTTPRequestHandler):
    """The contract's paths over HTTP."""

    protocol_version = "HTTP/1.1"
    gateway: Gateway

    def answer(self) -> None:
        """Answer any request with the envelope, whatever became of it."""
        told = self.headers.get("Content-Length") or "0"
        length = int(told) if told.isdigit() else BODY_BYTES_MAX + 1
        if length > BODY_BYTES_MAX:
            self.close_connection = True
            self._write(413, "BAD_PARAMS", "The body is too long.", {})
            return
        body = self.rfile.read(length)
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        try:
            with self.gateway.lock, self.gateway.ledger:
                method, path = self.command, parts.path
                self.gateway.authenticate(method, path, query, self.headers, body)
                found = route(self.gateway, method, path, query, body)
        except Refused as refused:
            self._write(refused.status, refused.code, refused.message, {})
        else:
            self._write(200, "OK", "", found)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def _write(self, status: int, code: str, message: str, more: Json) -> None:
        envelope = {
            "platformName": self.gateway.settings.name,
            "code": code,
            "message": message,
            "requestId": secrets.token_hex(8),
        }
        body = json.dumps(envelope | more, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
        """Say nothing: paths hold names."""


def route(gateway: Gateway, method: str, path: str, query: dict[str, str], body: bytes) -> Json:
    """Do what a request asks and return what the answer adds to the envelope."""
    match [method, *[unquote(part) for part in path.strip("/").split("/")]]:
        case ["GET", "sms", "smsSign", name]:
            return gateway.signature(name)
        case ["POST", "sms", "smsTemplate"]:
            return gateway.create_template(read(body))
        case ["PUT", "sms", "smsTemplate", code]:
            return gateway.change_template(code, read(body))
        case ["GET", "sms", "smsTemplate", code]:
            return gateway.template(code)
        case ["DELETE", "sms", "smsTemplate", code]:
            return gateway.delete_template(code)
        case ["POST", "sms", "send"]:
            return gateway.send(read(body))
        case ["GET", "sms", "receipts"]:
            return gateway.receipts(query)
        case ["GET", "sms", "replies"]:
            return gateway.replies(query)
        case ["GET", "sms", "account"]:
            return gateway.account()
        case _:
            raise Refused("NOT_FOUND", "There is nothing here.", 404)


def read(body: bytes) -> Json:
    """Read a JSON object."""
    try:
        found = json.loads(body)
    except ValueError:
        raise Refused("BAD_PARAMS", "The body is not JSON.", 400) from None
    if not isinstance(found, dict):
        raise Refused("BAD_PARAMS", "The body is no object.", 400)
    return found


def server_of(gateway: Gateway, host: str, port: int) -> ThreadingHTTPServer:
    """Return the server; `serve_forever` runs it."""
    handler = type("GatewayHandler", (Handler,), {"gateway": gateway})
    return ThreadingHTTPServer((host, port), handler)


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="example", help="the name it has in Textwave")
    parser.add_argument("--key", required=True, help="the shared key")
    parser.add_argument("--textwave", default="", help="where to push; without: to be pulled")
    parser.add_argument("--database", default="gateway.sqlite", help="the file to keep things in")
    parser.add_argument("--port", type=int, default=8090)
    given = parser.parse_args()
    settings = Settings(given.name, given.key, given.textwave, given.database)
    gateway = Gateway(settings)
    server = server_of(gateway, "127.0.0.1", given.port)
    if settings.textwave:
        threading.Thread(target=gateway.push, args=[threading.Event()], daemon=True).start()
    print(f"The gateway answers at http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
