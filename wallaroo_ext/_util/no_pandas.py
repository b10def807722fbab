"""Hides pandas from pyarrow, in programs that have no value of pandas."""

from __future__ import annotations

import sys


class _NoPandas:
    """A finder of modules that finds pandas nowhere."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        """Raise for pandas, and leave all other modules to the other finders.

        Raises:
            ModuleNotFoundError: The module is pandas.
        """
        if name == "pandas":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def hide_pandas() -> None:
    """Let this process find no pandas from now on.

    Where it is installed, pyarrow imports it to look whether a value is of pandas: that takes longer than all else
    that a sandbox does when it starts.
    """
    sys.meta_path.insert(0, _NoPandas())
