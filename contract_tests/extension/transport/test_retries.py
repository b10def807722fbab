"""Is a request sent again if that is safe, and only then? The tests control the clock."""

from __future__ import annotations

import asyncio
import io
import json
import re
import threading
from contextlib import nullcontext
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from contract_tests.support.servers import http_servers
from wallaroo_ext import Attempt, Clock, ConfigurationError, RetryPolicy, attempts_of, contract
from wallaroo_ext.transport.retry import request_options
from wallaroo_ext.transport.retry.attempts import describe_attempts
from wallaroo_ext.transport.retry.budget import Budget
from wallaroo_ext.transport.retry.retry_after import retry_after
from wallaroo_ext.transport.retry.transport import RetryTransport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

API = "https://api.example.com"
LIST = http_servers.path_of("list_workspaces")
CREATE = http_servers.path_of("create_workspace")
TOKEN = http_servers.path_of("request_token")
INFER = http_servers.path_of("infer_pipeline").replace("{deployment}", "a-1").replace("{pipeline}", "a")
NOW = 1_700_000_000.0


class StillClock(Clock):
    """A clock that only moves by sleeping."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def date(self) -> float:
        return NOW

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)


class Instance(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Returns answers and raises errors, one after the other, and repeats the last one.

    Args:
        *outcomes: Statuses, answers or errors.
        clock: Moves on by `takes` seconds with each request.
    """

    def __init__(self, *outcomes: Any, clock: StillClock, takes: float = 0.0) -> None:
        self.outcomes = list(outcomes)
        self.clock = clock
        self.takes = takes
        self.requests: list[bytes] = []
        self.timeouts: list[Any] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        stream: Any = request.stream
        body = b"" if self.comes_before_reading() else b"".join(stream)
        return self.outcome(request, body)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        stream: Any = request.stream
        body = b"" if self.comes_before_reading() else b"".join([part async for part in stream])
        return self.outcome(request, body)

    def comes_before_reading(self) -> bool:
        return isinstance(self.outcomes[0], httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)

    def outcome(self, request: httpx.Request, body: bytes) -> httpx.Response:
        self.requests.append(body)
        self.timeouts.append(request.extensions.get("timeout"))
        self.clock.time += self.takes
        outcome = self.outcomes[0] if len(self.outcomes) == 1 else self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return httpx.Response(outcome, json={}) if isinstance(outcome, int) else outcome


class Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that comes in parts, each after some time, and breaks off."""

    def __init__(self, clock: StillClock, *parts: bytes, seconds: float = 0.0, error: Exception | None = None) -> None:
        self.clock = clock
        self.parts = parts
        self.seconds = seconds
        self.error = error
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for part in self.parts:
            self.clock.time += self.seconds
            yield part
        if self.error is not None:
            raise self.error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self:
            yield part

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


class Caller:
    """Sends requests through retries, by threads or asyncio.

    Args:
        kind: `sync` or `async`.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.clock = StillClock()
        self.policy = RetryPolicy()
        self.instance = Instance(200, clock=self.clock)
        self.transport = RetryTransport(self.instance)

    def meets(self, *outcomes: Any, takes: float = 0.0, **policy: Any) -> Caller:
        self.instance = Instance(*outcomes, clock=self.clock, takes=takes)
        self.policy = RetryPolicy(**policy)
        self.transport = RetryTransport(self.instance, self.policy, self.clock)
        return self

    def post(self, path: str = LIST, **options: Any) -> httpx.Response:
        return self.send("POST", path, **options)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        if self.kind == "sync":
            with httpx.Client(transport=self.transport, base_url=API, timeout=300) as http:
                return http.request(method, path, **options)

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=self.transport, base_url=API, timeout=300) as http:
                return await http.request(method, path, **options)

        return asyncio.run(send())

    @property
    def sent(self) -> int:
        return len(self.instance.requests)


@pytest.fixture(params=["sync", "async"])
def caller(request: pytest.FixtureRequest) -> Caller:
    return Caller(request.param)


BROKEN: list[Exception] = [
    httpx.ReadTimeout("x"),
    httpx.WriteTimeout("x"),
    httpx.ReadError("x"),
    httpx.WriteError("x"),
    httpx.RemoteProtocolError("x"),
]
NEVER_MADE: list[Exception] = [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")]


def named(outcome: Any) -> str:
    """Return the name of an outcome, for the ids of parametrized tests."""
    return str(outcome) if isinstance(outcome, int) else type(outcome).__name__


class TestWhatIsSentAgain:
    @pytest.mark.parametrize("first", [408, 429, 502, 503, 504, *BROKEN, *NEVER_MADE], ids=named)
    def test_an_idempotent_operation_that_met_what_may_pass(self, caller: Caller, first: Any) -> None:
        assert caller.meets(first, 200).post().status_code == 200
        assert caller.sent == 2

    @pytest.mark.parametrize("status", [200, 202, 301, 400, 401, 404, 409, 500, 501, 507, 520, 599])
    def test_no_other_status(self, caller: Caller, status: int) -> None:
        assert caller.meets(status).post().status_code == status
        assert caller.sent == 1

    @pytest.mark.parametrize("error", [httpx.ProxyError("x"), httpx.UnsupportedProtocol("x")], ids=named)
    def test_no_other_error(self, caller: Caller, error: Exception) -> None:
        with pytest.raises(type(error)):
            caller.meets(error).post()
        assert caller.sent == 1

    @pytest.mark.parametrize("path", [CREATE, TOKEN, "/elsewhere"])
    @pytest.mark.parametrize("first", [429, 503, *BROKEN], ids=named)
    def test_nothing_that_may_have_been_done(self, caller: Caller, first: Any, path: str) -> None:
        caller.meets(first, 200)
        if isinstance(first, int):
            assert caller.post(path).status_code == first
        else:
            with pytest.raises(httpx.TransportError):
                caller.post(path)
        assert caller.sent == 1

    @pytest.mark.parametrize("path", [CREATE, TOKEN, "/elsewhere"])
    @pytest.mark.parametrize("first", NEVER_MADE, ids=named)
    def test_anything_for_which_no_connection_was_made(self, caller: Caller, first: Exception, path: str) -> None:
        assert caller.meets(first, 200).post(path, content=b"body").status_code == 200
        assert caller.instance.requests == [b"", b"body"]

    def test_every_operation_as_the_contract_says(self, caller: Caller) -> None:
        for name in contract.operation_ids():
            row = contract.operation(name)
            path = re.sub(r"\{\w+\}", "a-1", row.path)
            assert contract.operation_at(path) == contract.operation_at(f"/prefix{path}") == name
            caller.meets(503, 200).send(row.method, path)
            assert caller.sent == (2 if row.idempotent else 1), name

    @pytest.mark.parametrize("path", [INFER + "/b", "/v1/api/pipelines/infer/", LIST + "/"])
    def test_a_path_that_is_none_of_the_contracts_belongs_to_no_operation(self, path: str) -> None:
        assert contract.operation_at(path) is None

    def test_a_request_may_say_its_operation(self, caller: Caller) -> None:
        extensions = {request_options.OPERATION: "infer_pipeline"}
        assert caller.meets(503, 200).post("/elsewhere", extensions=extensions).status_code == 200
        extensions = {request_options.OPERATION: "of_another_contract"}
        assert caller.meets(503, 200).post("/elsewhere", extensions=extensions).status_code == 503


class TestBodies:
    def test_one_in_memory_is_sent_again(self, caller: Caller) -> None:
        caller.meets(503, httpx.ReadError("x"), 200).post(content=b"rows")
        assert caller.instance.requests == [b"rows"] * 3

    @pytest.mark.parametrize("first", [503, httpx.ReadError("x")], ids=named)
    def test_a_file_is_not(self, caller: Caller, first: Any) -> None:
        caller.meets(first, 200)
        request: dict[str, Any] = {"files": {"file": io.BytesIO(b"model")}}
        if isinstance(first, int):
            assert attempts_of(caller.post(INFER, **request))[0].stopped == "its body cannot be sent twice"
        else:
            with pytest.raises(httpx.ReadError):
                caller.post(INFER, **request)
        assert caller.sent == 1

    @pytest.mark.parametrize("path", [INFER, CREATE])
    def test_unless_nothing_of_it_was_read(self, caller: Caller, path: str) -> None:
        caller.meets(httpx.ConnectError("x"), 200).post(path, files={"file": io.BytesIO(b"model")})
        assert b"model" in caller.instance.requests[1]

    @pytest.mark.parametrize("path", [INFER, CREATE])
    def test_one_that_was_read_is_not_sent_again_whatever_the_error_says(self, caller: Caller, path: str) -> None:
        caller.meets(httpx.ConnectError("after reading"), 200)
        caller.instance.comes_before_reading = lambda: False
        with pytest.raises(httpx.ConnectError):
            caller.post(path, files={"file": io.BytesIO(b"model")})
        assert caller.sent == 1


class TestAnswersThatBreakOff:
    def test_one_is_asked_for_again(self, caller: Caller) -> None:
        body = Broken(caller.clock, b'{"workspaces": ', error=httpx.RemoteProtocolError("x"))
        answer = caller.meets(httpx.Response(200, stream=body), 200).post()
        assert (answer.json(), caller.sent, body.closed) == ({}, 2, True)
        assert [attempt.outcome for attempt in attempts_of(answer)] == ["RemoteProtocolError", "200"]

    def test_one_to_a_change_is_an_error(self, caller: Caller) -> None:
        body = Broken(caller.clock, b"{", error=httpx.ReadError("x"))
        with pytest.raises(httpx.ReadError):
            caller.meets(httpx.Response(200, stream=body), 200).post(CREATE)
        assert (caller.sent, body.closed) == (1, True)

    def test_a_whole_one_is_given_as_it_is(self, caller: Caller) -> None:
        body = Broken(caller.clock, b"[1,", b"2]")
        answer = caller.meets(httpx.Response(200, headers={"X-Here": "kept"}, stream=body)).post()
        assert (answer.json(), answer.headers["X-Here"], body.closed) == ([1, 2], "kept", True)

    def test_a_compressed_one_too(self, caller: Caller) -> None:
        import gzip

        body = Broken(caller.clock, gzip.compress(b"[1, 2]"))
        answer = caller.meets(httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=body)).post()
        assert answer.json() == [1, 2]

    def test_a_streamed_one_is_left_to_the_caller(self, caller: Caller) -> None:
        body = Broken(caller.clock, b"{", error=httpx.ReadError("x"))
        with pytest.raises(httpx.ReadError):
            caller.meets(httpx.Response(200, stream=body), 200).post(extensions={request_options.STREAM: True})
        assert caller.sent == 1

    def test_a_status_is_still_asked_for_again(self, caller: Caller) -> None:
        body = Broken(caller.clock, b"busy")
        caller.meets(httpx.Response(503, stream=body), 200).post(extensions={request_options.STREAM: True})
        assert (caller.sent, body.closed) == (2, True)


class TestPauses:
    def test_there_are_three_attempts(self, caller: Caller) -> None:
        answer = caller.meets(503).post()
        assert (answer.status_code, caller.sent, len(caller.clock.slept)) == (503, 3, 2)

    def test_the_number_is_the_policys(self, caller: Caller) -> None:
        caller.meets(503, attempts=1).post()
        assert (caller.sent, caller.clock.slept) == (1, [])
        caller.meets(503, attempts=6).post()
        assert caller.sent == 6

    def test_a_pause_is_any_part_of_a_bound_that_doubles_from_half_a_second_to_eight(self) -> None:
        caller = Caller("sync")
        pauses: list[list[float]] = []
        for _ in range(200):
            caller.clock.slept = []
            caller.meets(503, attempts=8).post()
            pauses.append(caller.clock.slept)
        for bound, column in zip([0.5, 1, 2, 4, 8, 8, 8], zip(*pauses, strict=True), strict=True):
            assert max(column) <= bound
            assert max(column) > 0.9 * bound  # missed by chance once in a thousand million runs
            assert min(column) < 0.1 * bound

    def test_there_may_be_any_number_of_them(self, caller: Caller) -> None:
        caller.meets(503, attempts=1200, deadline=None, budget=10**6).post()
        assert caller.sent == 1200
        assert max(caller.clock.slept) <= 8

    @pytest.mark.parametrize("form", ["7", " 7 ", formatdate(NOW + 7, usegmt=True)])
    def test_what_the_instance_asks_for_is_obeyed(self, caller: Caller, form: str) -> None:
        answer = httpx.Response(429, headers={"Retry-After": form})
        assert caller.meets(answer, 200).post().status_code == 200
        assert caller.clock.slept == [7.0]

    def test_up_to_a_minute(self, caller: Caller) -> None:
        caller.meets(httpx.Response(503, headers={"Retry-After": "60"}), 200).post()
        assert caller.clock.slept == [60.0]

    @pytest.mark.parametrize("form", ["61", formatdate(NOW + 61, usegmt=True), "9" * 400])
    def test_and_no_longer(self, caller: Caller, form: str) -> None:
        answer = caller.meets(httpx.Response(503, headers={"Retry-After": form})).post()
        assert (answer.status_code, caller.sent, caller.clock.slept) == (503, 1, [])
        assert str(attempts_of(answer)[0].stopped).startswith("the instance asks to wait ")

    @pytest.mark.parametrize("form", ["", "soon", "-5", "1.5", "٣", "Wed, 99 Foo 2099 00:00:00 GMT", "0"])
    def test_what_says_nothing_leaves_the_usual_pause(self, caller: Caller, form: str) -> None:
        answer = httpx.Response(503, headers=[(b"Retry-After", form.encode())])
        caller.meets(answer, 200).post()
        assert caller.sent == 2
        assert 0 <= caller.clock.slept[0] <= 0.5

    def test_a_date_is_compared_with_the_servers_own_clock(self) -> None:
        dates = {"Date": formatdate(0, usegmt=True), "Retry-After": formatdate(30, usegmt=True)}
        assert retry_after(httpx.Response(503, headers=dates), NOW) == 30
        past = {"Retry-After": formatdate(NOW - 5, usegmt=True)}
        assert retry_after(httpx.Response(503, headers=past), NOW) == 0
        assert retry_after(httpx.Response(503), NOW) is None


class TestBudget:
    def test_it_is_the_clients_and_ends_retries(self, caller: Caller) -> None:
        caller.meets(503, budget=22)
        answers = [caller.post() for _ in range(3)]
        assert caller.sent == 3 + 3 + 1  # 22 tokens: four retries at 5
        assert attempts_of(answers[-1])[0].stopped == "this client has spent its budget for retries"
        assert caller.transport.budget.left == 2

    def test_a_timeout_costs_twice_as_much(self, caller: Caller) -> None:
        with pytest.raises(httpx.ReadTimeout):
            caller.meets(httpx.ReadTimeout("x"), budget=500).post()
        assert caller.transport.budget.left == 480

    def test_a_success_gives_back_what_its_retries_cost(self, caller: Caller) -> None:
        caller.meets(503, 503, 200).post()
        assert caller.transport.budget.left == 500

    def test_and_one_token_where_it_had_none(self, caller: Caller) -> None:
        caller.meets(503, 503, 503, 200)
        caller.post()
        assert caller.transport.budget.left == 490
        caller.post()
        assert caller.transport.budget.left == 491

    def test_a_refusal_gives_nothing_back(self, caller: Caller) -> None:
        caller.meets(503, 400).post()
        assert caller.transport.budget.left == 495

    def test_it_is_never_more_than_at_first(self) -> None:
        budget = Budget(10)
        assert budget.take(4)
        budget.give_back(100)
        assert budget.left == 10
        assert not budget.take(11)


class TestDeadline:
    def test_no_attempt_begins_after_it(self, caller: Caller) -> None:
        answer = caller.meets(503, takes=4, deadline=10, attempts=99, longest_pause=0).post()
        assert caller.sent == 3
        assert attempts_of(answer)[-1].stopped == "its deadline of 10 s leaves no time for another"

    def test_the_timeouts_are_cut_to_what_is_left(self, caller: Caller) -> None:
        caller.meets(503, takes=4, deadline=10, attempts=99, longest_pause=0).post(timeout=httpx.Timeout(6, read=None))
        assert [(timeout["read"], timeout["connect"]) for timeout in caller.instance.timeouts] == [
            (10, 6),
            (6, 6),
            (2, 2),
        ]

    def test_a_pause_beyond_it_is_not_made(self, caller: Caller) -> None:
        busy = httpx.Response(503, headers={"Retry-After": "30"})
        caller.meets(busy, deadline=20).post()
        assert (caller.sent, caller.clock.slept) == (1, [])

    def test_a_request_may_have_its_own(self, caller: Caller) -> None:
        caller.meets(503, takes=4, attempts=99, longest_pause=0).post(extensions={request_options.DEADLINE: 6.0})
        assert caller.sent == 2
        caller.meets(503, takes=4, deadline=1, attempts=9, longest_pause=0).post(
            extensions={request_options.DEADLINE: None}
        )
        assert caller.sent == 9

    @pytest.mark.parametrize("seconds", [float("inf"), 2 * threading.TIMEOUT_MAX])
    def test_one_that_nobody_can_wait_for_is_none(self, caller: Caller, seconds: float) -> None:
        caller.meets(503, takes=4, deadline=seconds, attempts=9).post(timeout=httpx.Timeout(6, read=None))
        assert caller.sent == 9
        assert caller.instance.timeouts[-1] == {"connect": 6, "read": None, "write": 6, "pool": 6}

    @pytest.mark.parametrize("seconds", [1, 3])
    def test_an_answer_that_comes_in_drops_misses_it(self, caller: Caller, seconds: int) -> None:
        body = Broken(caller.clock, *[b" "] * 100, seconds=seconds)
        with pytest.raises(httpx.ReadTimeout, match="deadline"):
            caller.meets(httpx.Response(200, stream=body), deadline=10, attempts=1).post()
        assert body.closed
        assert caller.clock.time <= 1000 + 10 + seconds

    def test_sending_a_file_may_take_longer(self, caller: Caller) -> None:
        body = Broken(caller.clock, *[b" "] * 5, seconds=1)
        answer = caller.meets(httpx.Response(200, stream=body), takes=100, deadline=10).post(
            CREATE, files={"file": io.BytesIO(b"model")}
        )
        assert answer.status_code == 200

    def test_but_its_answer_may_not(self, caller: Caller) -> None:
        body = Broken(caller.clock, *[b" "] * 50, seconds=1)
        with pytest.raises(httpx.ReadTimeout):
            caller.meets(httpx.Response(200, stream=body), takes=100, deadline=10).post(
                CREATE, files={"file": io.BytesIO(b"model")}
            )
        assert caller.clock.time <= 1000 + 100 + 11


class TestHistory:
    def test_it_is_with_the_error(self, caller: Caller) -> None:
        with pytest.raises(httpx.ReadTimeout) as raised:
            caller.meets(503, httpx.ConnectError("x"), httpx.ReadTimeout("x"), takes=2, longest_pause=0).post()
        attempts = attempts_of(raised.value)
        assert [(attempt.outcome, attempt.seconds, attempt.pause) for attempt in attempts] == [
            ("503", 2, 0),
            ("ConnectError", 2, 0),
            ("ReadTimeout", 2, None),
        ]
        description = describe_attempts(attempts)
        assert description == "3 attempts: 503 after 2 s, then ConnectError after 2 s, then ReadTimeout after 2 s."

    def test_it_says_why_there_is_no_other_attempt(self, caller: Caller) -> None:
        attempts = attempts_of(caller.meets(503).post(CREATE))
        assert (
            describe_attempts(attempts) == "1 attempt: 503 after 0 s; what has reached the instance is not sent twice."
        )

    def test_what_stopped_the_last_one_is_said(self) -> None:
        attempts = (Attempt("503", 1.0, pause=2.0), Attempt("503", 1.0, stopped="there were enough"))
        assert describe_attempts(attempts) == "2 attempts: 503 after 1 s, then 503 after 1 s; there were enough."

    def test_it_is_empty_where_there_is_nothing_to_say(self) -> None:
        assert describe_attempts(()) == describe_attempts((Attempt("200", 1.0),)) == ""
        assert attempts_of(httpx.Response(200)) == attempts_of(httpx.ReadError("x")) == ()

    def test_each_time_that_a_request_is_sent_begins_anew(self, caller: Caller) -> None:
        class Twice(httpx.Auth):
            def auth_flow(self, request: httpx.Request) -> Any:
                yield request
                yield request

        answer = caller.meets(503, 200).post(auth=Twice())
        assert [attempt.outcome for attempt in attempts_of(answer)] == ["200"]

    def test_the_request_is_left_as_it_was(self, caller: Caller) -> None:
        file = io.BytesIO(b"model")
        answer = caller.meets(200, deadline=10).post(CREATE, files={"file": file}, timeout=99)
        assert answer.request.extensions["timeout"]["read"] == 99
        assert type(answer.request.stream).__name__ == "MultipartStream"


@pytest.mark.parametrize(
    "wrong", [{"attempts": 0}, {"deadline": 0}, {"deadline": float("nan")}, {"first_pause": -1}, {"budget": -1}]
)
def test_a_policy_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        RetryPolicy(**wrong)


def test_what_a_transport_raises_is_no_end_of_the_retries() -> None:
    answers = iter([httpx.Response(503)])
    transport = RetryTransport(httpx.MockTransport(lambda _: next(answers)), RetryPolicy(first_pause=0))
    with httpx.Client(transport=transport, base_url=API) as http, pytest.raises(StopIteration):
        http.post(LIST)


def test_a_cancelled_request_is_not_sent_again() -> None:
    caller = Caller("async").meets(200)

    async def send() -> None:
        started = asyncio.Event()

        class Hanging(Instance):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                started.set()
                await asyncio.sleep(60)
                return await super().handle_async_request(request)

        instance = Hanging(200, clock=caller.clock)
        caller.transport = RetryTransport(instance, caller.policy, caller.clock)
        async with httpx.AsyncClient(transport=caller.transport, base_url=API) as http:
            task = asyncio.create_task(http.post(LIST))
            await started.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(send())
    assert caller.transport.budget.left == 500


@pytest.mark.parametrize("backend", ["sync", "httpx", "aiohttp"])
@pytest.mark.parametrize("path", [LIST, CREATE])
def test_a_server_that_hangs_up_on_a_request_gets_it_again_only_where_that_is_safe(path: str, backend: Any) -> None:
    """A real socket is used: the error of each backend shows whether a connection was made."""
    from wallaroo_ext import connect

    def respond(handler: Any, number: int) -> None:
        if number == 0:
            handler.close_connection = True
            handler.connection.shutdown(2)
        else:
            http_servers.listed(handler, number)

    options: dict[str, Any] = {"environment": {"WALLAROO_TOKEN": "t"}, "retries": RetryPolicy(longest_pause=0)}

    async def send(url: str) -> httpx.Response:
        async with connect(url, transport=backend, **options) as client:
            return await client.get_async_httpx_client().post(path, content=json.dumps({}))

    def send_sync(url: str) -> httpx.Response:
        with connect(url, **options) as client:
            return client.get_httpx_client().post(path, content=json.dumps({}))

    with http_servers.serving(respond) as seen:
        broken = (httpx.RemoteProtocolError, httpx.ReadError)
        with nullcontext() if path == LIST else pytest.raises(broken):
            answer = send_sync(seen.url) if backend == "sync" else asyncio.run(send(seen.url))
            assert answer.status_code == 200
    assert len(seen.requests) == (2 if path == LIST else 1)


@pytest.mark.parametrize("backend", ["sync", "httpx", "aiohttp"])
def test_nobody_listening_is_tried_three_times(backend: Any) -> None:
    from wallaroo_ext import connect

    options: dict[str, Any] = {"environment": {"WALLAROO_TOKEN": "t"}, "retries": RetryPolicy(longest_pause=0)}

    async def send(url: str) -> None:
        async with connect(url, transport=backend, **options) as client:
            await client.get_async_httpx_client().post(CREATE)

    def send_sync(url: str) -> None:
        with connect(url, **options) as client:
            client.get_httpx_client().post(CREATE)

    url = http_servers.unused()
    with pytest.raises(httpx.ConnectError) as raised:
        send_sync(url) if backend == "sync" else asyncio.run(send(url))
    assert [attempt.outcome for attempt in attempts_of(raised.value)] == ["ConnectError"] * 3
