import pytest

from textwave.campaigns.planning import request_size
from textwave.content.variables import TemplateText, parse

PLAIN, NAMED, TOKEN = parse("Hello"), parse("Hello ${name}"), parse("See ${sp_link}")


@pytest.mark.parametrize(
    ("kind", "most", "texts", "size"),
    [
        ("aliyun", 1000, [PLAIN], 1000),
        ("aliyun", 1000, [NAMED], 100),
        ("aliyun", 1000, [TOKEN], 100),
        ("aliyun", 1000, [PLAIN, NAMED], 100),
        ("aliyun", 50, [NAMED], 50),
        ("thirdparty", 1000, [NAMED], 1000),
    ],
)
def test_requests_to_alibaba_are_smaller_where_messages_differ(
    kind: str, most: int, texts: list[TemplateText], size: int
) -> None:
    assert request_size(kind, most, texts) == size
