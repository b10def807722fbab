"""Does `NO_PROXY` except what an entry says, and is an entry that says nothing passed over?"""

from __future__ import annotations

import httpx
import pytest

from wallaroo_ext.transport.connections.no_proxy import NoProxy

EXCEPTED = [
    ("*", "http://anything.example.com"),
    ("example.com", "http://example.com"),
    ("example.com", "https://api.example.com"),
    ("EXAMPLE.com.", "https://api.example.COM"),
    (".example.com", "https://api.example.com"),
    ("*.example.com", "https://api.example.com"),
    ("api-*.example.com", "https://api-7.example.com"),
    ("10.0.*", "http://10.0.0.5"),
    ("example.com:8080", "http://api.example.com:8080"),
    ("example.com:443", "https://api.example.com"),
    ("example.com:80", "http://api.example.com"),
    ("*:8080", "http://api.example.com:8080"),
    ("http://example.com", "http://api.example.com"),
    ("https://example.com/", "https://api.example.com"),
    ("m\u00fcller.example", "http://api.m\u00fcller.example"),
    ("10.0.0.5", "http://10.0.0.5"),
    ("10.0.0.5:8080", "http://10.0.0.5:8080"),
    ("10.0.0.0/8", "http://10.200.1.1"),
    ("10.7.7.7/8", "http://10.200.1.1"),
    ("10.0.0.0/255.0.0.0", "http://10.200.1.1"),
    ("10.0.0.0/8:8080", "http://10.200.1.1:8080"),
    ("10.0.0.0/8", "http://[::ffff:10.1.1.1]"),
    ("fd07:b51a:cc66::/64", "http://[fd07:b51a:cc66::1]"),
    ("[fd07:b51a:cc66::]/64", "http://[fd07:b51a:cc66::1]:8080"),
    ("[fd07:b51a:cc66::/64]", "http://[fd07:b51a:cc66::1]"),
    ("fd07:b51a:cc66::1", "http://[fd07:b51a:cc66:0:0::1]"),
    ("[fd07:b51a:cc66::1]", "http://[fd07:b51a:cc66::1]"),
    ("[fd07:b51a:cc66::1]:8080", "http://[fd07:b51a:cc66::1]:8080"),
    ("fe80::1%eth0", "http://[fe80::1]"),
    ("other.example, example.com", "http://example.com"),
    ("other.example example.com", "http://example.com"),
    (",, ,example.com,", "http://example.com"),
    ("localhost;example.com", "http://example.com"),
    ('"localhost,example.com"', "http://example.com"),
    ("::ffff:10.1.1.1", "http://[::ffff:10.1.1.1]"),
    ("[::ffff:10.1.1.1]:8080", "http://10.1.1.1:8080"),
    ("::ffff:10.0.0.0/104", "http://10.2.3.4"),
]

NOT_EXCEPTED = [
    ("", "http://example.com"),
    ("example.com", "http://notexample.com"),
    ("example.com", "http://example.com.evil.example"),
    (".example.com", "http://example.com"),
    ("*.example.com", "http://example.com"),
    ("example.com:8080", "http://example.com"),
    ("example.com:8080", "https://example.com:443"),
    ("https://example.com", "http://example.com"),
    ("10.0.0.0/8", "http://11.0.0.1"),
    ("10.0.0.0/8", "http://10.example.com"),
    ("fd07:b51a:cc66::/64", "http://[fd07:b51a:cc67::1]"),
    ("::ffff:10.0.0.0/104", "http://11.2.3.4"),
    ("::/0", "http://10.2.3.4"),
    ("[fd07:b51a:cc66::1]:8080", "http://[fd07:b51a:cc66::1]"),
    ("e", "http://example.com"),
]

NOT_UNDERSTOOD = [
    "[::1",
    "::1]",
    "http://[::",
    "x:99999",
    "x:0",
    "x:port",
    "10.0.0.0/64:",
    "a b:c:d",
    "\u00fc\udcff",
    "://",
    ":",
    "[]",
    "()",
    "-_%zz",
    "x" * 100_000,
]


@pytest.mark.parametrize(("value", "url"), EXCEPTED)
def test_an_entry_excepts_what_it_says(value: str, url: str) -> None:
    assert NoProxy(value).excepts(httpx.URL(url))


@pytest.mark.parametrize(("value", "url"), NOT_EXCEPTED)
def test_it_excepts_nothing_else(value: str, url: str) -> None:
    assert not NoProxy(value).excepts(httpx.URL(url))


@pytest.mark.parametrize("entry", NOT_UNDERSTOOD)
def test_one_that_is_not_understood_is_passed_over(entry: str) -> None:
    beside = NoProxy(f"{entry},example.com")
    assert beside.excepts(httpx.URL("http://example.com"))
    assert not beside.excepts(httpx.URL("http://[fd07::1]:8080"))
    assert not beside.excepts(httpx.URL("http://example.org"))
