"""Sets up a realm of Keycloak through its Admin API, from a file in the format of Keycloak's exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from scripts.lib.keycloak.server import ADMIN, RELATIVE_PATH
from wallaroo_ext import KeycloakAuth, contract

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scripts.lib.keycloak.server import KeycloakServer

REALM_FILE = Path(__file__).with_name("realm.json")
ADMIN_CLIENT = "admin-cli"
_TIMEOUT_SECONDS = 30.0
_KEYS = "org.keycloak.keys.KeyProvider"
_SIGNING = "rsa-generated"


def read_realm() -> dict[str, Any]:
    """Return the realm of the tests: its settings, its clients and its users."""
    return json.loads(REALM_FILE.read_text(encoding="utf-8"))


class Admin:
    """Keycloak's administrator. Refused requests raise `httpx.HTTPStatusError` with Keycloak's message.

    Args:
        server: The Keycloak.
        realm: The realm to administer.
    """

    def __init__(self, server: KeycloakServer, realm: str = "master") -> None:
        auth = KeycloakAuth(
            server.url + contract.operation("request_token").path,
            api_url=server.url,
            client_id=ADMIN_CLIENT,
            username=ADMIN,
            password=server.admin_password,
        )
        self._realms = f"{server.url}{RELATIVE_PATH}/admin/realms"
        self._http = httpx.Client(auth=auth, timeout=_TIMEOUT_SECONDS, trust_env=False)
        self._realm = realm

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def send(self, method: str, path: str, body: Any = None, **query: str) -> Any:
        """Send a request below the realm's path. Returns the answer; None if it is empty.

        Raises:
            httpx.HTTPStatusError: Keycloak refused it.
        """
        answer = self._http.request(method, f"{self._realms}/{self._realm}{path}", json=body, params=query)
        if answer.is_error:
            raise httpx.HTTPStatusError(
                f"{method} {path}: {answer.status_code} {answer.text}", request=answer.request, response=answer
            )
        return answer.json() if answer.content else None

    def set_up(self, realm: dict[str, Any]) -> None:
        """Give the realm the settings, clients and users of a file."""
        settings = {name: value for name, value in realm.items() if name not in {"clients", "users"}}
        self.send("PUT", "", settings)
        for client in realm["clients"]:
            self.send("POST", "/clients", client)
        for user in realm["users"]:
            self.send("POST", "/users", user)

    def make_realm(self, realm: dict[str, Any]) -> None:
        """Create this administrator's realm."""
        self._http.post(self._realms, json=realm).raise_for_status()

    def user_id(self, username: str) -> str:
        """Return a user's id."""
        [user] = self.send("GET", "/users", username=username, exact="true")
        return user["id"]

    def client(self, client_id: str) -> dict[str, Any]:
        """Return Keycloak's settings of a client."""
        [client] = self.send("GET", "/clients", clientId=client_id)
        return client

    def change_client(self, client_id: str, **changes: Any) -> None:
        """Change a client's settings; other attributes stay as they are."""
        client = self.client(client_id)
        attributes = client["attributes"] | changes.pop("attributes", {})
        self.send("PUT", f"/clients/{client['id']}", client | changes | {"attributes": attributes})

    def enable_user(self, username: str, *, enabled: bool) -> None:
        """Enable or disable a user."""
        user_id = self.user_id(username)
        self.send("PUT", f"/users/{user_id}", self.send("GET", f"/users/{user_id}") | {"enabled": enabled})

    def end_session(self, session: str) -> None:
        """End the session with an id."""
        self.send("DELETE", f"/sessions/{session}")

    def events(self, *, client: str) -> list[str]:
        """Return the types of a client's events since they were cleared, the oldest first."""
        newest_first = self.send("GET", "/events", client=client, max="1000")
        return [event["type"] for event in reversed(newest_first)]

    def clear_events(self) -> None:
        """Delete all events."""
        self.send("DELETE", "/events")

    def add_signing_key(self) -> str:
        """Add a key that signs tokens from now on. Returns its id."""
        keys = self._signing_keys()
        priority = 1 + max(int(key["config"]["priority"][0]) for key in keys)
        component = {
            "name": f"signing-{priority}",
            "providerId": _SIGNING,
            "providerType": _KEYS,
            "parentId": self.send("GET", "")["id"],
            "config": {"priority": [str(priority)], "algorithm": ["RS256"]},
        }
        self.send("POST", "/components", component)
        [made] = (key for key in self._signing_keys() if key["name"] == component["name"])
        return made["id"]

    def remove_signing_keys(self, *, but: Iterable[str]) -> None:
        """Remove the keys that sign tokens, but for some ids."""
        kept = set(but)
        for key in self._signing_keys():
            if key["id"] not in kept:
                self.send("DELETE", f"/components/{key['id']}")

    def _signing_keys(self) -> list[dict[str, Any]]:
        keys = self.send("GET", "/components", type=_KEYS)
        return [key for key in keys if key["providerId"] == _SIGNING]


def environment(server: KeycloakServer, realm: dict[str, Any]) -> dict[str, str]:
    """Return the environment variables of `wallaroo_ext.connect` for a realm's first client and first user."""
    client, user = realm["clients"][0], realm["users"][0]
    return {
        "WALLAROO_AUTH_URL": server.url,
        "WALLAROO_CLIENT_ID": client["clientId"],
        "WALLAROO_CLIENT_SECRET": client["secret"],
        "WALLAROO_USER": user["username"],
        "WALLAROO_PASSWORD": user["credentials"][0]["value"],
    }
