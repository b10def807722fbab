"""Does every way to sign in work at a real Keycloak, and is each refusal explained?"""

from __future__ import annotations

import base64
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from contract_tests.support.real_keycloak import (
    CLIENT,
    PASSWORD,
    SECRET,
    TOKEN_PATH,
    USER,
    Kind,
    Seen,
    auth,
    claims,
    listing,
    token_requests,
    user_info,
)
from scripts.lib.keycloak.realm import Admin, read_realm
from wallaroo_ext import AuthenticationError

if TYPE_CHECKING:
    from collections.abc import Generator

    from scripts.lib.keycloak.server import KeycloakServer

pytestmark = pytest.mark.slow
SECOND = read_realm()["clients"][1]


def password_answer(keycloak: KeycloakServer, **form: str) -> dict[str, Any]:
    """Request a token with the user's password. Returns the answer's body."""
    data = {"grant_type": "password", "username": USER, "password": PASSWORD} | form
    return httpx.post(keycloak.url + TOKEN_PATH, data=data, auth=(CLIENT, SECRET)).raise_for_status().json()


class TestGrants:
    def test_a_users_password(self, trusting: dict[str, str], admin: Admin, kind: Kind) -> None:
        with listing(kind, trusting) as listed:
            for _ in range(3):
                assert [workspace.name for workspace in listed()] == [f"{USER} - Default Workspace"]
        assert token_requests(admin) == ["LOGIN"]

    def test_the_client_alone(
        self, keycloak: KeycloakServer, trusting: dict[str, str], admin: Admin, kind: Kind
    ) -> None:
        alone = auth(keycloak, username=None, password=None, grant="client_credentials")
        assert user_info(keycloak, alone, kind) == 200
        assert claims(alone.access_token())["preferred_username"] == "service-account-api-client"
        assert token_requests(admin) == ["CLIENT_LOGIN"]
        with (
            listing(kind, trusting, grant="client_credentials") as listed,
            pytest.raises(AuthenticationError, match="may only infer"),
        ):
            listed()

    def test_a_refresh_token_that_was_had_elsewhere(self, keycloak: KeycloakServer, admin: Admin, kind: Kind) -> None:
        given = password_answer(keycloak, scope="openid")["refresh_token"]
        who = auth(keycloak, username=None, password=None, refresh_token=given)
        assert [user_info(keycloak, who, kind) for _ in range(2)] == [200, 200]
        assert token_requests(admin) == ["LOGIN", "REFRESH_TOKEN"]

    def test_an_offline_token_outlives_its_session(self, keycloak: KeycloakServer, admin: Admin, kind: Kind) -> None:
        who = auth(keycloak, grant="offline_access")
        token = who.token()
        assert (token.refresh is not None, token.refresh_until) == (True, float("inf"))
        first = claims(token.access)
        assert "offline_access" in first["scope"].split()
        for session in admin.send("GET", f"/users/{admin.user_id(USER)}/sessions"):
            admin.end_session(session["id"])
        elsewhere = auth(keycloak, username=None, password=None, refresh_token=token.refresh)
        assert user_info(keycloak, elsewhere, kind) == 200
        assert claims(elsewhere.access_token())["sid"] == first["sid"]
        assert "LOGIN" not in token_requests(admin)[1:]


class TestClients:
    def test_a_confidential_one_authenticates_by_http_basic(self, keycloak: KeycloakServer, kind: Kind) -> None:
        seen = Seen()
        assert user_info(keycloak, auth(keycloak, transport=seen.transport()), kind) == 200
        [request] = seen.requests
        assert request.headers["Authorization"] == f"Basic {base64.b64encode(f'{CLIENT}:{SECRET}'.encode()).decode()}"
        assert "client" not in request.content.decode()

    def test_a_secret_that_basic_cannot_carry_goes_into_the_form(self, keycloak: KeycloakServer, admin: Admin) -> None:
        assert {"%", "+", ":", "ü"} <= set(SECOND["secret"])
        seen = Seen()
        who = auth(
            keycloak,
            client_id=SECOND["clientId"],
            client_secret=SECOND["secret"],
            grant="client_credentials",
            transport=seen.transport(),
        )
        assert claims(who.access_token())["azp"] == SECOND["clientId"]
        assert "Authorization" not in seen.requests[0].headers
        assert token_requests(admin, SECOND["clientId"]) == ["CLIENT_LOGIN"]

    def test_a_public_one_has_no_secret(self, keycloak: KeycloakServer, kind: Kind) -> None:
        public = auth(keycloak, client_id="public-client", client_secret=None)
        assert user_info(keycloak, public, kind) == 200
        assert claims(public.access_token())["azp"] == "public-client"


def refusal(keycloak: KeycloakServer, kind: Kind, **options: Any) -> AuthenticationError:
    with pytest.raises(AuthenticationError) as raised:
        user_info(keycloak, auth(keycloak, **options), kind)
    shown = f"{raised.value}{raised.value.__dict__}{raised.value!r}"
    assert PASSWORD not in shown
    assert SECRET not in shown
    return raised.value


@contextmanager
def changed(admin: Admin, **changes: Any) -> Generator[None]:
    """Change the client's settings while a `with` block runs."""
    client = admin.client(CLIENT)
    admin.change_client(CLIENT, **changes)
    try:
        yield
    finally:
        admin.change_client(CLIENT, **{name: client[name] for name in changes})


TEMPORARY = (
    "The password is temporary, or something has to be confirmed: the user signs in once at the instance's web page."
)


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "advice"),
        [
            ({"password": "wrong"}, "Check the user's name and password."),
            ({"username": "nobody@example.com"}, "Check the user's name and password."),
            (
                {"username": "disabled@example.com", "password": "password-of-the-disabled-user"},
                "An administrator has to enable the user, or, after too many wrong passwords, wait a while.",
            ),
            ({"username": "temporary@example.com", "password": "temporary-password"}, TEMPORARY),
            ({"client_secret": "wrong"}, "Check the client's id and secret."),
            ({"client_secret": None}, "Check the client's id and secret."),
            ({"client_id": "nobody"}, "Check the client's id and secret."),
            ({"scope": "nonsense"}, "Check the scope."),
            (
                {"username": None, "password": None, "refresh_token": "nonsense"},
                "The refresh token has expired, was used before or was revoked: sign in again for another one.",
            ),
            ({"path": "/auth/realms/nowhere/protocol/openid-connect/token"}, "Check the address of Keycloak."),
        ],
    )
    def test_what_to_do_is_said(
        self, keycloak: KeycloakServer, kind: Kind, options: dict[str, Any], advice: str
    ) -> None:
        assert refusal(keycloak, kind, **options).advice == advice

    def test_a_client_that_may_not_take_passwords(self, keycloak: KeycloakServer, admin: Admin, kind: Kind) -> None:
        with changed(admin, directAccessGrantsEnabled=False):
            advice = refusal(keycloak, kind).advice
        assert advice == "The client needs the setting “Direct access grants” in Keycloak."

    def test_a_client_without_an_account_of_its_own(self, keycloak: KeycloakServer, admin: Admin, kind: Kind) -> None:
        with changed(admin, serviceAccountsEnabled=False):
            advice = refusal(keycloak, kind, grant="client_credentials").advice
        assert advice == "The client needs the setting “Service accounts” in Keycloak; a user's password works without."

    def test_a_realm_that_wants_encryption(self, keycloak: KeycloakServer, another_realm: Admin) -> None:
        another_realm.send("PUT", "", {"sslRequired": "ALL"})
        refused = refusal(keycloak, "sync", path=TOKEN_PATH.replace("/master/", "/another/"))
        another_realm.send("PUT", "", {"sslRequired": "EXTERNAL"})
        assert refused.advice == "Begin the address with https://."

    def test_a_user_with_too_many_wrong_passwords(self, keycloak: KeycloakServer, admin: Admin, kind: Kind) -> None:
        admin.send("PUT", "", {"bruteForceProtected": True, "failureFactor": 2})
        try:
            for _ in range(3):
                refusal(keycloak, kind, password="wrong")
            refused = refusal(keycloak, kind)
        finally:
            admin.send("DELETE", "/attack-detection/brute-force/users")
            admin.send("PUT", "", {"bruteForceProtected": False})
        assert refused.advice == "Check the user's name and password."  # Keycloak does not say who is locked out
