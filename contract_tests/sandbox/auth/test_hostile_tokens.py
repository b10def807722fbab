"""Is any invalid token answered 401, and any broken issuer with a clear error, without affecting other requests?"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from jwt.algorithms import RSAAlgorithm

from contract_tests.support import recorded
from contract_tests.support.servers.http_servers import serving, silent
from wallaroo_ext import contract
from wallaroo_ext.sandbox.auth import issuer_keys
from wallaroo_ext.sandbox.auth.issuer_keys import KeysUnavailableError, fetch_keys, parse_keys
from wallaroo_ext.sandbox.auth.signing_keys import SigningKeys
from wallaroo_ext.sandbox.handlers import HANDLERS
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.options import SandboxOptions
from wallaroo_ext.sandbox.paths import realm_path
from wallaroo_ext.sandbox.server import app
from wallaroo_ext.sandbox.server.app import create_app

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from http.server import BaseHTTPRequestHandler
    from pathlib import Path

    from starlette.applications import Starlette

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEY_ID = "the-key"
REALM = realm_path(contract.operation("request_token").path)
LISTING = contract.operation("list_workspaces").path
TOKEN_PATH = contract.operation("request_token").path


def jwk_of(key: rsa.RSAPrivateKey, **changes: Any) -> dict[str, Any]:
    """Return a public key in the form in which an issuer publishes it."""
    published: dict[str, Any] = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return (
        {"kid": KEY_ID, "use": "sig", "alg": "RS256"}
        | {"n": published["n"], "e": published["e"], "kty": "RSA"}
        | changes
    )


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def written(value: Any) -> bytes:
    """Return bytes unchanged, and any other value as JSON by Python, which escapes lone surrogates."""
    return value if isinstance(value, bytes) else json.dumps(value).encode()


def signed(payload: Any, header: Any, key: rsa.RSAPrivateKey = KEY) -> str:
    """Return a token with any header and payload, and a valid signature."""
    content = f"{encoded(written(header))}.{encoded(written(payload))}"
    return f"{content}.{encoded(key.sign(content.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def header(**changes: Any) -> dict[str, Any]:
    return {"alg": "RS256", "kid": KEY_ID, "typ": "JWT"} | changes


def claims(issuer: str, **changes: Any) -> dict[str, Any]:
    changed: dict[str, Any] = {
        "iss": issuer,
        "aud": "account",
        "typ": "Bearer",
        "exp": int(time.time()) + 600,
        "sub": "11111111-1111-1111-1111-111111111111",
        "preferred_username": "someone@example.com",
        "email": "someone@example.com",
        "azp": "api-client",
    } | changes
    return {name: value for name, value in changed.items() if value is not LEFT_OUT}


LEFT_OUT = object()
SURROGATES = ["\ud800", "a\udfffb", "\udcff"]
NO_TEXTS: list[Any] = [*SURROGATES, "a\0b", "a\nb", "\x1b[31m", "\u202eb", "x" * 256, 5, 1.5, True, [], ["a"], {"a": 1}]
NO_TIMES: list[Any] = ["x", "1e400", True, False, None, [], {}, float("nan"), float("inf"), -float("inf"), "9" * 5000]


def hostile_claims() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in ("sub", "preferred_username", "email", "azp"):
        for value in NO_TEXTS:
            yield name, {name: value}
    no_numbers: list[Any] = [float("inf"), float("nan"), "x", [], 10**400]
    no_audiences: list[Any] = [SURROGATES[0], [SURROGATES[0]], {"a": 1}, 5, [5], [[]], None]
    for value in NO_TIMES:
        yield "exp", {"exp": value}
    yield "sub", {"sub": ""}
    yield "sub", {"sub": LEFT_OUT}
    for name in ("iat", "nbf"):
        for value in no_numbers:
            yield name, {name: value}
    for value in no_audiences:
        yield "aud", {"aud": value}
    yield "typ", {"typ": ["Bearer"]}


def payloads_that_are_none() -> dict[str, bytes]:
    return {
        "deep list": b"[" * 20_000,
        "deep object": b'{"a":' * 8_000 + b"1" + b"}" * 8_000,
        "list": b"[]",
        "text": b'"x"',
        "number": b"5",
        "null": b"null",
        "huge number": b'{"exp": ' + b"9" * 5000 + b"}",
        "no UTF-8": b'{"sub": "\xff"}',
        "nothing": b"",
        "NaN": b"NaN",
        "infinite exponent": b'{"exp": 1e999999999}',
    }


HEADERS: list[Any] = [
    header(alg="none"),
    header(alg="NONE"),
    header(alg="HS256"),
    header(alg=["RS256"]),
    header(alg=None),
    header(alg=5),
    header(kid=5),
    header(kid=None),
    header(kid=[KEY_ID]),
    header(kid={"a": 1}),
    header(kid=SURROGATES[0]),
    header(kid="../../../etc/passwd"),
    header(kid="' OR 1=1 --"),
    header(kid="x" * 20_000),
    header(crit=["exp"]),
    header(crit=[]),
    header(crit=5),
    header(crit=["b64"], b64=False),
    header(b64=False),
    header(b64="no"),
    [],
    5,
    b"[" * 20_000,
    b'{"a":' * 8_000,
    b'{"alg": ' + b"9" * 5000 + b"}",
    b"\xff",
    b"",
]

NO_TOKENS = [
    "..",
    "a.b.c",
    ".." + "." * 1000,
    "=.=.=",
    encoded(written(header())) + "..",
    "\xff.\xff.\xff",
    "x" * 50_000,
    "." * 50_000,
]


class Sandbox:
    """A sandbox in this process; its defects are answered 500.

    Args:
        application: What answers.
    """

    def __init__(self, application: Starlette) -> None:
        self._transport = httpx.ASGITransport(application, raise_app_exceptions=False)

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self._transport, base_url="http://127.0.0.1", timeout=30)

    def list_workspaces(self, *tokens: str) -> list[httpx.Response]:
        return asyncio.run(self._list(tokens))

    async def _list(self, tokens: tuple[str, ...]) -> list[httpx.Response]:
        async with self.http() as http:
            return [await http.post(LISTING, json={}, headers=bearer(token)) for token in tokens]


def bearer(token: str) -> list[tuple[bytes, bytes]]:
    return [(b"Authorization", b"Bearer " + token.encode("latin-1"))]


@contextmanager
def sandbox_of(directory: Path, **options: Any) -> Generator[tuple[Instance, Sandbox]]:
    instance = Instance(directory, SandboxOptions(**options))
    yield instance, Sandbox(create_app(instance, recorded.SPEC))
    instance.close()


@contextmanager
def publishing(content: bytes | None = None, **more: Any) -> Generator[str]:
    """Yield the URL of an issuer that answers with given content, status and headers instead of its keys."""
    body = json.dumps({"keys": [jwk_of(KEY)]}).encode() if content is None else content

    def respond(handler: BaseHTTPRequestHandler, _: int) -> None:
        handler.send_response(more.get("status", 200))
        for name, value in more.get("headers", {}).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    with serving(respond) as seen:
        yield seen.url


@contextmanager
def dripping(begin: bytes, drop: bytes) -> Generator[str]:
    """Yield the URL of an issuer that sends small pieces for ever."""

    def respond(handler: BaseHTTPRequestHandler, _: int) -> None:
        handler.wfile.write(begin)
        try:
            for _ in range(400):
                handler.wfile.write(drop)
                time.sleep(0.05)
        except OSError:
            handler.close_connection = True

    with serving(respond) as seen:
        yield seen.url


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Sandbox, str]]:
    """Yield a sandbox that trusts an issuer whose key the tests have, and the name of the issuer."""
    directory = tmp_path_factory.mktemp("trusting")
    with publishing() as url, sandbox_of(directory, auth_url=url) as (_, sandbox):
        yield sandbox, url + REALM


@pytest.fixture(scope="module")
def own_instance(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Instance, Sandbox]]:
    with sandbox_of(tmp_path_factory.mktemp("own")) as opened:
        yield opened


@pytest.fixture(scope="module")
def own_secret(own_instance: tuple[Instance, Sandbox]) -> str:
    """Return the client's id and secret in the form of HTTP Basic."""
    credentials = own_instance[0].credentials
    return f"{credentials.client_id}:{credentials.client_secret}"


@pytest.fixture(scope="module")
def own(own_instance: tuple[Instance, Sandbox]) -> tuple[Sandbox, SigningKeys]:
    """Return a sandbox that issues tokens, and its private keys."""
    instance, sandbox = own_instance
    return sandbox, SigningKeys.from_json(instance.store.setting("token_keys", lambda: ""))


class TestTokens:
    def test_what_they_are_made_from_is_good(
        self, trusting: tuple[Sandbox, str], own: tuple[Sandbox, SigningKeys]
    ) -> None:
        sandbox, issuer = trusting
        [answer] = sandbox.list_workspaces(signed(claims(issuer), header()))
        assert answer.status_code == 200
        [answer] = own[0].list_workspaces(signed(claims("x"), header(kid=own[1].signing_id), own[1].signing))
        assert answer.json()["msg"] == "The token's user is unknown or disabled."

    @pytest.mark.parametrize(("name", "changes"), list(hostile_claims()))
    def test_a_claim_of_any_kind_is_401(
        self, trusting: tuple[Sandbox, str], own: tuple[Sandbox, SigningKeys], name: str, changes: dict[str, Any]
    ) -> None:
        sandbox, issuer = trusting
        answers = sandbox.list_workspaces(signed(claims(issuer, **changes), header()))
        answers += own[0].list_workspaces(signed(claims("x", **changes), header(kid=own[1].signing_id), own[1].signing))
        assert [answer.status_code for answer in answers] == [401, 401], (name, [answer.text for answer in answers])
        assert all(answer.json()["msg"].isprintable() for answer in answers)

    @pytest.mark.parametrize("content", payloads_that_are_none().values(), ids=payloads_that_are_none())
    def test_a_payload_of_any_kind_is_401(
        self, trusting: tuple[Sandbox, str], own: tuple[Sandbox, SigningKeys], content: bytes
    ) -> None:
        answers = trusting[0].list_workspaces(signed(content, header()))
        answers += own[0].list_workspaces(signed(content, header(kid=own[1].signing_id), own[1].signing))
        assert [answer.status_code for answer in answers] == [401, 401]

    @pytest.mark.parametrize("head", HEADERS, ids=lambda head: str(head)[:60])
    def test_a_header_of_any_kind_is_401(
        self,
        trusting: tuple[Sandbox, str],
        own: tuple[Sandbox, SigningKeys],
        head: Any,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("wallaroo_ext.sandbox.auth.issuer._PAUSE_SECONDS", 0)
        answers = trusting[0].list_workspaces(signed(claims(trusting[1]), head))
        answers += own[0].list_workspaces(signed(claims("x"), head, own[1].signing))
        assert [answer.status_code for answer in answers] == [401, 401]

    @pytest.mark.parametrize("token", NO_TOKENS)
    def test_what_is_no_token_is_401(
        self, trusting: tuple[Sandbox, str], own: tuple[Sandbox, SigningKeys], token: str
    ) -> None:
        answers = trusting[0].list_workspaces(token) + own[0].list_workspaces(token)
        assert [answer.status_code for answer in answers] == [401, 401]

    def test_the_last_of_two_claims_counts_in_both_looks(self, trusting: tuple[Sandbox, str]) -> None:
        sandbox, issuer = trusting
        content = json.dumps(claims(issuer))[:-1] + ', "iss": "http://elsewhere"}'
        [answer] = sandbox.list_workspaces(signed(content.encode(), header()))
        assert answer.status_code == 401


class TestKeys:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"[" * 100_000, "no JSON"),
            (b'{"keys":' * 100_000, "no JSON"),
            (b"<html>", "no JSON"),
            (b"", "no JSON"),
            (b'{"keys": [{"kid": "\\ud800"}]}', "no JSON"),
            (b"null", "none of its keys"),
            (b'{"keys": {}}', "none of its keys"),
            (b'{"keys": [null, 5, [], "x"]}', "none of its keys"),
            (b" " * (2 << 20), "more than 1048576 bytes"),
            (json.dumps({"keys": [jwk_of(KEY)] * 101}).encode(), "more than 100 keys"),
        ],
    )
    def test_what_is_no_set_of_keys_is_a_sentence(self, content: bytes, reason: str) -> None:
        with publishing(content) as url, pytest.raises(KeysUnavailableError, match=reason):
            fetch_keys(url)

    @pytest.mark.parametrize(
        "changes",
        [
            {"kty": "oct", "k": "c2VjcmV0"},
            {"kty": "EC"},
            {"use": "enc"},
            {"use": ["sig"]},
            {"alg": "HS256"},
            {"alg": "RSA-OAEP"},
            {"kid": ""},
            {"kid": 5},
            {"kid": None},
            {"n": "!!!"},
            {"n": ""},
            {"n": 5},
            {"n": "AQAB"},
            {"n": "A" * 400_000},
            {"e": ""},
            {"e": "AQ"},
            {"e": "Ag"},
            {"e": encoded((2**4000 + 1).to_bytes(501, "big"))},
            {"e": encoded((2**40 + 1).to_bytes(6, "big"))},
            {"n": encoded((2**16_384 + 1).to_bytes(2049, "big"))},
            {"n": "\u00fc" * 340},
        ],
    )
    def test_a_key_that_is_not_good_for_tokens_is_not_used(self, changes: dict[str, Any]) -> None:
        bad = jwk_of(KEY, **changes)
        began = time.process_time()
        with pytest.raises(KeysUnavailableError, match="none of its keys"):
            parse_keys(json.dumps({"keys": [bad] * 100}).encode())
        assert set(parse_keys(json.dumps({"keys": [bad, jwk_of(KEY, kid="good")]}).encode())) == {"good"}
        assert time.process_time() - began < 1

    def test_a_weak_key_is_not_used(self) -> None:
        weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - that is the point
        with pytest.raises(KeysUnavailableError, match="2048 to 8192 bits"):
            parse_keys(json.dumps({"keys": [jwk_of(weak)]}).encode())

    def test_certificates_and_private_parts_beside_a_key_are_not_looked_at(self) -> None:
        found = parse_keys(
            json.dumps({"keys": [jwk_of(KEY, x5c=["garbage"], x5u="file:///etc/passwd", d="5")]}).encode()
        )
        assert found[KEY_ID].public_numbers() == KEY.public_key().public_numbers()

    def test_the_first_of_two_keys_with_one_id_is_used(self) -> None:
        other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        found = parse_keys(json.dumps({"keys": [jwk_of(KEY), jwk_of(other)]}).encode())
        assert found[KEY_ID].public_numbers() == KEY.public_key().public_numbers()


class TestFetching:
    def test_certificates_are_read_for_tls_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def read(*_: object, **__: object) -> None:
            raise OSError("certificates were read")

        monkeypatch.setattr("ssl.create_default_context", read)
        with publishing() as url:
            assert fetch_keys(url)
            with pytest.raises(KeysUnavailableError, match="OSError"):
                fetch_keys(url.replace("http:", "https:"))

    def test_compressed_content_is_not_unpacked(self) -> None:
        bomb = gzip.compress(bytes(50 << 20))
        with (
            publishing(bomb, headers={"Content-Encoding": "gzip"}) as url,
            pytest.raises(KeysUnavailableError, match="compressed"),
        ):
            fetch_keys(url)

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_a_redirect_is_not_followed(self, status: int) -> None:
        with serving() as elsewhere:
            target = {"Location": elsewhere.url, "Content-Length": "0"}
            with (
                publishing(b"", status=status, headers=target) as url,
                pytest.raises(KeysUnavailableError, match=str(status)),
            ):
                fetch_keys(url)
            assert elsewhere.connections == 0

    @pytest.mark.parametrize("status", [204, 400, 401, 404, 500, 503])
    def test_another_status_is_said(self, status: int) -> None:
        with publishing(b"", status=status) as url, pytest.raises(KeysUnavailableError, match=f"answered {status}"):
            fetch_keys(url)

    def test_a_proxy_is_not_asked_for_an_issuer_on_this_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with serving() as proxy, publishing() as url:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.url)
            for name in ("NO_PROXY", "no_proxy"):
                monkeypatch.delenv(name, raising=False)
            assert set(fetch_keys(url)) == {KEY_ID}
            assert set(fetch_keys(url.replace("127.0.0.1", "localhost"))) == {KEY_ID}
            assert proxy.connections == 0

    @pytest.mark.parametrize(
        ("begin", "drop"),
        [
            (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
            (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
            (b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
            (b"HTTP/1.1 200 OK\r\n\r\n", b" "),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        ],
    )
    def test_one_that_drips_has_a_time_for_all(
        self, begin: bytes, drop: bytes, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(issuer_keys, "FETCH_SECONDS", 0.5)
        began = time.monotonic()
        with dripping(begin, drop) as url, pytest.raises(KeysUnavailableError, match="did not answer within"):
            fetch_keys(url)
        assert time.monotonic() - began < 5

    def test_a_proxy_that_cannot_be_used_is_named_and_one_for_others_is_in_nobodys_way(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("all_proxy", "nonsense://127.0.0.1:1")
        monkeypatch.setenv("no_proxy", "fd07:b51a:cc66::/64,x:99999")
        with pytest.raises(KeysUnavailableError, match="cannot be reached: The proxy that all_proxy names speaks"):
            fetch_keys("http://issuer.example.com")
        with pytest.raises(KeysUnavailableError, match=r"does not speak HTTP \(ConnectError\)"):
            fetch_keys("http://127.0.0.1:1")

    @pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1", "http://xn--/", "http://[::1]:1"])
    def test_one_that_cannot_be_reached_is_a_sentence(self, url: str) -> None:
        with pytest.raises(KeysUnavailableError, match="cannot be reached"):
            fetch_keys(url)

    def test_one_without_an_answer_holds_up_nobody(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A hundred tokens with unknown keys wait for the issuer; tokens with known keys do not."""
        monkeypatch.setattr(issuer_keys, "FETCH_SECONDS", 3)
        keys = json.dumps({"keys": [jwk_of(KEY)]}).encode()

        def published(handler: BaseHTTPRequestHandler, number: int) -> None:
            if number:
                time.sleep(4)
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(keys) + keys)

        with serving(published) as seen, sandbox_of(tmp_path, auth_url=seen.url) as (_, sandbox):
            good = signed(claims(seen.url + REALM), header())
            unknown = [signed(claims(seen.url + REALM), header(kid=str(number))) for number in range(100)]

            async def attack() -> tuple[float, list[int]]:
                async with sandbox.http() as http:
                    assert (await http.post(LISTING, json={}, headers=bearer(good))).status_code == 200
                    monkeypatch.setattr("wallaroo_ext.sandbox.auth.issuer._FRESH_SECONDS", 0)
                    waiting = [
                        asyncio.create_task(http.post(LISTING, json={}, headers=bearer(token))) for token in unknown
                    ]
                    await asyncio.sleep(0.5)
                    began = time.monotonic()
                    for _ in range(20):
                        assert (await http.post(LISTING, json={}, headers=bearer(good))).status_code == 200
                    took = time.monotonic() - began
                    return took, [(await answer).status_code for answer in waiting]

            took, statuses = asyncio.run(attack())
        assert took < 2
        assert set(statuses) <= {401, 503}

    def test_a_silent_one_is_503_in_time(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(issuer_keys, "FETCH_SECONDS", 0.3)
        with silent() as url, sandbox_of(tmp_path, auth_url=url) as (_, sandbox):
            [answer] = sandbox.list_workspaces(signed(claims(url + REALM), header()))
        assert answer.status_code == 503
        assert "did not answer within 0.3 s" in answer.json()["msg"]


def basic(content: bytes) -> str:
    return "Basic " + base64.b64encode(content).decode()


REFRESH_TOKENS = [
    *NO_TOKENS[:6],
    "%ED%A0%80",
    "%00",
    "%ff",
    "%",
    "%zz",
    "a%00b",
    encoded(b"[" * 20_000) + ".e30.",
    encoded(b'{"alg": ' + b"9" * 5000 + b"}") + ".e30.",
    encoded(written(header(alg="HS512"))) + "." + encoded(b"[" * 20_000) + ".AAAA",
    encoded(written(header(alg="none"))) + "." + encoded(b"{}") + ".",
]


class TestTokenEndpoint:
    """It answers as Keycloak does, never with an internal error."""

    def ask(self, sandbox: Sandbox, form: str, authorization: str | None = None) -> httpx.Response:
        async def send() -> httpx.Response:
            sent = [(b"Content-Type", b"application/x-www-form-urlencoded")]
            if authorization is not None:
                sent.append((b"Authorization", authorization.encode("latin-1")))
            async with sandbox.http() as http:
                return await http.post(TOKEN_PATH, content=form.encode("latin-1"), headers=sent)

        return asyncio.run(send())

    @pytest.mark.parametrize(
        "authorization",
        [
            "Basic",
            "Basic ",
            "Basic !!!",
            "Basic \xff",
            "Basic YQ",
            basic(b"\xff:\xff"),
            basic(b"no colon"),
            basic(b":"),
            basic(b"\0:\0"),
            basic(b"%ff:%ED%A0%80"),
            basic("\ud800:x".encode("utf-8", "surrogatepass")),
            basic(b"api-client:" + b"x" * 40_000),
            "Bearer a.b.c",
            "\xff",
        ],
    )
    def test_a_basic_header_of_any_kind_is_401(self, own: tuple[Sandbox, SigningKeys], authorization: str) -> None:
        answer = self.ask(own[0], "grant_type=client_credentials", authorization)
        assert (answer.status_code, set(answer.json())) == (401, {"error", "error_description"})

    @pytest.mark.parametrize("token", REFRESH_TOKENS, ids=lambda token: token[:40])
    def test_a_refresh_token_of_any_kind_is_400(
        self, own: tuple[Sandbox, SigningKeys], own_secret: str, token: str
    ) -> None:
        answer = self.ask(own[0], f"grant_type=refresh_token&refresh_token={token}", basic(own_secret.encode()))
        assert (answer.status_code, set(answer.json())) == (400, {"error", "error_description"})

    @pytest.mark.parametrize(
        "value", ["%ED%A0%80", "%00", "%ff", "%", "%zz", "\xff", "x" * 60_000, "%0d%0aX:%20y", "a;b"]
    )
    @pytest.mark.parametrize("field", ["username", "password", "scope", "grant_type", "client_id", "client_secret"])
    def test_a_field_of_any_kind_is_refused(
        self, own: tuple[Sandbox, SigningKeys], own_secret: str, field: str, value: str
    ) -> None:
        form = {"grant_type": "password", "username": "x", "password": "y"} | {field: value}
        content = "&".join(f"{name}={given}" for name, given in form.items())
        answer = self.ask(own[0], content, basic(own_secret.encode()))
        assert answer.status_code in {400, 401}
        assert answer.json()["error"]
        assert not {"x", "set-cookie"} & set(answer.headers)

    def test_signing_in_waits_for_nobody(
        self, own: tuple[Sandbox, SigningKeys], own_secret: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Signing in works even while slow requests occupy all other threads."""
        go_on = threading.Event()

        def endless(_: object) -> dict[str, Any]:
            go_on.wait(20)
            return {"features": {}}

        operation = "list_features"
        monkeypatch.setitem(HANDLERS, operation, endless)
        monkeypatch.setattr(app, "ON_EVENT_LOOP", set[str]())  # run all handlers in threads
        sent = {"Authorization": basic(own_secret.encode())}
        form = {"grant_type": "client_credentials"}

        async def attack() -> float:
            async with own[0].http() as http:
                token = (await http.post(TOKEN_PATH, data=form, headers=sent)).json()["access_token"]
                path = contract.operation(operation).path
                waiting = [asyncio.create_task(http.post(path, json={}, headers=bearer(token))) for _ in range(60)]
                await asyncio.sleep(0.5)
                began = time.monotonic()
                assert not any(task.done() for task in waiting)
                try:
                    for _ in range(5):
                        assert (await http.post(TOKEN_PATH, data=form, headers=sent)).status_code == 200
                    return time.monotonic() - began
                finally:
                    go_on.set()
                    await asyncio.gather(*waiting)

        assert asyncio.run(attack()) < 3
