"""Makes a second person, who has nothing to do with the first but as a member, and sends requests as that person."""

from __future__ import annotations

import re
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from wallaroo_ext.conformance.guard.gateways import MOST_RUNS, NoAnswerError
from wallaroo_ext.conformance.guard.interceptor import SIGNER
from wallaroo_ext.conformance.guard.owned_resources import DOMAIN
from wallaroo_ext.conformance.guard.write_guard import WithheldError
from wallaroo_ext.conformance.resources.fixtures import PASSWORD
from wallaroo_ext.conformance.testing.answer_forms import is_empty
from wallaroo_ext.conformance.testing.api_calls import UPLOADS

if TYPE_CHECKING:
    from collections.abc import Generator

    import httpx

    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

NOT_THE_RUNS = "-of-another"
"""How the names of workspaces end that a second person makes, which the run's user is not a member of."""
REFUSED = {400, 401, 403, 404, 500}
"""The statuses for somebody who is no member; 500 is what uploads to an unknown workspace were answered with."""
NOT_THERE = {400, 404}
"""Those of them that say nothing of whether there is a workspace: it is answered as if it were not there."""
_USED_SHARE = 0.5
"""The part of its life in which a token is used: a busy machine takes its time to send a request."""


class Person:
    """Somebody whom the run invited, and who is a member of no workspace of the run.

    Args:
        api: The operations, called by the run's own user.
        suite: The run.
        email: The person's e-mail address, at the suite's domain; one that is not taken yet by default.

    Attributes:
        email: The person's e-mail address.
        id: The person's Keycloak id.
    """

    def __init__(self, api: Api, suite: Suite, email: str = "") -> None:
        self._api = api
        self._suite = suite
        self.email = email or f"{api.unused_name('u')}{DOMAIN}"
        self.id: str = api.call("invite_user", {"email": self.email, "password": PASSWORD})["id"]
        self._username = api.call("query_users", {"user_ids": [self.id]})["users"][self.id]["username"]
        self._header = ""
        self._good_until = 0.0

    def sign_in(self, password: str = PASSWORD, **more: str) -> httpx.Response:
        """Return the answer to a request for a token with a password.

        Args:
            password: The password; the person's own one by default.
            **more: Further fields of the form.

        Raises:
            WithheldError: The run has nothing to ask for tokens with.
        """
        return self._grant({"grant_type": "password", "username": self._username, "password": password} | more)

    def renew(self, refresh_token: str) -> httpx.Response:
        """Return the answer to a request for a token with a refresh token, as `sign_in` does with a password."""
        return self._grant({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def _grant(self, form: dict[str, str]) -> httpx.Response:
        reason = self._suite.skip_reason("request_token")
        if reason:
            raise WithheldError(reason)
        headers = {"Authorization": self._suite.authorization("request_token")}
        return self._api.send("request_token", data=form, headers=headers, auth=None)

    def send(self, operation: str, body: Any = None, *, token: str = "", **more: Any) -> httpx.Response:
        """Send a request as this person, and return the answer.

        Args:
            operation: The contract's `operationId`.
            body: The JSON of its body; None where `more` has another body.
            token: The token to send; a good one by default.
            **more: Further arguments of `Api.send`.
        """
        headers = {"Authorization": f"Bearer {token}" if token else self._authorization()}
        if not token:
            more["extensions"] = {SIGNER: self._authorization}
        more["headers"] = more.get("headers", {}) | headers
        return self._api.send(operation, body, auth=None, **more)

    def _authorization(self) -> str:
        if time.monotonic() > self._good_until:
            asked_at = time.monotonic()
            answer = self.sign_in()
            assert answer.status_code == 200, f"the second person gets no token: {answer.status_code}"  # noqa: S101, PLR2004 - pytest's way to fail
            found = answer.json()
            self._header = f"Bearer {found['access_token']}"
            self._good_until = asked_at + found.get("expires_in", 0) * _USED_SHARE
        return self._header


@contextmanager
def membership(api: Api, member: dict[str, Any], role: str = "COLLABORATOR") -> Generator[None]:
    """Let somebody be a member of a workspace within a block, also where an answer is lost."""
    try:
        api.call("add_workspace_user", member | {"user_type": role})
        yield
    finally:
        end_membership(api, member)


def end_membership(api: Api, member: dict[str, Any]) -> None:
    """Remove a member, and once more where no answer came: who stays one is no stranger to the next test."""
    for _ in range(MOST_RUNS):
        with suppress(NoAnswerError):
            api.call("remove_workspace_user", member)
            return


def roles(api: Api, workspace_id: int) -> dict[str, str]:
    """Return the roles of the members of a workspace, by their ids."""
    users = api.call("list_workspace_users", {"workspace_id": workspace_id})["users"]
    return {user["user_id"]: user["user_type"] for user in users}


def workspaces_of(person: Person) -> set[int]:
    """Return the ids of the workspaces that a person sees."""
    return {each["id"] for each in person.send("list_workspaces", {}).json()["workspaces"]}


def rows_of(api: Api, workspace_ids: set[int]) -> list[dict[str, Any]]:
    """Return how the list of all workspaces shows some of them."""
    return [each for each in api.call("list_workspaces", {})["workspaces"] if each["id"] in workspace_ids]


def is_refused_to_strangers(suite: Suite, operation: str, answer: httpx.Response) -> None:
    """Check that an answer to a stranger is a refusal as of what is not there, or has nothing."""
    shown = f"{answer.status_code} {answer.text[:300]}"
    if answer.is_success:
        assert not suite.guard.effects[operation].writes, f"a stranger wrote: {shown}"  # noqa: S101 - pytest's way to fail
        assert is_empty(answer), f"a stranger sees: {shown}"  # noqa: S101 - pytest's way to fail
        return
    assert answer.status_code in (NOT_THERE | {500} if operation in UPLOADS else NOT_THERE), shown  # noqa: S101 - pytest's way to fail
    sent = f"{answer.request.url} {answer.request.read().decode(errors='replace')}"
    names = {name for name in re.findall(rf"{re.escape(suite.owned.prefix)}-[\w-]*\w", answer.text) if name not in sent}
    assert not names, f"a refusal tells a stranger of {names}: {shown}"  # noqa: S101 - pytest's way to fail
