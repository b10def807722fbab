"""The requests that `tokens.py` sends to the token endpoints of the sandbox and of a real Keycloak.

A value in braces stands for a token that the same endpoint issued before: `{refresh_token}` for a new refresh token,
and so on.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CLIENT, SECRET = "api-client", "secret-of-the-api-client"
USER, PASSWORD = "user@example.com", "password-of-the-user"
BASIC = (CLIENT, SECRET)
FORM = "application/x-www-form-urlencoded"

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Question:
    """A request to a token endpoint.

    Attributes:
        name: The request in a few words, for the table.
        fields: The form's fields, in their order.
        basic: The client's id and secret for HTTP Basic; None to send none.
        headers: The further headers.
        method: The HTTP method.
        body: The body to send in place of the form; None to send the form.
        realm: The realm whose endpoint gets the request.
    """

    name: str
    fields: Fields = ()
    basic: tuple[str, str] | None = BASIC
    headers: dict[str, str] = field(default_factory=dict[str, str])
    method: str = "POST"
    body: str | None = None
    realm: str = "master"


def _grant(grant_type: str, **fields: str) -> Fields:
    return (("grant_type", grant_type), *fields.items())


def _password(**changes: str) -> Fields:
    return _grant("password", **{"username": USER, "password": PASSWORD} | changes)


def _refresh(token: str) -> Fields:
    return _grant("refresh_token", refresh_token=token)


_IN_THE_FORM: Fields = (("client_id", CLIENT), ("client_secret", SECRET))

QUESTIONS = (
    # Tokens.
    Question("a user's token", _password()),
    Question("with the client in the form", (*_password(), *_IN_THE_FORM), None),
    Question("with scope=openid", _password(scope="openid")),
    Question("with scope=offline_access", _password(scope="offline_access")),
    Question("with scopes that every token has", _password(scope="profile email")),
    Question("with the user's name in upper case", _password(username=USER.upper())),
    Question("with a scope that is there to be asked for", _password(scope="phone")),
    Question("with a scope that tokens do not show", _password(scope="roles")),
    Question("with fields that nobody knows", (*_password(), ("color", "red"))),
    Question("the client's own token", _grant("client_credentials")),
    Question("the client's own, with the client in the form", (*_grant("client_credentials"), *_IN_THE_FORM), None),
    Question("the client's own, with scope=openid", _grant("client_credentials", scope="openid")),
    Question("the client's own, with scope=offline_access", _grant("client_credentials", scope="offline_access")),
    Question("by a refresh token", _refresh("{refresh_token}")),
    Question("by an offline token", _refresh("{offline_token}")),
    # Refresh tokens that are refused.
    Question("by a refresh token that was used", _refresh("{used_refresh_token}")),
    Question("by the one that came for the used one", _refresh("{token_after_the_used}")),
    Question("by a refresh token that has expired", _refresh("{expired_refresh_token}")),
    Question("by an access token in place of a refresh token", _refresh("{access_token}")),
    Question("by a text that is no token", _refresh("nonsense")),
    Question("by an empty refresh token", _refresh("")),
    Question("without a refresh token", _grant("refresh_token")),
    Question("by a refresh token of a user who is disabled since", _refresh("{token_of_a_user_disabled_since}")),
    # Users who are refused.
    Question("a wrong password", _password(password="wrong")),
    Question("an unknown user", _password(username="nobody@example.com")),
    Question("a disabled user", _password(username="disabled@example.com", password="password-of-the-disabled-user")),
    Question("a disabled user with a wrong password", _password(username="disabled@example.com", password="wrong")),
    Question("a temporary password", _password(username="temporary@example.com", password="temporary-password")),
    Question("a wrong temporary password", _password(username="temporary@example.com", password="wrong")),
    Question("no user's name", _grant("password", password=PASSWORD)),
    Question("an empty user's name", _password(username="")),
    Question("no password", _grant("password", username=USER)),
    Question("an empty password", _password(password="")),
    # Clients that are refused.
    Question("no client", _password(), None),
    Question("an unknown client", _password(), ("nobody", SECRET)),
    Question("an unknown client in the form", (*_password(), ("client_id", "nobody")), None),
    Question("a wrong secret", _password(), (CLIENT, "wrong")),
    Question("a wrong secret for the client's own token", _grant("client_credentials"), (CLIENT, "wrong")),
    Question("an empty secret", _password(), (CLIENT, "")),
    Question("a client without its secret", (*_password(), ("client_id", CLIENT)), None),
    Question("HTTP Basic that cannot be read", _password(), None, {"Authorization": "Basic !"}),
    Question("HTTP Basic without a colon", _password(), None, {"Authorization": "Basic YXBpLWNsaWVudA=="}),
    Question("another scheme than HTTP Basic", _password(), None, {"Authorization": "Bearer {access_token}"}),
    Question("one client by HTTP Basic and another in the form", (*_password(), ("client_id", "nobody"))),
    Question(
        "a wrong secret by HTTP Basic and the right one in the form", (*_password(), *_IN_THE_FORM), (CLIENT, "wrong")
    ),
    # Grants and forms that are refused.
    Question("no grant", (("username", USER), ("password", PASSWORD))),
    Question("an empty grant", _grant("", username=USER, password=PASSWORD)),
    Question("an unknown grant", _grant("nonsense", username=USER, password=PASSWORD)),
    Question("an unknown grant of an unknown client", _grant("nonsense"), ("nobody", SECRET)),
    Question("the grant authorization_code without a code", _grant("authorization_code")),
    Question("a scope that there is not", _password(scope="nonsense")),
    Question("a scope that there is not, for the client's own token", _grant("client_credentials", scope="nonsense")),
    Question("a scope that there is not, beside one that there is", _password(scope="openid nonsense")),
    Question("a field twice", (*_password(), ("username", USER))),
    Question("no form at all"),
    Question(
        "JSON in place of a form", body='{"grant_type": "password"}', headers={"Content-Type": "application/json"}
    ),
    Question("a form without its content type", _password(), headers={"Content-Type": "text/plain"}),
    Question(
        "a form that is no UTF-8", body="grant_type=password&username=%FF&password=x", headers={"Content-Type": FORM}
    ),
    Question("a form that names its encoding", _password(), headers={"Content-Type": f"{FORM}; charset=UTF-8"}),
    Question("the form in the query", headers={"Content-Type": FORM}, method="GET"),
    Question("PUT in place of POST", _password(), method="PUT"),
    Question("a realm that there is not", _password(), realm="nowhere"),
    Question("what may be asked", method="OPTIONS"),
    Question("an answer as HTML", _password(), headers={"Accept": "text/html"}),
)
