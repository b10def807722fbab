"""`wallaroo-ext operations`: list the operations; and find one by its id."""

from __future__ import annotations

import dataclasses
from difflib import get_close_matches

from wallaroo_ext import contract
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.output import UsageError


def operations(*, options: Options = DEFAULT_OPTIONS) -> None:
    """List the operations that `wallaroo-ext call` can call. With --json they come with paths and media types."""
    with options.reported():
        rows = {name: contract.operation(name) for name in contract.operation_ids()}
        if options.json:
            listed = [{"operation": name} | dataclasses.asdict(row) for name, row in rows.items()]
            output.print_line(output.to_json(listed, machine=True))
            return
        width = max(map(len, rows))
        for name, row in rows.items():
            output.print_line(f"{name:{width}}  {row.summary}")


def find_operation(name: str) -> str:
    """Return the id of an operation that is named by its id, with underscores or dashes, or by its path.

    Raises:
        UsageError: There is no such operation; the message names those with similar ids.
    """
    wanted = contract.operation_at(name) or name.replace("-", "_").lower()
    ids = contract.operation_ids()
    if wanted in ids:
        return wanted
    similar = get_close_matches(wanted, ids, n=3, cutoff=0.5)
    guess = f" Did you mean {' or '.join(similar)}?" if similar else ""
    raise UsageError(f"There is no operation {name!r}.{guess} `wallaroo-ext operations` lists all.")
