"""Are errors what their tree says: whole, picklable, without secrets, with something to do next?"""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import re
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import wallaroo_ext
from wallaroo_ext import errors
from wallaroo_ext.errors import Attempt
from wallaroo_ext.redaction.known_secrets import KnownSecrets, remove_known_secrets
from wallaroo_ext.redaction.patterns import BODY_LIMIT, redact
from wallaroo_ext.transport.answer_texts import body_excerpt
from wallaroo_ext.transport.response_errors import connection_error, contract_violation, response_error
from wallaroo_ext.transport.retry.attempts import record_attempts

if TYPE_CHECKING:
    from collections.abc import Callable

CLASSES = [
    found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, errors.WallarooError)
]
ATTEMPTS = (Attempt("503", 0.1, pause=0.5), Attempt("ReadTimeout", 2.0, stopped="that was the last of 2 attempts"))

TEXTS = st.text().filter(lambda text: remove_known_secrets(text) == text)
"""Texts without a password that a client of another test holds, which an error would not show."""
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "status": st.integers(100, 999),
    "operation": TEXTS,
    "code": st.none() | st.integers(),
    "msg": st.none() | TEXTS,
    "request_id": st.none() | TEXTS,
    "body": TEXTS,
    "attempts": st.sampled_from([(), ATTEMPTS]),
    "retry_after": st.none() | st.floats(0, 1e6),
    "advice": TEXTS,
    "version_id": st.integers(),
    "details": st.lists(TEXTS),
    "logs": st.lists(TEXTS),
    "candidates": st.lists(TEXTS),
    "sent_sha": TEXTS,
    "stored_sha": TEXTS,
}


def fields_of(kind: type[errors.WallarooError]) -> list[str]:
    return [name for name, found in inspect.signature(kind).parameters.items() if found.kind is found.KEYWORD_ONLY]


def answer(status: int, *, headers: dict[str, str] | None = None, **content: Any) -> httpx.Response:
    request = httpx.Request("POST", "https://api.example.com/v1/api/models/list")
    return httpx.Response(status, headers=headers, request=request, **content)


class TestTree:
    def test_the_docstring_draws_it(self) -> None:
        drawn: list[tuple[str, str]] = []
        above: list[str] = []
        for line in (errors.__doc__ or "").splitlines():
            found = re.match(r"((?:[│├└─ ] ?)*?)(\w+Error)\b", line)
            if found is not None:
                depth = len(found[1]) // 4
                above[depth:] = [found[2]]
                drawn.append((found[2], above[depth - 1] if depth else "Exception"))
        assert sorted(drawn) == sorted((kind.__name__, kind.__mro__[1].__name__) for kind in CLASSES)
        assert len(CLASSES) > 15

    def test_all_of_it_is_exported(self) -> None:
        assert {kind.__name__ for kind in CLASSES} <= set(wallaroo_ext.__all__)

    @pytest.mark.parametrize("kind", CLASSES)
    @settings(deadline=None, derandomize=True, max_examples=25)
    @given(data=st.data(), message=TEXTS)
    def test_an_error_is_pickled_and_copied_with_all_it_has(
        self, kind: type[errors.WallarooError], data: st.DataObject, message: str
    ) -> None:
        given_fields = {name: data.draw(VALUES[name]) for name in fields_of(kind)}
        error = kind(message, **given_fields)
        error.add_note("seen in a test")
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            self.same(pickle.loads(pickle.dumps(error, protocol)), error)  # noqa: S301 - it is our own
        self.same(copy.copy(error), error)
        self.same(copy.deepcopy(error), error)
        assert {name: getattr(error, name) for name in given_fields} == given_fields

    @staticmethod
    def same(other: errors.WallarooError, error: errors.WallarooError) -> None:
        assert type(other) is type(error)
        assert (str(other), other.args, vars(other)) == (str(error), error.args, vars(error))

    def test_its_text_ends_with_what_to_do(self) -> None:
        assert str(errors.ConfigurationError("It is wrong.", advice="Mend it.")) == "It is wrong. Mend it."
        assert str(errors.ConfigurationError("It is wrong.")) == "It is wrong."


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "content", "kind"),
        [
            (400, {"json": {"code": 400, "msg": "no"}}, errors.InvalidRequestError),
            (401, {"json": {"code": 401, "msg": "no"}}, errors.AuthenticationError),
            (403, {"text": "no"}, errors.PermissionDeniedError),
            (404, {"json": {"code": 404, "msg": "no"}}, errors.NotFoundError),
            (405, {}, errors.InvalidRequestError),
            (409, {"json": {"code": 409, "msg": "no"}}, errors.ConflictError),
            (413, {}, errors.InvalidRequestError),
            (415, {}, errors.InvalidRequestError),
            (418, {}, errors.InvalidRequestError),
            (429, {}, errors.RateLimitedError),
            (500, {"json": {"code": 500, "msg": "no"}}, errors.ServerError),
            (503, {"html": "<h1>no</h1>"}, errors.ServerError),
            (507, {}, errors.ServerError),
            (520, {"text": "no"}, errors.ServerError),
            (600, {}, errors.ContractViolationError),
            (304, {}, errors.ContractViolationError),
            (400, {"json": {"code": 400, "status": "Error", "error": "no", "source": "engine"}}, errors.EngineError),
            (
                500,
                {"json": [{"code": 500, "status": "Error", "error": "no", "source": "sidekick"}]},
                errors.EngineError,
            ),
            (404, {"json": [{"code": 404, "error": "no", "source": "engine"}]}, errors.NotFoundError),
            (401, {"json": {"error": "no", "source": "engine"}}, errors.AuthenticationError),
            (400, {"json": {"error": "invalid_grant", "error_description": "no"}}, errors.AuthenticationError),
        ],
    )
    def test_a_status_has_its_class(self, status: int, content: Any, kind: type[errors.AnswerError]) -> None:
        error = response_error("list_models", answer(status, **content))
        assert type(error) is kind
        assert (error.status, error.operation) == (status, "list_models")
        assert str(error).startswith(f"list_models: {status}, ")
        assert error.advice
        assert "no" in str(error) or not content

    def test_an_error_has_all_that_the_answer_says(self) -> None:
        response = answer(400, json={"code": 4711, "msg": "The name is taken."}, headers={"X-Request-Id": "abc-1"})
        record_attempts(response.request, ATTEMPTS)
        error = response_error("create_workspace", response)
        assert (error.code, error.msg, error.request_id) == (4711, "The name is taken.", "abc-1")
        assert json.loads(error.body) == {"code": 4711, "msg": "The name is taken."}
        assert error.attempts == ATTEMPTS
        assert "2 attempts: 503 after 0.1 s" in str(error)

    @pytest.mark.parametrize("header", ["X-Request-Id", "X-Correlation-Id", "X-B3-TraceId"])
    def test_the_requests_id_is_found_and_bounded(self, header: str) -> None:
        assert response_error("list_models", answer(500, headers={header: "i" * 999})).request_id == "i" * 128

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [("7", 7.0), ("Wed, 21 Oct 2015 07:28:30 GMT", 30.0), ("soon", None), (None, None)],
    )
    def test_a_rate_limit_says_how_long_to_wait(self, value: str | None, seconds: float | None) -> None:
        headers = {"Date": "Wed, 21 Oct 2015 07:28:00 GMT"} | ({} if value is None else {"Retry-After": value})
        error = response_error("list_models", answer(429, headers=headers))
        assert isinstance(error, errors.RateLimitedError)
        assert error.retry_after == seconds
        assert ("Wait before" if seconds is None else f"Wait {seconds:g} s") in str(error)

    @pytest.mark.parametrize(
        ("location", "target"),
        [
            ("https://elsewhere.example.com/in?code=hidden", "a redirect to https://elsewhere.example.com, "),
            ("http://hidden:hidden@api.example.com/in", "set WALLAROO_API_URL to http://api.example.com; "),
            ("https://api.example.com:8443/hidden", "a redirect to https://api.example.com:8443, "),
            ("/login?state=hidden", "a redirect to another path of api.example.com:443, "),
            ("https://api.example.com:443/hidden#hidden", "all that a gateway has before /v1? "),
            ("https://hidden:port/", "no URL"),
            ("mailto:hidden", "no URL"),
        ],
    )
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_tells_the_origin_and_nothing_else(self, location: str, target: str, status: int) -> None:
        error = response_error("list_models", answer(status, headers={"Location": location}))
        assert isinstance(error, errors.ContractViolationError)
        assert target in str(error)
        assert "hidden" not in str(error) + repr(vars(error))

    @pytest.mark.parametrize(
        ("status", "advice"),
        [
            (414, "Name less in one request"),
            (421, "Is the host in the address right?"),
            (431, "A header is too large"),
            (451, "A filter between this machine and the instance"),
            (499, "Try again: a gateway closed the connection"),
            (511, "Sign in to this machine's network first"),
            (520, "Try again in a moment: the gateway could not read"),
            (521, "Try again in a moment: the gateway could not reach"),
            (523, "Try again in a moment: the gateway could not reach"),
            (524, "Try again in a moment, with less work"),
            (525, "The gateway speaks no TLS with the instance"),
            (526, "The gateway speaks no TLS with the instance"),
            (530, "Try again in a moment: the gateway could not reach"),
        ],
    )
    def test_a_gateways_status_says_what_to_do(self, status: int, advice: str) -> None:
        assert response_error("list_models", answer(status)).advice.startswith(advice)

    @pytest.mark.parametrize(
        ("status", "advice"),
        [(status, "It may have been carried out: see ") for status in (499, 502, 520, 522, 524)]
        + [(status, "") for status in (408, 503, 511, 521, 523, 525, 526, 530)],
    )
    def test_what_may_have_been_carried_out_is_checked_first(self, status: int, advice: str) -> None:
        given = response_error("create_workspace", answer(status)).advice
        assert given.startswith(advice or response_error("list_models", answer(status)).advice)

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
    def test_a_page_in_place_of_a_refusal_is_asked_about(self, status: int) -> None:
        page = response_error("list_models", answer(status, html="<html><title>No access</title>"))
        own = response_error("list_models", answer(status, json={"code": status, "msg": "No access"}))
        where = "Is api.example.com:443 the API's address, or does a page in front of it answer? If it is: "
        assert page.advice == f"{where}{own.advice[0].lower()}{own.advice[1:]}"

    def test_an_instance_that_is_away_says_how_long_to_wait(self) -> None:
        for operation in ("list_models", "create_workspace"):
            error = response_error(operation, answer(503, headers={"Retry-After": "7"}))
            assert error.advice == "Wait 7 s before the next request."

    def test_a_page_is_quoted_as_text(self) -> None:
        error = response_error("list_models", answer(502, html="<html><h1>Bad\n gateway</h1><p>nginx"))
        assert "502, Bad gateway nginx." in str(error)

    def test_long_and_strange_bodies_are_bearable(self) -> None:
        for content in (
            b"x" * 100_000,
            b"\xff\xfe" * 1000,
            b"[" * 100_000,
            b"\x1b[31mred",
            b'{"code": true, "msg": 5}',
        ):
            error = response_error("list_models", answer(500, content=content))
            assert len(error.body) <= BODY_LIMIT
            assert len(str(error)) < 600
            assert "\x1b" not in str(error) + error.body


class TestNoAnswer:
    @pytest.mark.parametrize(
        ("raised", "kind", "excerpt"),
        [
            (httpx.ConnectTimeout("late"), errors.RequestTimeoutError, "in time"),
            (httpx.ReadTimeout("late"), errors.RequestTimeoutError, "in time"),
            (httpx.PoolTimeout("late"), errors.RequestTimeoutError, "were busy"),
            (httpx.ConnectError("refused"), errors.ConnectionFailedError, "refused"),
            (httpx.RemoteProtocolError(""), errors.ConnectionFailedError, "RemoteProtocolError"),
            (httpx.DecodingError("bad gzip"), errors.ConnectionFailedError, "bad gzip"),
            (httpx.TooManyRedirects("20"), errors.ConnectionFailedError, "20"),
            (httpx.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]"), errors.ConnectionFailedError, "CA_BUNDLE"),
            (
                httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] x"),
                errors.ConnectionFailedError,
                "speaks no TLS at this",
            ),
            (httpx.UnsupportedProtocol("ftp"), errors.ConfigurationError, "ftp"),
            (httpx.InvalidURL("no port"), errors.ConfigurationError, "no port"),
        ],
    )
    def test_it_has_its_class(self, raised: Any, kind: type[errors.WallarooError], excerpt: str) -> None:
        if isinstance(raised, httpx.RequestError):
            raised.request = httpx.Request("POST", "https://api.example.com/")
            record_attempts(raised.request, ATTEMPTS)
        error: Any = connection_error("list_models", raised)
        assert type(error) is kind
        assert excerpt in str(error)
        assert error.advice
        if isinstance(error, errors.ConnectionFailedError):
            assert (error.operation, error.attempts) == ("list_models", ATTEMPTS)
            assert "api.example.com" in str(error)
            assert "2 attempts" in str(error)


TOKEN = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiJzb21lYm9keSJ9" * 4 + ".c2lnbmF0dXJl"
SECRET = "hunter2-Zq8xW5vT"


class TestSecrets:
    @pytest.mark.parametrize(
        "text",
        [
            f"bad token {TOKEN}",
            f"Authorization: Bearer {SECRET}",
            f"authorization: Basic {SECRET}==",
            f"Authorization: Token {SECRET}",
            json.dumps({"access_token": SECRET, "x": 1}),
            json.dumps({"password": f'a"b\\{SECRET}'}),
            json.dumps({"body": json.dumps({"password": f'a"b\\{SECRET}'})}),
            json.dumps({"clientSecret": {"value": SECRET}}),
            json.dumps({"tokens": ["a", SECRET]}),
            json.dumps({"refresh_token": SECRET}, indent=2),
            f"{{'client_secret': '{SECRET}'}}",
            f"grant_type=password&username=a&password={SECRET}&scope=x",
            f"refresh_token={SECRET}",
            f"https://user:{SECRET}@api.example.com/",
            f"Set-Cookie: session={SECRET}; path=/; other={SECRET}",
            f"X-Api-Key: {SECRET}",
            f"api_key={SECRET}",
        ],
    )
    def test_a_text_has_none_wherever_it_is_cut(self, text: str) -> None:
        for at in range(len(text) + 1):
            kept = redact(text[:at])
            assert not any(SECRET[start : start + 4] in kept for start in range(len(SECRET) - 4)), kept
            assert "eyJhb" not in kept

    @pytest.mark.parametrize("case", [str.lower, str.upper, str.title], ids=["lower", "upper", "title"])
    @pytest.mark.parametrize(
        "before",
        [
            "eyJ",
            "bearer ",
            "basic ",
            "authorization: ",
            "cookie: ",
            "token=",
            "password=",
            "passwd=",
            "pwd=",
            "passphrase=",
            "secret=",
            "api_key=",
            "<secret>",
            "pass: ",
            "ba\N{LATIN SMALL LETTER LONG S}ic ",
            "cook\N{LATIN SMALL LETTER DOTLESS I}e: ",
            "coo\N{KELVIN SIGN}ie: ",
        ],
    )
    def test_a_name_may_be_written_in_any_case(self, before: str, case: Callable[[str], str]) -> None:
        kept = redact(f"-- {case(before)}{SECRET}")
        assert SECRET not in kept
        assert "[removed]" in kept

    @settings(deadline=None, derandomize=True, max_examples=200)
    @given(
        secret=st.text(min_size=8, max_size=60),
        name=st.sampled_from(["password", "access_token", "client_secret"]),
        before=st.integers(0, BODY_LIMIT),
    )
    def test_no_part_of_a_json_secret_is_in_a_body(self, secret: str, name: str, before: int) -> None:
        written = json.dumps({"padding": "." * before, name: secret})
        value = json.dumps(secret)[1:-1]
        kept = body_excerpt(answer(500, text=written))
        parts = {value[start : start + 6] for start in range(len(value) - 5)}
        around = body_excerpt(answer(500, text=json.dumps({"padding": "." * before, name: "?" * 8})))
        assert not {part for part in parts if part in kept and part not in around}, kept

    @pytest.mark.parametrize("nothing", ["{}", "[]"])
    def test_what_is_empty_holds_no_secret_and_spoils_nothing_after_it(self, nothing: str) -> None:
        text = f"client = Client(_cookies={nothing}, _headers=1)\nE   assert 1 == 2"
        assert redact(text) == text
        assert "hush" not in redact(f"_cookies={nothing[0]} 'a': 'hush'{nothing[1]}")

    def test_what_is_no_secret_stays(self) -> None:
        text = (
            '{"msg": "There is no workspace 999.", "token_type": "Bearer", "expires_in": 60, "user": "a@example.com"}'
        )
        assert redact(text) == text

    def test_what_is_before_and_after_stays(self) -> None:
        text = f'{{"user": "a", "password": "{SECRET}", "msg": "no"}}'
        assert redact(text) == '{"user": "a", "password": [removed], "msg": "no"}'

    def test_no_part_of_an_error_has_any(self) -> None:
        content = {"msg": f"bad token {TOKEN}", "password": SECRET, "code": 400}
        response = answer(400, json=content, headers={"X-Request-Id": f"Bearer {SECRET}"})
        response.request.headers["Authorization"] = f"Bearer {SECRET}"
        for error in (
            response_error("list_models", response),
            contract_violation("list_models", response, f"KeyError {TOKEN}"),
        ):
            seen = f"{error} {error!r} {vars(error)}".encode() + pickle.dumps(error)
            assert SECRET.encode() not in seen
            assert b"eyJ" not in seen

    @pytest.mark.parametrize("kind", CLASSES)
    def test_no_list_of_texts_has_any(self, kind: type[errors.WallarooError]) -> None:
        held = KnownSecrets()
        held.add(SECRET)
        lists = {name for name in fields_of(kind) if name in {"candidates", "details", "logs"}}
        given: dict[str, Any] = {name: [f"pulled with {SECRET}", "and so on"] for name in lists}
        needed = {"status": 500, "version_id": 7, "sent_sha": "", "stored_sha": ""}
        given |= {name: value for name, value in needed.items() if name in fields_of(kind)}
        error = kind("no", **given)
        assert all(getattr(error, name) == ["pulled with [removed]", "and so on"] for name in lists)
        assert SECRET.encode() not in pickle.dumps(error)

    def test_a_long_text_takes_no_long_time(self) -> None:
        for text in (
            "a" * 200_000,
            "token" * 40_000,
            "://" * 60_000,
            "eyJ" * 60_000,
            "bearer " * 30_000,
            "\\" * 200_000,
        ):
            redact(text)
