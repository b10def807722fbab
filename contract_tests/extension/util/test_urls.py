"""Is every URL from outside either usable or refused with a typed error that repeats no password?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support.command_line import process
from contract_tests.support.servers import http_servers, three_ways
from wallaroo_ext import (
    ConfigurationError,
    ContractViolationError,
    InvalidDataError,
    KeycloakAuth,
    Settings,
    WallarooError,
    connect,
    find_deployment,
    infer,
    infer_batches,
    infer_dataset,
    pipeline_logs,
    upload_model,
)
from wallaroo_ext._util.urls import display_host, parse_http_url
from wallaroo_ext.conformance.drift.changes import DriftError
from wallaroo_ext.conformance.drift.fetching import fetch_document

if TYPE_CHECKING:
    import socket
    from pathlib import Path

PASS = "hunter2-Zq8x"
NO_URLS = [
    "",
    "api.example.com",
    "ftp://a.example.com",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "http://",
    "http:///path",
    "https:/a.example.com",
    "http://xn--/",
    "http://xn--a-ecp.example.com\u202e",
    "http://xn--zzzzzzzzzzzzzzzzzzzzz/",
    "http://a.example.com:99999",
    "http://a.example.com:0",
    "http://a.example.com:-1",
    "http://a.example.com:port",
    "http://[::1",
    "http://[zz::1]",
    "http://::1",
    "http://a b.example.com",
    "http://a\nb.example.com",
    "http://a\x1b[31m.example.com",
    "http://\ud800.example.com",
    "http://a..b",
    "http://.a",
    f"http://{'a' * 64}.example.com",
    f"http://{'a.' * 200}com",
    "http://" + "a" * 70_000,
    "http://a.example.com\\@b.example.com",
    "http://\u2024\u2024/",
]
WITH_PASSWORDS = [
    f"http://u:{PASS}@api.example.com",
    f"https://{PASS}@api.example.com",
    f"u:{PASS}@api.example.com",
    f"http://u:{PASS}@api.example.com:99999",
    f"http://u:{PASS}@",
    f"http:/u:{PASS}@api.example.com",
    f"http://u:{PASS}@xn--/",
    f"http://u:p@{PASS}@api.example.com",
    f"ftp://u:{PASS}@api.example.com",
    f"//u:{PASS}@api.example.com",
    f"http://u:{PASS}\\@api.example.com",
    f" http://u:{PASS}@api.example.com",
]


@pytest.mark.parametrize("url", [*NO_URLS, *WITH_PASSWORDS], ids=ascii)
class TestSettings:
    @pytest.mark.parametrize("variable", ["WALLAROO_API_URL", "WALLAROO_AUTH_URL"])
    def test_it_is_refused(self, url: str, variable: str) -> None:
        if not url:
            pytest.skip("An empty setting is none.")
        environment = {"WALLAROO_TOKEN": "a-token", "WALLAROO_API_URL": "https://api.example.com"} | {variable: url}
        with pytest.raises(ConfigurationError) as raised:
            Settings.resolve(environment)
        self.is_good(raised.value)
        assert variable in str(raised.value)

    def test_as_an_address_of_keycloak_or_an_inference_host(self, url: str) -> None:
        good = "https://api.example.com"
        for addresses in ({"api_url": url}, {"token_url": url}):
            options: Any = {"token_url": good, "api_url": good} | addresses
            with pytest.raises(ConfigurationError) as raised:
                KeycloakAuth(options.pop("token_url"), client_id="c", client_secret="s", **options)
            self.is_good(raised.value)

    def test_as_a_document(self, url: str) -> None:
        with pytest.raises((DriftError, ConfigurationError)) as raised:
            fetch_document(None, url)
        self.is_good(raised.value)

    @staticmethod
    def is_good(error: BaseException) -> None:
        text = f"{error} {error!r} {error.args}"
        assert PASS not in text
        assert str(error).isprintable()
        assert len(str(error)) < 500


REDIRECTS = [*NO_URLS[6:-1], f"http://u:{PASS}@api.example.com/", "http://api.example.com/?token=x"]


@pytest.mark.parametrize("way", three_ways.WAYS)
@pytest.mark.parametrize("url", REDIRECTS, ids=ascii)
def test_a_redirect_to_anything_is_a_typed_error(url: str, way: str) -> None:
    def respond(connection: socket.socket) -> None:
        location = url.encode("utf-8", "surrogatepass").replace(b"\n", b" ")
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: " + location[:8000] + b"\r\nContent-Length: 0\r\n\r\n")

    if way != "sync" and any(each < " " or each > "~" for each in url):
        pytest.skip("One way is enough for what servers of HTTP refuse to send.")
    with http_servers.raw(respond) as server:
        for environment in (three_ways.TOKEN, three_ways.USER):
            with pytest.raises(WallarooError) as raised:
                three_ways.list_in(way, server, environment)
            assert PASS not in str(raised.value)
            assert str(raised.value).isprintable()
            if environment is three_ways.TOKEN and all(" " < each <= "~" for each in url):
                assert type(raised.value) is ContractViolationError
                assert "redirect" in str(raised.value)


@pytest.mark.parametrize("url", [*NO_URLS[4:], *WITH_PASSWORDS], ids=ascii)
def test_rows_are_sent_to_no_such_url(url: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "rows.csv").write_text("a\n1\n", encoding="utf-8")
    with connect(http_servers.unused(), environment={"WALLAROO_TOKEN": "a-token-of-mine"}) as client:
        for score in (
            lambda: infer(client, url, {"x": [1.0]}),
            lambda: list(infer_batches(client, url, [{"x": [1.0]}])),
            lambda: infer_dataset(client, url, tmp_path / "rows.csv", tmp_path / "out"),
        ):
            with pytest.raises((ConfigurationError, InvalidDataError)) as raised:
                score()
            assert PASS not in f"{raised.value!r} {raised.value.__cause__!r}"
            assert str(raised.value).isprintable()


def test_the_argument_that_has_the_url_is_named(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    (tmp_path / "rows.csv").write_text("a\n1\n", encoding="utf-8")
    with connect(http_servers.unused(), environment={"WALLAROO_TOKEN": "a-token-of-mine"}) as client:
        for url, message in (
            ("https://a.example.com:port/v1/x", "`pipeline` is no URL that can be used"),
            ("https://a.example.com/v1/x", r"The models behind https://a\.example\.com/v1/x are unknown, because it"),
        ):
            with pytest.raises(InvalidDataError, match=message) as raised:
                infer_dataset(client, f"{url}?sig={PASS}", tmp_path / "rows.csv", tmp_path / "out")
            assert PASS not in str(raised.value)
            assert raised.value.__cause__ is None


@pytest.mark.parametrize("url", ["https://me:{}@a.example.com/x", "https://a.example.com/x?X-Amz-Signature={}"])
def test_a_url_in_place_of_a_name_or_a_file_is_not_repeated_with_its_secrets(url: str) -> None:
    url = url.format(PASS)
    with connect(http_servers.unused(), environment={"WALLAROO_TOKEN": "a-token-of-mine"}) as client:
        for call in (
            lambda: find_deployment(client, url),
            lambda: pipeline_logs(client, url),
            lambda: upload_model(client, url, name="a"),
        ):
            with pytest.raises(InvalidDataError, match="is a URL") as raised:
                call()
            assert PASS not in f"{raised.value!r}"


@pytest.mark.parametrize("url", [*NO_URLS, *WITH_PASSWORDS], ids=ascii)
def test_an_instance_that_answers_with_such_a_url_breaks_the_contract(url: str) -> None:
    def respond(handler: Any, _: int) -> None:
        workspace: dict[str, Any] = {
            "id": 1,
            "name": "w",
            "created_at": "2023-01-01T00:00:00Z",
            "created_by": "u",
            "archived": False,
        }
        listed: dict[str, Any] = {"workspaces": [workspace | {"models": [], "pipelines": []}]}
        answer: dict[str, Any] = {"url": url} if "external_url" in handler.path else listed
        http_servers.answer(handler, 200, json.dumps(answer).encode())

    with http_servers.serving(respond) as server, connect(server.url, environment=three_ways.TOKEN) as client:
        with pytest.raises(ContractViolationError) as raised:
            find_deployment(client, "a", 1)
        assert PASS not in f"{raised.value!r} {vars(raised.value)}"
        assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1"),
        ("https://[::1]:8443/", "::1"),
        ("https://bücher.example.com", "bücher.example.com"),
        ("https://xn--bcher-kva.example.com", "bücher.example.com"),
        ("https://a.example.com./path?q=@", "a.example.com."),
        ("http://localhost:65535", "localhost"),
    ],
)
def test_what_is_one_is_read(url: str, host: str) -> None:
    assert parse_http_url(url, "It").host == display_host(url) == host


@pytest.mark.parametrize(
    ("url", "arguments"),
    [
        *((url, ["doctor"]) for url in WITH_PASSWORDS[:4]),
        (WITH_PASSWORDS[0], ["doctor", "--json"]),
        (WITH_PASSWORDS[0], ["call", "list_workspaces", "--verbose"]),
    ],
)
def test_no_command_prints_a_password(url: str, arguments: list[str]) -> None:
    environment = {"WALLAROO_API_URL": url, "WALLAROO_TOKEN": "a-token"}
    for options in ([], ["--api-url", url]):
        done = process(*arguments, *options, environment=environment)
        assert done.returncode in {1, 2}
        assert PASS not in done.stdout + done.stderr
        assert "before an @" in done.stdout + done.stderr


@pytest.mark.parametrize("zone", ["%eth0", "%25eth0"])
def test_an_ipv6_address_may_have_a_zone_as_the_system_or_a_url_writes_it(zone: str) -> None:
    settings = Settings.resolve({"WALLAROO_TOKEN": "t", "WALLAROO_API_URL": f"https://[fe80::1{zone}]:8443/gate%25way"})
    assert settings.api_url == "https://[fe80::1%eth0]:8443/gate%25way"


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("ml.example.com", "Write https://ml.example.com."),
        ("ml.example.com:8443/gateway/", "Write https://ml.example.com:8443/gateway/."),
        ("ml.example.com:99999", "Write it as https://host."),
        ("https//ml.example.com", "Write it as https://host."),
        ("//ml.example.com", "Write it as https://host."),
        ("ftp://ml.example.com", "Write it as https://host."),
        ("http://h:65536", "Write it as https://host:port, with a port from 1 to 65535."),
        ("http://h:0/gateway", "Write it as https://host:port, with a port from 1 to 65535."),
        ("HTTPS://[::1]:eighty", "Write it as https://host:port, with a port from 1 to 65535."),
        ("http://::1:80", "Write it as https://host."),
    ],
)
def test_how_it_is_written_is_said(text: str, advice: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_http_url(text, "It")
    assert str(raised.value) == f"It is no URL of a host: {text!r}. {advice}"
