"""Is a bad token refused by every operation, and does the token endpoint tell good credentials from bad ones?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wallaroo_ext.conformance.testing.bad_tokens import BadTokens, NoSuchTokenError

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

KINDS = (
    "missing",
    "empty",
    "malformed",
    "of another scheme",
    "without a signature",
    "signed with nothing",
    "changed",
    "foreign",
    pytest.param("expired", marks=pytest.mark.last),  # by then the run's first token has expired
)


@pytest.fixture(scope="session")
def bad_tokens(conformance_suite: Suite) -> BadTokens:
    return BadTokens(conformance_suite)


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_token_is_refused(
    kind: str, operation_id: str, bad_tokens: BadTokens, conformance_suite: Suite, api: Api
) -> None:
    if not conformance_suite.rules.takes_token(operation_id):
        pytest.skip("It takes no token.")
    try:
        header = bad_tokens.header(kind)
    except NoSuchTokenError as error:
        pytest.skip(str(error))
    good = conformance_suite.cases.good_request(operation_id)
    headers = {} if header is None else {"Authorization": header}
    answer = api.send(operation_id, auth=None, **good | {"headers": good.get("headers", {}) | headers})
    assert answer.status_code == 401, f"{answer.status_code} {answer.text[:300]}"


class TestTokens:
    """The token endpoint."""

    pytestmark = pytest.mark.touches("request_token")

    def token(self, api: Api, suite: Suite, form: dict[str, str], **headers: str) -> Any:
        wanted = {"Authorization": suite.authorization("request_token")} | headers
        return api.send("request_token", data=form, headers=wanted, auth=None)

    def grant(self, suite: Suite) -> dict[str, str]:
        """Return the run's own grant."""
        settings = suite.instance.settings
        if settings.username is None:
            return {"grant_type": "client_credentials"}
        return {"grant_type": "password", "username": settings.username, "password": settings.password or ""}

    def test_a_token_is_good_for_the_api(self, api: Api, conformance_suite: Suite) -> None:
        answer = self.token(api, conformance_suite, self.grant(conformance_suite))
        assert answer.status_code == 200
        token = answer.json()
        assert token["token_type"].lower() == "bearer"
        assert token["expires_in"] > 0
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        assert api.send("list_features", {}, headers=headers, auth=None).status_code == 200

    def test_a_token_is_renewed(self, api: Api, conformance_suite: Suite) -> None:
        token = self.token(api, conformance_suite, self.grant(conformance_suite)).json()
        if "refresh_token" not in token:
            pytest.skip("This grant gives no refresh token.")
        form = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
        renewed = self.token(api, conformance_suite, form)
        assert renewed.status_code == 200
        assert renewed.json()["access_token"] != token["access_token"]

    @pytest.mark.parametrize(
        ("changes", "statuses", "error"),
        [
            ({"password": "wrong"}, {400, 401}, "invalid_grant"),
            ({"username": "nobody@example.com"}, {400, 401}, "invalid_grant"),
            ({"grant_type": "nonsense"}, {400}, "unsupported_grant_type"),
            ({"grant_type": "refresh_token", "refresh_token": "nonsense"}, {400}, "invalid_grant"),
        ],
        ids=["password", "user", "grant", "refresh token"],
    )
    def test_bad_credentials_get_none(
        self, changes: dict[str, str], statuses: set[int], error: str, api: Api, conformance_suite: Suite
    ) -> None:
        form = {"grant_type": "password", "username": "nobody@example.com", "password": "wrong"}
        answer = self.token(api, conformance_suite, form | changes)
        assert answer.status_code in statuses
        assert answer.json()["error"] == error

    def test_a_wrong_secret_gets_none(self, api: Api, conformance_suite: Suite) -> None:
        answer = self.token(
            api, conformance_suite, self.grant(conformance_suite), Authorization="Basic d3Jvbmc6d3Jvbmc="
        )
        assert answer.status_code == 401
        assert answer.json()["error"] in {"invalid_client", "unauthorized_client"}


@pytest.mark.touches("request_token", "infer_pipeline", "list_workspaces")
def test_a_token_without_a_user_infers_and_does_nothing_else(
    api: Api, conformance_suite: Suite, fixtures: Fixtures
) -> None:
    headers = {"Authorization": conformance_suite.authorization("request_token")}
    form = {"grant_type": "client_credentials"}
    answer = api.send("request_token", data=form, headers=headers, auth=None)
    if answer.status_code != 200:
        pytest.skip(f"This instance's client has no service account: {answer.status_code}.")
    own = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert api.send("list_workspaces", {}, headers=own, auth=None).status_code == 401
    good = conformance_suite.cases.good_request("infer_pipeline")
    answer = api.send("infer_pipeline", auth=None, **good | {"headers": good["headers"] | own})
    assert answer.status_code == 200, answer.text[:300]
    assert fixtures.deployment is not None
