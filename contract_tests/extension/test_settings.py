"""Are the instance and the caller found where a user put them?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from wallaroo_ext import BearerToken, ConfigurationError, KeycloakAuth, Settings, connect

if TYPE_CHECKING:
    from pathlib import Path

USER = {"WALLAROO_USER": "a@example.com", "WALLAROO_PASSWORD": "password-1", "WALLAROO_CLIENT_SECRET": "secret-1"}


@pytest.mark.parametrize(
    ("prefix", "host"),
    [("rhino-5555", "rhino-5555."), ("rhino-5555.", "rhino-5555."), ("", "")],
    ids=["without a dot", "with a dot", "none"],
)
def test_urls_are_made_of_prefix_and_suffix(prefix: str, host: str) -> None:
    settings = Settings.resolve(USER | {"WALLAROO_PREFIX": prefix, "WALLAROO_SUFFIX": "example.com"})
    assert settings.api_url == f"https://{host}api.example.com"
    assert settings.auth_url == f"https://{host}keycloak.example.com"


@pytest.mark.parametrize("variable", ["WALLAROO_PREFIX", "WALLAROO_SUFFIX"])
@pytest.mark.parametrize("text", ["https://example.com", "example.com/x", "u:p@example.com", "[::1]", "a b"])
def test_what_is_no_part_of_a_name_is_refused_by_its_variable(variable: str, text: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"{variable} is no part of a host's name, .* WALLAROO_API_URL"):
        Settings.resolve(USER | {"WALLAROO_SUFFIX": "example.com\n", variable: text})


@pytest.mark.parametrize(("prefix", "suffix"), [("", ".example.com"), ("..", "example.com"), ("a", "x,example.com")])
def test_a_host_that_they_do_not_make_is_said_to_be_made_of_them(prefix: str, suffix: str) -> None:
    environment = USER | {"WALLAROO_PREFIX": prefix, "WALLAROO_SUFFIX": suffix}
    with pytest.raises(ConfigurationError, match=r"The API's URL, made of WALLAROO_PREFIX and WALLAROO_SUFFIX, is no"):
        Settings.resolve(environment)
    with pytest.raises(ConfigurationError, match=r"Keycloak's URL, made of WALLAROO_PREFIX and WALLAROO_SUFFIX, is no"):
        Settings.resolve(environment | {"WALLAROO_API_URL": "https://a.example.com"})


def test_urls_can_be_given_whole_and_one_serves_for_both() -> None:
    settings = Settings.resolve(USER | {"WALLAROO_API_URL": "https://one.example.com/"})
    assert settings.api_url == settings.auth_url == "https://one.example.com"


@pytest.mark.parametrize("text", ["{}/", "{}//", " {}", "{}\n", "{}\r\n", "\ufeff{}", "{}/ "])
def test_a_url_is_taken_with_what_a_file_has_around_it(text: str) -> None:
    for url in ("https://one.example.com", "https://one.example.com:8443/ml/prod", "http://[::1]:8080"):
        assert Settings.resolve(USER | {"WALLAROO_API_URL": text.format(url)}).api_url == url


@pytest.mark.parametrize(
    "text", ["https://one.example.com?a=1", "https://one.example.com/#x", "https://one.example.com/?"]
)
def test_a_url_with_a_query_is_refused_by_the_name_of_its_variable(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"WALLAROO_AUTH_URL, has a query or a fragment"):
        Settings.resolve(USER | {"WALLAROO_API_URL": "https://one.example.com", "WALLAROO_AUTH_URL": text})


@pytest.mark.parametrize(
    ("variable", "path", "part"),
    [
        ("WALLAROO_API_URL", "/v1/api", "/v1/api"),
        ("WALLAROO_API_URL", "/v1/api/", "/v1/api"),
        ("WALLAROO_API_URL", "/v1/api/workspaces/list", "/v1/api"),
        ("WALLAROO_AUTH_URL", "/auth/realms/master", "/auth/realms"),
        ("WALLAROO_AUTH_URL", "/realms/master", "/realms"),
    ],
)
def test_a_url_with_the_path_of_a_request_is_refused(variable: str, path: str, part: str) -> None:
    message = rf"{variable}, has {part} in it, which requests add by themselves. Write https://one.example.com/ml\."
    with pytest.raises(ConfigurationError, match=message):
        Settings.resolve(
            USER | {"WALLAROO_API_URL": "https://a.example.com"} | {variable: f"https://one.example.com/ml{path}"}
        )


@pytest.mark.parametrize(("variable", "path"), [("WALLAROO_API_URL", "/v1"), ("WALLAROO_AUTH_URL", "/ml/auth/")])
def test_a_gateways_prefix_may_be_the_beginning_of_a_requests_path(variable: str, path: str) -> None:
    urls = {"WALLAROO_API_URL": "https://a.example.com"} | {variable: f"https://one.example.com{path}"}
    settings = Settings.resolve(USER | urls)
    assert f"https://one.example.com{path}".rstrip("/") in {settings.api_url, settings.auth_url}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_a_credentials_file_may_have_a_byte_order_mark(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "creds.json"
    file.write_text('{"username": "m\u00fcller", "password": "p"}', encoding=encoding)
    environment = {"WALLAROO_API_URL": "https://a.example.com", "WALLAROO_SDK_CREDENTIALS": str(file)}
    assert Settings.resolve(environment).username == "m\u00fcller"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_breaks_after_a_value_are_none_of_it(end: str, tmp_path: Path) -> None:
    """Secrets in files have them, and so has each variable of a file from Windows."""
    environment = {
        name: f"{value}{end}"
        for name, value in (USER | {"WALLAROO_CLIENT_SECRET": " s ", "WALLAROO_CLIENT_ID": "c"}).items()
    }
    found = Settings.resolve(environment | {"WALLAROO_API_URL": f"https://a.example.com{end}"})
    assert (found.username, found.password) == (USER["WALLAROO_USER"], USER["WALLAROO_PASSWORD"])
    assert (found.client_id, found.client_secret, found.api_url) == ("c", " s ", "https://a.example.com")
    file = tmp_path / "creds.json"
    file.write_text(json.dumps({"username": "u", "password": f"p{end}"}), encoding="utf-8")
    named = {"WALLAROO_API_URL": "https://a.example.com", "WALLAROO_SDK_CREDENTIALS": f"{file}{end}"}
    assert Settings.resolve(named).password == "p"


def test_where_no_instance_is_named_the_sandbox_is() -> None:
    with pytest.raises(ConfigurationError, match=r"set WALLAROO_API_URL, .*`wallaroo-ext sandbox` runs one"):
        Settings.resolve(USER)


def test_arguments_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / "creds.json"
    file.write_text(
        json.dumps(
            {"username": "file", "password": "file", "confidentialClient": "file", "confidentialPassword": "file"}
        ),
        encoding="utf-8",
    )
    environment = {
        "WALLAROO_API_URL": "https://a.example.com",
        "WALLAROO_SDK_CREDENTIALS": str(file),
        "WALLAROO_PASSWORD": "environment",
        "WALLAROO_CLIENT_ID": "environment",
    }
    settings = Settings.resolve(environment, client_id="argument")
    assert (settings.username, settings.password) == ("file", "environment")
    assert (settings.client_id, settings.client_secret) == ("argument", "file")


INSTANCE = {"WALLAROO_API_URL": "https://a.example.com", "WALLAROO_AUTH_URL": "https://k.example.com"}
PARTS = {"WALLAROO_PREFIX": "rhino", "WALLAROO_SUFFIX": "example.com"}


@pytest.mark.parametrize(
    ("variables", "explicit", "api_url", "auth_url"),
    [
        (INSTANCE, {"suffix": "b.invalid"}, "https://api.b.invalid", "https://keycloak.b.invalid"),
        (INSTANCE | PARTS, {"prefix": "b"}, "https://b.api.example.com", "https://b.keycloak.example.com"),
        (PARTS, {"prefix": ""}, "https://api.example.com", "https://keycloak.example.com"),
        (PARTS, {"api_url": "https://b.invalid"}, "https://b.invalid", "https://b.invalid"),
        (INSTANCE, {"api_url": "https://b.invalid"}, "https://b.invalid", "https://k.example.com"),
        (PARTS, {"auth_url": "https://b.invalid"}, "https://rhino.api.example.com", "https://b.invalid"),
    ],
    ids=["suffix", "prefix", "no prefix", "URL for parts", "URL for URL", "Keycloak's URL for parts"],
)
def test_no_variable_wins_over_an_argument_that_says_the_same_otherwise(
    variables: dict[str, str], explicit: dict[str, str], api_url: str, auth_url: str
) -> None:
    settings = Settings.resolve(USER | variables, **explicit)
    assert (settings.api_url, settings.auth_url) == (api_url, auth_url)


def test_a_prefix_in_place_of_urls_is_not_enough() -> None:
    with pytest.raises(ConfigurationError, match=r"The prefix 'b' names no instance by itself: set WALLAROO_SUFFIX"):
        Settings.resolve(USER | INSTANCE, prefix="b")


@pytest.mark.parametrize(
    "explicit",
    [
        {"username": "bob", "password": "p"},
        {"client_id": "c"},
        {"client_secret": "s"},
        {"refresh_token": "r"},
        {"grant": "client_credentials"},
        {"scope": "email"},
    ],
    ids=" ".join,
)
def test_a_token_of_the_environment_is_not_used_where_arguments_say_how_to_sign_in(explicit: Any) -> None:
    environment = USER | {"WALLAROO_API_URL": "https://a.example.com", "WALLAROO_TOKEN": "t"}
    with connect(environment=environment) as client:
        assert isinstance(client.get_httpx_client().auth, BearerToken)
    with connect(environment=environment, **explicit) as client:
        assert isinstance(client.get_httpx_client().auth, KeycloakAuth)


def test_a_refresh_token_alone_is_something_to_sign_in_with() -> None:
    with connect("https://a.example.com", refresh_token="r", environment={}) as client:
        assert "grant='refresh_token'" in repr(client.get_httpx_client().auth)


def test_the_other_shape_of_the_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "creds.json"
    file.write_text('{"username": "u", "password": "p", "email": "u@example.com"}', encoding="utf-8")
    environment = {"WALLAROO_API_URL": "https://a.example.com", "WALLAROO_SDK_CREDENTIALS": str(file)}
    settings = Settings.resolve(environment)
    assert (settings.username, settings.password, settings.client_id) == ("u", "p", "api-client")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"username": "u", "password": 12345}, "has a password that is no text in quotes"),
        ({"user": "u", "pass": "p"}, "has none of username, password, confidentialClient, confidentialPassword"),
        ({"username": "", "password": ""}, "has none of username, password"),
        (["username"], "has none of username, password"),
    ],
)
def test_what_a_credentials_file_lacks_is_said(content: object, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "creds.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    environment = {"WALLAROO_API_URL": "https://a.example.com", "WALLAROO_SDK_CREDENTIALS": str(file)}
    with pytest.raises(ConfigurationError, match=rf"{file} {problem}.*WALLAROO_SDK_CREDENTIALS names it"):
        Settings.resolve(environment)


@pytest.mark.parametrize(
    ("environment", "excerpt"),
    [
        (USER, "WALLAROO_API_URL"),
        (USER | {"WALLAROO_API_URL": "a.example.com"}, "https://"),
        ({"WALLAROO_API_URL": "https://a.example.com"}, "nothing to sign in with"),
        ({"WALLAROO_API_URL": "https://a.example.com", "WALLAROO_USER": "u"}, "WALLAROO_PASSWORD"),
        (USER | {"WALLAROO_API_URL": "https://a", "WALLAROO_SDK_CREDENTIALS": "/none"}, "cannot be read"),
        (USER | {"WALLAROO_API_URL": "https://a", "WALLAROO_SDK_CREDENTIALS": __file__}, "no JSON"),
    ],
    ids=["no URL", "no scheme", "nobody", "no password", "no file", "no JSON"],
)
def test_what_is_missing_is_said_in_a_sentence(environment: dict[str, str], excerpt: str) -> None:
    with pytest.raises(ConfigurationError, match=excerpt):
        Settings.resolve(environment)


def test_secrets_are_in_no_repr() -> None:
    environment = USER | {"WALLAROO_API_URL": "https://a.example.com"}
    with connect(environment=environment) as client:
        shown = repr(Settings.resolve(environment)) + repr(client)
    assert "password-1" not in shown
    assert "secret-1" not in shown
    with connect(environment=environment, token="token-1") as client:
        assert "token-1" not in repr(client) + repr(Settings.resolve(environment, token="token-1"))


def test_timeouts_reach_httpx() -> None:
    environment = USER | {"WALLAROO_API_URL": "https://a.example.com"}
    with connect(environment=environment) as client:
        assert client.get_httpx_client().timeout == httpx.Timeout(connect=10, read=300, write=300, pool=60)
    with connect(environment=environment, timeout=7) as client:
        assert client.get_httpx_client().timeout == httpx.Timeout(7)


def test_certificates_to_trust_come_from_the_environment_or_an_argument(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours.pem", tmp_path / "theirs.pem"
    for file in (ours, theirs):
        file.write_text("certificates", encoding="utf-8")
    environment = USER | {"WALLAROO_API_URL": "https://a.example.com", "WALLAROO_CA_BUNDLE": str(theirs)}
    assert Settings.resolve(environment).ca_bundle == str(theirs)
    assert Settings.resolve(environment, ca_bundle=str(ours)).ca_bundle == str(ours)
    assert Settings.resolve(USER | {"WALLAROO_API_URL": "https://a.example.com"}).ca_bundle is None


def test_certificates_whose_path_is_none_are_said_too() -> None:
    environment = USER | {"WALLAROO_API_URL": "https://a.example.com", "WALLAROO_CA_BUNDLE": "/" + "x" * 5_000}
    with pytest.raises(ConfigurationError, match=r"which WALLAROO_CA_BUNDLE names, cannot be read: File name too long"):
        Settings.resolve(environment)


@pytest.mark.parametrize("name", ["none.pem", ""], ids=["no file", "a directory"])
def test_certificates_that_are_not_there_are_said_in_a_sentence(tmp_path: Path, name: str) -> None:
    environment = USER | {"WALLAROO_API_URL": "https://a.example.com", "WALLAROO_CA_BUNDLE": str(tmp_path / name)}
    with pytest.raises(ConfigurationError, match=r"There is no file .* of certificates to trust: WALLAROO_CA_BUNDLE"):
        Settings.resolve(environment)
