"""The sandbox's token endpoint beside a real Keycloak's: both are asked the same questions.

The answers are compared by status, headers and body, and the tokens in them by what they say. What is different each
time (ids, times, digests) is compared by its type, and a token's lifetime in place of its times.
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
"""After how long a token that lives for a second has expired, in whole seconds too."""

_OF_THE_MESSAGE = {"connection", "content-length", "date", "server", "transfer-encoding"}
_TOKENS = {"access_token", "id_token", "refresh_token"}
_DIFFERENT_EACH_TIME = {"at_hash", "exp", "iat", "jti", "kid", "reuse_id", "session_state", "sid", "sub"}

_OLDER = "Keycloak answered 401 up to 26.4 at least, and so does the sandbox"
_OWN_NOTES = "what Keycloak notes for itself; to everybody else a refresh token is a text"
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

# Why the sandbox differs, by question and place ("*" for all); a difference without a reason fails the test.
REASONS: dict[tuple[str, str], str] = {
    ("*", "Strict-Transport-Security"): "a browser would refuse plain http from every other program on this machine",
    ("*", "Allow"): "RFC 9110 wants it with a 405",
    ("*", "refresh_token.aud_x"): _OWN_NOTES,
    ("*", "refresh_token.prov"): _OWN_NOTES,
    ("*", "refresh_token.reuse_id"): _OWN_NOTES,
    ("*", "refresh_token.scope"): _OWN_NOTES,
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
    """One question, and how the two answers compare.

    Attributes:
        question: What was asked.
        answer: What Keycloak says, in short.
        differences: The places where the sandbox's answer is another, and how.
        reasons: Why, in the same order.
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
    """A token endpoint that is asked, with what it has given before.

    Args:
        url: The issuer's URL, without a path.
        http: What sends the requests.
    """

    def __init__(self, url: str, http: httpx.Client) -> None:
        self._url = url
        self._http = http
        self._given: dict[str, str] = {}

    def prepare(self) -> None:
        """Get the tokens that the questions name, and use up one of them."""
        fresh, used = self._sign_in(), self._sign_in()["refresh_token"]
        self._given |= {
            "access_token": fresh["access_token"],
            "refresh_token": fresh["refresh_token"],
            "offline_token": self._sign_in(scope="offline_access")["refresh_token"],
            "used_refresh_token": used,
            "token_after_the_used": self._granted(grant_type="refresh_token", refresh_token=used)["refresh_token"],
            "token_of_a_user_disabled_since": self._sign_in(username=LEAVER)["refresh_token"],
        }

    def keep_expiring(self) -> None:
        """Get the refresh token that will have expired, while the endpoint gives such ones."""
        self._given["expired_refresh_token"] = self._sign_in()["refresh_token"]

    def moved(self, url: str) -> Endpoint:
        """Return the same issuer at another address, with what it gave at this one."""
        endpoint = Endpoint(url, self._http)
        endpoint._given = self._given
        return endpoint

    def access_token(self) -> str:
        """Return a user's token."""
        return self._sign_in()["access_token"]

    def _sign_in(self, **fields: str) -> dict[str, Any]:
        return self._granted(**{"grant_type": "password", "username": USER, "password": PASSWORD} | fields)

    def _granted(self, **form: str) -> dict[str, Any]:
        return self._http.post(self._url + PATH, data=form, auth=BASIC).raise_for_status().json()

    def ask(self, question: Question) -> dict[str, str]:
        """Return the answer as texts by place: the status, the headers, and what stands in the body and its tokens."""
        headers = {name: self._filled(value) for name, value in question.headers.items()}
        body = question.body
        if body is None and question.fields:
            body = urlencode([(name, self._filled(value)) for name, value in question.fields])
            headers.setdefault("Content-Type", FORM)
        url = self._url + PATH.replace("/master/", f"/{question.realm}/")
        answer = self._http.request(question.method, url, content=body, headers=headers, auth=question.basic)
        return {name: text.replace(self._url, "{url}") for name, text in places(answer).items()}

    def _filled(self, text: str) -> str:
        for name, given in self._given.items():
            text = text.replace(f"{{{name}}}", given)
        return text


def places(answer: httpx.Response) -> dict[str, str]:
    """Return an answer as texts by place."""
    found = {"status": str(answer.status_code)}
    for name, value in answer.headers.items():
        if name not in _OF_THE_MESSAGE:
            found[name.title()] = value
    try:
        body = object_of(answer.json())
    except ValueError:
        return found | {"body": answer.text}
    for name, value in body.items():
        found |= _token_places(name, value) if name in _TOKENS else {name: _text(name, value)}
    return found


def _token_places(name: str, token: str) -> dict[str, str]:
    """Return what a token says in its header and its claims, by place; `opaque` for one that says nothing."""
    try:
        header, claims = (json.loads(base64.urlsafe_b64decode(f"{part}==")) for part in token.split(".")[:2])
    except ValueError:
        return {name: "opaque"}
    found = {f"{name} header.{key}": _text(key, value) for key, value in header.items()}
    found |= {f"{name}.{key}": _text(key, value) for key, value in claims.items()}
    lifetime = _about(claims["exp"] - claims["iat"]) if "exp" in claims else "for ever"
    return found | {f"{name}, its lifetime": lifetime}


def _about(seconds: int) -> str:
    """Return a time in tens of seconds: what is left of a session may be some seconds less than all of it."""
    return str(round(seconds, -1))


def _text(name: str, value: Any) -> str:
    """Return a value as it is compared: by its type, or, of what has no order, sorted."""
    if name in _DIFFERENT_EACH_TIME:
        return type(value).__name__
    if name in {"expires_in", "refresh_expires_in"}:
        return _about(value)
    if name == "scope":
        return json.dumps(" ".join(sorted(value.split())))
    return json.dumps(_without_order(value), sort_keys=True)


def _without_order(value: Any) -> Any:
    """Return a value whose lists are sorted: those of roles come in any order."""
    if isinstance(value, list):
        return sorted(list_of(value))
    return {name: _without_order(inner) for name, inner in object_of(value).items()} or value


def compare(question: Question, keycloak: dict[str, str], sandbox: dict[str, str]) -> Row:
    """Return how the two answers to a question compare."""
    differing = [place for place in keycloak | sandbox if keycloak.get(place) != sandbox.get(place)]
    return Row(
        question.name,
        _in_short(keycloak),
        tuple(f"{place}: {_shown(keycloak.get(place))}, here {_shown(sandbox.get(place))}" for place in differing),
        tuple(_reason(question.name, place) for place in differing),
    )


def _in_short(answer: dict[str, str]) -> str:
    said = [json.loads(answer[place]) for place in ("error", "error_description") if place in answer]
    return " ".join([answer["status"], ": ".join(said) or ("a token" if "token_type" in answer else "")]).strip()


def _shown(text: str | None) -> str:
    return "nothing" if text is None else f"`{text}`"


def _reason(question: str, place: str) -> str:
    known = (REASONS.get(key) for key in ((question, place), ("*", place), (question, "*")))
    return next((reason for reason in known if reason), "no reason")


@contextmanager
def keycloak_endpoint(server: KeycloakServer, admin: Admin, http: httpx.Client) -> Generator[Endpoint]:
    """Keycloak with refresh tokens that rotate, as the sandbox's do, and a user who is disabled meanwhile."""
    endpoint = Endpoint(server.url, http)
    lifetime = "client.session.idle.timeout"
    password = {"type": "password", "value": PASSWORD, "temporary": False}
    admin.send("POST", "/users", {"username": LEAVER, "email": LEAVER, "enabled": True, "credentials": [password]})
    admin.send("PUT", "", {"revokeRefreshToken": True})
    try:
        admin.change_client(CLIENT, attributes={lifetime: str(SHORT_SECONDS)})
        endpoint.keep_expiring()
        admin.change_client(CLIENT, attributes={lifetime: ""})
        endpoint.prepare()
        admin.enable_user(LEAVER, enabled=False)
        yield endpoint
    finally:
        admin.send("PUT", "", {"revokeRefreshToken": False})
        admin.send("DELETE", f"/users/{admin.user_id(LEAVER)}")


@contextmanager
def sandbox_endpoint(http: httpx.Client) -> Generator[Endpoint]:
    """Yield a sandbox with the same client and users."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary) / "data"
        _fill(directory)
        with running_sandbox(directory, "--refresh-lifetime", str(SHORT_SECONDS)) as environment:
            before = Endpoint(environment["WALLAROO_AUTH_URL"], http)
            before.keep_expiring()
        with running_sandbox(directory) as environment:
            endpoint = before.moved(environment["WALLAROO_AUTH_URL"])
            endpoint.prepare()
            headers = {"Authorization": f"Bearer {endpoint.access_token()}"}
            url = environment["WALLAROO_API_URL"] + contract.operation("deactivate_user").path
            http.post(url, json={"email": LEAVER}, headers=headers).raise_for_status()
            yield endpoint


def _fill(directory: Path) -> None:
    """Put the secret and the users of the realm into a new data directory."""
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
    """Ask both all questions."""
    with (
        httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False) as http,
        keycloak_endpoint(server, admin, http) as keycloak,
        sandbox_endpoint(http) as sandbox,
    ):
        time.sleep(EXPIRED_SECONDS)
        return [compare(question, keycloak.ask(question), sandbox.ask(question)) for question in QUESTIONS]


def page(rows: list[Row]) -> str:
    """Return the table of all questions, and the differences with their reasons."""
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
        own: dict[str, list[str]] = {}
        for difference, reason in zip(row.differences, row.reasons, strict=True):
            if _is_everywhere(reason):
                everywhere.add((difference, reason))
            else:
                own.setdefault(reason, []).append(difference)
        here = "; ".join(f"{'; '.join(differences)} ({reason})" for reason, differences in own.items())
        lines.append(f"| {row.question} | {row.answer} | {here or 'the same'} |")
    lines += ["", "## What differs whenever it is there", "", "| difference | reason |", "| --- | --- |"]
    lines += [f"| {difference} | {reason} |" for difference, reason in sorted(everywhere)]
    return "\n".join(lines) + "\n"


def _is_everywhere(reason: str) -> bool:
    return reason in {said for (question, _), said in REASONS.items() if question == "*"}


def main() -> int:
    """Write the table, or compare it; exit with 1 where a difference has no reason or the table is another."""
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
    unexplained = [row for row in rows if not row.is_explained]
    for row in unexplained:
        print(f"{row.question}: {row.differences} {row.reasons}", file=sys.stderr)
    if "--check" in sys.argv[1:]:
        same = TABLE.exists() and TABLE.read_text(encoding="utf-8") == page(rows)
        print(f"{TABLE} is {'what the two answer' if same else 'out of date; run scripts/token-congruence'}.")
        return int(not same or bool(unexplained))
    TABLE.write_text(page(rows), encoding="utf-8")
    print(f"{len(rows)} questions, {len(unexplained)} with differences that have no reason.")
    return int(bool(unexplained))


if __name__ == "__main__":
    sys.exit(main())
