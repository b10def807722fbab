"""Can clients use the sandbox over TLS, and is an unsuitable certificate refused in one sentence?"""

from __future__ import annotations

import ipaddress
import shutil
import socket
import ssl
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from contract_tests.support.sandbox.deployments import deployed
from contract_tests.support.servers.forks.fork_server import running
from wallaroo_ext import connect, contract, infer
from wallaroo_ext.sandbox.paths import DISCOVERY_ENDPOINT, DOCS_PAGE, realm_path
from wallaroo_ext.sandbox.process import SandboxFailedError
from wallaroo_ext.sandbox.server.tls import CertificateError, generated_certificate, given_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, str]]:
    """Yield the environment of a sandbox with a generated certificate."""
    with running(tmp_path_factory.mktemp("tls") / "data", "--tls") as environment:
        yield environment


def make_pair(
    directory: Path, *names: str, days: int = 30, password: bytes | None = None, name: str = "pair"
) -> tuple[Path, Path]:
    """Return a self-signed certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    began = datetime.now(UTC) - timedelta(days=60)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(datetime.now(UTC) + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    files = directory / f"{name}.pem", directory / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption))
    return files


def general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def sign_in(environment: dict[str, str], url: str | None = None) -> httpx.Response:
    return httpx.post(
        (url or environment["WALLAROO_AUTH_URL"]) + contract.operation("request_token").path,
        data={
            "grant_type": "password",
            "username": environment["WALLAROO_USER"],
            "password": environment["WALLAROO_PASSWORD"],
        },
        auth=(environment["WALLAROO_CLIENT_ID"], environment["WALLAROO_CLIENT_SECRET"]),
        verify=trusting(environment),
    )


def trusting(environment: dict[str, str]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=environment["WALLAROO_CA_BUNDLE"])


class TestThrowAway:
    def test_the_printed_lines_are_enough_to_sign_in(self, encrypted: dict[str, str]) -> None:
        assert encrypted["WALLAROO_API_URL"].startswith("https://127.0.0.1:")
        assert sign_in(encrypted).status_code == 200

    def test_a_connected_client_uploads_deploys_and_scores(
        self, encrypted: dict[str, str], model_file: Path, expected: Callable[[Any], np.ndarray[Any, Any]]
    ) -> None:
        url = deployed(encrypted, model_file)
        assert url.startswith(encrypted["WALLAROO_API_URL"])
        rows = np.ones((2, 29), np.float32)
        with connect(environment=encrypted) as client:
            scored = infer(client, url, {"dense_input": rows}).column("out.dense_1").to_pylist()
        assert np.allclose(np.array(scored), expected(rows), atol=1e-6)

    @pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
    def test_it_is_good_for_both_names_of_this_machine(self, encrypted: dict[str, str], host: str) -> None:
        port = httpx.URL(encrypted["WALLAROO_API_URL"]).port
        assert sign_in(encrypted, f"https://{host}:{port}").status_code == 200

    def test_who_does_not_trust_it_gets_no_connection(self, encrypted: dict[str, str]) -> None:
        with pytest.raises(httpx.ConnectError, match="certificate verify failed"):
            httpx.get(encrypted["WALLAROO_API_URL"])

    def test_plain_http_gets_no_answer(self, encrypted: dict[str, str]) -> None:
        with pytest.raises(httpx.TransportError):
            httpx.get(encrypted["WALLAROO_API_URL"].replace("https:", "http:"))

    def test_what_the_sandbox_says_of_its_own_url_is_https(self, encrypted: dict[str, str]) -> None:
        url = encrypted["WALLAROO_API_URL"]
        with httpx.Client(base_url=url, verify=trusting(encrypted)) as http:
            realm = realm_path(contract.operation("request_token").path)
            found = http.get(realm + DISCOVERY_ENDPOINT).json()
            assert found["issuer"] == url + realm
            assert found["token_endpoint"].startswith(url)
            served = http.get(f"{DOCS_PAGE}/openapi.json").json()
            assert [server["url"] for server in served["servers"]] == [url]

    def test_it_listens_on_ipv6_too(self, tmp_path: Path) -> None:
        with running(tmp_path / "data", "--tls", "--host", "::1") as environment:
            assert environment["WALLAROO_API_URL"].startswith("https://[::1]:")
            assert sign_in(environment).status_code == 200

    def test_it_is_the_same_after_a_restart_until_its_time_comes(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = generated_certificate(tmp_path, "127.0.0.1").certificate.read_bytes()
        assert generated_certificate(tmp_path, "127.0.0.1").certificate.read_bytes() == first
        monkeypatch.setattr("wallaroo_ext.sandbox.server.tls._RENEWED_BEFORE", timedelta(days=398))
        renewed = generated_certificate(tmp_path, "127.0.0.1")
        assert renewed.certificate.read_bytes() != first
        [leaf] = x509.load_pem_x509_certificates(renewed.certificate.read_bytes())
        assert renewed.trusted is not None
        leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(renewed.trusted.read_bytes()))

    def test_another_host_gets_another_one(self, tmp_path: Path) -> None:
        assert "sandbox.example.com" not in generated_certificate(tmp_path, "127.0.0.1").names
        made = generated_certificate(tmp_path, "sandbox.example.com")
        assert made.host("sandbox.example.com") == "sandbox.example.com"
        [leaf] = x509.load_pem_x509_certificates(made.certificate.read_bytes())
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        assert "sandbox.example.com" in names.get_values_for_type(x509.DNSName)

    def test_a_host_that_listens_everywhere_has_the_machines_name(self, tmp_path: Path) -> None:
        made = generated_certificate(tmp_path, "0.0.0.0")  # noqa: S104 - nothing listens
        assert socket.gethostname().lower() in made.names
        assert made.host("0.0.0.0") == "127.0.0.1"  # noqa: S104 - nothing listens

    @pytest.mark.parametrize("damaged", ["server.pem", "ca.pem"])
    def test_a_damaged_one_is_made_anew(self, tmp_path: Path, damaged: str) -> None:
        generated_certificate(tmp_path, "127.0.0.1")
        (tmp_path / damaged).write_bytes(b"damaged")
        made = generated_certificate(tmp_path, "127.0.0.1")
        assert made.certificate.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")

    def test_keys_are_for_their_owner_and_the_authoritys_is_forgotten(self, tmp_path: Path) -> None:
        generated_certificate(tmp_path / "tls", "127.0.0.1")
        assert (tmp_path / "tls").stat().st_mode & 0o777 == 0o700
        files = list((tmp_path / "tls").iterdir())
        assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
        assert [file.name for file in files if b"PRIVATE KEY" in file.read_bytes()] == ["server.pem"]

    def test_its_authority_vouches_for_no_other_name(self, tmp_path: Path) -> None:
        generated_certificate(tmp_path, "127.0.0.1")
        authority = x509.load_pem_x509_certificate((tmp_path / "ca.pem").read_bytes())
        allowed = authority.extensions.get_extension_for_class(x509.NameConstraints)
        assert allowed.critical
        assert {str(name.value) for name in allowed.value.permitted_subtrees or []} == {
            "localhost",
            "127.0.0.1/32",
            "::1/128",
        }

    @pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
    def test_curl_trusts_it_too(self, encrypted: dict[str, str]) -> None:
        command = ["curl", "-sf", "-o", "-", "--cacert", encrypted["WALLAROO_CA_BUNDLE"]]
        page = subprocess.run(
            [*command, encrypted["WALLAROO_API_URL"] + DOCS_PAGE], capture_output=True, text=True, check=True
        )
        assert "<html" in page.stdout


class TestGiven:
    def test_a_certificate_of_ones_own_is_served_under_its_name(self, tmp_path: Path) -> None:
        certificate, key = make_pair(tmp_path, "localhost")
        with running(tmp_path / "data", "--cert", str(certificate), "--key", str(key)) as environment:
            assert environment["WALLAROO_API_URL"].startswith("https://localhost:")
            assert environment["WALLAROO_CA_BUNDLE"] == str(certificate)
            assert sign_in(environment).status_code == 200

    def test_one_that_a_known_authority_signed_needs_no_bundle(self, tmp_path: Path) -> None:
        made = generated_certificate(tmp_path, "127.0.0.1")  # its file has only the server's certificate
        assert given_certificate(made.certificate, made.key).trusted is None

    def test_a_name_that_it_is_not_good_for_is_refused(self, tmp_path: Path) -> None:
        pair = given_certificate(*make_pair(tmp_path, "sandbox.example.com"))
        with pytest.raises(CertificateError, match=r"good for sandbox\.example\.com, and not for 127\.0\.0\.1"):
            pair.host("127.0.0.1")
        assert pair.host("0.0.0.0") == "sandbox.example.com"  # noqa: S104 - nothing listens

    @pytest.mark.parametrize(
        ("name", "host"),
        [
            ("*.Example.com", "sandbox.example.com"),
            ("*.example.com", "Sandbox.example.com"),
            ("Sandbox.Example.com", "sandbox.example.com"),
        ],
    )
    def test_wildcards_and_capitals_match_as_clients_match_them(self, tmp_path: Path, name: str, host: str) -> None:
        assert given_certificate(*make_pair(tmp_path, name)).host(host) == "sandbox.example.com"

    @pytest.mark.parametrize("host", ["example.com", "a.sandbox.example.com", "sandbox.example.org", "com"])
    def test_a_wildcard_stands_for_one_label(self, tmp_path: Path, host: str) -> None:
        with pytest.raises(CertificateError, match=r"good for \*\.example\.com, and not for"):
            given_certificate(*make_pair(tmp_path, "*.example.com")).host(host)

    def test_a_certificate_without_names_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CertificateError, match="good for no name"):
            given_certificate(*make_pair(tmp_path)).host("127.0.0.1")

    @pytest.mark.parametrize(
        ("broken", "reason"),
        [
            ("no certificate", "none.pem cannot be read: No such file"),
            ("no key", "none.key cannot be read: No such file"),
            ("no PEM", "has no certificate in PEM form"),
            ("another key", "is not the private key of"),
            ("an encrypted key", "without a password"),
            ("no key in the file", "is not the private key of"),
            ("over", "was good until"),
        ],
    )
    def test_what_cannot_be_served_is_said_in_a_sentence(self, tmp_path: Path, broken: str, reason: str) -> None:
        certificate, key = make_pair(tmp_path, "localhost")
        text = tmp_path / "text"
        text.write_text("no PEM at all", encoding="utf-8")
        pairs = {
            "no certificate": (tmp_path / "none.pem", key),
            "no key": (certificate, tmp_path / "none.key"),
            "no PEM": (text, key),
            "another key": (certificate, make_pair(tmp_path, "localhost", name="other")[1]),
            "an encrypted key": make_pair(tmp_path, "localhost", password=b"secret", name="encrypted"),
            "no key in the file": (certificate, text),
            "over": make_pair(tmp_path, "localhost", days=-1, name="over"),
        }
        with pytest.raises(CertificateError, match=reason):
            given_certificate(*pairs[broken])

    def test_the_command_says_it_and_ends(self, tmp_path: Path) -> None:
        certificate, _ = make_pair(tmp_path, "localhost")
        arguments = ("--cert", str(certificate), "--key", str(tmp_path / "none.key"))
        with pytest.raises(SandboxFailedError, match="cannot be read") as raised, running(tmp_path / "d", *arguments):
            pass
        assert "Traceback" not in str(raised.value)

    @pytest.mark.parametrize("arguments", [["--cert", "a"], ["--key", "a"], ["--tls", "--cert", "a", "--key", "b"]])
    def test_options_that_do_not_go_together_are_refused(self, arguments: list[str]) -> None:
        command = [sys.executable, "-m", "wallaroo_ext.cli", "sandbox", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 2
        assert "--cert and --key go together" in done.stderr


def test_plain_http_for_other_machines_is_warned_of(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(tmp_path / "data", "--host", "0.0.0.0", log=log):  # noqa: S104 - for the length of a test
        pass
    assert log.read_text(encoding="utf-8").startswith("This is plain http on 0.0.0.0")
    with running(tmp_path / "data", "--host", "0.0.0.0", "--tls", log=log):  # noqa: S104 - for the length of a test
        pass
    assert not log.read_text(encoding="utf-8")
