"""`wallaroo-ext drift`: show how another OpenAPI document, or recordings of an instance, differ from the contract."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from wallaroo_ext.cli.commands.checking.conformance import Release, contract_read, report_suite_errors
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.parameters import PATH
from wallaroo_ext.cli.printing import output


def drift(
    url: Annotated[str | None, Parameter(name=("--url", "--drift-url"))] = None,
    *,
    recorded: Annotated[Path | None, PATH] = None,
    contract: Annotated[Path | None, PATH] = None,
    release: Release | None = None,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """Show how another OpenAPI document, or a set of recorded exchanges, differs from the contract.

    It lists every added, removed and changed field, by operation, and whether it breaks clients of the contract. The
    exit code is 0 if nothing does, 1 if something does, and 2 if there is nothing to compare.

    For example: `wallaroo-ext drift new.yaml --contract old.yaml`, or `wallaroo-ext drift --recorded exchanges`

    Args:
        url: A file with a document, in YAML or JSON, or its URL; by default, the instance's own, which is looked for
            beside its page of documentation.
        recorded: A directory with a JSON file for each exchange: `path`, `status`, `request` and `response`.
        contract: A contract of your own, instead of the one that comes with this package.
        release: The release whose contract it is compared with; by default, what all releases have in common.
        options: Which instance, who signs in, and how the command answers.
    """
    with options.report_errors(), report_suite_errors(), ExitStack() as stack:
        from wallaroo_ext.conformance.drift.fetching import document_file
        from wallaroo_ext.conformance.drift.sources import drift_of
        from wallaroo_ext.conformance.drift.table import as_json, as_table
        from wallaroo_ext.contract import load

        needs_no_instance = recorded is not None or (url is not None and document_file(url) is not None)
        client = None if needs_no_instance else stack.enter_context(options.connect())
        with contract_read(contract):
            document = load(release, file=contract)
        found = drift_of(document, client=client, url=url, recorded=recorded)
        if options.json:
            output.print_line(output.to_json(as_json(found), machine=True))
        else:
            _print(as_table(found))
        if found.breaking:
            raise SystemExit(output.EXIT_FAILED)


def _print(table: object) -> None:
    """Print a table, as wide as the terminal, or 160 columns wide if the output is no terminal."""
    from rich.console import Console

    Console(width=None if output.is_terminal() else 160, highlight=False).print(table)
