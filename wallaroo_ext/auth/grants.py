"""OAuth grants, by which a first token is obtained, as forms for the token endpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from wallaroo_ext.errors import ConfigurationError

GrantName = Literal["password", "offline_access", "client_credentials", "refresh_token"]
OFFLINE = "offline_access"


@dataclass(frozen=True, slots=True)
class Form:
    """A form for the token endpoint. Its repr names the grant only.

    Attributes:
        grant_type: OAuth's name of the grant.
        fields: The other fields.
    """

    grant_type: str
    fields: dict[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def renews(self) -> bool:
        """Whether it uses a refresh token."""
        return self.grant_type == "refresh_token"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of a client and a user. Secrets are left out of the repr."""

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)

    def default_grant(self) -> GrantName:
        """Return the grant that fits: the user's if there is a user, else the refresh token's, else the client's."""
        if self.username is not None:
            return "password"
        return "refresh_token" if self.refresh_token is not None else "client_credentials"

    def check(self, grant: str) -> None:
        """Raise ConfigurationError if something is missing for a grant."""
        if grant not in get_args(GrantName):
            raise ConfigurationError(f"{grant!r} is no grant. Use one of {', '.join(get_args(GrantName))}.")
        if not self.client_id:
            raise ConfigurationError("There is no client_id. Instances come with the client api-client.")
        if grant in {"password", "offline_access"} and (not self.username or self.password is None):
            raise ConfigurationError(f"The grant {grant} needs a username and a password.")
        if grant == "client_credentials" and self.client_secret is None:
            raise ConfigurationError("The grant client_credentials needs a client_secret.")
        if grant == "refresh_token" and not self.refresh_token:
            raise ConfigurationError("The grant refresh_token needs a refresh_token.")

    def forms(self, grant: GrantName, scope: str | None) -> list[Form]:
        """Return the forms to try for a first token, in this order: a given refresh token, then the grant."""
        forms = [] if self.refresh_token is None else [refresh_form(self.refresh_token)]
        if grant == "client_credentials":
            forms.append(Form(grant, _scope(scope)))
        elif grant != "refresh_token":
            user = {"username": self.username or "", "password": self.password or ""}
            asked = scope if grant == "password" else _with_offline(scope)
            forms.append(Form("password", user | _scope(asked)))
        return forms


def refresh_form(refresh_token: str) -> Form:
    """Return the form that renews a token."""
    return Form("refresh_token", {"refresh_token": refresh_token})


def _with_offline(scope: str | None) -> str:
    scopes = (scope or "").split()
    return " ".join(scopes if OFFLINE in scopes else [*scopes, OFFLINE])


def _scope(scope: str | None) -> dict[str, str]:
    return {"scope": scope} if scope else {}
