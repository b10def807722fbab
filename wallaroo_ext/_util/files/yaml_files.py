"""Reads YAML; needs PyYAML, which comes with the extra `sandbox`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def read_yaml(file: Path) -> Any:
    """Return the content of a YAML file.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no YAML.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with file.open(encoding="utf-8") as stream:
        try:
            return yaml.load(stream, Loader=loader)  # noqa: S506 - both are the safe loader, one of them in C
        except yaml.YAMLError as error:
            raise ValueError(f"it is no YAML, {error}") from None
