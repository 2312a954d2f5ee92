"""What an exchange says of trouble, which is kept, shown and logged."""

import asyncio

import aiohttp
import pytest
from yarl import URL

from textwave.platforms.exchange import USUAL_LIMITS, Letter, NoAnswer, exchange


@pytest.mark.parametrize("answer", [b"HTTP/9.x nonsense\r\n\r\n", b"\x00\x01\x02\r\n\r\n", b""])
async def test_trouble_is_told_without_the_numbers_and_values_in_the_address(
    answer: bytes,
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with (
        await asyncio.start_server(talk, "127.0.0.1", 0) as server,
        aiohttp.ClientSession() as session,
    ):
        port = server.sockets[0].getsockname()[1]
        url = URL(f"http://127.0.0.1:{port}/?PhoneNumbers=15412345678&TemplateParam=4711")
        with pytest.raises(NoAnswer) as caught:
            await exchange(session, Letter("POST", url, {}), USUAL_LIMITS)
    assert "4711" not in caught.value.detail
    assert "15412345678" not in caught.value.detail
    assert caught.value.detail
