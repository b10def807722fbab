"""Finds files of the repository that a wheel carries too: the contract, its overlays, the suite's tests and cassettes.

A wheel has them in a folder of this package, under the paths that they have in the repository (`force-include` in
pyproject.toml).
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parents[2]
_IN_WHEEL = _PACKAGE / "_repository"


def repository_file(path: str) -> Path:
    """Return the place of a file or folder of the repository, in a checkout or in an installed wheel.

    Args:
        path: Its path from the repository's root, such as `contract_tests/instance`.
    """
    root = _IN_WHEEL if _IN_WHEEL.is_dir() else _PACKAGE.parent
    return root / path
