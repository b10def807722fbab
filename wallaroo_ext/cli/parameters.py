"""Values that several commands take: paths, workspaces and the ids of deployments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from wallaroo_ext._util.files.user_paths import names_directory, user_path
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.inference.selection import ALL

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cyclopts import Token
    from wallaroo_mlops_client import Client

DeploymentId = Annotated[int | None, Parameter(name="--id")]
"""The option that selects a deployment if several have the name."""


def _convert_path(_: object, tokens: Sequence[Token]) -> Path:
    return user_path(tokens[0].value)


def _convert_output_file(_: object, tokens: Sequence[Token]) -> Path:
    if names_directory(tokens[0].value):
        raise UsageError(f"{tokens[0].value} is a directory: name a file in it.")
    return user_path(tokens[0].value)


PATH = Parameter(converter=_convert_path)
"""An option that takes a path, whose `~` is expanded."""

OUTPUT_FILE = Parameter(converter=_convert_output_file)
"""An option that takes a file to write; a path that ends with a separator is refused."""

_ID_DIGITS = 18
"""A longer number is no id; Python refuses to read very long ones."""


def parse_workspace(text: str | None) -> int | str | None:
    """Return the id of a workspace if the text is a number, otherwise the text, which is its name."""
    return int(text) if text is not None and text.isdecimal() and len(text) <= _ID_DIGITS else text


def workspace_id(client: Client, text: str | None) -> int:
    """Return the id of a workspace by its name or id; of the user's own one if none is named."""
    from wallaroo_ext.resources.workspaces import find_workspace

    return find_workspace(client, parse_workspace(text)).id


def find_workspace_id(client: Client, text: str | None) -> int | None:
    """Return the id of a workspace by its name or id; None, which means all, if none is named."""
    return None if text is None else workspace_id(client, text)


def answer_parts(wanted: list[str] | None, left_out: list[str] | None, separator: str) -> dict[str, Any]:
    """Return the options of scoring for the parts of an answer.

    Args:
        wanted: The parts that are wanted. Each text is a name, or names with commas between.
        left_out: The parts to leave out, likewise.
        separator: The text that the instance joins names with.
    """
    excluded = None if left_out is None else _separate(left_out)
    return {"dataset": _separate(wanted or [ALL]), "dataset_exclude": excluded, "dataset_separator": separator}


def _separate(texts: list[str]) -> list[str]:
    return [name for text in texts for name in text.split(",")]
