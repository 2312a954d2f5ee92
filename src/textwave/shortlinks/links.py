"""A short link: a code that leads to one long address until it ends. Refuses nothing."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from string import ascii_letters, digits
from typing import Final

from textwave.kit.ids import LinkId, WorkspaceId

CODE_LENGTH: Final = 6
LONGEST_DAYS: Final = 3_650


@dataclass(frozen=True, slots=True)
class ShortLink:
    """A short link; clicks are counted in total and without bots and previews.

    `domain` is what its address begins with; None: the installation's own.
    """

    id: LinkId
    workspace_id: WorkspaceId
    name: str
    code: str
    domain: str | None
    long_url: str
    expires_at: datetime
    enabled: bool
    allows_private: bool
    total_clicks: int
    human_clicks: int
    created_at: datetime

    def url(self, links_url: str) -> str:
        """Return what is written into a text; `links_url` is the installation's own address."""
        return f"{(self.domain or links_url).rstrip('/')}/{self.code}"


def random_code() -> str:
    """Return six random base-62 characters: 57 thousand million, so that none can be guessed."""
    return "".join(secrets.choice(digits + ascii_letters) for _ in range(CODE_LENGTH))
