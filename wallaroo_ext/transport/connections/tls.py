"""The default TLS settings, whose certificates are read once for all clients.

The known authorities are those that come with httpx, unless the environment names others: all that `SSL_CERT_FILE`,
`SSL_CERT_DIR` and `REQUESTS_CA_BUNDLE` name, together.
"""

from __future__ import annotations

import os
import ssl
import threading
from functools import lru_cache
from pathlib import Path

import httpx

from wallaroo_ext._util.after_fork import end_before_forks, fork_lock, this_process
from wallaroo_ext.errors import ConfigurationError

NAMED_BY = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
"""The environment variables that name other certificates than those that come with httpx."""
_KEY_LOG = "SSLKEYLOGFILE"
_threads = threading.local()


def shared_tls_context(*, verify: bool) -> ssl.SSLContext:
    """Return the default TLS settings, shared among clients because reading the certificates takes 30 ms.

    The certificates are read again when the files change, or another file is named for the keys of TLS.

    Args:
        verify: Whether certificates are checked.

    Raises:
        ConfigurationError: A variable names certificates that cannot be read.
    """
    if not verify:
        with fork_lock():
            return httpx.create_ssl_context(verify=False)
    return _as_of(os.environ.get(_KEY_LOG), tuple(_version(os.environ.get(name)) for name in NAMED_BY))


@lru_cache(maxsize=1)
def _as_of(_: str | None, __: tuple[tuple[str | None, int], ...]) -> ssl.SSLContext:
    return new_tls_context()


def new_tls_context(ca_bundle: str | None = None) -> ssl.SSLContext:
    """Return new TLS settings, which trust the known authorities. Forks are delayed meanwhile.

    Args:
        ca_bundle: A PEM file of certificates to trust, too: the one that WALLAROO_CA_BUNDLE names.

    Raises:
        ConfigurationError: Certificates cannot be read; the message names the file and the variable.
    """
    named = [(name, path) for name in NAMED_BY if (path := os.environ.get(name, "")).strip()]
    with fork_lock():
        context = _trusting(*named[0]) if named else _certifi()
        for name, path in [*named[1:], *([] if ca_bundle is None else [("WALLAROO_CA_BUNDLE", ca_bundle)])]:
            _trusting(name, path, context)
        return context


def unused_tls_context() -> ssl.SSLContext:
    """Return TLS settings that trust nobody, for connections without TLS: no certificates are read for them.

    Forks are delayed meanwhile: the child would wait forever for what OpenSSL does at its first use.
    """
    with fork_lock():
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def prepare_thread() -> None:
    """Let other threads fork whatever this one does with OpenSSL at its first use, and at the thread's end.

    OpenSSL keeps data for each thread, and holds a lock while it makes and drops them. Forks are delayed meanwhile: the
    child would wait forever for that lock.
    """
    if getattr(_threads, "prepared_for", None) is not this_process():
        end_before_forks()
        with fork_lock():
            ssl.RAND_bytes(1)  # what makes the data
        _threads.prepared_for = this_process()


def _certifi() -> ssl.SSLContext:
    """Return TLS settings that trust the authorities which come with httpx."""
    try:
        return httpx.create_ssl_context(trust_env=False)
    except OSError as error:
        import certifi

        advice = "Install certifi anew, or name a PEM file of certificates to trust in SSL_CERT_FILE."
        raise _refusal(error, f"{certifi.where()}, the file of the known authorities,", advice) from None


def _trusting(name: str, path: str, context: ssl.SSLContext | None = None) -> ssl.SSLContext:
    """Return TLS settings that trust the certificates which a variable names: new ones, or those that are given."""
    file, directory = (None, path) if _is_directory(name, path) else (path, None)
    try:
        if context is None:
            return ssl.create_default_context(cafile=file, capath=directory)
        context.load_verify_locations(file, directory)
    except OSError as error:
        raise _refusal(error, f"{path}, which {name} names,", _advice(name)) from None
    return context


def _is_directory(name: str, path: str) -> bool:
    """Return whether a variable names directories, as OpenSSL takes them, and not a file.

    Raises:
        ConfigurationError: Neither can be read.
    """
    try:
        if name != "SSL_CERT_FILE" and any(Path(each).is_dir() for each in path.split(os.pathsep)):
            return True
        if name != "SSL_CERT_DIR" and not Path(path).is_fifo():  # a pipe would be waited for
            Path(path).open("rb").close()
            return False
        reason = "is no directory" if name == "SSL_CERT_DIR" else "is a pipe"
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
    raise ConfigurationError(f"{path}, which {name} names, {reason}.", advice=_advice(name))


def _advice(name: str) -> str:
    kind = "a directory" if name == "SSL_CERT_DIR" else "a PEM file"
    return f"Name {kind} of certificates to trust in {name}, or unset it."


def _refusal(error: OSError, certificates: str, advice: str) -> ConfigurationError:
    """Return the error for TLS settings that cannot be made.

    Args:
        error: What OpenSSL raised: about the certificates, or about the file for the keys of TLS, which it opens, too.
        certificates: The file or directories of the certificates, and what names them.
        advice: What to do about the certificates.
    """
    if isinstance(error, ssl.SSLError):
        return ConfigurationError(f"{certificates} holds no certificates in PEM form that can be read.", advice=advice)
    reason = error.strerror or error
    if error.filename is not None and error.filename == os.environ.get(_KEY_LOG):
        what = f"{error.filename}, which {_KEY_LOG} names for the keys of TLS,"
        return ConfigurationError(f"{what} cannot be written: {reason}.", advice=f"Unset {_KEY_LOG}.")
    return ConfigurationError(f"{certificates} cannot be read: {reason}.", advice=advice)


def _version(named: str | None) -> tuple[str | None, int]:
    """Return a path and when it was changed, 0 if it does not exist."""
    try:
        return named, Path(named).stat().st_mtime_ns if named else 0
    except OSError:
        return named, 0  # reported when it is read
