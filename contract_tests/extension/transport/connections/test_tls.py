"""Are the certificates trusted that the environment names, and is one that cannot be read named with its variable?"""

from __future__ import annotations

import os
import re
import ssl
import subprocess
from typing import TYPE_CHECKING, Any, cast

import certifi
import pytest

from contract_tests.support.servers import http_servers, three_ways
from contract_tests.support.servers.certificates import self_signed
from wallaroo_ext import ConfigurationError, ConnectionFailedError
from wallaroo_ext._util.after_fork import fork_lock
from wallaroo_ext.transport.connections.tls import NAMED_BY, new_tls_context, shared_tls_context, unused_tls_context

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def _nothing_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*NAMED_BY, "SSLKEYLOGFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def directory(certificate: Path) -> Path:
    """Return a directory that OpenSSL finds the certificate in, by the hash of its subject."""
    found = certificate.parent / "hashed"
    found.mkdir()
    command = ["openssl", "x509", "-hash", "-noout", "-in", str(certificate)]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    (found / f"{name}.0").write_bytes(certificate.read_bytes())
    return found


@pytest.mark.parametrize("way", three_ways.WAYS)
@pytest.mark.parametrize("variable", NAMED_BY)
def test_each_variable_names_certificates(
    variable: str, way: str, certificate: Path, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with http_servers.serving(tls=certificate) as seen:
        with pytest.raises(ConnectionFailedError, match="CERTIFICATE_VERIFY_FAILED"):
            three_ways.list_in(way, seen.url)
        monkeypatch.setenv(variable, str(directory if variable == "SSL_CERT_DIR" else certificate))
        assert three_ways.list_in(way, seen.url).workspaces == []


def test_where_none_of_them_signed_a_certificate_the_variables_are_named(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(self_signed(tmp_path)))
    with http_servers.serving(tls=certificate) as seen, pytest.raises(ConnectionFailedError) as raised:
        three_ways.list_in("sync", seen.url)
    assert "in WALLAROO_CA_BUNDLE; the known ones are now those of REQUESTS_CA_BUNDLE." in raised.value.advice


@pytest.mark.parametrize("way", three_ways.WAYS)
@pytest.mark.parametrize(
    ("made", "advice"),
    [
        ({"days": -1}, "Those who run the instance have to renew the certificate"),
        ({"address": "127.0.0.2"}, "The certificate is for other names than this one"),
    ],
)
def test_a_trusted_certificate_that_is_refused_is_not_to_be_trusted_again(
    way: str, made: dict[str, Any], advice: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = self_signed(tmp_path, **made)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with http_servers.serving(tls=certificate) as seen, pytest.raises(ConnectionFailedError) as raised:
        three_ways.list_in(way, seen.url)
    assert raised.value.advice.startswith(advice)
    assert "WALLAROO_CA_BUNDLE" not in raised.value.advice


@pytest.fixture(params=["none", "empty.pem", "text.pem"])
def wrong(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a path that names no certificates."""
    (tmp_path / "empty.pem").write_bytes(b"")
    (tmp_path / "text.pem").write_text("-----BEGIN CERTIFICATE-----\nn\n-----END CERTIFICATE-----\n", encoding="utf-8")
    return tmp_path / request.param


@pytest.mark.parametrize("way", three_ways.WAYS)
@pytest.mark.parametrize("variable", [*NAMED_BY, "WALLAROO_CA_BUNDLE"])
def test_what_cannot_be_read_is_named_with_its_variable(
    variable: str, way: str, wrong: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, str(wrong))
    environment = three_ways.TOKEN | {variable: str(wrong)}
    with pytest.raises(ConfigurationError, match=f"{re.escape(str(wrong))}.* (is no|cannot|holds no|of) ") as raised:
        three_ways.list_in(way, "https://127.0.0.1:1", environment)
    assert variable in str(raised.value)


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_pipe_is_not_waited_for(variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe.pem")
    monkeypatch.setenv(variable, str(tmp_path / "pipe.pem"))
    with pytest.raises(ConfigurationError, match=rf"pipe\.pem, which {variable} names, is a pipe\. Name a PEM file"):
        three_ways.list_in("sync", "https://127.0.0.1:1")


@pytest.mark.parametrize("variable", NAMED_BY)
def test_one_that_is_blank_names_nothing(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, " ")
    with pytest.raises(ConnectionFailedError):
        three_ways.list_in("sync", "https://127.0.0.1:1")


def test_keys_that_cannot_be_written_are_named_with_their_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSLKEYLOGFILE", "/none/there")
    with pytest.raises(ConfigurationError, match=r"/none/there, which SSLKEYLOGFILE names .* cannot be written"):
        three_ways.list_in("sync", "https://127.0.0.1:1")


@pytest.mark.parametrize("keys", ["", "keys"])
@pytest.mark.parametrize(("name", "problem"), [("none.pem", "cannot be read: No such file"), ("empty.pem", "holds no")])
def test_known_authorities_that_cannot_be_read_are_named(
    name: str, problem: str, keys: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty.pem").touch()
    monkeypatch.setattr(certifi, "where", lambda: str(tmp_path / name))
    monkeypatch.setenv("SSLKEYLOGFILE", keys and str(tmp_path / keys))
    with pytest.raises(ConfigurationError, match=rf"{name}, the file of the known authorities, {problem}") as raised:
        new_tls_context()
    assert raised.value.advice.startswith("Install certifi anew, or name a PEM file")


def test_shared_settings_follow_the_variable_for_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSLKEYLOGFILE", raising=False)
    assert shared_tls_context(verify=True) is shared_tls_context(verify=True)
    assert shared_tls_context(verify=True).keylog_filename is None
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert shared_tls_context(verify=True).keylog_filename == str(tmp_path / "keys")
    monkeypatch.setenv("SSLKEYLOGFILE", "/none/there")
    with pytest.raises(ConfigurationError, match="SSLKEYLOGFILE"):
        shared_tls_context(verify=True)


@pytest.mark.parametrize("way", three_ways.WAYS)
@pytest.mark.parametrize("variable", [*NAMED_BY, "SSLKEYLOGFILE"])
def test_what_cannot_be_read_is_not_in_the_way_of_what_needs_no_certificates(
    variable: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "/none/there")
    with http_servers.serving() as seen:
        assert three_ways.list_in(way, seen.url, three_ways.TOKEN).workspaces == []


def test_all_that_are_named_are_trusted_together(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert len(new_tls_context().get_ca_certs()) == 1
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(self_signed(tmp_path)))
    assert len(new_tls_context().get_ca_certs()) == 2
    (tmp_path / "third").mkdir()
    assert len(new_tls_context(str(self_signed(tmp_path / "third"))).get_ca_certs()) == 3


@pytest.mark.parametrize(
    "make",
    [new_tls_context, unused_tls_context, lambda: shared_tls_context(verify=False)],
    ids=["of authorities", "unused", "unverified"],
)
def test_forks_are_delayed_while_openssl_makes_settings(
    make: Callable[[], ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    delayed: list[bool] = []
    new = cast("Any", ssl.SSLContext).__new__

    def noting(*arguments: Any, **named: Any) -> ssl.SSLContext:
        delayed.append(cast("Any", fork_lock())._is_owned())
        return new(*arguments, **named)

    monkeypatch.setattr(ssl.SSLContext, "__new__", noting)
    make()
    assert delayed
    assert all(delayed)
