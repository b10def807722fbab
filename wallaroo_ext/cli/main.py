"""The commands, and how they end: one sentence and an exit code on an error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal, NoReturn
from urllib.parse import urlsplit

from cyclopts import App, Parameter
from cyclopts.validators import Number

app = App(name="wallaroo-ext", help="Work with a Wallaroo instance, or run one on this machine.")


def main() -> None:
    """Run the command line."""
    app()


@app.command
def sandbox(
    *,
    host: str = "127.0.0.1",
    port: Annotated[int, Parameter(validator=Number(gte=0, lte=65535))] = 0,
    data_dir: Path | None = None,
    env_file: Path | None = None,
    token_lifetime: Annotated[int, Parameter(validator=Number(gte=1))] = 3600,
    refresh_lifetime: Annotated[int, Parameter(validator=Number(gte=1))] = 1800,
    auth_url: str | None = None,
    release: Literal["2022.4", "2023.4", "2025.2"] = "2023.4",
    log_limit: Annotated[int, Parameter(validator=Number(gte=1))] = 1024,
) -> None:
    """Run an instance of the API on this machine, with real models, until it is interrupted.

    Once it answers, it prints the lines that set a client's environment: `eval` them, or `source` the file.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        data_dir: Where to keep models and state. Without it, they are gone when the sandbox ends.
        env_file: A file to write the lines to as well.
        token_lifetime: How long an access token lives, in seconds.
        refresh_lifetime: How long a refresh token lives, in seconds.
        auth_url: The URL of a Keycloak whose tokens are good, without a path. The sandbox gives no tokens then.
        release: The release of Wallaroo whose generation of inference answers is given.
        log_limit: How much the inference log may keep, in MiB.
    """
    if auth_url is not None and not _is_address(auth_url):
        _fail("--auth-url has to begin with http:// or https://, with a host and without a user.")
    try:
        from wallaroo_ext.sandbox.options import SandboxOptions
        from wallaroo_ext.sandbox.server import serve
        from wallaroo_ext.sandbox.store import DataDirectoryInUseError
    except ImportError as error:
        _fail(f"The sandbox needs more packages ({error.name} is missing): pip install 'wallaroo-ext[sandbox]'.")
    options = SandboxOptions(
        token_lifetime=token_lifetime,
        refresh_lifetime=refresh_lifetime,
        auth_url=auth_url,
        release=release,
        log_limit_mib=log_limit,
    )
    try:
        serve(host, port, data_dir, env_file, options)
    except DataDirectoryInUseError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"The sandbox cannot run on {host}:{port}: {error.strerror or error}.")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and "@" not in parts.netloc


def _fail(message: str) -> NoReturn:
    print(message, file=sys.stderr)  # noqa: T201 - the one sentence
    raise SystemExit(2)
