"""`wallaroo-ext conformance`: check whether an instance keeps the contract."""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

from cyclopts import Group, Parameter
from cyclopts.validators import Number

from wallaroo_ext._util.files.user_paths import near_file_name
from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.parameters import PATH
from wallaroo_ext.cli.printing import output, progress
from wallaroo_ext.conformance.options import CASES, SEED
from wallaroo_ext.errors import ConfigurationError, InvalidDataError, WallarooError
from wallaroo_ext.redaction.patterns import redact
from wallaroo_ext.redaction.terminal_text import printable_json

if TYPE_CHECKING:
    from collections.abc import Generator

    from wallaroo_ext.conformance.report import ReportFiles
    from wallaroo_ext.conformance.results import Run

Release = Literal["2022.4", "2023.1", "2023.2", "2023.4", "2024.2", "2025.2"]
"""The releases of `contract.RELEASES`."""

_SAFETY = Group("Safety", help="What the run may do on an instance that others use, too.")
_DRIFT = Group(
    "Drift", help="What else is compared with the contract; a difference that breaks clients is exit code 1."
)
_EXTRA = "pip install 'wallaroo-ext[conformance]'"
_NEEDED = {"pytest", "schemathesis", "hypothesis", "jinja2", "harfile", "onnx", "jsonschema_rs", "vcr", "yaml", "jwt"}


def conformance(
    *,
    report: Annotated[Path | None, PATH] = None,
    instance: Literal["live", "sandbox", "recorded"] = "live",
    contract: Annotated[Path | None, PATH] = None,
    release: Release | None = None,
    operation: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    cases: Annotated[int, Parameter(validator=Number(gte=1))] = CASES,
    seed: int | None = None,
    explore: Annotated[bool, Parameter(negative=())] = False,
    quick: Annotated[bool, Parameter(negative=())] = False,
    drift: Annotated[bool, Parameter(group=_DRIFT, negative=())] = False,
    drift_url: Annotated[str | None, Parameter(name=("--url", "--drift-url"), group=_DRIFT)] = None,
    recorded: Annotated[Path | None, Parameter(group=_DRIFT), PATH] = None,
    read_only: Annotated[bool, Parameter(group=_SAFETY, negative=())] = False,
    allow_user_changes: Annotated[bool, Parameter(group=_SAFETY, negative=())] = False,
    inference_host: Annotated[tuple[str, ...], Parameter(group=_SAFETY, negative=())] = (),
    rate: Annotated[float | None, Parameter(group=_SAFETY, validator=Number(gt=0))] = None,
    github: Annotated[bool, Parameter(negative=())] = False,
    options: Options = DEFAULT_OPTIONS,
) -> None:
    """Check whether an instance keeps the contract, and write a report.

    It makes a workspace of its own, whose name begins with `conformance-`, uploads and deploys a small model there, and
    sends good and bad requests of every operation. It changes nothing that it did not make, and lists what it leaves.

    The exit code is 0 if the instance conforms, 1 if it does not, and 2 if that could not be found out.

    For example: `wallaroo-ext conformance --report report --rate 20`

    Args:
        report: A directory for the report: a page, JUnit XML, JSON, a badge, and HAR with every request and its answer.
            It replaces an earlier report there, and no other files.
        instance: `live` for the instance that the environment names, `sandbox` for one that is started for the run,
            `recorded` for what was recorded of one, without a network.
        contract: A contract of your own, instead of the one that comes with this package. It is taken as it is, unless
            --release names a release.
        release: The release that the instance is held to, and that a sandbox is started with. By default, it is the one
            that the instance says it is; an instance that says none is held to what all releases have in common.
        operation: Check only this operation, by its operationId; the option can be given several times.
        cases: How many random requests of each operation to send, good ones and bad ones.
        seed: The seed of random data; the same seed sends the same requests.
        explore: Use a new random seed, which is printed.
        quick: Leave out what takes long, for every push; the last lines say what was left out.
        drift: Compare the instance's own OpenAPI document, if it has one.
        drift_url: The URL of that document, or a file.
        recorded: Compare recorded exchanges: a directory of JSON files with `path`, `status`, `request`, `response`.
        read_only: Change nothing: make no workspace, and only read what exists.
        allow_user_changes: Invite, activate and deactivate users that the run makes, at example.com.
        inference_host: A further host that the token may be sent to, where inference URLs name another one than the
            API's; the option can be given several times.
        rate: How many requests to send in a second at most.
        github: Annotate the run of GitHub Actions with what is wrong, and write its summary.
        options: Which instance, who signs in, and how the command answers.
    """
    with options.report_errors():
        with report_suite_errors():
            found, files = _run(
                report,
                options,
                instance=instance,
                contract=contract,
                release=release,
                operations=operation,
                cases=cases,
                read_only=read_only,
                allow_user_changes=allow_user_changes,
                quick=quick,
                inference_hosts=inference_host,
                rate=rate,
                drift=drift,
                drift_url=drift_url,
                recorded=recorded,
                seed=secrets.randbits(32) if explore and seed is None else seed,
            )
        _answer(found, files, options, github=github)


@contextmanager
def report_suite_errors() -> Generator[None]:
    """Raise what keeps the suite from running as a UsageError: missing packages, nothing to compare, a defect.

    An exit code of 1 says that an instance was looked at, and is wrong: no other error may end with it.
    """
    from wallaroo_ext.conformance.drift.changes import DriftError

    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _NEEDED:
            raise
        raise output.UsageError(f"The suite needs more packages ({error.name} is missing): {_EXTRA}.") from None
    except DriftError as error:
        raise output.UsageError(str(error)) from None
    except (OSError, UnicodeEncodeError, output.UsageError, ConfigurationError, InvalidDataError):
        raise  # which end every command with 2
    except WallarooError as error:
        raise output.UsageError(str(error)) from error
    except Exception as error:
        what = redact(f"{type(error).__name__}: {error}")
        raise output.UsageError(f"This is a defect of wallaroo-ext, report it: {what}") from error


def _check_contract_file(file: Path, release: str | None) -> None:
    """Check that a contract of the caller's own can be read, and be that of a release.

    Raises:
        UsageError: It cannot.
    """
    from wallaroo_ext.conformance.conditions.own_contract import check_contract
    from wallaroo_ext.contract import load

    with contract_read(file):
        check_contract(load(release, file=file))


@contextmanager
def contract_read(file: Path | None) -> Generator[None]:
    """Raise what keeps a contract of the caller's own from being read in a block as a UsageError."""
    try:
        yield
    except (OSError, ValueError) as error:
        if file is None:
            raise
        raise output.UsageError(_unreadable(file, error)) from None


def _unreadable(contract: Path, error: OSError | ValueError) -> str:
    near = near_file_name(contract) if isinstance(error, FileNotFoundError) else None
    if near is not None:
        return f"There is no contract {contract}: there is {near!r}."
    return f"{contract} cannot be read as a contract: {error}."


def _run(report: Path | None, options: Options, **settings: Any) -> tuple[Run, ReportFiles | None]:
    from wallaroo_ext.conformance.command import run_suite
    from wallaroo_ext.conformance.conditions.interrupts import held_back
    from wallaroo_ext.conformance.options import SuiteOptions
    from wallaroo_ext.conformance.report import ReportDirectoryError, check_report_directory, write_report

    settings["seed"] = SEED if settings["seed"] is None else settings["seed"]
    if report is not None:
        try:
            check_report_directory(report)
        except ReportDirectoryError as error:
            raise output.UsageError(str(error)) from None
    if settings["contract"] is not None:
        _check_contract_file(settings["contract"], settings["release"])
    found: Run | None = None
    try:
        with progress.show_tests(quiet=options.json) as show:
            found = run_suite(
                SuiteOptions(environment=options.environment(), **settings),
                show,
                None if options.json else output.print_note,
            )
    except OSError:  # the terminal is gone, and the progress with it
        if found is None:
            raise
    try:
        with held_back():
            return found, None if report is None else write_report(found, report)
    except (ReportDirectoryError, OSError) as error:  # the findings are still printed
        output.print_note(f"The report was not written: {error}")
        return found, None


def _answer(found: Run, files: ReportFiles | None, options: Options, *, github: bool) -> NoReturn:
    """Print the findings, and end the program with the verdict, also where they cannot be printed.

    Raises:
        BrokenPipeError: Nobody reads them, which ends every command in the same way.
    """
    from wallaroo_ext.conformance.results import verdict

    try:
        _print_summary(found, files, options)
        if github:
            _tell_github(found, files)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError:
        output.discard()
    raise SystemExit(verdict(found).value)


def _print_summary(found: Run, files: ReportFiles | None, options: Options) -> None:
    """Print the findings: as JSON for a program, in a few lines for a person."""
    from wallaroo_ext.conformance.report.json_report import report_json
    from wallaroo_ext.conformance.report.terminal import summary

    lines = [report_json(found)] if options.json else summary(found, files=files, colours=output.is_terminal())
    for line in lines:
        output.print_unchanged(output.encodable(printable_json(line) if options.json else line))


def _tell_github(found: Run, files: ReportFiles | None) -> None:
    """Print the annotations of the run, and add its summary to the file that GitHub names."""
    from wallaroo_ext.conformance.report.github import step_summary, workflow_commands

    for line in workflow_commands(found):
        output.print_note(line)
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        output.print_note("There is no GITHUB_STEP_SUMMARY: the summary is written in a run of GitHub Actions only.")
        return
    try:
        with Path(file).open("a", encoding="utf-8") as target:
            target.write(step_summary(found, None if files is None else files.page))
    except OSError as error:
        output.print_note(f"The summary was not written to {file}: {error.strerror}.")
