"""Does the sandbox sign users in as Keycloak does, and can it trust another issuer instead?"""

from __future__ import annotations

import base64
import hashlib
import inspect
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import contract
from wallaroo_ext.cli.commands.sandbox import sandbox as sandbox_command
from wallaroo_ext.sandbox.auth import issuer as issuer_module
from wallaroo_ext.sandbox.auth.issuer import ForeignIssuer, Identity, IdentityCache
from wallaroo_ext.sandbox.auth.tokens import SDK_CLIENT, Caller, Tokens
from wallaroo_ext.sandbox.auth.users import User, add_user, enable_user
from wallaroo_ext.sandbox.http.problems import Problem
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.options import SandboxOptions
from wallaroo_ext.sandbox.paths import DISCOVERY_ENDPOINT, KEYS_ENDPOINT, realm_path
from wallaroo_ext.sandbox.process import SandboxFailedError
from wallaroo_ext.sandbox.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

TOKEN_PATH = contract.operation("request_token").path
REALM = realm_path(TOKEN_PATH)
PASSWORD = "a-good-password"
PRIVATE_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
"""A key of no issuer."""


def ask(environment: dict[str, str], form: dict[str, str], auth: tuple[str, str] | None = None) -> httpx.Response:
    """Request a token, by default as the sandbox's own client, and return the answer."""
    client = auth or (environment["WALLAROO_CLIENT_ID"], environment["WALLAROO_CLIENT_SECRET"])
    return httpx.post(environment["WALLAROO_AUTH_URL"] + TOKEN_PATH, data=form, auth=client)


def password_form(environment: dict[str, str], **more: str) -> dict[str, str]:
    user = {"username": environment["WALLAROO_USER"], "password": environment["WALLAROO_PASSWORD"]}
    return {"grant_type": "password"} | user | more


def sign_in(environment: dict[str, str], **more: str) -> dict[str, Any]:
    answer = ask(environment, password_form(environment, **more))
    assert answer.status_code == 200, answer.text
    return answer.json()


def renew(environment: dict[str, str], refresh_token: str) -> httpx.Response:
    return ask(environment, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def client_token(environment: dict[str, str]) -> dict[str, Any]:
    answer = ask(environment, {"grant_type": "client_credentials"})
    assert answer.status_code == 200
    return answer.json()


def list_workspaces(environment: dict[str, str], token: str) -> httpx.Response:
    url = environment["WALLAROO_API_URL"] + contract.operation("list_workspaces").path
    return httpx.post(url, json={}, headers={"Authorization": f"Bearer {token}"})


def refusal(answer: httpx.Response) -> tuple[int, str, str]:
    content = answer.json()
    return answer.status_code, content["error"], content["error_description"]


def discovery(environment: dict[str, str]) -> dict[str, Any]:
    answer = httpx.get(environment["WALLAROO_AUTH_URL"] + REALM + DISCOVERY_ENDPOINT)
    assert answer.status_code == 200
    return answer.json()


def verified(environment: dict[str, str], token: str) -> dict[str, Any]:
    """Verify a token as any service would, and return its claims."""
    found = discovery(environment)
    key = jwt.PyJWKClient(found["jwks_uri"], timeout=10).get_signing_key_from_jwt(token)
    return jwt.decode(token, key, ["RS256"], audience="account", issuer=found["issuer"])


class TestTheTokensForm:
    def test_a_users_token_has_keycloaks_claims(self, sandbox: dict[str, str]) -> None:
        answer = sign_in(sandbox)
        claims = verified(sandbox, answer["access_token"])
        assert claims["iss"] == sandbox["WALLAROO_AUTH_URL"] + REALM
        assert claims["typ"] == answer["token_type"] == "Bearer"
        assert claims["azp"] == sandbox["WALLAROO_CLIENT_ID"]
        assert claims["preferred_username"] == claims["email"] == sandbox["WALLAROO_USER"]
        assert claims["email_verified"] is False
        assert claims["sid"] == answer["session_state"]
        assert claims["scope"] == answer["scope"] == "profile email"
        assert claims["exp"] - claims["iat"] == answer["expires_in"] == 3600
        assert answer["refresh_expires_in"] == 1800
        assert "offline_access" in claims["realm_access"]["roles"]
        assert claims["jti"] != verified(sandbox, sign_in(sandbox)["access_token"])["jti"]

    @pytest.mark.parametrize(("scope", "kind"), [("openid", "Refresh"), ("openid offline_access", "Offline")])
    def test_a_refresh_token_says_what_it_is(self, sandbox: dict[str, str], scope: str, kind: str) -> None:
        token = sign_in(sandbox, scope=scope)["refresh_token"]
        claims = jwt.decode(token, options={"verify_signature": False})
        assert claims["typ"] == kind
        assert claims["azp"] == sandbox["WALLAROO_CLIENT_ID"]

    def test_the_subject_is_the_user_of_the_api(self, sandbox: dict[str, str]) -> None:
        token = sign_in(sandbox)["access_token"]
        [workspace] = [
            workspace
            for workspace in list_workspaces(sandbox, token).json()["workspaces"]
            if workspace["name"].startswith(sandbox["WALLAROO_USER"])
        ]
        assert workspace["created_by"] == verified(sandbox, token)["sub"]

    def test_a_clients_token_has_no_user_and_no_refresh_token(self, sandbox: dict[str, str]) -> None:
        answer = client_token(sandbox)
        claims = verified(sandbox, answer["access_token"])
        assert claims["preferred_username"] == "service-account-api-client"
        assert claims["sub"] == verified(sandbox, client_token(sandbox)["access_token"])["sub"]
        assert "email" not in claims
        assert "refresh_token" not in answer
        assert answer["refresh_expires_in"] == 0
        assert list_workspaces(sandbox, answer["access_token"]).status_code == 401

    def test_the_published_keys_cannot_sign(self, sandbox: dict[str, str]) -> None:
        [key] = httpx.get(discovery(sandbox)["jwks_uri"]).json()["keys"]
        assert set(key) == {"kid", "use", "alg", "kty", "n", "e"}
        assert (key["use"], key["alg"], key["kty"]) == ("sig", "RS256", "RSA")
        assert jwt.get_unverified_header(sign_in(sandbox)["access_token"])["kid"] == key["kid"]

    def test_what_is_discovered_is_there(self, sandbox: dict[str, str]) -> None:
        found = discovery(sandbox)
        assert found["issuer"] == sandbox["WALLAROO_AUTH_URL"] + REALM
        assert found["token_endpoint"] == sandbox["WALLAROO_AUTH_URL"] + TOKEN_PATH
        forms = {
            "password": password_form(sandbox),
            "refresh_token": {"refresh_token": sign_in(sandbox)["refresh_token"]},
            "client_credentials": {},
        }
        assert set(found["grant_types_supported"]) == set(forms)
        for grant, form in forms.items():
            assert ask(sandbox, form | {"grant_type": grant}).status_code == 200


class TestGrants:
    def test_a_client_authenticates_by_basic_or_in_the_form(self, sandbox: dict[str, str]) -> None:
        form = password_form(sandbox) | {
            "client_id": sandbox["WALLAROO_CLIENT_ID"],
            "client_secret": sandbox["WALLAROO_CLIENT_SECRET"],
        }
        answer = httpx.post(sandbox["WALLAROO_AUTH_URL"] + TOKEN_PATH, data=form)
        assert answer.status_code == 200
        assert ask(sandbox, password_form(sandbox)).status_code == 200

    def test_a_refresh_token_is_good_once_and_continues_its_session(self, sandbox: dict[str, str]) -> None:
        first = sign_in(sandbox)
        second = renew(sandbox, first["refresh_token"]).json()
        assert second["session_state"] == first["session_state"]
        assert verified(sandbox, second["access_token"])["sub"] == verified(sandbox, first["access_token"])["sub"]
        third = renew(sandbox, second["refresh_token"])
        assert third.status_code == 200

    def test_who_uses_a_refresh_token_twice_ends_its_session_and_no_other(self, sandbox: dict[str, str]) -> None:
        other, first = sign_in(sandbox), sign_in(sandbox)
        second = renew(sandbox, first["refresh_token"]).json()
        reused = "Maximum allowed refresh token reuse exceeded"
        assert refusal(renew(sandbox, first["refresh_token"])) == (400, "invalid_grant", reused)
        assert refusal(renew(sandbox, second["refresh_token"]))[:2] == (400, "invalid_grant")
        assert renew(sandbox, other["refresh_token"]).status_code == 200

    def test_another_client_cannot_use_a_refresh_token_or_end_its_session(self, sandbox: dict[str, str]) -> None:
        token = sign_in(sandbox)["refresh_token"]
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": SDK_CLIENT}
        answer = httpx.post(sandbox["WALLAROO_AUTH_URL"] + TOKEN_PATH, data=form)
        message = "Invalid refresh token. Token client and authorized client don't match"
        assert refusal(answer) == (400, "invalid_grant", message)
        assert renew(sandbox, token).status_code == 200

    def test_openid_brings_an_id_token_that_is_no_access_token(self, sandbox: dict[str, str]) -> None:
        answer = sign_in(sandbox, scope="openid")
        assert answer["scope"] == "openid profile email"
        key = jwt.PyJWKClient(discovery(sandbox)["jwks_uri"], timeout=10).get_signing_key_from_jwt(answer["id_token"])
        claims = jwt.decode(answer["id_token"], key, ["RS256"], audience=sandbox["WALLAROO_CLIENT_ID"])
        digest = hashlib.sha256(answer["access_token"].encode()).digest()[:16]
        assert base64.urlsafe_b64decode(f"{claims['at_hash']}==") == digest
        assert list_workspaces(sandbox, answer["id_token"]).status_code == 401
        assert "id_token" in renew(sandbox, answer["refresh_token"]).json()
        assert "id_token" not in sign_in(sandbox)

    def test_an_offline_token_stays_offline(self, sandbox: dict[str, str]) -> None:
        first = sign_in(sandbox, scope="openid offline_access")
        second = renew(sandbox, first["refresh_token"]).json()
        for answer in (first, second):
            assert answer["refresh_expires_in"] == 0
            assert "offline_access" in answer["scope"].split()
            assert "offline_access" in verified(sandbox, answer["access_token"])["scope"].split()

    def test_what_is_wrong_is_said_as_keycloak_says_it(self, sandbox: dict[str, str]) -> None:
        form = password_form(sandbox)
        client_id, secret = sandbox["WALLAROO_CLIENT_ID"], sandbox["WALLAROO_CLIENT_SECRET"]
        client = "Invalid client or Invalid client credentials"
        user = "Invalid user credentials"
        assert refusal(ask(sandbox, form, ("nobody", secret))) == (401, "invalid_client", client)
        assert refusal(ask(sandbox, form, (client_id, "wrong"))) == (401, "unauthorized_client", client)
        assert refusal(ask(sandbox, form | {"password": "wrong"})) == (401, "invalid_grant", user)
        assert refusal(ask(sandbox, form | {"username": "nobody@example.com"})) == (401, "invalid_grant", user)
        assert refusal(renew(sandbox, "wrong")) == (400, "invalid_grant", "Invalid refresh token")
        assert refusal(ask(sandbox, {"grant_type": "refresh_token"})) == (400, "invalid_request", "No refresh token")
        unsupported = (400, "unsupported_grant_type", "Unsupported grant_type")
        assert refusal(ask(sandbox, {"grant_type": "implicit"})) == unsupported
        scope = refusal(ask(sandbox, form | {"scope": "openid nonsense"}))
        assert scope == (400, "invalid_scope", "Invalid scopes: openid nonsense")
        without_grant = refusal(ask(sandbox, {"username": "somebody"}))
        assert without_grant[:2] == (400, "invalid_request")
        assert "grant_type" in without_grant[2]

    def test_the_sdk_s_client_signs_in_and_renews_without_a_secret_for_a_minute(self, sandbox: dict[str, str]) -> None:
        url, client = sandbox["WALLAROO_AUTH_URL"] + TOKEN_PATH, {"client_id": SDK_CLIENT}
        signed_in = httpx.post(url, data=password_form(sandbox) | client).json()
        assert list_workspaces(sandbox, signed_in["access_token"]).status_code == 200
        claims = jwt.decode(signed_in["access_token"], options={"verify_signature": False})
        assert (claims["azp"], claims["exp"] - claims["iat"]) == (SDK_CLIENT, 60)
        renewing = {"grant_type": "refresh_token", "refresh_token": signed_in["refresh_token"]}
        renewed = httpx.post(url, data=renewing | client).json()
        assert signed_in["expires_in"] == renewed["expires_in"] == 60
        assert list_workspaces(sandbox, renewed["access_token"]).status_code == 200
        assert renew(sandbox, renewed["refresh_token"]).status_code == 400  # it is not the other client's

    def test_the_sdk_s_client_gets_no_token_for_itself(self, sandbox: dict[str, str]) -> None:
        form = {"grant_type": "client_credentials", "client_id": SDK_CLIENT}
        answer = httpx.post(sandbox["WALLAROO_AUTH_URL"] + TOKEN_PATH, data=form)
        assert refusal(answer)[:2] == (401, "unauthorized_client")

    def test_no_answer_with_a_token_is_stored_on_the_way(self, sandbox: dict[str, str]) -> None:
        for answer in (ask(sandbox, password_form(sandbox)), renew(sandbox, "wrong")):
            assert answer.headers["Cache-Control"] == "no-store"

    def test_who_may_not_sign_in_is_told_why(self, tmp_path: Path) -> None:
        instance = Instance(tmp_path / "data")
        with instance.store.transaction() as db:
            add_user(db, "fresh@example.com", PASSWORD, temporary=True)
            enable_user(db, add_user(db, "gone@example.com", PASSWORD), enabled=False)
        instance.close()
        with running(tmp_path / "data") as environment:
            fresh, gone = (
                refusal(ask(environment, password_form(environment, username=name, password=PASSWORD)))
                for name in ("fresh@example.com", "gone@example.com")
            )
        assert fresh == (400, "invalid_grant", "Account is not fully set up")
        assert gone == (400, "invalid_grant", "Account disabled")


def test_tokens_live_as_long_as_they_are_told_to() -> None:
    with running(None, "--token-lifetime", "1", "--refresh-lifetime", "1") as environment:
        answer, offline = sign_in(environment), sign_in(environment, scope="offline_access")
        assert (answer["expires_in"], answer["refresh_expires_in"]) == (1, 1)
        assert list_workspaces(environment, answer["access_token"]).status_code == 200
        time.sleep(2.1)
        late = list_workspaces(environment, answer["access_token"])
        assert (late.status_code, late.json()["msg"]) == (401, "The token has expired.")
        assert refusal(renew(environment, answer["refresh_token"]))[:2] == (400, "invalid_grant")
        assert renew(environment, offline["refresh_token"]).status_code == 200


def test_the_command_has_the_defaults_of_the_options() -> None:
    given = {name: parameter.default for name, parameter in inspect.signature(sandbox_command).parameters.items()}
    defaults = asdict(SandboxOptions())
    del defaults["control_secret"]  # the command line reads it from a file
    assert {name: given[name.removesuffix("_mib")] for name in defaults} == defaults


@pytest.fixture
def store(tmp_path: Path) -> Generator[Store]:
    opened = Store(tmp_path / "tokens")
    yield opened
    opened.close()


@pytest.fixture
def user(store: Store) -> User:
    with store.transaction() as db:
        return add_user(db, "first.user@example.com", PASSWORD)


def bearer(tokens: Tokens, user: User | None, **options: Any) -> str:
    return "Bearer " + tokens.issue("api-client", user, "http://issuer", **options)["access_token"]


def status_of(tokens: Tokens, authorization: str) -> int:
    """Return the status of the answer to an Authorization header; 200 if its token is valid."""
    try:
        tokens.verify(authorization)
    except Problem as problem:
        return problem.status
    return 200


def signed_again(store: Store, token: str, algorithm: str = "RS256", **changed: Any) -> str:
    """Return the token with changed claims, signed with the current key."""
    keys = json.loads(store.setting("token_keys", pytest.fail))
    claims = jwt.decode(token, options={"verify_signature": False}) | changed
    return jwt.encode(claims, keys["signing"], algorithm, headers={"kid": keys["signing_id"]})


class TestRefreshTokensOfTheFirstVersion:
    """They were opaque texts, and an old data directory may still contain some."""

    @pytest.mark.parametrize(("expires_at", "scopes"), [(2**62, ""), (2**63 - 1, " offline_access")])
    def test_they_are_good_once(self, store: Store, user: User, expires_at: int, scopes: str) -> None:
        old = "the-session.and-a-random-text"
        with store.transaction() as db:
            db.execute("INSERT INTO refresh_tokens VALUES (?, ?, 'api-client', ?)", (old, user.id, expires_at))
        tokens = Tokens(store)
        session = tokens.session("api-client", old)
        assert (session.id, session.user) == ("the-session", user)
        answer = tokens.issue("api-client", user, "http://issuer", scopes=session.scopes, continued=session)
        assert (answer["session_state"], answer["scope"]) == ("the-session", f"profile email{scopes}")
        with pytest.raises(Problem, match="Invalid refresh token"):
            tokens.session("api-client", old)
        assert tokens.session("api-client", answer["refresh_token"]).id == "the-session"


class TestKeys:
    def test_old_tokens_are_good_until_their_key_is_removed(self, store: Store, user: User) -> None:
        tokens = Tokens(store)
        seen, unseen = bearer(tokens, user), bearer(tokens, user)
        assert tokens.verify(seen) == Caller(user)
        tokens.rotate()
        new = bearer(tokens, user)
        assert {status_of(tokens, token) for token in (seen, unseen, new)} == {200}
        assert len(tokens.public_keys()) == 2
        tokens.remove_old_keys()
        assert [status_of(tokens, token) for token in (seen, unseen, new)] == [401, 401, 200]
        [left] = tokens.public_keys()
        assert left["kid"] == jwt.get_unverified_header(new.removeprefix("Bearer "))["kid"]

    def test_keys_survive_a_restart_and_only_one_can_sign(self, tmp_path: Path) -> None:
        store = Store(tmp_path / "data")
        tokens = Tokens(store)
        tokens.rotate()
        published, old = tokens.public_keys(), bearer(tokens, None)
        tokens.rotate()
        store.close()
        store = Store(tmp_path / "data")
        again = Tokens(store)
        assert again.public_keys()[:2] == published
        assert again.verify(old) == Caller(None)
        with store.transaction() as db:
            [row] = db.execute("SELECT value FROM settings WHERE value LIKE '%PRIVATE KEY%'").fetchall()
        assert row["value"].count("BEGIN PRIVATE KEY") == 1
        store.close()


class TestRepeatedTokens:
    def test_a_signature_is_checked_once(self, store: Store, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
        tokens = Tokens(store)
        header = bearer(tokens, user)
        assert tokens.verify(header) == Caller(user)

        def check_again(*_: object, **__: object) -> None:
            pytest.fail("it is checked again")

        monkeypatch.setattr(issuer_module.jwt, "decode", check_again)
        assert tokens.verify(header) == Caller(user)

    def test_a_user_is_looked_up_each_time(self, store: Store, user: User) -> None:
        tokens = Tokens(store)
        header = bearer(tokens, user)
        answers = [status_of(tokens, header)]
        for enabled in (False, True):
            with store.transaction() as db:
                enable_user(db, user, enabled=enabled)
            answers.append(status_of(tokens, header))
        assert answers == [200, 401, 200]

    def test_the_memory_forgets_what_is_old_and_what_has_expired(self) -> None:
        recent = IdentityCache(limit=2)
        good, expired = (Identity("id", "name", "email", False, int(time.time()) + left) for left in (60, -1))
        recent.add("first", good)
        recent.add("second", good)
        assert recent.find("first") == good
        recent.add("third", good)
        assert [recent.find(token) for token in ("first", "second", "third")] == [good, None, good]
        recent.add("expired", expired)
        assert recent.find("expired") is None

    def test_a_token_that_is_no_access_token_is_refused(self, store: Store, user: User) -> None:
        tokens = Tokens(store)
        issued = bearer(tokens, user).removeprefix("Bearer ")
        forged = [signed_again(store, issued, typ="ID"), signed_again(store, issued, "RS512")]
        assert [status_of(tokens, f"Bearer {token}") for token in forged] == [401, 401]
        assert status_of(tokens, f"Bearer {signed_again(store, issued)}") == 200


@pytest.fixture(scope="module")
def trusting(sandbox: dict[str, str]) -> Generator[dict[str, str]]:
    """Yield a sandbox that trusts the sandbox of the test run."""
    with running(None, "--auth-url", sandbox["WALLAROO_AUTH_URL"] + "/") as environment:
        yield environment


class TestAnotherIssuer:
    def test_its_environment_names_the_issuer_and_nobody(
        self, sandbox: dict[str, str], trusting: dict[str, str]
    ) -> None:
        assert set(trusting) == {"WALLAROO_API_URL", "WALLAROO_AUTH_URL"}
        assert trusting["WALLAROO_AUTH_URL"] == sandbox["WALLAROO_AUTH_URL"]
        assert trusting["WALLAROO_API_URL"] != sandbox["WALLAROO_API_URL"]

    def test_its_user_gets_a_record_and_a_workspace_here(
        self, sandbox: dict[str, str], trusting: dict[str, str]
    ) -> None:
        token = sign_in(sandbox)["access_token"]
        answers = [list_workspaces(trusting, token) for _ in range(2)]
        answers.append(list_workspaces(trusting, sign_in(sandbox)["access_token"]))
        assert [answer.status_code for answer in answers] == [200] * 3
        [workspace] = answers[0].json()["workspaces"]
        assert workspace["created_by"] == verified(sandbox, token)["sub"]
        assert workspace["name"] == f"{sandbox['WALLAROO_USER']} - Default Workspace"
        assert answers[0].json() == answers[1].json() == answers[2].json()

    def test_its_client_is_a_caller_without_a_user(self, sandbox: dict[str, str], trusting: dict[str, str]) -> None:
        answer = list_workspaces(trusting, client_token(sandbox)["access_token"])
        assert (answer.status_code, answer.json()["msg"]) == (401, "A token without a user may only infer.")

    def test_it_gives_no_tokens_and_publishes_no_keys(self, sandbox: dict[str, str], trusting: dict[str, str]) -> None:
        url = trusting["WALLAROO_API_URL"]
        asked = httpx.post(url + TOKEN_PATH, data=password_form(sandbox))
        sentence = f"This sandbox trusts {sandbox['WALLAROO_AUTH_URL']}; ask there for a token."
        assert refusal(asked) == (400, "invalid_request", sentence)
        for path in (DISCOVERY_ENDPOINT, KEYS_ENDPOINT):
            assert httpx.get(url + REALM + path).status_code == 404

    def test_a_third_ones_tokens_and_its_own_kind_are_refused(self, trusting: dict[str, str], tmp_path: Path) -> None:
        with running(None) as third:
            assert list_workspaces(trusting, sign_in(third)["access_token"]).status_code == 401
        with running(tmp_path / "data") as before:
            own = sign_in(before)["access_token"]
            assert list_workspaces(before, own).status_code == 200
        with running(tmp_path / "data", "--auth-url", trusting["WALLAROO_AUTH_URL"]) as after:
            answer = list_workspaces(after, own)
        assert answer.status_code == 401
        assert answer.json()["msg"] == f"The token is not one of {trusting['WALLAROO_AUTH_URL']}{REALM}."

    def test_a_user_whose_name_is_taken_is_told_what_to_do(self, sandbox: dict[str, str], tmp_path: Path) -> None:
        with running(tmp_path / "data"):
            pass  # its default user has the same name as the other sandbox's
        with running(tmp_path / "data", "--auth-url", sandbox["WALLAROO_AUTH_URL"]) as environment:
            answer = list_workspaces(environment, sign_in(sandbox)["access_token"])
        assert answer.status_code == 401
        assert "a data directory of its own" in answer.json()["msg"]

    def test_an_issuer_that_does_not_answer_is_not_the_tokens_fault(self, sandbox: dict[str, str]) -> None:
        nobody = "http://127.0.0.1:1"
        token = jwt.encode({"iss": nobody + REALM}, PRIVATE_KEY, "RS256", headers={"kid": "any"})
        with running(None, "--auth-url", nobody) as environment:
            answer = list_workspaces(environment, token)
            assert list_workspaces(environment, sign_in(sandbox)["access_token"]).status_code == 401
        assert (answer.status_code, answer.json()["code"]) == (503, 503)
        assert f"http://127.0.0.1:1{REALM} gives no keys" in answer.json()["msg"]
        assert int(answer.headers["Retry-After"]) > 0

    @pytest.mark.slow
    def test_an_expired_token_is_refused(self) -> None:
        with running(None, "--token-lifetime", "1") as issuing:
            token = sign_in(issuing)["access_token"]
            with running(None, "--auth-url", issuing["WALLAROO_AUTH_URL"]) as trusting:
                time.sleep(6.1)  # the lifetime, and the leeway for different clocks
                answer = list_workspaces(trusting, token)
        assert (answer.status_code, answer.json()["msg"]) == (401, "The token has expired.")

    @pytest.mark.parametrize("url", ["example.com", "file:///etc/passwd", "http://[", "https://user:secret@host"])
    def test_what_is_no_address_of_an_issuer_is_refused(self, url: str) -> None:
        begun = running(None, "--auth-url", url)
        with pytest.raises(SandboxFailedError, match="--auth-url has to begin") as raised, begun:
            pass
        assert "secret" not in str(raised.value)


def test_an_audience_without_another_issuer_is_refused() -> None:
    begun = running(None, "--audience", "another")
    with pytest.raises(SandboxFailedError, match="it goes with --auth-url"), begun:
        pass


class Publisher:
    """Publishes the keys of a store over HTTP, and counts the requests for them."""

    def __init__(self, store: Store) -> None:
        self.tokens = Tokens(store)
        self._store = store
        self.fetches = 0
        self.status = 200
        self.url = ""

    def token(self, user: User | None, **claims: Any) -> str:
        """Return a token of this publisher's issuer, with changed claims."""
        issued = self.tokens.issue("api-client", user, self.url + REALM)["access_token"]
        return signed_again(self._store, issued, **claims)


@contextmanager
def published(store: Store) -> Generator[Publisher]:
    publisher = Publisher(store)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.fetches += 1
            body = (
                json.dumps({"keys": publisher.tokens.public_keys()}).encode() if publisher.status == 200 else b"<html>"
            )
            self.send_response(publisher.status if self.path == REALM + KEYS_ENDPOINT else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the method that it replaces
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        publisher.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield publisher
        server.shutdown()
        thread.join()


@pytest.fixture
def publisher(store: Store) -> Generator[Publisher]:
    with published(store) as running_publisher:
        yield running_publisher


def refused(issuer: ForeignIssuer, token: str) -> tuple[int, str]:
    with pytest.raises(Problem) as raised:
        issuer.identify(token)
    assert isinstance(raised.value.content, dict)
    return raised.value.status, raised.value.content["msg"]


class TestForeignKeys:
    def test_they_are_fetched_once(self, publisher: Publisher, user: User) -> None:
        issuer = ForeignIssuer(publisher.url, REALM, KEYS_ENDPOINT)
        for _ in range(3):
            assert issuer.identify(publisher.token(user)).subject == user.id
        assert publisher.fetches == 1

    def test_a_new_key_is_waited_for_and_fetched_once_for_all(
        self, publisher: Publisher, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pauses: list[float] = []
        monkeypatch.setattr(issuer_module, "_PAUSE_SECONDS", 600)
        monkeypatch.setattr(issuer_module, "sleep", pauses.append)
        issuer = ForeignIssuer(publisher.url, REALM, KEYS_ENDPOINT)
        issuer.identify(publisher.token(user))
        publisher.tokens.rotate()
        token = publisher.token(user)
        with ThreadPoolExecutor(16) as threads:
            assert {identity.subject for identity in threads.map(issuer.identify, [token] * 16)} == {user.id}
        assert publisher.fetches == 2
        [pause] = pauses
        assert 300 < pause <= 600

    def test_keys_that_nobody_has_are_not_asked_for_at_any_rate(
        self, publisher: Publisher, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(issuer_module, "_PAUSE_SECONDS", 0.2)
        issuer = ForeignIssuer(publisher.url, REALM, KEYS_ENDPOINT)
        good = publisher.token(user)
        issuer.identify(good)
        claims = {"iss": publisher.url + REALM}
        forged = [jwt.encode(claims, PRIVATE_KEY, "RS256", headers={"kid": str(number)}) for number in range(4)]
        began_at = time.monotonic()
        assert {refused(issuer, token)[0] for token in forged} == {401}
        assert publisher.fetches - 1 <= (time.monotonic() - began_at) / 0.2
        before = publisher.fetches
        foreign = jwt.encode({"iss": "http://elsewhere"}, PRIVATE_KEY, "RS256", headers={"kid": "x"})
        unsigned = jwt.encode(claims, "", "none", headers={"kid": "x"})
        assert [refused(issuer, token)[0] for token in (foreign, unsigned, "nonsense")] == [401] * 3
        assert publisher.fetches == before, "what is plainly no token of the issuer's asks it nothing"

    def test_a_token_that_was_good_is_refused_once_its_key_is_gone(
        self, publisher: Publisher, user: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(issuer_module, "_PAUSE_SECONDS", 0)
        with closing(Store(tmp_path / "trusting")) as trusting:
            tokens = Tokens(trusting, issuer=ForeignIssuer(publisher.url, REALM, KEYS_ENDPOINT))
            old = f"Bearer {publisher.token(user)}"
            assert [status_of(tokens, old) for _ in range(2)] == [200, 200]
            publisher.tokens.rotate()
            publisher.tokens.remove_old_keys()
            assert status_of(tokens, f"Bearer {publisher.token(user)}") == 200
            assert status_of(tokens, old) == 401

    def test_a_key_that_is_no_longer_published_is_forgotten(
        self, publisher: Publisher, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        issuer = ForeignIssuer(publisher.url, REALM, KEYS_ENDPOINT)
        old = publisher.token(user)
        issuer.identify(old)
        publisher.tokens.rotate()
        publisher.tokens.remove_old_keys()
        monkeypatch.setattr(issuer_module, "_PAUSE_SECONDS", 0)
        monkeypatch.setattr(issuer_module, "_FRESH_SECONDS", 0)
        assert refused(issuer, old)[0] == 401

    def test_known_keys_outlive_a_failure_and_unknown_ones_are_503(
        self, publisher: Publisher, user: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        issuer = ForeignIssuer(publisher.url, REALM, KEYS_ENDPOINT)
        old = publisher.token(user)
        issuer.identify(old)
        publisher.tokens.rotate()
        monkeypatch.setattr(issuer_module, "_PAUSE_SECONDS", 0)
        monkeypatch.setattr(issuer_module, "_FRESH_SECONDS", 0)
        publisher.status = 500
        assert issuer.identify(old).subject == user.id
        assert refused(issuer, publisher.token(user))[0] == 503
        publisher.status = 200
        assert issuer.identify(publisher.token(user)).subject == user.id

    def test_a_page_in_place_of_keys_is_503(self, publisher: Publisher, user: User) -> None:
        publisher.status = 203
        status, message = refused(ForeignIssuer(publisher.url, REALM, KEYS_ENDPOINT), publisher.token(user))
        assert status == 503
        assert "gives no keys" in message

    def test_the_claims_are_checked(self, publisher: Publisher, user: User) -> None:
        issuer = ForeignIssuer(publisher.url, REALM, KEYS_ENDPOINT)
        now = int(time.time())
        assert issuer.identify(publisher.token(user, exp=now - 2)).subject == user.id  # clocks may differ
        assert refused(issuer, publisher.token(user, exp=now - 6)) == (401, "The token has expired.")
        assert refused(issuer, publisher.token(user, iss=publisher.url))[0] == 401
        assert refused(issuer, publisher.token(user, iss=publisher.url + REALM + "/"))[0] == 401
        assert refused(issuer, publisher.token(user, typ="ID"))[0] == 401
        assert refused(issuer, publisher.token(user, exp=None))[0] == 401
        for audience in ("another", ["another", "third"], None):
            status, message = refused(issuer, publisher.token(user, aud=audience))
            assert (status, "'account'" in message) == (401, True)
        assert issuer.identify(publisher.token(user, aud=["another", "account"])).subject == user.id
        another = ForeignIssuer(publisher.url, REALM, KEYS_ENDPOINT, "another")
        assert another.identify(publisher.token(user, aud="another")).subject == user.id
        assert refused(another, publisher.token(user))[0] == 401

    def test_a_user_whose_name_begins_like_a_clients_is_a_user(self, publisher: Publisher, user: User) -> None:
        issuer = ForeignIssuer(publisher.url, REALM, KEYS_ENDPOINT)
        assert issuer.identify(publisher.token(None)).is_client
        named = publisher.token(user, preferred_username="service-account-of-mine@example.com")
        assert not issuer.identify(named).is_client
