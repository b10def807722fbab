"""Sends the same requests to the token endpoints of the sandbox and of a real Keycloak, and compares the answers.

Answers are compared by status, headers and body, and their tokens by header and claims. Values that are different each
time (ids, times, digests) are compared by type, and tokens by their lifetime in place of their times.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx

from scripts.lib.congruence.token_questions import BASIC, CLIENT, FORM, PASSWORD, QUESTIONS, SECRET, USER, Question
from scripts.lib.keycloak.archive import VERSION, KeycloakUnavailableError
from scripts.lib.keycloak.realm import Admin, read_realm
from scripts.lib.keycloak.server import KeycloakFailedError, KeycloakServer
from scripts.lib.keycloak.server import running as running_keycloak
from scripts.lib.written_tables import parse_arguments, write_or_check
from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.sandbox.auth.users import add_user, enable_user
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.process import running as running_sandbox
from wallaroo_ext.sandbox.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Generator

TABLE = Path(__file__).parents[3] / "contract_tests/real_keycloak/token_endpoint.md"
PATH = contract.operation("request_token").path
LEAVER = "leaver@example.com"
TIMEOUT_SECONDS = 30.0
SHORT_SECONDS = 1
EXPIRED_SECONDS = 2.5
"""How long to wait for the end of a token that lives for a second, which is counted in whole seconds."""

_HTTP_HEADERS = {"connection", "content-length", "date", "server", "transfer-encoding"}
_TOKENS = {"access_token", "id_token", "refresh_token"}
_CHANGING = {"at_hash", "exp", "iat", "jti", "kid", "reuse_id", "session_state", "sid", "sub"}

_OLDER = "Keycloak answered 401 up to 26.4 at least, and so does the sandbox"
_INTERNAL = "what Keycloak notes for itself; to everybody else a refresh token is a text"
_CALLER = "the sandbox does not put the caller's address into tokens"
_WRONG_PASSWORDS = (
    "a wrong password",
    "an unknown user",
    "a disabled user with a wrong password",
    "a wrong temporary password",
    "an empty user's name",
    "no password",
    "an empty password",
)

# Why the sandbox differs, by question and part of the answer ("*" for all); a difference without one fails the test.
REASONS: dict[tuple[str, str], str] = {
    ("*", "Strict-Transport-Security"): "a browser would refuse plain http from every other program on this machine",
    ("*", "Allow"): "RFC 9110 wants it with a 405",
    ("*", "refresh_token.aud_x"): _INTERNAL,
    ("*", "refresh_token.prov"): _INTERNAL,
    ("*", "refresh_token.reuse_id"): _INTERNAL,
    ("*", "refresh_token.scope"): _INTERNAL,
    ("*", "access_token.clientHost"): _CALLER,
    ("*", "access_token.clientAddress"): _CALLER,
    ("*", "id_token.clientHost"): _CALLER,
    ("*", "id_token.clientAddress"): _CALLER,
    ("the grant authorization_code without a code", "*"): "the sandbox has no login page, which would give codes",
    ("a form that is no UTF-8", "*"): "the sandbox says what is wrong",
    ("what may be asked", "*"): "the sandbox answers OPTIONS where a browser asks for a page, and not otherwise",
    **{(name, "status"): _OLDER for name in _WRONG_PASSWORDS},
}


@dataclass(frozen=True)
class Row:
    """A question, and how the two answers compare.

    Attributes:
        question: The question's name.
        answer: Keycloak's answer in short.
        differences: The parts in which the sandbox's answer differs, and how.
        reasons: The reasons, in the same order.
    """

    question: str
    answer: str
    differences: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def is_explained(self) -> bool:
        """Whether each difference has a reason."""
        return "no reason" not in self.reasons


class Endpoint:
    """A token endpoint, and the tokens that it has issued.

    Args:
        url: The issuer's URL, without a path.
        http: The client to send the requests with.
    """

    def __init__(self, url: str, http: httpx.Client) -> None:
        self._url = url
        self._http = http
        self._issued: dict[str, str] = {}

    def prepare(self) -> None:
        """Get the tokens that the questions name, one of which is used up."""
        fresh, used = self._sign_in(), self._sign_in()["refresh_token"]
        self._issued |= {
            "access_token": fresh["access_token"],
            "refresh_token": fresh["refresh_token"],
            "offline_token": self._sign_in(scope="offline_access")["refresh_token"],
            "used_refresh_token": used,
            "token_after_the_used": self._request_token(grant_type="refresh_token", refresh_token=used)[
                "refresh_token"
            ],
            "token_of_a_user_disabled_since": self._sign_in(username=LEAVER)["refresh_token"],
        }

    def get_short_lived(self) -> None:
        """Get the refresh token that will have expired, while the endpoint issues short-lived ones."""
        self._issued["expired_refresh_token"] = self._sign_in()["refresh_token"]

    def moved(self, url: str) -> Endpoint:
        """Return the same issuer at another address, with the tokens that it issued at this one."""
        endpoint = Endpoint(url, self._http)
        endpoint._issued = self._issued
        return endpoint

    def access_token(self) -> str:
        """Sign the user in. Returns the access token."""
        return self._sign_in()["access_token"]

    def _sign_in(self, **fields: str) -> dict[str, Any]:
        return self._request_token(**{"grant_type": "password", "username": USER, "password": PASSWORD} | fields)

    def _request_token(self, **form: str) -> dict[str, Any]:
        return self._http.post(self._url + PATH, data=form, auth=BASIC).raise_for_status().json()

    def ask(self, question: Question) -> dict[str, str]:
        """Send a question. Returns the parts of the answer: status, headers, fields of the body, claims of tokens."""
        headers = {name: self._fill_in(value) for name, value in question.headers.items()}
        body = question.body
        if body is None and question.fields:
            body = urlencode([(name, self._fill_in(value)) for name, value in question.fields])
            headers.setdefault("Content-Type", FORM)
        url = self._url + PATH.replace("/master/", f"/{question.realm}/")
        answer = self._http.request(question.method, url, content=body, headers=headers, auth=question.basic)
        return {name: text.replace(self._url, "{url}") for name, text in parts_of(answer).items()}

    def _fill_in(self, text: str) -> str:
        for name, token in self._issued.items():
            text = text.replace(f"{{{name}}}", token)
        return text


def parts_of(answer: httpx.Response) -> dict[str, str]:
    """Return the parts of an answer as texts, by name."""
    found = {"status": str(answer.status_code)}
    for name, value in answer.headers.items():
        if name not in _HTTP_HEADERS:
            found[name.title()] = value
    try:
        body = object_of(answer.json())
    except ValueError:
        return found | {"body": answer.text}
    for name, value in body.items():
        found |= _token_parts(name, value) if name in _TOKENS else {name: _text(name, value)}
    return found


def _token_parts(name: str, token: str) -> dict[str, str]:
    """Return a token's header and claims as texts, by name; `opaque` for one that is not a JWT."""
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(f"{part}==")) for part in token.split(".")[:2])
    except ValueError:
        return {name: "opaque"}
    found = {f"{name} header.{key}": _text(key, value) for key, value in header.items()}
    found |= {f"{name}.{key}": _text(key, value) for key, value in claims.items()}
    lifetime = _about(claims["exp"] - claims["iat"]) if "exp" in claims else "for ever"
    return found | {f"{name}, its lifetime": lifetime}


def _about(seconds: int) -> str:
    """Return seconds, rounded to tens: a session that has begun has some seconds less left than a new one."""
    return str(round(seconds, -1))


def _text(name: str, value: Any) -> str:
    """Return a value as text to compare: its type if it changes each time, sorted if its order does not matter."""
    if name in _CHANGING:
        return type(value).__name__
    if name in {"expires_in", "refresh_expires_in"}:
        return _about(value)
    if name == "scope":
        return json.dumps(" ".join(sorted(value.split())))
    return json.dumps(_sort_lists(value), sort_keys=True)


def _sort_lists(value: Any) -> Any:
    """Return a value with its lists sorted, since those of roles come in any order."""
    if isinstance(value, list):
        return sorted(list_of(value))
    return {name: _sort_lists(inner) for name, inner in object_of(value).items()} or value


def compare(question: Question, keycloak: dict[str, str], sandbox: dict[str, str]) -> Row:
    """Return how the two answers to a question compare."""
    differing = [part for part in keycloak | sandbox if keycloak.get(part) != sandbox.get(part)]
    return Row(
        question.name,
        _summarize(keycloak),
        tuple(f"{part}: {_quote(keycloak.get(part))}, here {_quote(sandbox.get(part))}" for part in differing),
        tuple(_reason(question.name, part) for part in differing),
    )


def _summarize(answer: dict[str, str]) -> str:
    errors = [json.loads(answer[part]) for part in ("error", "error_description") if part in answer]
    return " ".join([answer["status"], ": ".join(errors) or ("a token" if "token_type" in answer else "")]).strip()


def _quote(text: str | None) -> str:
    return "nothing" if text is None else f"`{text}`"


def _reason(question: str, part: str) -> str:
    known = (REASONS.get(key) for key in ((question, part), ("*", part), (question, "*")))
    return next((reason for reason in known if reason), "no reason")


@contextmanager
def keycloak_endpoint(server: KeycloakServer, admin: Admin, http: httpx.Client) -> Generator[Endpoint]:
    """Yield Keycloak's endpoint, with refresh tokens that rotate as the sandbox's do, and a user who gets disabled."""
    endpoint = Endpoint(server.url, http)
    lifetime = "client.session.idle.timeout"
    password = {"type": "password", "value": PASSWORD, "temporary": False}
    admin.send("POST", "/users", {"username": LEAVER, "email": LEAVER, "enabled": True, "credentials": [password]})
    admin.send("PUT", "", {"revokeRefreshToken": True})
    try:
        admin.change_client(CLIENT, attributes={lifetime: str(SHORT_SECONDS)})
        endpoint.get_short_lived()
        admin.change_client(CLIENT, attributes={lifetime: ""})
        endpoint.prepare()
        admin.enable_user(LEAVER, enabled=False)
        yield endpoint
    finally:
        admin.send("PUT", "", {"revokeRefreshToken": False})
        admin.send("DELETE", f"/users/{admin.user_id(LEAVER)}")


@contextmanager
def sandbox_endpoint(http: httpx.Client) -> Generator[Endpoint]:
    """Yield the endpoint of a sandbox with the same client and users."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "data"
        _make_data_directory(directory)
        with running_sandbox(directory, "--refresh-lifetime", str(SHORT_SECONDS)) as environment:
            before = Endpoint(environment["WALLAROO_AUTH_URL"], http)
            before.get_short_lived()
        with running_sandbox(directory) as environment:
            endpoint = before.moved(environment["WALLAROO_AUTH_URL"])
            endpoint.prepare()
            headers = {"Authorization": f"Bearer {endpoint.access_token()}"}
            url = environment["WALLAROO_API_URL"] + contract.operation("deactivate_user").path
            http.post(url, json={"email": LEAVER}, headers=headers).raise_for_status()
            yield endpoint


def _make_data_directory(directory: Path) -> None:
    """Make a data directory with the client secret and the users of the realm."""
    with closing(Store(directory)) as store:
        store.setting("client_secret", lambda: SECRET)
        store.setting("default_password", lambda: PASSWORD)
    with closing(Instance(directory)) as instance, instance.store.transaction() as db:
        for user in read_realm()["users"][1:]:
            [password] = user["credentials"]
            added = add_user(db, user["email"], password["value"], temporary=password["temporary"])
            enable_user(db, added, enabled=user["enabled"])
        add_user(db, LEAVER, PASSWORD)


def compare_all(server: KeycloakServer, admin: Admin) -> list[Row]:
    """Send all questions to both endpoints. Returns how the answers compare."""
    with (
        httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as http,
        keycloak_endpoint(server, admin, http) as keycloak,
        sandbox_endpoint(http) as sandbox,
    ):
        time.sleep(EXPIRED_SECONDS)
        return [compare(question, keycloak.ask(question), sandbox.ask(question)) for question in QUESTIONS]


def page(rows: list[Row]) -> str:
    """Return the page with the tables of all questions and of the differences that are the same everywhere."""
    lines = [
        "# The sandbox's token endpoint beside Keycloak's",
        "",
        f"Written by `scripts/token-congruence`. Keycloak {VERSION}, with refresh tokens that rotate, and the sandbox",
        "are asked the same questions, and the answers are compared by status, headers, body and what the tokens say.",
        "",
        f"## {len(rows)} questions",
        "",
        "| question | Keycloak's answer | the sandbox's |",
        "| --- | --- | --- |",
    ]
    everywhere: set[tuple[str, str]] = set()
    for row in rows:
        by_reason: dict[str, list[str]] = {}
        for difference, reason in zip(row.differences, row.reasons, strict=True):
            if _is_everywhere(reason):
                everywhere.add((difference, reason))
            else:
                by_reason.setdefault(reason, []).append(difference)
        here = "; ".join(f"{'; '.join(differences)} ({reason})" for reason, differences in by_reason.items())
        lines.append(f"| {row.question} | {row.answer} | {here or 'the same'} |")
    lines += ["", "## What differs whenever it is there", "", "| difference | reason |", "| --- | --- |"]
    lines += [f"| {difference} | {reason} |" for difference, reason in sorted(everywhere)]
    return "\n".join(lines) + "\n"


def _is_everywhere(reason: str) -> bool:
    return reason in {text for (question, _), text in REASONS.items() if question == "*"}


def main() -> int:
    """Write the table, or check it with `--check`.

    Returns 1 if a difference has no reason, the table differs or Keycloak fails, and 2 if this machine cannot run it.
    """
    check = parse_arguments("scripts/token-congruence", __doc__).check
    try:
        with ExitStack() as stack:
            server = stack.enter_context(running_keycloak())
            admin = stack.enter_context(closing(Admin(server)))
            admin.set_up(read_realm())
            rows = compare_all(server, admin)
    except KeycloakUnavailableError as error:
        print(error, file=sys.stderr)
        return 2
    except KeycloakFailedError as error:
        print(error, file=sys.stderr)
        return 1
    unexplained = [f"{row.question}: {row.differences} {row.reasons}" for row in rows if not row.is_explained]
    return write_or_check(TABLE, page(rows), unexplained, script="scripts/token-congruence", check=check)


if __name__ == "__main__":
    sys.exit(main())
