"""Cassettes as files: YAML as vcrpy writes it, with bodies that people can read, replaced whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.atomic_files import write_atomically
from wallaroo_ext.conformance.recordings.secrets import suspicious

if TYPE_CHECKING:
    from collections.abc import Callable

SUFFIX = ".yaml"
_FORMAT = 1
_MODE = 0o644


class SecretFoundError(Exception):
    """What was to be written looks as if it held a secret; nothing was written."""


def default_directory() -> Path:
    """Return the cassettes that come with this package: beside it in an installed wheel, or in a checkout."""
    package = Path(__file__).parents[1]
    installed = package / "cassettes"
    return installed if installed.is_dir() else package.parents[1] / "contract_tests" / "cassettes"


def cassette_text(interactions: list[dict[str, Any]]) -> str:
    """Return a cassette as text.

    Args:
        interactions: `request` and `response` of each, as vcrpy's format has them.
    """
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes texts of several lines as they are."""

    def text(_: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = "|" if "\n" in value else None
        return yaml.ScalarNode("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    document = {"version": _FORMAT, "interactions": interactions}
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=120)


def write_cassette(path: Path, interactions: list[dict[str, Any]], announce: Callable[[], None] = lambda: None) -> bool:
    """Write a cassette, whole or not at all; whether it differs from the one that was there.

    Args:
        path: Its file.
        interactions: What it has.
        announce: Called before anything is written.

    Raises:
        SecretFoundError: It looks as if it held a secret.
    """
    text = cassette_text(interactions)
    found = suspicious(text)
    if found:
        raise SecretFoundError(
            f"{path.name} was not written, it looks as if it held a secret: {'; '.join(found[:5])}. "
            f"Let wallaroo_ext/conformance/recordings/kept_fields.py leave it out, or the test not send it."
        )
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    announce()
    write_text(path, text)
    return True


def write_text(path: Path, text: str) -> None:
    """Put a text in the place of a file, readable by everybody, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode(), mode=_MODE)
