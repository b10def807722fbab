"""Are tokens of a real Keycloak renewed in time, once for all callers, and after their sessions have ended?"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import httpx
import pytest

from contract_tests.support.real_keycloak import (
    SECRET,
    TLS,
    USER,
    USER_INFO,
    Kind,
    MovedClock,
    auth,
    claims,
    client_attributes,
    listing,
    rotation,
    token_requests,
    user_info,
)
from wallaroo_ext import AuthenticationError

if TYPE_CHECKING:
    from pathlib import Path

    from scripts.lib.keycloak.realm import Admin
    from scripts.lib.keycloak.server import KeycloakServer

pytestmark = pytest.mark.slow

MANY = 64
LONG_AGO = 10_000.0
"""Seconds that a clock is ahead, so that every token has expired."""


class TestRotation:
    def test_each_refresh_token_is_used_once(self, keycloak: KeycloakServer, admin: Admin, kind: Kind) -> None:
        clock = MovedClock()
        who = auth(keycloak, clock=clock.now)
        with rotation(admin), client_attributes(admin, access_token_lifespan="60"):
            for _ in range(5):
                assert user_info(keycloak, who, kind) == 200
                clock.ahead += 61
        assert token_requests(admin) == ["LOGIN", *["REFRESH_TOKEN"] * 4]

    def test_a_refresh_token_that_somebody_else_has_used_leads_back_to_the_password(
        self, keycloak: KeycloakServer, admin: Admin, kind: Kind
    ) -> None:
        clock = MovedClock()
        with rotation(admin), client_attributes(admin, access_token_lifespan="60"):
            who = auth(keycloak, clock=clock.now)
            stolen = who.token().refresh
            assert auth(keycloak, username=None, password=None, refresh_token=stolen).access_token()
            clock.ahead = 59
            assert user_info(keycloak, who, kind) == 200
        assert token_requests(admin) == ["LOGIN", "REFRESH_TOKEN", "REFRESH_TOKEN_ERROR", "LOGIN"]


class TestLifetimes:
    def test_those_of_the_documents(self, keycloak: KeycloakServer) -> None:
        clock = MovedClock()
        clock.stop()
        token = auth(keycloak, clock=clock.now).token()
        # Keycloak reckons in whole seconds, and one may be over between the two that it looks at.
        assert token.expires_at - token.obtained_at == pytest.approx(3600, abs=1)
        assert token.refresh_until - token.obtained_at == pytest.approx(1800, abs=1)

    def test_a_refresh_token_that_dies_before_its_access_token_is_not_tried(
        self, keycloak: KeycloakServer, admin: Admin, kind: Kind
    ) -> None:
        clock = MovedClock()
        with client_attributes(admin, access_token_lifespan="60", client_session_idle_timeout="30"):
            who = auth(keycloak, clock=clock.now)
            assert user_info(keycloak, who, kind) == 200
            clock.ahead = 58
            assert user_info(keycloak, who, kind) == 200
        assert token_requests(admin) == ["LOGIN", "LOGIN"]

    def test_one_that_is_taken_for_good_when_it_has_died_leads_back_to_the_password(
        self, keycloak: KeycloakServer, admin: Admin
    ) -> None:
        clock = MovedClock()
        clock.stop()
        with client_attributes(admin, access_token_lifespan="60", client_session_idle_timeout="4"):
            who = auth(keycloak, clock=clock.now)
            statuses = [user_info(keycloak, who, "sync")]
            time.sleep(5.5)
            statuses.append(user_info(keycloak, who, "async"))
        assert statuses == [200, 200]
        assert token_requests(admin) == ["LOGIN", "REFRESH_TOKEN_ERROR", "LOGIN"]

    def test_tokens_of_3_seconds_are_renewed_before_any_is_refused(
        self, keycloak: KeycloakServer, admin: Admin, kind: Kind
    ) -> None:
        with client_attributes(admin, access_token_lifespan="3"):
            statuses = _ask_sync(keycloak, 7) if kind == "sync" else asyncio.run(_ask_async(keycloak, 7))
        assert set(statuses) == {200}
        assert len(statuses) > 50
        assert token_requests(admin) == ["LOGIN", "REFRESH_TOKEN", "REFRESH_TOKEN"]

    def test_tokens_of_60_seconds_are_renewed_6_seconds_before_their_end(
        self, keycloak: KeycloakServer, admin: Admin, kind: Kind
    ) -> None:
        clock = MovedClock()
        with client_attributes(admin, access_token_lifespan="60"):
            who = auth(keycloak, clock=clock.now)
            assert {user_info(keycloak, who, kind) for _ in range(10)} == {200}
            clock.ahead = 45
            assert user_info(keycloak, who, kind) == 200
            assert token_requests(admin) == ["LOGIN"]
            clock.ahead = 54.1
            assert user_info(keycloak, who, kind) == 200
        assert token_requests(admin) == ["LOGIN", "REFRESH_TOKEN"]


def _ask_sync(keycloak: KeycloakServer, seconds: float) -> list[int]:
    """Ask Keycloak again and again. Returns the statuses of all answers; a refused token would give a 401."""
    statuses: list[int] = []

    def note(response: httpx.Response) -> None:
        statuses.append(response.status_code)

    ends_at = time.monotonic() + seconds
    with httpx.Client(auth=auth(keycloak), event_hooks={"response": [note]}, timeout=30, verify=TLS) as http:
        while time.monotonic() < ends_at:
            http.get(keycloak.url + USER_INFO)
            time.sleep(0.02)
    return statuses


async def _ask_async(keycloak: KeycloakServer, seconds: float) -> list[int]:
    """Do the same in asyncio."""
    statuses: list[int] = []

    async def note(response: httpx.Response) -> None:
        statuses.append(response.status_code)

    ends_at = time.monotonic() + seconds
    async with httpx.AsyncClient(auth=auth(keycloak), event_hooks={"response": [note]}, timeout=30) as http:
        while time.monotonic() < ends_at:
            await http.get(keycloak.url + USER_INFO)
            await asyncio.sleep(0.02)
    return statuses


class TestEndedSessions:
    def test_one_that_the_server_ended_is_replaced_while_its_caller_sees_nothing(
        self, keycloak: KeycloakServer, admin: Admin, kind: Kind
    ) -> None:
        who = auth(keycloak)
        assert user_info(keycloak, who, kind) == 200
        first = claims(who.access_token())["sid"]
        admin.end_session(first)
        assert user_info(keycloak, who, kind) == 200
        assert claims(who.access_token())["sid"] != first
        assert token_requests(admin) == ["LOGIN", "REFRESH_TOKEN_ERROR", "LOGIN"]

    def test_without_a_password_to_go_back_to_it_is_an_error(
        self, keycloak: KeycloakServer, admin: Admin, kind: Kind
    ) -> None:
        given = auth(keycloak).token().refresh
        who = auth(keycloak, username=None, password=None, refresh_token=given)
        admin.end_session(claims(who.access_token())["sid"])
        with pytest.raises(AuthenticationError, match="sign in again"):
            user_info(keycloak, who, kind)

    def test_a_user_who_is_disabled_meanwhile_is_refused(
        self, keycloak: KeycloakServer, admin: Admin, kind: Kind
    ) -> None:
        who = auth(keycloak)
        assert user_info(keycloak, who, kind) == 200
        admin.enable_user(USER, enabled=False)
        try:
            with pytest.raises(AuthenticationError, match="An administrator has to enable the user"):
                user_info(keycloak, who, kind)
        finally:
            admin.enable_user(USER, enabled=True)
        assert user_info(keycloak, who, kind) == 200


class TestManyAtOnce:
    @pytest.mark.parametrize(("ahead", "renewal"), [(61, "REFRESH_TOKEN"), (LONG_AGO, "LOGIN")])
    def test_64_threads_on_an_expired_token_make_one_request(
        self, trusting: dict[str, str], admin: Admin, ahead: float, renewal: str
    ) -> None:
        clock = MovedClock()
        with (
            rotation(admin),
            client_attributes(admin, access_token_lifespan="60"),
            listing("sync", trusting, clock=clock) as listed,
        ):
            listed()
            clock.ahead = ahead
            together = threading.Barrier(MANY)

            def ask(_: int) -> int:
                together.wait()
                return len(listed())

            with ThreadPoolExecutor(MANY) as threads:
                assert set(threads.map(ask, range(MANY))) == {1}
        assert token_requests(admin) == ["LOGIN", renewal]

    def test_64_tasks_on_an_expired_token_make_one_request(self, keycloak: KeycloakServer, admin: Admin) -> None:
        clock = MovedClock()

        async def ask_all() -> list[int]:
            async with httpx.AsyncClient(auth=who, timeout=60) as http:
                answers = await asyncio.gather(*(http.get(keycloak.url + USER_INFO) for _ in range(MANY)))
            return [answer.status_code for answer in answers]

        with rotation(admin), client_attributes(admin, access_token_lifespan="60"):
            who = auth(keycloak, clock=clock.now)
            who.access_token()
            clock.ahead = 61
            assert asyncio.run(ask_all()) == [200] * MANY
        assert token_requests(admin) == ["LOGIN", "REFRESH_TOKEN"]


PROGRAM = """
import asyncio, sys, time
wrong, right, cache, kind = float(sys.argv[1]), time.time, sys.argv[2], sys.argv[3]
time.time = lambda: right() + wrong
time.time_ns = lambda: int(time.time() * 1e9)
from wallaroo_ext import aio, call, connect
from wallaroo_mlops_client.api.workspaces import list_workspaces
from wallaroo_mlops_client.models import ListWorkspacesRequest
def sync():
    with connect(cache=cache) as client:
        return [call(list_workspaces, client=client, body=ListWorkspacesRequest()) for _ in range(3)]
async def in_asyncio():
    async with connect(cache=cache) as client:
        return [await aio.call(list_workspaces, client=client, body=ListWorkspacesRequest()) for _ in range(3)]
answers = sync() if kind == "sync" else asyncio.run(in_asyncio())
print([len(answer.workspaces) for answer in answers])
"""


@pytest.mark.parametrize("wrong_by", [-3600, 3600])
def test_a_clock_that_is_an_hour_wrong_changes_nothing(
    trusting: dict[str, str], admin: Admin, tmp_path: Path, wrong_by: int, kind: Kind
) -> None:
    command = [sys.executable, "-c", PROGRAM, str(wrong_by), str(tmp_path / "cache"), kind]
    for _ in range(2):  # the second one finds the first one's token
        done = subprocess.run(command, env=trusting, capture_output=True, text=True, check=False, timeout=60)
        assert (done.stdout, done.stderr) == ("[1, 1, 1]\n", "")
        assert SECRET not in done.stdout
    assert token_requests(admin) == ["LOGIN"]
