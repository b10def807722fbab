"""Do clients survive a restart of Keycloak, and a change of its keys?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx
import jwt
import pytest

from contract_tests.support.real_keycloak import (
    MovedClock,
    auth,
    claims,
    client_attributes,
    listing,
    rotation,
    token_requests,
)
from contract_tests.support.servers.callers import with_token
from wallaroo_ext import ConnectionFailedError, RetryPolicy, contract

if TYPE_CHECKING:
    from scripts.lib.keycloak.realm import Admin
    from scripts.lib.keycloak.server import KeycloakServer

pytestmark = pytest.mark.slow

ONCE = RetryPolicy(attempts=1)


def test_clients_go_on_while_it_is_down_and_in_their_sessions_when_it_is_back(
    keycloak: KeycloakServer, trusting: dict[str, str], admin: Admin
) -> None:
    clock = MovedClock()
    offline = auth(keycloak, grant="offline_access").token()
    with (
        rotation(admin),
        client_attributes(admin, access_token_lifespan="60"),
        listing("sync", trusting, clock=clock, retries=ONCE) as first,
        listing("async", trusting, clock=clock, retries=ONCE) as second,
    ):
        both = (first, second)
        assert [len(listed()) for listed in both] == [1, 1]
        keycloak.stop()
        try:
            assert [len(listed()) for listed in both] == [1, 1], "a good token needs no Keycloak"
            clock.ahead = 55
            assert [len(listed()) for listed in both] == [1, 1], "one that is to be renewed is still good"
            clock.ahead = 61
            for listed in both:
                with pytest.raises(ConnectionFailedError):
                    listed()
        finally:
            keycloak.start()
        assert [len(listed()) for listed in both] == [1, 1]
        again = auth(keycloak, username=None, password=None, refresh_token=offline.refresh).token()
    assert claims(again.access)["sid"] == claims(offline.access)["sid"], "an offline session goes on, too"
    assert token_requests(admin) == ["LOGIN"] * 3 + ["REFRESH_TOKEN"] * 3


def status(trusting: dict[str, str], token: str) -> int:
    """Return the status of the sandbox's answer to a token."""
    with with_token(trusting, token) as http:
        return http.post(contract.operation("list_workspaces").path, json={}).status_code


def key_of(token: str) -> str:
    return jwt.get_unverified_header(token)["kid"]


def test_a_removed_key_ends_its_tokens_and_clients_recover(
    keycloak: KeycloakServer, trusting: dict[str, str], admin: Admin
) -> None:
    by_the_old_key = auth(keycloak).access_token()
    with listing("sync", trusting) as first, listing("async", trusting) as second:
        assert [len(listed()) for listed in (first, second)] == [1, 1]
        assert status(trusting, by_the_old_key) == 200
        made = admin.add_signing_key()
        by_the_new_key = auth(keycloak).access_token()
        assert key_of(by_the_new_key) != key_of(by_the_old_key)
        assert [status(trusting, token) for token in (by_the_new_key, by_the_old_key)] == [200, 200]
        admin.remove_signing_keys(but=[made])
        published = httpx.get(f"{keycloak.url}/auth/realms/master/protocol/openid-connect/certs").json()["keys"]
        assert key_of(by_the_old_key) not in [key["kid"] for key in published]
        admin.clear_events()
        # A sandbox asks for the keys once a minute, and when it meets a new one.
        another = admin.add_signing_key()
        assert status(trusting, auth(keycloak).access_token()) == 200
        assert status(trusting, by_the_old_key) == 401
        assert [len(listed()) for listed in (first, second)] == [1, 1]
    assert token_requests(admin) == ["LOGIN", "REFRESH_TOKEN", "REFRESH_TOKEN"]
    admin.remove_signing_keys(but=[another])
