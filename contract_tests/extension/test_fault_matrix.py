"""Does every fault end in the right outcome, without a second write, in time, and with nothing secret told?"""

from __future__ import annotations

import asyncio
import base64
import logging
import pickle
import re
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import httpx
import pytest
from wallaroo_mlops_client.api.workspaces import create_workspace
from wallaroo_mlops_client.models import CreateWorkspaceRequest

from contract_tests.support.sandbox.fault_matrix import (
    MODES,
    ONE_TIME_CODE,
    OPERATIONS,
    TABLE,
    TIMES,
    WRITES,
    Case,
    Cell,
    Matrix,
    all_faults,
    model,
    page,
)
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import (
    AnswerError,
    ConnectionFailedError,
    RequestTimeoutError,
    Settings,
    WaitTimeoutError,
    WallarooError,
    aio,
    call,
    connect,
)
from wallaroo_ext.auth.tokens import Token
from wallaroo_ext.sandbox.control_client import Sandbox
from wallaroo_ext.sandbox.faults.kinds import EXPIRED_TOKEN, KINDS

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from wallaroo_mlops_client import Client

SLACK_SECONDS = 20.0
"""What a busy machine may add to a deadline."""
_LONG_WORD = re.compile(r"[\w.~%+/=-]{16,}")

OUTCOMES = {
    "ok": "result",
    "timeout": "RequestTimeoutError",
    "late": "WaitTimeoutError",
    "lost": "ConnectionFailedError",
    "limited": "RateLimitedError",
    "server": "ServerError",
    "auth": "AuthenticationError",
    "strange": "ContractViolationError",
}

# An outcome, the requests that the instance got, and, of what writes, how many were written.
EXPECTED = """
fault                                    times   token      list       infer      wait       create       upload
delay, within the timeout                once    ok:1       ok:1       ok:1       ok:1       ok:1:1       ok:1:1
delay, within the timeout                always  ok:1       ok:1       ok:1       ok:1       ok:1:1       ok:1:1
delay, past the timeout                  once    timeout:1  ok:2       ok:2       ok:2       timeout:1:0  timeout:1:0
delay, past the timeout                  always  timeout:1  timeout:3  timeout:3  timeout:3  timeout:1:0  timeout:1:0
drop-before-answer                       once    lost:1     ok:2       ok:2       ok:2       lost:1:1     lost:1:1
drop-before-answer                       always  lost:1     lost:3     lost:3     lost:3     lost:1:1     lost:1:1
drop-before-answer, by a reset           once    lost:1     ok:2       ok:2       ok:2       lost:1:1     lost:1:1
drop-before-answer, by a reset           always  lost:1     lost:3     lost:3     lost:3     lost:1:1     lost:1:1
drop-before-answer, before the operation once    lost:1     ok:2       ok:2       ok:2       lost:1:0     lost:1:0
drop-before-answer, before the operation always  lost:1     lost:3     lost:3     lost:3     lost:1:0     lost:1:0
drop-before-answer, while it arrives     once    lost:1     ok:2       ok:2       ok:2       lost:1:0     lost:1:0
drop-before-answer, while it arrives     always  lost:1     lost:3     lost:3     lost:3     lost:1:0     lost:1:0
drop-during-answer                       once    lost:1     ok:2       ok:2       ok:2       lost:1:1     lost:1:1
drop-during-answer                       always  lost:1     lost:3     lost:3     lost:3     lost:1:1     lost:1:1
drop-during-answer, by a reset           once    lost:1     ok:2       ok:2       ok:2       lost:1:1     lost:1:1
drop-during-answer, by a reset           always  lost:1     lost:3     lost:3     lost:3     lost:1:1     lost:1:1
slow-answer, within the timeout          once    ok:1       ok:1       ok:1       ok:1       ok:1:1       ok:1:1
slow-answer, within the timeout          always  ok:1       ok:1       ok:1       ok:1       ok:1:1       ok:1:1
slow-answer, past the deadline           once    timeout:1  timeout:1  timeout:1  late:1     timeout:1:1  timeout:1:1
slow-answer, past the deadline           always  timeout:1  timeout:1  timeout:1  late:1     timeout:1:1  timeout:1:1
truncated-answer                         once    auth:1     strange:1  strange:1  strange:1  strange:1:1  strange:1:1
truncated-answer                         always  auth:1     strange:1  strange:1  strange:1  strange:1:1  strange:1:1
empty-answer                             once    auth:1     strange:1  strange:1  strange:1  strange:1:1  strange:1:1
empty-answer                             always  auth:1     strange:1  strange:1  strange:1  strange:1:1  strange:1:1
too-many-requests                        once    limited:1  ok:2       ok:2       ok:2       limited:1:0  limited:1:0
too-many-requests                        always  limited:1  limited:3  limited:3  limited:3  limited:1:0  limited:1:0
too-many-requests, for 5 s               once    limited:1  ok:2       ok:2       ok:2       limited:1:0  limited:1:0
too-many-requests, for 5 s               always  limited:1  limited:3  limited:3  limited:3  limited:1:0  limited:1:0
too-many-requests, until a date          once    limited:1  ok:2       ok:2       ok:2       limited:1:0  limited:1:0
too-many-requests, until a date          always  limited:1  limited:3  limited:3  limited:3  limited:1:0  limited:1:0
too-many-requests, for an hour           once    limited:1  limited:1  limited:1  limited:1  limited:1:0  limited:1:0
too-many-requests, for an hour           always  limited:1  limited:1  limited:1  limited:1  limited:1:0  limited:1:0
service-unavailable                      once    server:1   ok:2       ok:2       ok:2       server:1:0   server:1:0
service-unavailable                      always  server:1   server:3   server:3   server:3   server:1:0   server:1:0
service-unavailable, for 5 s             once    server:1   ok:2       ok:2       ok:2       server:1:0   server:1:0
service-unavailable, for 5 s             always  server:1   server:3   server:3   server:3   server:1:0   server:1:0
service-unavailable, after the operation once    server:1   ok:2       ok:2       ok:2       server:1:1   server:1:1
service-unavailable, after the operation always  server:1   server:3   server:3   server:3   server:1:1   server:1:1
bad-gateway                              once    server:1   ok:2       ok:2       ok:2       server:1:0   server:1:0
bad-gateway                              always  server:1   server:3   server:3   server:3   server:1:0   server:1:0
bad-gateway, after the operation         once    server:1   ok:2       ok:2       ok:2       server:1:1   server:1:1
bad-gateway, after the operation         always  server:1   server:3   server:3   server:3   server:1:1   server:1:1
unknown-status                           once    server:1   server:1   server:1   server:1   server:1:0   server:1:0
unknown-status                           always  server:1   server:1   server:1   server:1   server:1:0   server:1:0
expired-token                            once    -          ok:2       ok:2       ok:2       ok:2:1       auth:1:0
expired-token                            always  -          auth:2     auth:2     auth:2     auth:2:0     auth:1:0
redirect, 307 to another origin          once    auth:1     strange:1  strange:1  strange:1  strange:1:0  strange:1:0
redirect, 307 to another origin          always  auth:1     strange:1  strange:1  strange:1  strange:1:0  strange:1:0
redirect, 302 to another origin          once    auth:1     strange:1  strange:1  strange:1  strange:1:0  strange:1:0
redirect, 302 to another origin          always  auth:1     strange:1  strange:1  strange:1  strange:1:0  strange:1:0
"""


def expected() -> Iterator[tuple[Case, str]]:
    """Yield what is expected at each place, as a cell of the table shows it."""
    header, *rows = EXPECTED.strip().splitlines()
    actions, width = header.split()[2:], header.index("times")
    faults = {str(fault): fault for fault in all_faults()}
    for row in rows:
        name, (times, *cells) = row[:width].rstrip(), row[width:].split()
        for action, cell in zip(actions, cells, strict=True):
            for mode in MODES if cell != "-" else ():
                yield Case(faults[name], times, action, mode), _in_full(cell)


def _in_full(cell: str) -> str:
    outcome, sent, *written = cell.split(":")
    return ", ".join([OUTCOMES[outcome], f"{sent} sent", *(f"{number} written" for number in written)])


@dataclass
class Measured:
    """What the run told anybody, and what it must not have.

    Attributes:
        secrets: Passwords and tokens.
        texts: Logs, and how clients show.
        cells: The matrix.
    """

    secrets: set[str] = field(default_factory=set[str])
    texts: list[str] = field(default_factory=list[str])
    cells: dict[Case, Cell] = field(default_factory=dict[Case, Cell])

    def see(self, client: Client) -> None:
        """Keep how a client and what it is made of show."""
        parts: dict[str, object] = client._httpx_args  # pyright: ignore[reportPrivateUsage] - where the auth and the transport are
        self.texts += [repr(client), str(client), *(repr(vars(part)) + repr(part) for part in parts.values())]

    def found(self) -> list[str]:
        """Return the secrets that were told, in any way of writing them."""
        everything = "\n".join([*self.texts, *(text for cell in self.cells.values() for text in shown(cell.error))])
        long_words = "\n".join(set(_LONG_WORD.findall(everything)))  # far less to search for some thousand tokens
        return [
            secret
            for secret in self.secrets
            if any(form in (long_words if _LONG_WORD.fullmatch(form) else everything) for form in written(secret))
        ]


class Listener(logging.Handler):
    """Keeps all that is logged."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._texts = texts

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(self.format(record) + repr(vars(record)))


def written(secret: str) -> Iterator[str]:
    """Yield a secret in the ways in which it travels."""
    yield from {secret, quote(secret), quote_plus(secret), base64.b64encode(secret.encode()).decode()}


def shown(error: BaseException | None) -> Iterator[str]:
    """Yield an error and those that it comes from, in every way in which a program shows or keeps them."""
    if error is None:
        return
    yield "".join(traceback.format_exception(error))
    yield "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())
    while error is not None:
        yield f"{error} {error!r} {error.args} {vars(error)}"
        request: Any = vars(error).get("_request")
        if request is not None:
            yield f"{request.url} {request.headers.raw} {getattr(request, '_content', None)}"
        yield pickle.dumps(error, protocol=0).decode("latin-1")
        error = error.__cause__ or error.__context__


@contextmanager
def listening(texts: list[str]) -> Generator[None]:
    """Let every logger of this process tell all that it can."""
    listener = Listener(texts)
    names = ["asyncio", *(name for name in logging.root.manager.loggerDict if name.startswith(("http", "wallaroo")))]
    loggers = [logging.root, *map(logging.getLogger, names)]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    logging.root.addHandler(listener)
    try:
        yield
    finally:
        logging.root.removeHandler(listener)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def noting_tokens(secrets: set[str]) -> Generator[None]:
    """Note each token that the token endpoint gives."""
    read = Token.from_answer

    def noted(fields: Any, asked_at: float) -> Token | None:
        secrets.update(fields[name] for name in ("access_token", "refresh_token") if name in fields)
        return read(fields, asked_at)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Token, "from_answer", staticmethod(noted))
        yield


@pytest.fixture(scope="module")
def measured() -> Measured:
    """Return the matrix, measured while everything that is told is kept."""
    measured = Measured()
    with running() as environment, Sandbox(environment) as sandbox:
        name, secret = environment["WALLAROO_CLIENT_ID"], environment["WALLAROO_CLIENT_SECRET"]
        measured.secrets |= {environment["WALLAROO_PASSWORD"], secret, f"{name}:{secret}", ONE_TIME_CODE}
        measured.texts += [repr(Settings.resolve(environment)), repr(sandbox)]
        with listening(measured.texts), noting_tokens(measured.secrets):
            measured.cells = Matrix(sandbox, model(), measured.see).measure(all_faults())
    return measured


@pytest.mark.slow
class TestMatrix:
    def test_every_fault_ends_as_expected(self, measured: Measured) -> None:
        expectations = dict(expected())
        unlike = {
            place: (str(cell), expectations.get(place))
            for place, cell in measured.cells.items()
            if str(cell) != expectations.get(place)
        }
        assert unlike == {}
        assert expectations.keys() == measured.cells.keys()

    def test_nothing_is_written_twice(self, measured: Measured) -> None:
        twice = [
            place for place, cell in measured.cells.items() if place.action in WRITES and cell.writes not in {0, 1}
        ]
        assert twice == []

    def test_nothing_is_still_waited_for_after_its_deadline(self, measured: Measured) -> None:
        late = {
            p: cell.seconds for p, cell in measured.cells.items() if cell.seconds > p.fault.deadline + SLACK_SECONDS
        }
        assert late == {}

    def test_an_error_says_what_happened_and_what_to_do(self, measured: Measured) -> None:
        for place, cell in measured.cells.items():
            if cell.error is None:
                continue
            assert isinstance(cell.error, WallarooError), place
            assert cell.error.advice or isinstance(cell.error, WaitTimeoutError), place
            assert "\n" not in str(cell.error), place
            if isinstance(cell.error, AnswerError | ConnectionFailedError):
                assert cell.error.operation == OPERATIONS[place.action], place

    def test_an_error_tells_of_each_attempt(self, measured: Measured) -> None:
        wrong = {
            place: (cell.attempts, cell.requests)
            for place, cell in measured.cells.items()
            # A request that is sent anew with another token has attempts of its own.
            if cell.attempts is not None and cell.attempts != cell.requests and place.fault.kind != EXPIRED_TOKEN
        }
        assert wrong == {}

    def test_who_cannot_know_whether_a_write_was_carried_out_is_told_so(self, measured: Measured) -> None:
        silent = [
            (place, str(cell.error))
            for place, cell in measured.cells.items()
            if place.action in WRITES
            and (cell.writes or isinstance(cell.error, ConnectionFailedError))
            and cell.error is not None
            and "503" not in str(cell.error)  # which says that nothing behind the gateway was reached
            and not re.search("may have|unknown whether|Nothing was uploaded", str(cell.error))
        ]
        assert silent == []

    def test_the_page_has_what_was_measured(self, measured: Measured) -> None:
        assert TABLE.read_text(encoding="utf-8") == page(measured.cells)

    def test_nothing_secret_is_shown(self, measured: Measured) -> None:
        assert len(measured.secrets) > len(measured.cells), "tokens of most actions were noted"
        text = "\n".join(measured.texts)
        missing = [
            sign for sign in ("send_request_headers", "attempt 1", "HTTP Request", "KeycloakAuth(") if sign not in text
        ]
        assert missing == [], "httpcore, httpx and this package were heard, and clients were seen"
        assert measured.found() == []


def test_every_kind_of_fault_and_every_action_is_expected() -> None:
    places = {place for place, _ in expected()}
    assert {place.fault.kind for place in places} == KINDS.keys()
    assert {(place.times, place.action) for place in places} == {(t, action) for t in TIMES for action in OPERATIONS}


def test_a_second_write_is_never_expected() -> None:
    assert all(not cell.endswith("written") or cell.endswith((", 0 written", ", 1 written")) for _, cell in expected())


@pytest.mark.parametrize("form", ["a token/1", quote("a token/1"), base64.b64encode(b"a token/1").decode()])
def test_a_secret_would_be_found_wherever_it_is_told(form: str) -> None:
    def fail() -> None:
        local = f"Bearer {form}"
        raise ValueError(len(local))

    with pytest.raises(ValueError, match=r"^\d+$") as raised:
        fail()
    cause = httpx.ReadTimeout("late", request=httpx.Request("POST", "http://a", headers={"Authorization": form}))
    from_cause, of_cause = WallarooError("It failed."), WallarooError("It failed.")
    from_cause.__cause__ = cause
    of_cause.extra = form  # pyright: ignore[reportAttributeAccessIssue] - an attribute as any error may have
    for error in (WallarooError(form), of_cause, from_cause, raised.value):
        place = Case(all_faults()[0], "once", "list", "sync")
        assert Measured({"a token/1"}, [], {place: Cell("error", 0.0, error=error)}).found() == ["a token/1"]
    assert Measured({"a token/1"}, [form]).found() == ["a token/1"]
    assert Measured({"a token/1"}, ["a token"]).found() == []


@pytest.mark.parametrize("mode", MODES)
def test_what_an_error_comes_from_has_neither_headers_nor_body_nor_frames(mode: str) -> None:
    def late(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout(f"no answer to {request.headers['Authorization']}", request=request)

    client = connect("https://a.example.com", environment={"WALLAROO_TOKEN": "t0"}, transport=httpx.MockTransport(late))
    body = CreateWorkspaceRequest("body-1")

    def create() -> object:
        if mode == "sync":
            return call(create_workspace, client=client, body=body)
        return asyncio.run(aio.call(create_workspace, client=client, body=body))

    with pytest.raises(RequestTimeoutError) as raised:
        create()
    cause = raised.value.__cause__
    assert isinstance(cause, httpx.ReadTimeout)
    assert str(cause) == "no answer to Bearer [removed]"
    assert (cause.request.method, cause.request.url.host, cause.request.content) == ("POST", "a.example.com", b"")
    assert "Authorization" not in cause.request.headers
    assert cause.__traceback__ is cause.__cause__ is cause.__context__ is None
    assert raised.value.advice == "It may have been carried out: see what is there before you send it again."
