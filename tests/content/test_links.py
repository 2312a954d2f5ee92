import string
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.content.links import (
    LongUrlNotAllowed,
    ShortLink,
    check_links,
    check_long_url,
    links_in,
    random_code,
)
from textwave.content.lint import Finding, Severity
from textwave.content.variables import parse
from textwave.kit.ids import LinkId, WorkspaceId

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BASE = "https://d.example.cn"


def link(code: str, *, days: float = 30, enabled: bool = True) -> ShortLink:
    end = NOW + timedelta(days=days)
    return ShortLink(
        LinkId(1), WorkspaceId(1), "spring", code, "https://x.example", end, enabled, 0, 0, NOW
    )


def findings(text: str, *links: ShortLink) -> list[Finding]:
    return check_links(parse(text), BASE, {known.code: known for known in links}, NOW)


def codes(text: str, *links: ShortLink) -> list[str]:
    return [finding.code for finding in findings(text, *links)]


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example.com/spring?a=1&b=%E4%B8%AD#top",
        "http://8.8.8.8:8080/",
        "https://[2001:4860:4860::8888]/x",
    ],
)
def test_a_public_address_is_taken_as_it_is(url: str) -> None:
    assert check_long_url(url) == url


def test_chinese_in_an_address_is_written_so_that_a_redirect_can_send_it() -> None:
    url = check_long_url("https://商店.example/春季?类=鞋")
    assert url == "https://xn--czrs0t.example/%E6%98%A5%E5%AD%A3?%E7%B1%BB=%E9%9E%8B"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "ftp://x.example/",
        "//x.example/",
        "x.example",
        "",
        "https://",
        "https:///path",
        "https://:443/",
        "https://x.example:99999/",
        "https://user:word@x.example/",
        "https://x.example@evil.example/",
        "https://x.example/a b",
        "https://x.example/\n",
        "https://x.example\\@y.example/",
        "https://x%2eexample/",
        "https://[::1",
        "https://x.example/" + "a" * 2_000,
        "https://x.example/" + "中" * 300,
    ],
)
def test_what_is_no_whole_web_address_is_refused(url: str) -> None:
    with pytest.raises(LongUrlNotAllowed):
        check_long_url(url, allow_private=True)


PRIVATE = [
    "http://127.0.0.1/",
    "http://localhost:8600/",
    "http://a.localhost./",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest",
    "http://0.0.0.0/",
    "http://127.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://１２７.0.0.1/",
    "http://127。0。0。1/",
    "http://[::1]/",
    "http://[fe80::1]/",
    "http://[fd00::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://224.0.0.1/",
]


@pytest.mark.parametrize("url", PRIVATE)
def test_a_machine_that_is_not_public_is_refused(url: str) -> None:
    with pytest.raises(LongUrlNotAllowed, match="not on the public internet"):
        check_long_url(url)


@pytest.mark.parametrize("url", PRIVATE)
def test_a_private_machine_is_taken_where_that_is_allowed(url: str) -> None:
    assert check_long_url(url, allow_private=True).startswith("http://")


@given(url=st.text(max_size=60) | st.text(max_size=40).map("https://x.example/".__add__))
def test_any_text_is_either_refused_or_plain_ascii(url: str) -> None:
    try:
        taken = check_long_url(url)
    except LongUrlNotAllowed:
        return
    assert taken.isascii()
    assert check_long_url(taken) == taken


def test_a_code_is_six_base_62_characters_and_a_new_one_each_time() -> None:
    made = {random_code() for _ in range(1_000)}
    assert len(made) > 990
    assert all(len(code) == 6 for code in made)
    assert set("".join(made)) <= set(string.ascii_letters + string.digits)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see https://d.example.cn/rksqdc now", ["rksqdc"]),
        ("see http://d.example.cn/rksqdc", ["rksqdc"]),
        ("看d.example.cn/rksqdc", ["rksqdc"]),
        ("see d.example.cn/rksqdc/${sp_a} d.example.cn/ABCDEF", ["rksqdc", "ABCDEF"]),
        ("see https://bad.example.cn/rksqdc", []),
        ("see https://d.example.cn", []),
        ("see https://d.example.cn/", [""]),
        ("see https://d.example.cn/rksqdc7", [""]),
        ("see https://d.example.cn/${code}", [""]),
    ],
)
def test_short_links_are_found_in_a_text(text: str, found: list[str]) -> None:
    assert [link.code for link in links_in(text, BASE)] == found


@pytest.mark.parametrize("behind", ["", " now", "/${sp_a}", "?ph=${sp_rksqdc} 拒收请回复R"])
def test_a_link_that_is_known_and_alive_is_fine(behind: str) -> None:
    assert findings(f"see {BASE}/rksqdc{behind}", link("rksqdc")) == []


@pytest.mark.parametrize(
    ("text", "known", "code"),
    [
        ("{}/rksqdc", link("ABCDEF"), "link_unknown"),
        ("{}/x", link("rksqdc"), "link_unknown"),
        ("{}/rksqdc", link("rksqdc", enabled=False), "link_disabled"),
        ("{}/rksqdc", link("rksqdc", days=0), "link_expired"),
        ("{}/rksqdc/${{name}}", link("rksqdc"), "link_variable"),
        ("{}/rksqdc${{name}}", link("rksqdc"), "link_variable"),
        ("{}/rksqdc/${{sp_a}}b", link("rksqdc"), "link_runs_on"),
        ("{}/rksqdc then ${{sp_a}}", link("rksqdc"), "token_without_link"),
        ("https://x.example/${{sp_a}}", link("rksqdc"), "token_without_link"),
    ],
)
def test_what_would_lead_nowhere_is_an_error_with_its_place(
    text: str, known: ShortLink, code: str
) -> None:
    (finding,) = findings("see " + text.format(BASE), known)
    assert finding.code == code
    assert finding.severity is Severity.ERROR
    assert 4 <= finding.position < len("see " + text.format(BASE))


@pytest.mark.parametrize(("days", "warned"), [(0.5, True), (7, True), (7.01, False)])
def test_a_link_that_expires_within_a_week_is_warned_of(days: float, warned: bool) -> None:  # noqa: FBT001 - a parameter of the test
    found = findings(f"see {BASE}/rksqdc", link("rksqdc", days=days))
    assert [finding.code for finding in found] == (["link_expires_soon"] if warned else [])
    assert all(finding.severity is Severity.WARNING for finding in found)


def test_a_chinese_word_right_behind_a_link_is_warned_of() -> None:
    (finding,) = findings(f"see {BASE}/rksqdc/${{sp_a}}拒收请回复R", link("rksqdc"))
    assert (finding.code, finding.severity) == ("link_runs_on", Severity.WARNING)


def test_several_links_are_each_told_about_in_the_order_of_the_text() -> None:
    text = f"{BASE}/aaaaaa and {BASE}/bbbbbb/${{sp_b}} and {BASE}/cccccc"
    assert codes(text, link("bbbbbb")) == ["link_unknown", "link_unknown"]
