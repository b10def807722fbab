"""Is a bad token refused by every operation, and does the token endpoint tell good credentials from bad ones?"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from wallaroo_ext.auth.token_endpoint import basic_header
from wallaroo_ext.conformance.guard.owned_resources import DOMAIN
from wallaroo_ext.conformance.resources.fixtures import PASSWORD
from wallaroo_ext.conformance.testing.bad_tokens import BadTokens, NoSuchTokenError, claims_of
from wallaroo_ext.conformance.testing.clocks import clock_of_rows, clock_of_things, clocks_of

if TYPE_CHECKING:
    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api
    from wallaroo_ext.conformance.testing.people import Person

KINDS = (
    "missing",  # in the first process, which takes its first token here
    *(
        pytest.param(kind, marks=pytest.mark.changes_nothing)
        for kind in (
            "empty",
            "malformed",
            "of another scheme",
            "without a signature",
            "signed with nothing",
            "changed",
            "foreign",
        )
    ),
    pytest.param("expired", marks=pytest.mark.last),  # by then the run's first token has expired
)

FORM = "application/x-www-form-urlencoded"
UNKNOWN = "conformance-unknown"
"""The name of a field that no form has: unknown fields are ignored."""

LONG_PASSWORD = 100
"""More characters than some ways to keep passwords look at: bcrypt knows the first 72 bytes."""

LATER_SECONDS = 2.1
"""How long after a token another one is asked for; tokens tell times in whole seconds."""

TRIED_WITH_ALL = {"list_features", "list_workspaces", "infer_pipeline", "create_workspace"}
"""The operations that are tried with every token that looks like a good one; the others take turns."""


@pytest.fixture(scope="session")
def bad_tokens(conformance_suite: Suite, api: Api) -> BadTokens:
    return BadTokens(conformance_suite, api)


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
    sent = [{} if header is None else {"Authorization": header}]
    if kind == "of another scheme":  # what gets a token is none
        sent.append({"Authorization": conformance_suite.authorization("request_token")})
    for headers in sent:
        answer = api.send(operation_id, auth=None, **good | {"headers": good.get("headers", {}) | headers})
        assert answer.status_code == 401, f"{answer.status_code} {answer.text[:300]}"
        challenge = answer.headers.get("WWW-Authenticate", "bearer")
        assert "bearer" in challenge.lower(), f"it asks for another scheme than that of its tokens: {challenge[:100]}"


@pytest.mark.changes_nothing(if_reading=True)
@pytest.mark.thorough("tokens for others")
def test_only_an_access_token_of_the_realm_is_accepted(
    operation_id: str, bad_tokens: BadTokens, conformance_suite: Suite, api: Api
) -> None:
    if not conformance_suite.rules.takes_token(operation_id):
        pytest.skip("It takes no token.")
    tokens = list(bad_tokens.forged().items())
    if operation_id not in TRIED_WITH_ALL:
        tokens = tokens[:1] + tokens[1 + list(conformance_suite.rules.operations).index(operation_id) % 2 :: 2]
    tokens += bad_tokens.for_other_uses().items()
    if not tokens:
        pytest.skip("The tokens of this instance are no JSON web tokens.")
    good = conformance_suite.cases.unused_request(operation_id)
    headers: dict[str, str] = good.get("headers", {})
    answered = dict[str, int]()
    for name, header in tokens:
        request: dict[str, Any] = good | {"headers": headers | {"Authorization": header}, "auth": None}
        answered[name] = api.send(operation_id, **request).status_code
    assert {name: status for name, status in answered.items() if status != 401} == {}
    api.control(operation_id, good)


@pytest.mark.separate
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

    def test_no_cache_may_keep_a_token(self, api: Api, conformance_suite: Suite) -> None:
        answer = self.token(api, conformance_suite, self.grant(conformance_suite))
        assert "no-store" in answer.headers.get("Cache-Control", ""), "a cache may keep the token (RFC 6749, 5.1)"

    def test_a_token_is_good_for_the_api(self, api: Api, conformance_suite: Suite) -> None:
        answer = self.token(api, conformance_suite, self.grant(conformance_suite))
        assert answer.status_code == 200
        token = answer.json()
        assert token["token_type"].lower() == "bearer"
        assert token["expires_in"] > 0
        assert is_accepted(api, token)

    def test_a_token_lives_as_long_as_it_says(self, api: Api, conformance_suite: Suite) -> None:
        answers = [self.token(api, conformance_suite, self.grant(conformance_suite))]
        if "refresh_token" in answers[0].json():
            form = {"grant_type": "refresh_token", "refresh_token": answers[0].json()["refresh_token"]}
            answers.append(self.token(api, conformance_suite, form))
        for answer in answers:
            claims = claims_of(answer.json()["access_token"])
            if not {"iat", "exp"} <= claims.keys():
                pytest.skip("The tokens of this instance do not say how long they live.")
            lifetime = claims["exp"] - claims["iat"]
            assert abs(answer.json()["expires_in"] - lifetime) <= 1, f"expires_in is not the {lifetime} s of the token"
            refresh = claims_of(answer.json().get("refresh_token", ""))
            if {"iat", "exp"} <= refresh.keys():
                renewable = refresh["exp"] - refresh["iat"]
                assert abs(answer.json()["refresh_expires_in"] - renewable) <= 1, f"it can be renewed for {renewable} s"
            assert answer.json().get("not-before-policy", 0) <= claims["iat"], "it is refused as one from before"
            others = [clock_of_rows(conformance_suite), clock_of_things(api)]
            assert clocks_of(answer).have([claims["iat"]], others), "it was issued at another time"
            assert claims.get("typ", "Bearer") == "Bearer"
        time.sleep(LATER_SECONDS)
        grants = [self.grant(conformance_suite)]
        if "refresh_token" in answers[-1].json():
            grants.append({"grant_type": "refresh_token", "refresh_token": answers[-1].json()["refresh_token"]})
        for grant in grants:
            later = claims_of(self.token(api, conformance_suite, grant).json()["access_token"])
            assert later["iat"] > claims_of(answers[-1].json()["access_token"])["iat"], "an older token is given again"

    def test_two_that_sign_in_at_a_time_get_a_token_each(self, api: Api, conformance_suite: Suite) -> None:
        def request(_: int) -> Any:
            return self.token(api, conformance_suite, self.grant(conformance_suite))

        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(request, range(4)))
        assert [answer.status_code for answer in answers] == [200] * len(answers)
        assert all(is_accepted(api, answer.json()) for answer in answers)
        assert len({answer.json()["access_token"] for answer in answers}) == len(answers)

    def test_the_scope_is_what_was_granted(self, api: Api, conformance_suite: Suite) -> None:
        grant = self.grant(conformance_suite)
        if grant["grant_type"] != "password":
            pytest.skip("The run has no user.")
        for asked in ("openid", "email openid", "openid profile"):
            token = self.token(api, conformance_suite, grant | {"scope": asked}).json()
            assert set(asked.split()) <= set(token.get("scope", asked).split())
            assert token.get("id_token"), f"the scope {asked} gives an id token"
        assert claims_of(token["id_token"]).get("sub") == claims_of(token["access_token"]).get("sub")
        assert {*claims_of(token["access_token"]).get("scope", token.get("scope", "")).split()} == {
            *token.get("scope", "").split()
        }, "the answer names other scopes than the token"

    def test_what_was_not_asked_for_is_not_granted(self, api: Api, conformance_suite: Suite) -> None:
        grant = self.grant(conformance_suite)
        for asked in ({}, {"scope": "profile"}):
            token = self.token(api, conformance_suite, grant | asked).json()
            assert not {"openid", "offline_access"} & set(token.get("scope", "").split())
            assert not token.get("id_token"), "an id token comes with the scope openid only"

    @pytest.mark.thorough("what a second person sees")
    def test_a_renewed_token_has_the_scope_and_the_session_of_the_first(self, stranger: Person) -> None:
        token = stranger.sign_in(scope="openid").json()
        if "refresh_token" not in token:
            pytest.skip("This grant gives no refresh token.")
        renewed = stranger.renew(token["refresh_token"]).json()
        assert set(renewed.get("scope", "").split()) == set(token.get("scope", "").split())
        assert bool(renewed.get("id_token")) is bool(token.get("id_token"))
        assert renewed.get("session_state") == token.get("session_state")
        other = stranger.sign_in().json()
        assert other.get("session_state") is None or other["session_state"] != token.get("session_state")

    def test_a_token_of_the_client_is_not_renewed(self, api: Api, conformance_suite: Suite) -> None:
        answer = self.token(api, conformance_suite, {"grant_type": "client_credentials"})
        if not answer.is_success:
            pytest.skip(f"This instance's client has no service account: {answer.status_code}.")
        token = answer.json()
        assert token.get("refresh_token") is None
        claims = claims_of(token["access_token"])
        assert abs(claims.get("exp", 0) - claims.get("iat", 0) - token["expires_in"]) <= 1 or not claims

    @pytest.mark.thorough("what a second person sees")
    def test_a_grant_is_complete(self, stranger: Person, api: Api, conformance_suite: Suite) -> None:
        whole = {"grant_type": "password", "username": stranger.email, "password": PASSWORD}
        incomplete = [
            *({field: value for field, value in whole.items() if field != name} for name in whole),
            whole | {"password": ""},
            {"grant_type": "refresh_token"},
        ]
        for form in incomplete:
            answer = self.token(api, conformance_suite, form)
            assert answer.status_code in {400, 401}, f"a token comes for {list(form)} alone"
        assert stranger.sign_in().status_code == 200

    @pytest.mark.thorough("what a second person sees")
    def test_only_a_refresh_token_renews_a_token(self, stranger: Person) -> None:
        token = stranger.sign_in(scope="openid").json()
        if "refresh_token" not in token:
            pytest.skip("This grant gives no refresh token.")
        head, _, signature = token["refresh_token"].rpartition(".")
        others = {name: token[name] for name in ("access_token", "id_token") if name in token}
        if claims_of(token["refresh_token"]):
            others |= {"one without its signature": f"{head}.", "one of another's": f"{head}.{signature[::-1]}"}
        answered = {name: stranger.renew(other) for name, other in others.items()}
        assert {name: answer.status_code for name, answer in answered.items()} == dict.fromkeys(others, 400)
        assert {answer.json()["error"] for answer in answered.values()} == {"invalid_grant"}
        assert stranger.renew(token["refresh_token"]).status_code == 200

    def test_a_token_is_renewed(self, api: Api, conformance_suite: Suite) -> None:
        token = self.token(api, conformance_suite, self.grant(conformance_suite)).json()
        if "refresh_token" not in token:
            pytest.skip("This grant gives no refresh token.")
        form = {"grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
        renewed = self.token(api, conformance_suite, form)
        assert renewed.status_code == 200
        assert "no-store" in renewed.headers.get("Cache-Control", ""), "a cache may keep the token (RFC 6749, 5.1)"
        assert renewed.json()["access_token"] != token["access_token"]
        assert renewed.json().get("token_type", "").lower() == "bearer"
        assert is_accepted(api, renewed.json())
        for name in ("sub", "preferred_username", "iss"):
            before, after = (claims_of(found["access_token"]).get(name) for found in (token, renewed.json()))
            assert before == after, f"{name} of the renewed token is that of another"

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

    @pytest.mark.thorough("what a second person sees")
    def test_a_password_is_compared_as_a_whole(self, stranger: Person) -> None:
        assert stranger.sign_in().status_code == 200
        wrong = (
            PASSWORD[:-1],
            f"{PASSWORD}x",
            f"{PASSWORD} ",
            f" {PASSWORD}",
            PASSWORD[:8] + "~" * 8,
            PASSWORD.swapcase(),
        )
        answered = {password: stranger.sign_in(password).status_code for password in wrong}
        assert set(answered.values()) <= {400, 401}, f"passwords like the right one are taken for it: {answered}"
        assert stranger.sign_in().status_code == 200

    @pytest.mark.touches("request_token", "invite_user", "query_users")
    @pytest.mark.thorough("what a second person sees")
    def test_a_password_may_have_any_character_and_be_long(self, api: Api, conformance_suite: Suite) -> None:
        password = f" {PASSWORD} %2B+&=%41 \u00fc\u20ac\U0001f511".ljust(LONG_PASSWORD, "x")
        invited = api.send("invite_user", {"email": f"{api.unused_name('u')}{DOMAIN}", "password": password})
        if not invited.is_success:
            pytest.skip("The instance takes no such password.")
        user_id = invited.json()["id"]
        username = api.call("query_users", {"user_ids": [user_id]})["users"][user_id]["username"]
        form = {"grant_type": "password", "username": username, "password": password}
        assert self.token(api, conformance_suite, form).status_code == 200
        written = "&".join(f"{name}={quote(value, safe='')}" for name, value in reversed(form.items()))
        headers = {"Authorization": conformance_suite.authorization("request_token"), "Content-Type": FORM}
        answer = api.send("request_token", content=f"{UNKNOWN}=1&{written}", headers=headers, auth=None)
        assert answer.status_code == 200, "another order, %20 for spaces or an unknown field is refused"
        almost = form | {"password": f"{password[:-1]}y"}
        assert self.token(api, conformance_suite, almost).status_code in {400, 401}, "the end of it is of no matter"

    def test_a_form_may_name_its_charset(self, api: Api, conformance_suite: Suite) -> None:
        charset = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8"}
        assert self.token(api, conformance_suite, self.grant(conformance_suite), **charset).status_code == 200

    @pytest.mark.thorough("what a second person sees")
    def test_who_signs_in_twice_has_two_sessions(self, stranger: Person) -> None:
        tokens = [stranger.sign_in().json() for _ in range(2)]
        for token in tokens:
            assert stranger.send("list_workspaces", {}, token=token["access_token"]).status_code == 200
            if "refresh_token" in token:
                assert stranger.renew(token["refresh_token"]).status_code == 200
        for token in tokens:
            answer = stranger.send("list_workspaces", {}, token=token["access_token"])
            assert answer.status_code == 200, "a token ends when it is renewed, and not when it says"

    @pytest.mark.thorough("what a second person sees")
    def test_two_people_that_sign_in_at_a_time_are_themselves(
        self, stranger: Person, api: Api, conformance_suite: Suite
    ) -> None:
        grants = (lambda: self.token(api, conformance_suite, self.grant(conformance_suite)), stranger.sign_in)
        alone = [claims_of(grant().json()["access_token"]).get("sub") for grant in grants]
        assert alone[0] != alone[1] or alone[0] is None
        with ThreadPoolExecutor(len(grants) * 2) as pool:
            asked = [pool.submit(grant) for grant in grants * 3]
        found = [claims_of(each.result().json()["access_token"]).get("sub") for each in asked]
        assert found == alone * 3, "one is given the token of the other"

    @pytest.mark.thorough("what a second person sees")
    def test_a_token_is_renewed_for_whom_it_was_given_to(
        self, stranger: Person, api: Api, conformance_suite: Suite
    ) -> None:
        others = stranger.sign_in().json()
        own = self.token(api, conformance_suite, self.grant(conformance_suite)).json()
        for token in (others, own):
            if "refresh_token" not in token or "sub" not in claims_of(token["access_token"]):
                continue  # as of a grant without a user
            before, newest = claims_of(token["access_token"])["sub"], token
            for _ in range(3):  # one after the other
                renewed = stranger.renew(newest["refresh_token"])
                assert renewed.status_code == 200, f"a renewed token is not renewed again: {renewed.text[:200]}"
                newest = renewed.json()
                after = claims_of(newest["access_token"])["sub"]
                assert after == before, "the token of one user was renewed, and that of another came"
                assert newest.get("refresh_token"), "a renewed token comes without one to renew it with"
                assert set(newest.get("scope", "").split()) == set(token.get("scope", "").split())
        assert claims_of(others["access_token"]).get("sub") in {stranger.id, None}, "it is another user's"

    @pytest.mark.thorough("what a second person sees")
    def test_a_refresh_token_that_does_not_expire_is_renewed_by_one(self, stranger: Person) -> None:
        answer = stranger.sign_in(scope="offline_access")
        if not answer.is_success or answer.json().get("refresh_expires_in") != 0:
            pytest.skip("The person gets no such token.")
        renewed = stranger.renew(answer.json()["refresh_token"])
        assert renewed.status_code == 200
        assert renewed.json().get("refresh_expires_in") == 0
        both = stranger.sign_in(scope="offline_access openid")
        assert both.status_code == 200
        assert both.json().get("refresh_expires_in") == 0
        for each in (both, stranger.renew(both.json()["refresh_token"])):
            assert each.json().get("id_token"), "an id token comes with the scope openid, whatever is beside it"

    @pytest.mark.thorough("what a second person sees")
    def test_a_client_that_there_is_not_renews_no_token(
        self, stranger: Person, api: Api, conformance_suite: Suite
    ) -> None:
        refresh = stranger.sign_in().json().get("refresh_token")
        if refresh is None:
            pytest.skip("This grant gives no refresh token.")
        form = {"grant_type": "refresh_token", "refresh_token": refresh}
        for wrong in ("Basic d3Jvbmc6d3Jvbmc=", *self.with_wrong_secrets(conformance_suite)[:1]):
            assert self.token(api, conformance_suite, form, Authorization=wrong).status_code in {400, 401}
        assert stranger.renew(refresh).status_code == 200

    @pytest.mark.thorough("what a second person sees")
    def test_the_client_may_be_in_the_form(self, stranger: Person, api: Api, conformance_suite: Suite) -> None:
        settings = conformance_suite.instance.settings
        client = {"client_id": settings.client_id, "client_secret": settings.client_secret or ""}
        client = {name: value for name, value in client.items() if value}
        form = {"grant_type": "password", "username": stranger.email, "password": PASSWORD}
        given = api.send("request_token", data=form | client, auth=None)
        assert given.status_code == 200
        if settings.client_secret:
            wrong = {"client_secret": f"{settings.client_secret}x"}
            assert api.send("request_token", data=form | client | wrong, auth=None).status_code in {400, 401}
        if "refresh_token" not in given.json():
            pytest.skip("This grant gives no refresh token.")
        form = {"grant_type": "refresh_token", "refresh_token": given.json()["refresh_token"]}
        assert api.send("request_token", data=form | client, auth=None).status_code == 200

    @pytest.mark.touches("request_token", "invite_user", "query_users")
    @pytest.mark.thorough("what a second person sees")
    def test_a_password_that_the_instance_makes_is_the_users(self, api: Api, conformance_suite: Suite) -> None:
        invited = api.call("invite_user", {"email": f"{api.unused_name('u')}{DOMAIN}"})
        if not invited.get("password"):
            pytest.skip("The instance tells no password.")
        username = api.call("query_users", {"user_ids": [invited["id"]]})["users"][invited["id"]]["username"]
        form = {"grant_type": "password", "username": username}
        right, wrong = (
            self.token(api, conformance_suite, form | {"password": password})
            for password in (invited["password"], f"{invited['password']}x")
        )
        outcomes = [(answer.status_code, answer.json().get("error_description")) for answer in (right, wrong)]
        # It may have to be changed before it gives a token.
        assert outcomes[0] != outcomes[1], "it is as good as a wrong one"
        other = api.call("invite_user", {"email": f"{api.unused_name('u')}{DOMAIN}"})
        assert other.get("password") != invited["password"], "two users have one password"

    def test_a_scope_that_there_is_not_is_refused_beside_one_that_there_is(
        self, api: Api, conformance_suite: Suite
    ) -> None:
        form = self.grant(conformance_suite) | {"scope": "openid conformance-nonsense"}
        answer = self.token(api, conformance_suite, form)
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_scope"

    def test_a_client_with_a_secret_has_to_give_it(self, api: Api, conformance_suite: Suite) -> None:
        settings = conformance_suite.instance.settings
        if not settings.client_secret:
            pytest.skip("The run's client has no secret.")
        form = self.grant(conformance_suite) | {"client_id": settings.client_id}
        answer = api.send("request_token", data=form, auth=None)
        assert answer.status_code in {400, 401}
        assert answer.json()["error"] in {"invalid_client", "unauthorized_client"}

    def test_a_wrong_secret_gets_none(self, api: Api, conformance_suite: Suite) -> None:
        answer = self.token(
            api, conformance_suite, self.grant(conformance_suite), Authorization="Basic d3Jvbmc6d3Jvbmc="
        )
        assert answer.status_code == 401
        assert answer.json()["error"] in {"invalid_client", "unauthorized_client"}

    def test_the_secret_is_compared_as_a_whole(self, api: Api, conformance_suite: Suite) -> None:
        if not conformance_suite.instance.settings.client_secret:
            pytest.skip("The run's client has no secret.")
        for grant in (self.grant(conformance_suite), {"grant_type": "client_credentials"}):
            for wrong in self.with_wrong_secrets(conformance_suite):
                answer = self.token(api, conformance_suite, grant, Authorization=wrong)
                assert answer.status_code in {400, 401}, f"{grant['grant_type']} gives a token for a wrong secret"
                assert answer.json()["error"] in {"invalid_client", "unauthorized_client"}

    @staticmethod
    def with_wrong_secrets(suite: Suite) -> list[str]:
        """Return headers with the run's client and secrets that are not its; none where it has no secret."""
        settings = suite.instance.settings
        secret = settings.client_secret or ""
        wrong = (f"{secret}x", secret[:-1], secret.swapcase(), "wrong")
        return [basic_header(settings.client_id, each) for each in wrong if secret and each != secret]


def is_accepted(api: Api, token: dict[str, Any]) -> bool:
    """Return whether the access token of an answer is good for the API."""
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    return api.send("list_features", {}, headers=headers, auth=None).status_code == 200


def test_a_token_without_a_user_infers_and_does_nothing_else(
    operation_id: str,
    api: Api,
    conformance_suite: Suite,
    fixtures: Fixtures,  # noqa: ARG001 - requests need them
) -> None:
    if not conformance_suite.rules.takes_token(operation_id):
        pytest.skip("It takes no token.")
    good = conformance_suite.cases.unused_request(operation_id)
    own = token_of_the_client(api, conformance_suite)
    answer = api.send(operation_id, auth=None, **good | {"headers": good.get("headers", {}) | own})
    expected = 200 if operation_id.startswith("infer_") else 401
    assert answer.status_code == expected, f"{answer.status_code} {answer.text[:300]}"
    if expected == 401:
        api.control(operation_id, good)


def token_of_the_client(api: Api, suite: Suite) -> dict[str, str]:
    """Return the header with a token that is nobody's; skip where the client gets none."""
    headers = {"Authorization": suite.authorization("request_token")}
    answer = api.send("request_token", data={"grant_type": "client_credentials"}, headers=headers, auth=None)
    if answer.status_code != 200:
        pytest.skip(f"This instance's client has no service account: {answer.status_code}.")
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}
