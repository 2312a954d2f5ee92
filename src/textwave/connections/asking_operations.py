"""One round of asking platforms how reviews stand.

After its first silence or nonsense a platform is not asked again in the round; a refusal is logged
and passed over.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from textwave.connections import store
from textwave.connections.accounts import OpenPlatform, PlatformAccount
from textwave.kit.ids import PlatformId
from textwave.platforms.contract import (
    NotOffered,
    Platform,
    PlatformAnsweredNonsense,
    PlatformRefused,
    PlatformUnreachable,
    Review,
)
from textwave.storage.ledger import Ledger

log = structlog.get_logger()


@dataclass(slots=True)
class Asking:
    """What a round has found out of platforms, and how often it asked."""

    ledger: Ledger
    open_platform: OpenPlatform
    asked: int = 0
    silent: set[PlatformId] = field(default_factory=set[PlatformId])
    _accounts: dict[PlatformId, PlatformAccount] = field(
        default_factory=dict[PlatformId, PlatformAccount]
    )

    async def account(self, platform_id: PlatformId) -> PlatformAccount:
        """Return an account, read once a round."""
        if platform_id not in self._accounts:
            async with self.ledger.transaction() as connection:
                found = await store.platform_account(connection, platform_id)
            self._accounts[platform_id] = found
        return self._accounts[platform_id]

    async def ask(
        self, platform_id: PlatformId, question: Callable[[Platform], Awaitable[Review]]
    ) -> Review | None:
        """Return the platform's answer; None when it gave none."""
        if platform_id in self.silent:
            return None
        account = await self.account(platform_id)
        try:
            review = await question(self.open_platform(account))
        except (PlatformUnreachable, PlatformAnsweredNonsense) as trouble:
            self.silent.add(platform_id)
            log.warning("review not told", platform=account.name, code=trouble.code)
            return None
        except (PlatformRefused, NotOffered) as trouble:
            log.warning("review not told", platform=account.name, code=trouble.code)
            return None
        self.asked += 1
        return review
