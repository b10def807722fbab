"""The command `wallaroo-ext`; needs the extra `cli`."""

from wallaroo_ext.cli.main import main

__all__ = ["main"]
