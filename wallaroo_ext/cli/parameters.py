"""What a person names on the command line: a workspace, which deployment of several, and paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from wallaroo_ext._util.user_paths import names_directory, user_path
from wallaroo_ext.cli.printing.output import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cyclopts import Token
    from wallaroo_mlops_client import Client

DeploymentId = Annotated[int | None, Parameter(name="--id")]
"""The option that says which deployment is meant, where a name fits several."""


def _path(_: object, tokens: Sequence[Token]) -> Path:
    return user_path(tokens[0].value)


def _file(_: object, tokens: Sequence[Token]) -> Path:
    if names_directory(tokens[0].value):
        raise UsageError(f"{tokens[0].value} is a directory: name a file in it.")
    return user_path(tokens[0].value)


PATH = Parameter(converter=_path)
"""Of an option that takes a path; `user_paths` says how it is read."""

OUTPUT_FILE = Parameter(converter=_file)
"""Of an option that takes a file to write, which a directory is not, even if there is none yet."""

_ID_DIGITS = 18
"""A longer number is no id, and longer than Python reads at some length."""


def parse_workspace(text: str | None) -> int | str | None:
    """Return a workspace by its name, or by its id where the text is a number."""
    return int(text) if text is not None and text.isdecimal() and len(text) <= _ID_DIGITS else text


def workspace_id(client: Client, text: str | None) -> int:
    """Return the id of the workspace that a person names, or of the user's own."""
    from wallaroo_ext.resources.workspaces import find_workspace

    return find_workspace(client, parse_workspace(text)).id


def find_workspace_id(client: Client, text: str | None) -> int | None:
    """Return the id of the workspace that a person names; None for all of them, where none is named."""
    return None if text is None else workspace_id(client, text)
