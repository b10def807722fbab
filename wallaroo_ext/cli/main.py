"""The commands, and how they end: one sentence and an exit code on an error."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

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
) -> None:
    """Run an instance of the API on this machine, with real models, until it is interrupted.

    Once it answers, it prints the lines that set a client's environment: `eval` them, or `source` the file.

    Args:
        host: The address to listen on.
        port: The port to listen on; 0 takes a free one.
        data_dir: Where to keep models and state. Without it, they are gone when the sandbox ends.
        env_file: A file to write the lines to as well.
    """
    try:
        from wallaroo_ext.sandbox.server import serve
        from wallaroo_ext.sandbox.store import DataDirectoryInUseError
    except ImportError as error:
        _fail(f"The sandbox needs more packages ({error.name} is missing): pip install 'wallaroo-ext[sandbox]'.")
    try:
        serve(host, port, data_dir, env_file)
    except DataDirectoryInUseError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"The sandbox cannot run on {host}:{port}: {error.strerror or error}.")


def _fail(message: str) -> NoReturn:
    print(message, file=sys.stderr)  # noqa: T201 - the one sentence
    raise SystemExit(2)
