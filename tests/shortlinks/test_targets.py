import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textwave.shortlinks.links import random_code
from textwave.shortlinks.targets import LongUrlNotAllowed, check_long_url, host_of, hosts_of


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
    "url",
    [
        "http://intranet/",
        "https://printer.local/",
        "https://files.corp.internal/x",
        "http://router.lan",
        "http://nas.home.arpa/",
        "http://[2002:7f00:1::]/",
    ],
)
def test_a_name_of_a_network_inside_is_not_public(url: str) -> None:
    with pytest.raises(LongUrlNotAllowed, match="not on the public internet"):
        check_long_url(url)
    assert check_long_url(url, allow_private=True)


@pytest.mark.parametrize("url", ["https://shop.invalid/", "https://x.alt./"])
def test_a_name_that_is_nowhere_by_definition_is_refused_even_for_trials(url: str) -> None:
    with pytest.raises(LongUrlNotAllowed, match="nowhere"):
        check_long_url(url, allow_private=True)


def test_hosts_are_compared_as_browsers_do() -> None:
    assert host_of("HTTPS://D.Example.CN:443/abc") == "d.example.cn"
    assert host_of("http://ｄ.example。cn./") == "d.example.cn"
    assert host_of("http://d.example.cn:8080") == "d.example.cn:8080"
    assert hosts_of(["http://127.0.0.1:0", "nonsense", "https://d.example.cn"]) == {"d.example.cn"}
