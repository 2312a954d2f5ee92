"""The JSON of Alibaba Cloud's SMS service as types: what its answers say, as far as it is of use.

Reading is lenient where the service varies (numbers as text or number, fields left out) and
refuses what is no JSON object of the expected types.
"""

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta, Struct

from textwave.platforms.exchange import Heard, legible

DETAILS_MAX = 50
"""How many messages one page of details has at most."""

Text = Annotated[str, Meta(max_length=5000)]


class WireAnswer(Struct, rename="pascal", kw_only=True):
    """What every answer says; a code that is not OK says why not."""

    code: Text = ""
    message: Text | None = None
    request_id: Text | None = None


class WireSent(WireAnswer, rename="pascal", kw_only=True):
    """The answer to a send: one receipt id for all of its messages."""

    biz_id: Text | None = None


AnswerT = TypeVar("AnswerT", bound=WireAnswer)


class Unreadable(Exception):
    """The answer is not what the service documents."""


def read(heard: Heard, kind: type[AnswerT]) -> AnswerT:
    """Return an answer's body as a type.

    Raises:
        Unreadable: it is no JSON object of that type.
    """
    try:
        return msgspec.json.decode(heard.body, type=kind, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(legible(str(error))) from None
