"""Fixtures: a real Keycloak for the run of the tests, its administrator, and a sandbox that trusts it."""

from __future__ import annotations

import os
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from contract_tests.support.real_keycloak import REQUIRED, Kind
from contract_tests.support.servers.forks.fork_server import running as running_sandbox
from scripts.lib.keycloak.archive import KeycloakUnavailableError
from scripts.lib.keycloak.realm import Admin, environment, read_realm
from scripts.lib.keycloak.server import KeycloakServer, running

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="session")
def keycloak() -> Generator[KeycloakServer]:
    """Yield a Keycloak with the realm of the tests."""
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running())
        except KeycloakUnavailableError as error:
            if os.environ.get(REQUIRED):
                pytest.fail(str(error))
            pytest.skip(str(error))
        with closing(Admin(server)) as admin:
            admin.set_up(read_realm())
        yield server


@pytest.fixture(scope="session")
def administrator(keycloak: KeycloakServer) -> Generator[Admin]:
    """Yield the administrator, for the whole run."""
    with closing(Admin(keycloak)) as admin:
        yield admin


@pytest.fixture
def admin(administrator: Admin) -> Admin:
    """Return the administrator, with all events cleared."""
    administrator.clear_events()
    return administrator


@pytest.fixture(scope="session")
def another_realm(keycloak: KeycloakServer) -> Generator[Admin]:
    """Yield the administrator of another realm, which has a client and a user of the same names."""
    clients, users = read_realm()["clients"], read_realm()["users"]
    user = users[0] | {"firstName": "First", "lastName": "User"}  # required in other realms than `master`
    with closing(Admin(keycloak, "another")) as admin:
        admin.make_realm({"realm": "another", "enabled": True, "clients": clients[:1], "users": [user]})
        yield admin


@pytest.fixture(scope="session")
def trusting(keycloak: KeycloakServer) -> Generator[dict[str, str]]:
    """Yield the environment of a Keycloak user, for a sandbox that trusts it."""
    with running_sandbox(None, "--auth-url", keycloak.url) as sandbox:
        yield environment(keycloak, read_realm()) | sandbox


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Return the kind of client to use."""
    return request.param
