"""Signatures and templates of the sandbox, and how it reviews them.

A template is approved after a moment unless it holds a forbidden word, which the reason names. A
signature is approved at once, unless its name says that it must not be or that it takes a moment.
"""

import hashlib
import os
from pathlib import Path

import msgspec

TEMPLATES_MAX = 10_000
FORBIDDEN_WORDS = ("赌博", "代开发票", "博彩", "casino", "forbidden")
REJECTING_WORDS = ("拒", "reject")
SLOW_WORDS = ("待审", "pending")
SIGNATURES_MAX = 10_000


class Template(msgspec.Struct):
    """A template at the sandbox; `reviewed_at` is the UNIX time at which its review ends."""

    code: str
    name: str
    content: str
    kind: int
    remark: str
    reviewed_at: float


class TemplateShelf:
    """All templates by code; kept in a file if one is named, so that they outlive a restart."""

    def __init__(self, seed: int, file: str) -> None:
        self._seed = seed
        self._file = Path(file) if file else None
        self._templates: dict[str, Template] = {}
        self._made = 0
        if self._file is not None and self._file.exists():
            kept = msgspec.json.decode(self._file.read_bytes(), type=list[Template])
            self._templates = {template.code: template for template in kept}

    def __len__(self) -> int:
        return len(self._templates)

    def find(self, code: str) -> Template | None:
        """Return the template of a code."""
        return self._templates.get(code)

    def is_full(self) -> bool:
        """Tell whether no template more is taken."""
        return len(self) >= TEMPLATES_MAX

    def new_code(self, name: str) -> str:
        """Return a code that is free."""
        while True:
            self._made += 1
            text = f"{self._seed}:{name}:{self._made}".encode()
            code = "SMS_" + hashlib.blake2b(text, digest_size=6).hexdigest()
            if code not in self._templates:
                return code

    def put(self, template: Template) -> None:
        """Keep a new or changed template."""
        self._templates[template.code] = template
        self._save()

    def remove(self, code: str) -> None:
        """Forget a template."""
        del self._templates[code]
        self._save()

    def _save(self) -> None:
        if self._file is None:
            return
        fresh = self._file.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(list(self._templates.values())))
        os.replace(fresh, self._file)  # noqa: PTH105 - the atomic one, by name


class SignatureDesk:
    """Signatures by name, known from when they are first asked for; the oldest are forgotten."""

    def __init__(self) -> None:
        self._reviewed_at: dict[str, float] = {}

    def open(self, name: str, reviewed_at: float) -> bool:
        """Begin the review of a signature that takes a moment; False if it is known already."""
        if name in self._reviewed_at or not any(word in name.lower() for word in SLOW_WORDS):
            return False
        if len(self._reviewed_at) >= SIGNATURES_MAX:
            del self._reviewed_at[next(iter(self._reviewed_at))]
        self._reviewed_at[name] = reviewed_at
        return True

    def status(self, name: str, now: float) -> tuple[str, str]:
        """Return the state of a signature and the reason of a rejection."""
        if now < self._reviewed_at.get(name, 0.0):
            return "reviewing", ""
        return signature_status(name)


def template_status(template: Template, now: float) -> tuple[str, str]:
    """Return the state of a review and the reason of a rejection."""
    if now < template.reviewed_at:
        return "reviewing", ""
    lowered = template.content.lower()
    for word in FORBIDDEN_WORDS:
        if word in lowered:
            return "rejected", f"the content contains “{word}”"
    return "approved", ""


def signature_status(name: str) -> tuple[str, str]:
    """Return the state of a signature and the reason of a rejection."""
    for word in REJECTING_WORDS:
        if word in name.lower():
            return "rejected", f"the name contains “{word}”"
    return "approved", ""
