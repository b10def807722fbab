"""The checks of `wallaroo-ext doctor`, one function each."""

from __future__ import annotations

import base64
import json
import platform
import socket
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal

import httpx

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext._util.quantities import format_count
from wallaroo_ext._util.urls import display_address
from wallaroo_ext.errors import AuthenticationError, ConfigurationError, PermissionDeniedError, WallarooError
from wallaroo_ext.redaction.patterns import redact_beginning
from wallaroo_ext.settings import Settings
from wallaroo_ext.transport.answer_texts import body_as_line
from wallaroo_ext.transport.connections.proxies import proxy_for
from wallaroo_ext.transport.http_dates import seconds_since_1970
from wallaroo_ext.transport.plain_client import plain_client
from wallaroo_ext.transport.response_errors import connection_error, response_error
from wallaroo_ext.transport.wire_errors import NO_ANSWER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallaroo_mlops_client import Client


State = Literal["ok", "failed", "skipped"]

PATIENCE_SECONDS = 10.0

_OF_ANOTHER_SERVER = {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
"""How a server refuses what it does not know."""

TOLERATED_SECONDS = 60.0
"""How far two clocks may be apart: tokens and certificates are checked with about the same tolerance."""

_SECONDS_OF_DATE = 2.2  # an answer's date has whole seconds, and servers send the same one for up to a second
_MINUTES_FROM = 120.0
"""The duration from which minutes say as much as seconds, in seconds."""
_DAYS_FROM = 2 * 86_400.0
"""The duration from which days say as much as minutes, in seconds."""
_END_OF_THE_CALENDAR = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Check:
    """The result of a check.

    Attributes:
        name: The name of the check, a word or two.
        state: Whether it passed.
        detail: What was found, a sentence.
        advice: What to do if it failed.
    """

    name: str
    state: State
    detail: str
    advice: str = ""


def check_versions() -> Check:
    """Report the versions of this package, httpx and Python."""
    return Check(
        "versions",
        "ok",
        f"wallaroo-ext {metadata.version('wallaroo-ext')}, httpx {httpx.__version__}, Python "
        f"{platform.python_version()}.",
    )


def check_settings(environment: Mapping[str, str]) -> tuple[Settings | None, Check]:
    """Check that the settings are complete and consistent. Return them too, None if they are not."""
    try:
        found = Settings.resolve(environment)
    except ConfigurationError as error:
        return None, Check("settings", "failed", f"{error}")
    if found.token is not None:
        who = "a token that was given"
    elif found.username is not None:
        who = f"the user {found.username} and the client {found.client_id}"
    else:
        who = f"the client {found.client_id}, without a user"
    keycloak = "" if found.auth_url == found.api_url else f", Keycloak at {found.auth_url}"
    return found, Check("settings", "ok", f"The API at {found.api_url}{keycloak}, with {who}.")


def proxy_host(url: httpx.URL) -> str | None:
    """Return the host and the port of the proxy for a URL; None if requests go without a proxy."""
    proxy = proxy_for(url)
    return None if proxy is None else display_address(proxy)


def check_name(url: httpx.URL) -> Check:
    """Check that the host's name can be looked up."""
    title = f"DNS {url.host}"
    try:
        found = socket.getaddrinfo(url.host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no name"
        advice = "Check the name, this machine's network, and its VPN where the instance needs one."
        return Check(title, "failed", f"The name is not known: {reason}.", advice)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    what = "It is an address already" if addresses == [url.host] else f"It is {', '.join(addresses)}"
    return Check(title, "ok", f"{what}.")


def check_connection(url: httpx.URL, context: ssl.SSLContext) -> list[Check]:
    """Check that the port accepts a connection, and that its certificate is trusted."""
    port = url.port or {"http": 80, "https": 443}[url.scheme]
    title = f"connection {display_address(url)}"
    try:
        plain_socket = socket.create_connection((url.host, port), timeout=PATIENCE_SECONDS)
    except TimeoutError:
        advice = "A firewall may be in between: check the address, and this machine's VPN."
        return [Check(title, "failed", f"None was accepted in {PATIENCE_SECONDS:g} s.", advice)]
    except OSError as error:
        advice = "Check the port, and whether the instance is running."
        return [Check(title, "failed", f"None is accepted: {error.strerror or error}.", advice)]
    with plain_socket:
        return [Check(title, "ok", "It is accepted."), _tls(url, plain_socket, context)]


def _tls(url: httpx.URL, connected: socket.socket, context: ssl.SSLContext) -> Check:
    title = f"TLS {url.host}"
    if url.scheme == "http":
        return Check(title, "skipped", "The address begins with http://, so nothing is encrypted.")
    try:
        with context.wrap_socket(connected, server_hostname=url.host) as encrypted:
            ends_at = ssl.cert_time_to_seconds(str((encrypted.getpeercert() or {}).get("notAfter")))
            days = (ends_at - time.time()) / 86400
            return Check(title, "ok", f"{encrypted.version()}, with a trusted certificate for {days:.0f} more days.")
    except ssl.SSLCertVerificationError as error:
        return Check(
            title, "failed", f"The certificate is refused: {error.verify_message}.", _certificate_advice(error)
        )
    except OSError as error:
        advice = "Is it a port that speaks https? If not, write http:// in the address."
        return Check(title, "failed", f"No encryption could be agreed on: {error.strerror or error}.", advice)


_X509_EXPIRED, _X509_NOT_YET_VALID, _X509_WRONG_NAME, _X509_WRONG_ADDRESS = 10, 9, 62, 64


def _certificate_advice(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in {_X509_EXPIRED, _X509_NOT_YET_VALID}:
        return "Check this machine's clock; if it is right, the instance needs another certificate."
    if error.verify_code in {_X509_WRONG_NAME, _X509_WRONG_ADDRESS}:
        return "Use the name that the certificate is for."
    return "Name the file of the authority that signed it with --ca-bundle or WALLAROO_CA_BUNDLE."


def check_api(url: str, context: ssl.SSLContext) -> tuple[httpx.Response | None, Check]:
    """Check that the API answers. Return its answer too: a request without a token, which it has to refuse."""
    operation = "list_workspaces"
    try:
        with plain_client(url, verify=context, seconds=PATIENCE_SECONDS) as http:
            response = http.post(contract.operation(operation).path, json={})
    except ConfigurationError as error:  # the proxy or the certificates cannot be used
        return None, Check("API", "failed", str(error.args[0]), error.advice)
    except NO_ANSWER as error:
        failure: Any = connection_error(operation, error)
        return None, Check("API", "failed", failure.args[0], failure.advice)
    if response.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return response, Check("API", "ok", "It answers, and wants a token.")
    if response.is_success:
        what = f"It answers {response.status_code} without a token: {body_as_line(response)!r}."
        return response, Check("API", "failed", what, "This is another server, or a page in front of the API.")
    error = response_error(operation, response)
    advice = "Is this the API's address?" if error.status in _OF_ANOTHER_SERVER else error.advice
    return response, Check("API", "failed", str(error.args[0]), advice)


def check_token(client: Client, now: float) -> tuple[str | None, Check]:
    """Check that there is a token for the credentials. Return it too.

    Args:
        client: A client from `connect`.
        now: The instance's time, in seconds since 1970.
    """
    auth: Any = client.get_httpx_client().auth
    try:
        found: str = auth.access_token()
    except WallarooError as error:
        return None, Check("token", "failed", str(error))
    ends_at = time_claimed(found, "exp")
    if ends_at is None:
        return found, Check("token", "ok", "There is a token; it does not say when it expires.")
    if ends_at <= now:
        when = datetime.fromtimestamp(ends_at, UTC).isoformat(sep=" ", timespec="seconds")
        advice = "Get another one; or sign in with a user, and the token is renewed automatically."
        return None, Check("token", "failed", f"The token expired at {when}.", advice)
    return found, Check("token", "ok", f"There is a token, which is valid for {_duration(ends_at - now)}.")


def _duration(seconds: float) -> str:
    if seconds >= _DAYS_FROM:
        return f"{seconds / 86_400:.0f} days"
    return f"{seconds:.0f} s" if seconds < _MINUTES_FROM else f"{seconds / 60:.0f} minutes"


def check_clock(response: httpx.Response | None, answered_at: float, token: str | None) -> Check:
    """Check this machine's clock against the instance's, by the date of an answer or of a token.

    Args:
        response: The answer; None if there was none.
        answered_at: When it came by this machine's clock, in seconds since 1970.
        token: The token that came after it; None if there is none.
    """
    now = time.time()
    issued_at = time_claimed(token or "", "iat")
    server_time = answer_date(response)
    if server_time is None and issued_at is not None and issued_at > now:
        server_time, answered_at = issued_at, now  # only a token from the future shows a difference
    if server_time is None:
        return Check("clock", "skipped", "The instance does not say what time it is.")
    ahead = answered_at - server_time
    if 0 <= ahead < _SECONDS_OF_DATE:
        return Check("clock", "ok", "This machine's clock and the instance's are the same to the second.")
    if abs(ahead) <= TOLERATED_SECONDS:
        return Check("clock", "ok", f"This machine's clock and the instance's are {abs(ahead):.0f} s apart.")
    what = f"This machine's clock is {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the instance's."
    return Check("clock", "failed", what, "Set it, by NTP for one: certificates and tokens seem invalid otherwise.")


def answer_date(response: httpx.Response | None) -> float | None:
    """Return the date of an answer by the server's clock, in seconds since 1970; None if it has none."""
    return None if response is None else seconds_since_1970(response.headers.get("Date", ""))


def check_permissions(client: Client, *, has_user: bool) -> Check:
    """Check what the caller may do."""
    from wallaroo_mlops_client.api.workspaces import list_workspaces
    from wallaroo_mlops_client.models import ListWorkspacesRequest

    from wallaroo_ext.operations import call

    try:
        listed = call(list_workspaces, client=client, body=ListWorkspacesRequest())
    except (AuthenticationError, PermissionDeniedError) as error:
        if not has_user and error.operation == "list_workspaces":
            return Check("permissions", "ok", "The token has no user: it may only infer.")
        return Check("permissions", "failed", str(error.args[0]), error.advice)
    except WallarooError as error:
        return Check("permissions", "failed", str(error.args[0]), error.advice)
    return Check("permissions", "ok", f"The caller sees {format_count(len(listed.workspaces), 'workspace')}.")


def check_release(response: httpx.Response | None) -> Check:
    """Report which release the instance has, as far as it says so."""
    server = None if response is None else response.headers.get("Server")
    server_name = f"; its server calls itself {redact_beginning(server, 100)}" if server else ""
    return Check("release", "skipped", f"The API has no operation that tells its release{server_name}.")


def time_claimed(token: str, name: str) -> float | None:
    """Return a time from a token's claims, in seconds since 1970; None if there is none that a calendar has."""
    claimed = decode_claims(token).get(name)
    if isinstance(claimed, bool) or not isinstance(claimed, int | float):
        return None
    return float(claimed) if 0 <= claimed < _END_OF_THE_CALENDAR else None


def decode_claims(token: str) -> dict[str, Any]:
    """Return the claims of a token; empty if it is no JSON web token."""
    _, _, rest = token.partition(".")
    payload = rest.partition(".")[0]
    try:
        return object_of(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
    except (ValueError, RecursionError):
        return {}
