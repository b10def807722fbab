"""Does Keycloak's administration of users answer what the vendor's SDK asks, to whom may ask it?"""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from contract_tests.support.servers.callers import UNKNOWN, invited, post, sign_in, sign_in_as, with_token
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext.sandbox.paths import CONFIGURATION

USERS = "/auth/admin/realms/master/users"


def found(http: httpx.Client, **query: str) -> list[dict[str, Any]]:
    """Return the users that a query finds."""
    answer = http.get(USERS, params=query)
    assert answer.status_code == 200
    return answer.json()


def test_a_user_is_found_by_the_address_as_the_api_shows_it(http: httpx.Client, sandbox: dict[str, str]) -> None:
    with invited(sandbox, http) as (email, user_id, _):
        [user] = found(http, email=email)
        assert user == post(http, "query_users", {}).json()["users"][user_id]
        assert http.get(f"{USERS}/{user_id}").json() == user
        assert found(http, email=email.upper()) == found(http, email=email[:20]) == [user]
        assert found(http, email=email[:20], exact="true") == []
        assert found(http, username=email, exact="true") == [user]
        assert user in found(http)


def test_users_come_in_pages(http: httpx.Client, sandbox: dict[str, str]) -> None:
    with invited(sandbox, http), invited(sandbox, http):
        everybody = [user["username"] for user in found(http)]
        assert everybody == sorted(everybody)
        assert [user["username"] for user in found(http, first="1", max="1")] == everybody[1:2]
        assert http.get(USERS, params={"max": "-1"}).status_code == 400


def test_whoever_has_signed_in_may_let_others_sign_in_and_forbid_it(
    http: httpx.Client, sandbox: dict[str, str]
) -> None:
    with invited(sandbox, http) as (email, user_id, theirs), invited(sandbox, http) as (_, _, others):
        path = f"{USERS}/{user_id}"
        user = others.get(path).json()
        changed = others.put(path, json=user | {"enabled": False})
        assert (changed.status_code, changed.content) == (204, b"")
        assert theirs.get(path).status_code == 401
        assert sign_in_as(sandbox, email).status_code == 400
        assert not found(http, email=email)[0]["enabled"]
        assert others.put(path, json={"enabled": True}).status_code == 204
        assert theirs.get(path).json() == user


@pytest.mark.parametrize(
    "change", [{"email": "other@example.com"}, {"enabled": "yes"}, {"credentials": [{"value": "new"}]}, []]
)
def test_nothing_else_is_changed(http: httpx.Client, sandbox: dict[str, str], change: Any) -> None:
    with invited(sandbox, http) as (email, user_id, _):
        before = found(http, email=email)
        assert http.put(f"{USERS}/{user_id}", json=change).status_code == 400
        assert found(http, email=email) == before


def test_nobody_is_404(http: httpx.Client) -> None:
    for answer in (http.get(f"{USERS}/{UNKNOWN}"), http.put(f"{USERS}/{UNKNOWN}", json={"enabled": False})):
        assert (answer.status_code, answer.json()) == (404, {"error": "User not found"})


def test_without_a_user_s_token_it_is_401(http: httpx.Client, sandbox: dict[str, str]) -> None:
    client = sign_in(sandbox, grant_type="client_credentials").json()["access_token"]
    [own] = found(http, email=sandbox["WALLAROO_USER"])
    with with_token(sandbox, client) as without_user, with_token(sandbox, "no-token") as stranger:
        for other in (without_user, stranger):
            assert other.get(USERS).status_code == 401
            assert other.put(f"{USERS}/{own['id']}", json={"enabled": False}).status_code == 401


def test_the_configuration_is_read_before_signing_in_and_by_new_clients_only(sandbox: dict[str, str]) -> None:
    assert httpx.get(sandbox["WALLAROO_API_URL"] + CONFIGURATION).json() == {"default_arch": "x86"}
    with running(None, "--release", "2023.4") as older:
        assert httpx.get(older["WALLAROO_API_URL"] + CONFIGURATION).status_code == 404
