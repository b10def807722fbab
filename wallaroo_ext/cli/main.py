"""The commands, as one program."""

from __future__ import annotations

import sys
from importlib import import_module, metadata
from typing import Any, cast

from cyclopts import App

from wallaroo_ext.cli import running

_COMMANDS = (
    "assay",
    "batch",
    "call",
    "conformance",
    "deploy",
    "doctor",
    "drift",
    "infer",
    "operations",
    "sandbox",
    "status",
    "token",
    "undeploy",
    "upload",
)
"""The commands, each in the module of its name."""


def program(arguments: list[str]) -> App:
    """The command line; where these arguments ask for a command, only that one is loaded.

    A sandbox would keep the memory of all others for as long as it runs.
    """
    app = App(
        name="wallaroo-ext",
        help="Work with a Wallaroo instance, or run one on this machine.",
        version=lambda: metadata.version("wallaroo-ext"),
        version_format="plaintext",
        suppress_keyboard_interrupt=False,  # `running` says what is left behind
    )
    cast("Any", app).register_install_completion_command(help="Let this shell complete the command's words.")
    is_known = bool(arguments) and arguments[0] in _COMMANDS
    for name in _COMMANDS:
        module = f"wallaroo_ext.cli.{name}"
        app.command(f"{module}:{name}" if is_known else getattr(import_module(module), name))
    return app


def main() -> None:
    """Run the command line."""
    running.run(program(sys.argv[1:]), sys.argv[1:])
