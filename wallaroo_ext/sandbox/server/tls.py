"""TLS with a given certificate, or with a generated one that clients on this machine can be told to trust."""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from wallaroo_ext._util.files.atomic_files import PRIVATE, write_atomically

if TYPE_CHECKING:
    from pathlib import Path

_LIFETIME = timedelta(days=397)  # browsers refuse longer lifetimes
_RENEWED_BEFORE = timedelta(days=180)  # checked only at the start, and some sandboxes run for months
_CLOCK_SKEW = timedelta(days=1)
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_ALL_ADDRESSES = {"0.0.0.0", "::"}  # noqa: S104 - only compared with
_EMPTY_PASSWORD = ""
_AUTHORITY = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Wallaroo sandbox, authority of this machine")])


class CertificateError(Exception):
    """A certificate cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """The files for TLS of a server and its clients.

    Attributes:
        certificate: The file with the certificate chain.
        key: The file with the private key.
        trusted: The file that clients have to trust; None if they trust the certificate's authority already.
        names: The host names and addresses that the certificate is valid for; names may begin with a wildcard, `*.`.
    """

    certificate: Path
    key: Path
    trusted: Path | None
    names: frozenset[str]

    def host(self, listening: str) -> str:
        """Return a name that reaches a listening address and that the certificate is valid for.

        Args:
            listening: The address that the server listens on.

        Raises:
            CertificateError: There is no such name.
        """
        candidates = _names_of(listening)
        if listening in _ALL_ADDRESSES:
            candidates += sorted(name for name in self.names if "*" not in name)
        host = next((name for name in candidates if self._is_good_for(name)), None)
        if host is None:
            raise CertificateError(
                f"The certificate {self.certificate} is good for {', '.join(sorted(self.names)) or 'no name'}, and not "
                f"for {candidates[0]}: give --host a name or an address that it is good for."
            )
        return host

    def _is_good_for(self, name: str) -> bool:
        """Return whether the certificate has a name, or a wildcard for its first label, as clients match them."""
        parent = name.partition(".")[2]
        return name in self.names or ("." in parent and f"*.{parent}" in self.names)


def given_certificate(certificate: Path, key: Path) -> TlsFiles:
    """Check a certificate and a key that the user gave, and return them.

    Args:
        certificate: A PEM file with the certificate chain, the server's certificate first.
        key: A PEM file with the private key, without a password.

    Raises:
        CertificateError: The files cannot be read or do not belong together, or the certificate has expired.
    """
    try:
        chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        key.open("rb").close()
    except OSError as error:
        raise CertificateError(f"{error.filename} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise CertificateError(f"{certificate} has no certificate in PEM form.") from None
    if chain[0].not_valid_after_utc < datetime.now(UTC):
        raise CertificateError(f"The certificate {certificate} was good until {chain[0].not_valid_after_utc:%Y-%m-%d}.")
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password=lambda: _EMPTY_PASSWORD)  # or OpenSSL prompts for one
    except (ssl.SSLError, ValueError):
        raise CertificateError(
            f"{key} is not the private key of {certificate} in PEM form, without a password."
        ) from None
    has_root = chain[-1].issuer == chain[-1].subject
    return TlsFiles(certificate, key, certificate if has_root else None, _names(chain[0]))


def generated_certificate(directory: Path, host: str) -> TlsFiles:
    """Return the generated certificate in a directory, after generating it if it is missing or expires soon.

    The certificate's authority is restricted to the names of this machine, and its key is discarded after signing:
    trusting it does not mean trusting any other certificate. Other files with the same names are renamed, and links are
    not followed.

    Args:
        directory: The directory of the files; created readable by its owner only if it does not exist.
        host: The address that the server listens on. The certificate is valid for it and for localhost.

    Raises:
        OSError: The directory is not writable.
    """
    directory.mkdir(mode=0o700, exist_ok=True)
    pair, authority = directory / "server.pem", directory / "ca.pem"
    names = frozenset((*_LOOPBACK, *_names_of(host)))
    if not _is_usable(pair, authority, names):
        for file in (pair, authority):
            _rename_foreign_file(file)
        _generate(pair, authority, sorted(names))
    return TlsFiles(pair, pair, authority, names)


def _names_of(listening: str) -> list[str]:
    """Return the names by which clients reach a listening address, the best one first."""
    if listening in _ALL_ADDRESSES:
        loopback = "127.0.0.1" if listening == "0.0.0.0" else "::1"  # noqa: S104 - only compared with
        return [loopback, "localhost", *_machine_name()]
    name = _normal(listening)
    return [name, "localhost"] if name in _LOOPBACK else [name]


def _machine_name() -> list[str]:
    """Return the host name of this machine in a list, which is empty if the name is invalid."""
    try:
        return [_normal(socket.gethostname())]
    except UnicodeError:
        return []


def _normal(name: str) -> str:
    """Return a name or an address in the form in which certificates have it."""
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name.lower().encode("idna").decode()


def _names(certificate: x509.Certificate) -> frozenset[str]:
    """Return the names in a certificate's subjectAltName, in lower case; clients ignore the subject."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    return frozenset(addresses.union(name.lower() for name in names.get_values_for_type(x509.DNSName)))


def _is_usable(pair: Path, authority: Path, names: frozenset[str]) -> bool:
    """Return whether a certificate generated earlier is valid for these names and long enough."""
    try:
        [certificate] = x509.load_pem_x509_certificates(_content(pair))
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(_content(authority)))
        if certificate.issuer != _AUTHORITY:
            return False
    except (OSError, ValueError, TypeError, InvalidSignature):
        return False
    return certificate.not_valid_after_utc - datetime.now(UTC) > _RENEWED_BEFORE and names <= _names(certificate)


def _rename_foreign_file(file: Path) -> None:
    """Rename a file that is not a generated certificate, before one takes its place."""
    try:
        [certificate] = x509.load_pem_x509_certificates(_content(file))
        is_generated = certificate.issuer == _AUTHORITY
    except (OSError, ValueError):
        is_generated = False
    if not is_generated and os.path.lexists(file):
        file.rename(file.with_name(f"{file.name}.{secrets.token_hex(4)}.kept"))


def _content(file: Path) -> bytes:
    """Return the content of a file without following a link."""
    with os.fdopen(os.open(file, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as opened:
        return opened.read()


def _generate(pair: Path, authority: Path, names: list[str]) -> None:
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _authority(authority_key, names)
    certificate = _certificate(key, names, root, authority_key)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    write_atomically(authority, root.public_bytes(serialization.Encoding.PEM), mode=PRIVATE)
    write_atomically(pair, private + certificate.public_bytes(serialization.Encoding.PEM), mode=PRIVATE)


def _authority(key: ec.EllipticCurvePrivateKey, names: list[str]) -> x509.Certificate:
    allowed = [
        x509.IPAddress(ipaddress.ip_network(entry.value)) if isinstance(entry, x509.IPAddress) else entry
        for entry in map(_general_name, names)
    ]
    return (
        _builder(_AUTHORITY, _AUTHORITY, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(allowed, None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _certificate(
    key: ec.EllipticCurvePrivateKey,
    names: list[str],
    root: x509.Certificate,
    root_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Wallaroo sandbox")])
    return (
        _builder(name, root.subject, key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(map(_general_name, names)), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    """Return a builder with what both certificates have in common."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now - _CLOCK_SKEW + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.IPAddress | x509.DNSName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
