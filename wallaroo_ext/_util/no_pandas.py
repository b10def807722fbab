"""Hides pandas from pyarrow, in programs that have no values of pandas."""

from __future__ import annotations

import sys


class _NoPandas:
    """A finder of modules that lets pandas be missing."""

    @staticmethod
    def find_spec(fullname: str, *_: object) -> None:
        """Raise for pandas, and leave all other modules to the other finders.

        Raises:
            ModuleNotFoundError: The module is pandas.
        """
        if fullname == "pandas":
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def hide_pandas() -> None:
    """Let this process find no pandas from now on.

    Where it is installed, pyarrow imports it to look whether a value is of pandas. That would take most of the time
    that a short program takes.
    """
    sys.meta_path.insert(0, _NoPandas())
