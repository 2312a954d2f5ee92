"""What a page makes of texts and numbers."""

from urllib.parse import unquote

import pytest

from textwave.console.addresses import campaign_address
from textwave.console.pages import percent, pieces_of, render


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0%"), (0.004, "0.4%"), (0.5, "50%"), (0.9999, "99.9%"), (1, "100%")],
)
def test_a_share_never_looks_whole_before_it_is(share: float, shown: str) -> None:
    assert percent(share, "en") == shown


def test_the_variables_of_a_text_are_told_apart() -> None:
    pieces = pieces_of("Dear ${name}, ${level}!")
    assert [(piece.text, piece.variable) for piece in pieces] == [
        ("Dear ", False),
        ("name", True),
        (", ", False),
        ("level", True),
        ("!", False),
    ]


@pytest.mark.parametrize("name", ["a/b", "预热", "50% & more?", "..", "a#b"])
def test_any_name_has_an_address_of_its_own(name: str) -> None:
    address = campaign_address(name)
    assert unquote(address.removeprefix("/console/campaigns/")) == name
    assert not set("?#&") & set(address)


def test_text_from_outside_is_escaped() -> None:
    values = {"here": "", "signed_in": False, "token": "", "status": 409}
    page = render("problem.html", "en", values | {"sentence": "<script>alert(1)</script>"})
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
