"""A sandbox, a notification template, and programs that ask for messages."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.dispatch.conftest import StartShow, show
from tests.dispatch.show import Show
from tests.stage import LINKS_URL
from textwave.kit.ids import SingleMessageId
from textwave.singles.gathering_operations import gather_waiting
from textwave.singles.message import AskedMessage, SingleMessage
from textwave.singles.operations import ask_for_message, single_message
from textwave.storage.ledger import Ledger

__all__ = ["show"]
TEXT = "您的验证码是${code}，请勿告诉他人"


@dataclass(frozen=True)
class Program:
    """A program that asks for messages as the web role; `playing` is what sends them."""

    playing: Show
    web: Ledger

    async def ask(
        self,
        key: str = "k1",
        to: str = "15412345678",
        *,
        code: str = "4711",
        **more: Any,
    ) -> SingleMessage:
        """Ask for a message."""
        given: dict[str, Any] = {
            "signature": "Textwave",
            "template": "welcome",
            "variables": {"code": code},
        } | more
        async with self.web.transaction(self.playing.workspace_id) as connection:
            return await ask_for_message(
                connection,
                workspace_id=self.playing.workspace_id,
                actor="shop",
                key=key,
                asked=AskedMessage(to=to, **given),
                links_url=LINKS_URL,
                now=self.playing.stage.clock.now(),
            )

    async def read(self, message_id: SingleMessageId) -> SingleMessage:
        """Read a message as the web role."""
        async with self.web.transaction(self.playing.workspace_id) as connection:
            return await single_message(connection, self.playing.workspace_id, message_id)

    async def gather(self) -> int:
        """Do the gathering of one moment."""
        return await gather_waiting(self.playing.ledger, now=self.playing.stage.clock.now())

    async def received(self) -> list[tuple[str, str]]:
        """Return number and text of what the platform took, in order."""
        url = f"{self.playing.stage.platform_url}/sandbox/messages"
        async with self.playing.session.get(url) as response:
            items = (await response.json())["items"]
        return [(str(item["phoneNumber"]), str(item["content"])) for item in items]


@pytest.fixture
async def program(show: StartShow, web_ledger: Ledger) -> Program:
    playing = await show()
    await playing.stage.set_rows(content=TEXT, message_type="notification", template_code="T1")
    return Program(playing, web_ledger)
