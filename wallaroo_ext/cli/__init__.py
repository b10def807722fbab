"""The command `wallaroo-ext`; needs the extra `cli`."""

from __future__ import annotations

import sys
from importlib import import_module


def main() -> None:
    """Run the command line."""
    try:
        program = import_module("wallaroo_ext.cli.main")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("wallaroo_ext"):
            raise
        message = f"The command needs more packages ({error.name} is missing): pip install 'wallaroo-ext[cli]'."
        print(message, file=sys.stderr)  # noqa: T201 - nothing else can print it yet
        raise SystemExit(2) from None
    program.main()
