import aiohttp
from aiohttp.test_utils import TestServer
from platform_stage import request

from textwave.platforms.contract import MessageType, ReviewState, TemplateSubmission
from textwave.platforms.outcomes import Outcome
from textwave.platforms.sandbox.sink import SinkSettings, build_sink
from textwave.platforms.thirdparty import ThirdPartyPlatform


async def test_the_sink_takes_everything_once_a_batch() -> None:
    async with (
        TestServer(build_sink(SinkSettings())) as server,
        aiohttp.ClientSession() as session,
    ):
        url = str(server.make_url(""))
        platform = ThirdPartyPlatform(session, url=url, name="sink", key="k")
        submission = TemplateSubmission("n", "c", MessageType.notification, "r")
        code = await platform.submit_template(submission)
        assert (await platform.template_review(code)).state is ReviewState.approved
        assert (await platform.signature_review("s")).state is ReviewState.approved
        assert not (await platform.receipts("")).items
        for _ in range(2):
            answer = await platform.send(request("b", 1, 2, template_code=code))
            assert (answer.outcome, dict(answer.refused)) == (Outcome.accepted, {})
        async with session.get(server.make_url("/sandbox/counts")) as response:
            counts = await response.json()
    assert counts == {"requests": 2, "messages": 2, "repeated_requests": 1}
