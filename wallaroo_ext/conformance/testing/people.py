"""Makes a second person, who has nothing to do with the first, and sends requests as that person."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from wallaroo_ext.conformance.guard.owned_resources import DOMAIN
from wallaroo_ext.conformance.resources.fixtures import PASSWORD

if TYPE_CHECKING:
    import httpx

    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

NOT_THE_RUNS = "-of-another"
"""How the names of workspaces end that a second person makes, which the run's user is not a member of."""
_MARGIN_SECONDS = 1.5
"""How long before it expires a token is not used any more."""


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
        """
        return self._grant({"grant_type": "password", "username": self._username, "password": password} | more)

    def renew(self, refresh_token: str) -> httpx.Response:
        """Return the answer to a request for a token with a refresh token."""
        return self._grant({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def _grant(self, form: dict[str, str]) -> httpx.Response:
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
        more["headers"] = more.get("headers", {}) | headers
        return self._api.send(operation, body, auth=None, **more)

    def _authorization(self) -> str:
        if time.monotonic() > self._good_until:
            asked_at = time.monotonic()
            answer = self.sign_in()
            assert answer.status_code == 200, f"the second person gets no token: {answer.status_code}"  # noqa: S101, PLR2004 - pytest's way to fail
            found = answer.json()
            self._header = f"Bearer {found['access_token']}"
            took = time.monotonic() - asked_at  # a request may be on its way as long as this one was
            self._good_until = asked_at + found.get("expires_in", 0) - _MARGIN_SECONDS - took
        return self._header
