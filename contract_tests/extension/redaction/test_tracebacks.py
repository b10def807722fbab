"""Do tracebacks with local variables, as rich, structlog and Sentry print them, show no secret?"""

from __future__ import annotations

import asyncio
import base64
import json
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from rich.traceback import Traceback
from wallaroo_mlops_client import AuthenticatedClient

from contract_tests.support.servers import http_servers, three_ways
from wallaroo_ext import RetryPolicy, Settings, WallarooError, connect, infer
from wallaroo_ext.auth import BearerToken, KeycloakAuth
from wallaroo_ext.redaction.tracebacks import clear_frames, hide_arguments

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

PASSWORD, CLIENT_SECRET, TOKEN = "password-2b7e93d4", "secret-93d42b7e", "token-6d0f93d471aa"
REFRESH = "refresh-8a1c93d471aa"
SECRETS = [
    PASSWORD,
    CLIENT_SECRET,
    TOKEN,
    REFRESH,
    base64.b64encode(f"api-client:{CLIENT_SECRET}".encode()).decode(),
]
USER = {"WALLAROO_USER": "u@example.com", "WALLAROO_PASSWORD": PASSWORD, "WALLAROO_CLIENT_SECRET": CLIENT_SECRET}
ENVIRONMENTS = {"a user": USER, "a token": {"WALLAROO_TOKEN": TOKEN}}


TESTS = str(Path(__file__).parents[2])
"""Where the frames of the tests are, which hold the secrets that they give."""


def printed(error: BaseException) -> str:
    """Return all that libraries print of an error, in full: its traceback with variables, and its causes."""
    return _by_rich(error) + "".join(_formatted(each) for each in _chain(error))


def _by_rich(error: BaseException) -> str:
    """Return what rich prints, which inspects objects, without colours and boxes, because those take a second."""
    trace = Traceback.extract(
        type(error),
        error,
        error.__traceback__,
        show_locals=True,
        locals_max_string=100_000,
        locals_max_length=100_000,
    )
    frames = [frame for stack in trace.stacks for frame in stack.frames if not frame.filename.startswith(TESTS)]
    texts = [f"{stack.exc_type}: {stack.exc_value}" for stack in trace.stacks]
    return "\n".join(
        [*texts, *(f"{name} = {value}" for frame in frames for name, value in (frame.locals or {}).items())]
    )


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and its causes, suppressed ones included."""
    found = [error]
    for each in found:
        found += [other for other in (each.__cause__, each.__context__) if other is not None and other not in found]
    return found


def _formatted(error: BaseException) -> str:
    """Return what the standard library prints, and Sentry sends."""
    frames = [(frame, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    others = [(frame, line) for frame, line in frames if not frame.f_code.co_filename.startswith(TESTS)]
    lines = traceback.StackSummary.extract(iter(others), capture_locals=True).format()
    return "".join(lines) + f"{error!r} {error} {vars(error)!r}"


def secrets_in(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


def raw(head: bytes, body: bytes = b"") -> Callable[[socket.socket], object]:
    lines = b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body)
    return lambda connection: connection.sendall(head + lines + body)


TOKENS = json.dumps({"access_token": TOKEN, "refresh_token": REFRESH, "expires_in": 60}).encode()
ANSWERS: dict[str, Callable[[socket.socket], object]] = {
    "nothing": lambda _: None,
    "no HTTP": lambda connection: connection.sendall(b"\x00\x01\x02" * 100),
    "a refusal": raw(b"HTTP/1.1 400 No\r\n", b'{"error": "invalid_grant"}'),
    "a failure": raw(b"HTTP/1.1 500 No\r\n"),
    "a page": raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", b"<html>"),
    "broken JSON": raw(b"HTTP/1.1 200 OK\r\n", TOKENS[:-1]),
    "tokens, which are no workspaces": raw(b"HTTP/1.1 200 OK\r\n", TOKENS),
    "a name as companies have it": raw(b"HTTP/1.1 200 OK\r\nX-Company: M\xfcller\r\n", TOKENS),
    "a reason as Germans write it": raw(b"HTTP/1.1 200 F\xfcr\r\n", TOKENS),
    "a redirect": raw(b"HTTP/1.1 302 Found\r\nLocation: http://xn--/\r\n"),
    "a wrong encoding": raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", TOKENS),
    "too little": lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + TOKENS),
}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("way", three_ways.WAYS)
@pytest.mark.parametrize("kind", ANSWERS)
def test_no_error_of_a_call_has_any(kind: str, way: str, environment: str) -> None:
    with http_servers.raw(ANSWERS[kind]) as url, pytest.raises(WallarooError) as raised:
        three_ways.list_in(way, url, ENVIRONMENTS[environment], deadline=5)
    assert secrets_in(printed(raised.value)) == []


@pytest.mark.parametrize("value", ["Müller".encode("latin-1"), "Müller".encode(), b"\x80\xff"])
def test_a_token_answer_with_any_header_is_read(value: bytes) -> None:
    def respond(connection: socket.socket) -> None:
        raw(b"HTTP/1.1 200 OK\r\nX-Company: " + value + b"\r\n", TOKENS)(connection)

    with http_servers.raw(respond) as url:
        auth = KeycloakAuth(f"{url}/t", api_url=url, client_id="api-client", client_secret=CLIENT_SECRET)
        assert auth.access_token() == TOKEN


def test_errors_of_bare_httpx_have_none_either() -> None:
    with http_servers.raw(ANSWERS["no HTTP"]) as url, connect(url, environment={"WALLAROO_TOKEN": TOKEN}) as client:
        with pytest.raises(httpx.RemoteProtocolError) as raised:
            client.get_httpx_client().post("/v1/api/workspaces/list", content=b"x" * 100_000)
        assert secrets_in(printed(raised.value)) == []


def test_nor_what_breaks_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """An unexpected error: of another library, or Ctrl-C."""
    for error in (KeyboardInterrupt, UnicodeEncodeError("ascii", "ü", 0, 1, "no"), RuntimeError, SystemExit):

        def broken(*_: object, error: Any = error, **__: object) -> Any:
            raise error

        for environment in ENVIRONMENTS.values():
            with monkeypatch.context() as patch, http_servers.serving() as server:
                patch.setattr("httpcore._sync.http11.HTTP11Connection._receive_response_headers", broken)
                with connect(server.url, environment=environment) as client, pytest.raises(BaseException) as raised:  # noqa: PT011 - whichever it is
                    client.get_httpx_client().post("/v1/api/workspaces/list")
                assert secrets_in(printed(raised.value)) == []


@pytest.mark.parametrize("way", three_ways.WAYS)
def test_nor_what_breaks_while_cookies_are_read(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer has been read by then, and the standard library has the request's headers."""

    def broken(*_: object, **__: object) -> Any:
        raise KeyboardInterrupt

    def respond(connection: socket.socket) -> None:
        raw(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=%s\r\n" % REFRESH.encode(), http_servers.LISTED)(connection)

    for function in ("urllib.request._splittag", "http.cookiejar.Cookie"):
        with monkeypatch.context() as patch, http_servers.raw(respond) as url:
            patch.setattr(function, broken)
            with pytest.raises(KeyboardInterrupt) as raised:
                three_ways.list_in(way, url, ENVIRONMENTS["a token"])
            assert secrets_in(printed(raised.value)) == []


WRONG_OPTIONS: Any = {"password": PASSWORD, "passwort": PASSWORD}
WRONG: dict[str, Callable[[], object]] = {
    "an address": lambda: connect("no-address", environment=USER),
    "an address with a password": lambda: connect(f"http://u:{PASSWORD}@127.0.0.1", environment=USER),
    "no address": lambda: connect(environment=USER),
    "a bundle": lambda: connect("http://127.0.0.1", environment=USER, ca_bundle="/nowhere"),
    "an option": lambda: connect("http://127.0.0.1", **WRONG_OPTIONS),
    "a limit": lambda: connect("http://127.0.0.1", username="u", password=PASSWORD, environment={}, answer_limit=-1),
    "a grant": lambda: connect("http://127.0.0.1", environment=USER, grant="none"),  # pyright: ignore[reportArgumentType] - that is wrong
    "a token": lambda: connect("http://127.0.0.1", token=f"{TOKEN} {TOKEN}", environment={}),
    "settings": lambda: Settings.resolve({}, client_secret=CLIENT_SECRET, token=TOKEN),
    "an address of Keycloak": lambda: KeycloakAuth("x", api_url="y", client_id="c", client_secret=CLIENT_SECRET),
    "a given token": lambda: BearerToken(f"{TOKEN}\n{TOKEN}", api_url="http://127.0.0.1"),
    "a function's token": lambda: BearerToken(
        lambda: {"access_token": f"{TOKEN} "}, api_url="http://127.0.0.1"
    ).token(),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_call_has_none(kind: str) -> None:
    with pytest.raises((WallarooError, TypeError)) as raised:
        WRONG[kind]()
    assert secrets_in(printed(raised.value)) == []


def test_a_credentials_file_that_is_broken_has_none(tmp_path: Path) -> None:
    file = tmp_path / "creds.json"
    for content in (
        f'{{"username": "u", "password": "{PASSWORD}"',
        f'["{PASSWORD}"]',
        f'{{"password": "{PASSWORD}\udcff"}}',
        f'{{"username": "u", "confidentialPassword": "{PASSWORD}"}}',
    ):
        file.write_text(content, encoding="utf-8", errors="surrogateescape")
        with pytest.raises(WallarooError) as raised:
            connect("http://127.0.0.1", environment={"WALLAROO_SDK_CREDENTIALS": str(file)})
        assert secrets_in(printed(raised.value)) == []


def test_no_object_shows_any() -> None:
    with (
        http_servers.serving(lambda handler, _: http_servers.answer(handler, 200, TOKENS)) as server,
        connect(server.url, environment=USER) as client,
    ):
        auth: Any = client.get_httpx_client().auth
        response = client.get_httpx_client().post("/v1/api/workspaces/list")
        shown: list[Any] = [client, client.with_headers({"X-A": "b"}), auth, auth.token(), response, response.request]
        shown += [response.request.headers, AuthenticatedClient(base_url=server.url, token=TOKEN)]
        shown += [Settings.resolve({**USER, "WALLAROO_API_URL": server.url})]
        together: list[Any] = [*shown, vars(auth), {"a": shown}]
        assert [secrets_in(repr(each)) for each in together] == [[]] * len(together)


def test_what_is_printed_shows_secrets_where_there_are_some() -> None:
    """This shows that the other tests can fail."""
    namespace: dict[str, Any] = {"error": ValueError}
    exec("def fail(headers):\n    raise error\n", namespace)  # noqa: S102 - a function that is in no file of the tests
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - it says nothing
        namespace["fail"]({"a": [PASSWORD]})
    assert PASSWORD in _by_rich(raised.value)
    assert PASSWORD in _formatted(raised.value)


def test_frames_of_others_keep_their_variables() -> None:
    def theirs() -> None:
        mine = "kept"
        raise ValueError(mine)

    with pytest.raises(ValueError, match="kept") as raised:
        hide_arguments(theirs)()
    clear_frames(raised.value)
    frame = [frame for frame, _ in traceback.walk_tb(raised.value.__traceback__)][-1]
    assert frame.f_locals == {"mine": "kept"}


def test_scores_are_asked_for_without_showing_any() -> None:
    pytest.importorskip("pyarrow")
    with (
        http_servers.raw(ANSWERS["a failure"]) as url,
        connect(url, environment={"WALLAROO_TOKEN": TOKEN}, retries=RetryPolicy(attempts=1)) as client,
    ):
        with pytest.raises(WallarooError) as raised:
            infer(client, f"{url}/v1/api/pipelines/infer/a-1/a", {"x": [1.0]})
        assert secrets_in(printed(raised.value)) == []


def test_a_cancelled_task_has_none() -> None:
    async def go() -> BaseException:
        async with connect(url, environment=USER) as client:
            task = asyncio.ensure_future(client.get_async_httpx_client().post("/v1/api/workspaces/list"))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as raised:
                await task
            return raised.value

    with http_servers.silent() as url:
        assert secrets_in(printed(asyncio.run(go()))) == []


@pytest.mark.parametrize(
    "name",
    [
        "wallaroo_ext.client",
        "wallaroo_mlops_client",
        "httpx",
        "httpcore._sync",
        "aiohttp.client",
        "opentelemetry.trace",
    ],
)
def test_the_frames_of_what_handles_requests_are_cleared_and_those_of_a_program_are_not(name: str) -> None:
    kept = {"__name__": "their_program"}
    cleared: dict[str, Any] = {"__name__": name, "inner": None}
    exec("def fail(given):\n    raise ValueError('no')", cleared)  # noqa: S102 - a function of another module
    exec("def run(fail, given):\n    fail(given)", kept)  # noqa: S102 - the same
    run: Any = kept["run"]
    with pytest.raises(ValueError, match="no") as raised:
        run(cleared["fail"], TOKEN)
    clear_frames(raised.value)
    frames = {each.frame.f_globals["__name__"]: each.frame.f_locals for each in raised.traceback}
    assert frames[name] == {}
    assert frames["their_program"]["given"] == TOKEN
