"""`wallaroo-ext conformance`: does an instance keep the contract?"""

from __future__ import annotations

import secrets
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Group, Parameter
from cyclopts.validators import Number

from wallaroo_ext._util.terminal_text import visible_json
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.workspaces import A_PATH
from wallaroo_ext.conformance.options import CASES, SEED

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_ext.conformance.report import ReportFiles
    from wallaroo_ext.conformance.results import Run

_SAFETY = Group("Safety", help="What the run may do on an instance that others use, too.")
_DRIFT = Group(
    "Drift", help="What else is compared with the contract; a difference that breaks clients is exit code 1."
)
_EXTRA = "pip install 'wallaroo-ext[conformance]'"
_NEEDED = {"pytest", "schemathesis", "hypothesis", "jinja2", "harfile", "onnx", "jsonschema_rs", "vcr", "yaml", "jwt"}


def conformance(
    *,
    report: Annotated[Path | None, A_PATH] = None,
    instance: Literal["live", "sandbox", "recorded"] = "live",
    contract: Annotated[Path | None, A_PATH] = None,
    operation: tuple[str, ...] = (),
    cases: Annotated[int, Parameter(validator=Number(gte=1))] = CASES,
    seed: int | None = None,
    explore: Annotated[bool, Parameter(negative=())] = False,
    drift: Annotated[bool, Parameter(group=_DRIFT, negative=())] = False,
    drift_url: Annotated[str | None, Parameter(group=_DRIFT)] = None,
    recorded: Annotated[Path | None, Parameter(group=_DRIFT), A_PATH] = None,
    read_only: Annotated[bool, Parameter(group=_SAFETY, negative=())] = False,
    allow_user_changes: Annotated[bool, Parameter(group=_SAFETY, negative=())] = False,
    rate: Annotated[float | None, Parameter(group=_SAFETY, validator=Number(gt=0))] = None,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """Check whether an instance keeps the contract, and write a report.

    It makes a workspace of its own, whose name begins with `conformance-`, uploads and deploys a small model there, and
    sends good and bad requests of every operation. It touches nothing that it did not make, and lists what it leaves.

    The exit code is 0 where the instance conforms, 1 where it does not, and 2 where that could not be found out.

    For example: `wallaroo-ext conformance --report report --rate 20`

    Args:
        report: A directory for the report: a page, JUnit XML, JSON, and HAR with every request and its answer. It
            replaces an earlier report there, and no other files.
        instance: `live` for the instance that the environment names, `sandbox` for one that is started for the run,
            `recorded` for what was recorded of one, without a network.
        contract: A contract of your own, in place of the one that comes with this package.
        operation: Look at this operation only, by its operationId; may be given again.
        cases: How many random requests of each operation to send, good ones and bad ones.
        seed: What random data is made from; the same seed sends the same requests.
        explore: Make random data that nobody has tried yet. The seed is printed.
        drift: Compare the instance's own OpenAPI document, where it has one.
        drift_url: Where that document is.
        recorded: Compare recorded exchanges: a directory of JSON files with `path`, `status`, `request`, `response`.
        read_only: Write nothing: make no workspace, and read what is there.
        allow_user_changes: Invite, activate and deactivate users of the run's own, at example.com.
        rate: Send at most so many requests a second.
        options: Which instance, who signs in, and how the command answers.
    """
    with options.reported(), suite_errors(contract):
        from wallaroo_ext.conformance.results import verdict

        found, files = _run(
            report,
            options,
            instance=instance,
            contract=contract,
            operations=operation,
            cases=cases,
            read_only=read_only,
            allow_user_changes=allow_user_changes,
            rate=rate,
            drift=drift,
            drift_url=drift_url,
            recorded=recorded,
            seed=secrets.randbits(32) if explore and seed is None else seed,
        )
        _tell_end(found, files, options)
        raise SystemExit(verdict(found).value)


@contextmanager
def suite_errors(contract: Path | None) -> Generator[None]:
    """Yield what keeps the suite from running, in a sentence: missing packages, no contract, nothing to compare."""
    from wallaroo_ext.conformance.drift.changes import DriftError

    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _NEEDED:
            raise
        raise output.UsageError(f"The suite needs more packages ({error.name} is missing): {_EXTRA}.") from None
    except DriftError as error:
        raise output.UsageError(str(error)) from None
    except (OSError, ValueError) as error:
        if contract is None or isinstance(error, BrokenPipeError):
            raise
        raise output.UsageError(f"{contract} cannot be read as a contract: {error}.") from None


def _run(report: Path | None, options: Options, **told: Any) -> tuple[Run, ReportFiles | None]:
    from wallaroo_ext.conformance.command import run_suite
    from wallaroo_ext.conformance.options import SuiteOptions
    from wallaroo_ext.conformance.report import ReportDirectoryError, check_report_directory, write_report

    told["seed"] = SEED if told["seed"] is None else told["seed"]
    if report is not None:
        try:
            check_report_directory(report)
        except ReportDirectoryError as error:
            raise output.UsageError(str(error)) from None
    with _progress(quiet=options.json) as tell:
        found = run_suite(SuiteOptions(environment=options.environment(), **told), tell)
    try:
        return found, None if report is None else write_report(found, report)
    except (ReportDirectoryError, OSError) as error:  # what was found is worth more than the files
        output.remark(f"The report was not written: {error}")
        return found, None


def _tell_end(found: Run, files: ReportFiles | None, options: Options) -> None:
    """Say what was found: for a program as JSON, for a person in a few lines."""
    from wallaroo_ext.conformance.report.json_report import report_json
    from wallaroo_ext.conformance.report.terminal import summary

    if options.json:
        output.as_it_is(visible_json(report_json(found)))
        return
    for line in summary(found, files=files, colours=output.is_terminal()):
        output.as_it_is(line)


@contextmanager
def _progress(*, quiet: bool) -> Generator[Callable[[int, int], None]]:
    """Tell how far the tests are: on a terminal by a bar, elsewhere every tenth of them."""
    if quiet or not sys.stderr.isatty():
        yield _silence if quiet else _tenths
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("Checking"), BarColumn(), MofNCompleteColumn(), TextColumn("tests"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _silence(_: int, __: int) -> None:
    """Print nothing."""


def _tenths(done: int, total: int) -> None:
    if done * 10 // total > (done - 1) * 10 // total:
        output.remark(f"{done} of {total} tests are done.")
