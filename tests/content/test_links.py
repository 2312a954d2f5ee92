from datetime import UTC, datetime, timedelta

import pytest

from textwave.content.links import check_links, links_in
from textwave.content.lint import Finding, Severity
from textwave.content.variables import parse
from textwave.kit.ids import LinkId, WorkspaceId
from textwave.shortlinks.links import ShortLink

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BASE = "https://d.example.cn"


def link(code: str, *, days: float = 30, enabled: bool = True) -> ShortLink:
    end = NOW + timedelta(days=days)
    return ShortLink(
        LinkId(1), WorkspaceId(1), "spring", code, None, "https://x.example", end, enabled,
        False, 0, 0, NOW,
    )  # fmt: skip


def findings(text: str, *links: ShortLink) -> list[Finding]:
    return check_links(parse(text), [BASE], {known.code: known for known in links}, NOW)


def codes(text: str, *links: ShortLink) -> list[str]:
    return [finding.code for finding in findings(text, *links)]


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
    assert [link.code for link in links_in(text, [BASE])] == found


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


@pytest.mark.parametrize(
    ("days", "code"),
    [(1, "link_expires_early"), (3, "link_expires_early"), (4, "link_expires_soon"), (11, "")],
)
def test_a_link_must_outlive_the_sending_of_its_campaign(days: float, code: str) -> None:
    text, known = parse(f"see {BASE}/rksqdc"), {"rksqdc": link("rksqdc", days=days)}
    found = check_links(text, [BASE], known, NOW, NOW + timedelta(days=3))
    assert [finding.code for finding in found] == ([code] if code else [])


def test_links_are_found_under_every_domain_and_host_names_have_no_case() -> None:
    text = "http://old.example/aaaaaa, D.Example.cn/bbbbbb and old.example.cn/cccccc"
    assert [one.code for one in links_in(text, [BASE, "https://old.example"])] == [
        "aaaaaa",
        "bbbbbb",
    ]
