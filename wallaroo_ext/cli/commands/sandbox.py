"""`wallaroo-ext sandbox`: run an instance on this machine."""

from __future__ import annotations

import sys
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, NoReturn
from urllib.parse import urlsplit

from cyclopts import Parameter
from cyclopts.validators import Number

from wallaroo_ext.cli.parameters import OUTPUT_FILE, PATH
from wallaroo_ext.redaction.terminal_text import printable_lines

_LARGEST = 2**31 - 1
"""The largest number of seconds, of MiB and of deployments: with those beyond, a sandbox failed at its first token."""
_LONGEST = 1_000_000.0
"""The longest time for a model, in seconds; the system waits no longer than twice this."""
_FROM_1 = Parameter(validator=Number(gte=1, lte=_LARGEST))


def sandbox(
    *,
    host: str = "127.0.0.1",
    port: Annotated[int | None, Parameter(validator=Number(gte=0, lte=65535))] = None,
    data_dir: Annotated[Path | None, PATH] = None,
    env_file: Annotated[Path | None, OUTPUT_FILE] = None,
    token_lifetime: Annotated[int, _FROM_1] = 3600,
    refresh_lifetime: Annotated[int, _FROM_1] = 1800,
    auth_url: str | None = None,
    audience: str = "account",
    release: Literal["2022.4", "2023.1", "2023.2", "2023.4", "2024.2", "2025.2"] = "2025.2",
    log_limit: Annotated[int, _FROM_1] = 1024,
    tls: Annotated[bool, Parameter(negative=())] = False,
    cert: Annotated[Path | None, PATH] = None,
    key: Annotated[Path | None, PATH] = None,
    log_format: Literal["text", "json", "off"] = "text",
    control_secret_file: Annotated[Path | None, PATH] = None,
    json_limit: Annotated[int, _FROM_1] = 64,
    arrow_limit: Annotated[int, _FROM_1] = 512,
    upload_limit: Annotated[int, _FROM_1] = 16384,
    rows_memory: Annotated[int, _FROM_1] = 2048,
    model_memory: Annotated[int, Parameter(validator=Number(gte=16, lte=_LARGEST))] = 4096,
    model_seconds: Annotated[float, Parameter(validator=Number(gt=0, lte=_LONGEST))] = 300,
    deployments: Annotated[int, _FROM_1] = 256,
    end_with_stdin: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Run an instance of the API on this machine, with real models, until it is interrupted.

    Once it answers, it prints the lines that set a client's environment: `eval` them, or `source` the file.

    For example: `wallaroo-ext sandbox --data-dir ~/wallaroo --env-file wallaroo.env`

    Programs on this machine steer it below /_sandbox/: reset, seed, state, clock, transitions and faults. A request
    fails by a rule such as `{"rules": [{"operation": "list_models", "kind": "bad-gateway"}]}`, posted to
    /_sandbox/faults. The kinds are delay, drop-before-answer, drop-during-answer, slow-answer, truncated-answer,
    empty-answer, too-many-requests, service-unavailable, bad-gateway, unknown-status, expired-token and redirect.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one. By default it is the one that the data directory used last, if
            that is free.
        data_dir: Where to keep models and state: a new or empty directory, or one that a sandbox made. Without it, they
            are gone when the sandbox ends.
        env_file: A file to write the lines to as well; a file with other content is refused.
        token_lifetime: How long an access token lives, in seconds.
        refresh_lifetime: How long a refresh token lives, in seconds.
        auth_url: The URL of a Keycloak whose tokens are accepted, without a path. The sandbox then issues no tokens.
        audience: The audience that the `aud` of that Keycloak's tokens has to name.
        release: The release of Wallaroo to imitate: its operations, and the forms of its requests and answers.
        log_limit: How much the inference log may keep, in MiB.
        tls: Speak https with a certificate that it makes itself, which the printed lines tell clients to trust.
        cert: Speak https with the certificate in this PEM file.
        key: The PEM file of the certificate's private key, without a password.
        log_format: How each request is logged on stderr.
        control_secret_file: A file with a secret, by which programs on other machines may control the sandbox below
            /_sandbox/. Without it, only programs on this machine may.
        json_limit: How large a body of JSON may be, in MiB.
        arrow_limit: How large a body of Arrow may be, in MiB.
        upload_limit: How large an uploaded file may be, in MiB.
        rows_memory: How much memory the rows of one request may take, in MiB.
        model_memory: How much memory the models of one deployment may take while they compute, in MiB.
        model_seconds: How long loading a model, or one run of it, may take, in seconds.
        deployments: How many deployments may exist at a time; another one is refused with 500, as by an instance that
            is out of memory.
        end_with_stdin: End when standard input is closed, so that the sandbox does not outlive the program that started
            it with a pipe.
    """
    if (cert is None) != (key is None) or (tls and cert is not None):
        _fail("--cert and --key go together, and --tls stands in place of both.")
    if auth_url is not None and not _is_address(auth_url):
        _fail("--auth-url has to begin with http:// or https://, with a host and without a user.")
    if sys.platform == "win32":
        _fail("The sandbox needs a POSIX system, such as Linux or macOS; on Windows, run it in WSL.")
    try:
        from wallaroo_ext.sandbox.options import SandboxOptions
        from wallaroo_ext.sandbox.server.env_file import EnvFileError
        from wallaroo_ext.sandbox.server.serve import ServerOptions, serve
        from wallaroo_ext.sandbox.server.tls import CertificateError
        from wallaroo_ext.sandbox.storage.migrations import DataDirectoryError
    except ImportError as error:
        _fail(f"The sandbox needs more packages ({error.name} is missing): pip install 'wallaroo-ext[sandbox]'.")
    _check_host(host)
    if auth_url is None and audience != SandboxOptions().audience:
        _fail("--audience is for the tokens of another issuer: it goes with --auth-url.")
    options = SandboxOptions(
        token_lifetime=token_lifetime,
        refresh_lifetime=refresh_lifetime,
        auth_url=auth_url,
        audience=audience,
        release=release,
        log_limit_mib=log_limit,
        json_limit_mib=json_limit,
        arrow_limit_mib=arrow_limit,
        upload_limit_mib=upload_limit,
        rows_memory_mib=rows_memory,
        model_memory_mib=model_memory,
        model_seconds=model_seconds,
        deployments=deployments,
        control_secret=None if control_secret_file is None else _read_secret(control_secret_file),
    )
    server = ServerOptions(
        host=host,
        port=port,
        directory=data_dir,
        env_file=env_file,
        certificate=cert,
        key=key,
        generate_certificate=tls,
        log_format=log_format,
        ends_with_stdin=end_with_stdin,
    )
    try:
        serve(server, options)
    except (CertificateError, DataDirectoryError, EnvFileError) as error:
        _fail(str(error))
    except OSError as error:
        where = host if port is None else f"{host}:{port}"
        _fail(f"The sandbox cannot run on {where}: {error.strerror or error}.")
    except RuntimeError as error:
        if "thread" not in str(error):
            raise
        _fail(f"The sandbox cannot run, because it may not have enough threads (ulimit -u): {error}.")


def _check_host(host: str) -> None:
    """End with advice if a host has more than its name or its address: brackets, a port, the scheme of a URL."""
    with suppress(ValueError):
        ip_address(host)
        return
    with suppress(ValueError):  # it is neither, which the system says when it cannot be listened on
        parts = urlsplit(host if "://" in host else f"//{host}")
        if parts.hostname not in {None, host.lower()}:
            port = "" if parts.port is None else f" --port {parts.port}"
            _fail(f"--host takes the name or the address of a host alone: --host {parts.hostname}{port}.")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc


def _read_secret(file: Path) -> str:
    """Return the secret in a file, without the line break at its end."""
    try:
        secret = file.read_text(encoding="ascii").strip()
    except OSError as error:
        _fail(f"--control-secret-file: {file} cannot be read: {error.strerror}.")
    except UnicodeDecodeError:
        secret = ""
    if not secret or not secret.isprintable() or " " in secret:
        _fail(f"--control-secret-file: {file} has to have one word of ASCII characters, which a header can carry.")
    return secret


def _fail(message: str) -> NoReturn:
    print(printable_lines(message), file=sys.stderr)  # noqa: T201 - `output` is not imported here
    raise SystemExit(2)
