"""Writes the files of a report, each whole or not at all."""

from __future__ import annotations

import re
import stat
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from wallaroo_ext._util.files.atomic_files import atomic_writer, create_file, temporary_name, write_atomically
from wallaroo_ext.conformance.report.badge import badge_svg
from wallaroo_ext.conformance.report.har import write_har
from wallaroo_ext.conformance.report.json_report import report_json
from wallaroo_ext.conformance.report.junit import junit_xml
from wallaroo_ext.conformance.report.page import page

if TYPE_CHECKING:
    from pathlib import Path

    from wallaroo_ext.conformance.results import Run


_INSPECTED_BYTES = 1000
_BEGINNINGS = (
    re.compile(
        rb"""<!doctype html>\s+<html[^>]*>\s+<head>\s+<meta [^>]*>\s+<meta name="generator" content="wallaroo-ext">"""
    ),
    re.compile(rb"""{\s+"log": {\s+"version": "1.2",\s+"creator": {\s+"name": "wallaroo-ext","""),
    re.compile(rb"""<[?]xml [^>]*>\s+<testsuites name="wallaroo conformance" """),
    re.compile(rb"""{\s+"format": [0-9]+,\s+"verdict": "[^"]+",\s+"exit_code": [0-9],\s+"could_not_run": """),
    re.compile(rb"""<svg [^>]*>\s+<!-- wallaroo-ext -->"""),
)
"""How the files of `ReportFiles` begin, in their order."""


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """The files of a report.

    Attributes:
        page: The page for people, which needs no other file.
        har: Every request and its answer, as HTTP Archive 1.2.
        junit: The outcomes of the tests, as JUnit XML.
        machine: The content of the page, as JSON.
        badge: The verdict as a picture.
    """

    page: Path
    har: Path
    junit: Path
    machine: Path
    badge: Path


class ReportDirectoryError(Exception):
    """A directory cannot have a report; the message says what to do."""


def check_report_directory(directory: Path) -> None:
    """Create a directory for a report, and check that a report can be written there and replaces no foreign file.

    An earlier report is recognized by how its files begin.

    Args:
        directory: The directory; it is created where it is missing.

    Raises:
        ReportDirectoryError: It is no directory, it cannot be written to, or it has another file under such a name.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for file, beginning in zip(astuple(_files(directory)), _BEGINNINGS, strict=True):
            _check_file(file, beginning)
        probe = directory / temporary_name(_files(directory).page.name)  # after a kill, the page's writer removes it
        create_file(probe).close()
        probe.unlink(missing_ok=True)  # another run may have removed it by now
    except OSError as error:
        raise ReportDirectoryError(f"--report {directory} cannot be written to: {error.strerror}.") from None


def _check_file(file: Path, beginning: re.Pattern[bytes]) -> None:
    try:
        is_file = stat.S_ISREG(file.lstat().st_mode)
    except FileNotFoundError:
        return
    if is_file:
        with file.open("rb") as opened:
            is_file = beginning.match(opened.read(_INSPECTED_BYTES)) is not None
    if not is_file:
        raise ReportDirectoryError(f"{file} is of no report of this program: move it, or name another --report.")


def _files(directory: Path) -> ReportFiles:
    names = ("report.html", "report.har", "junit.xml", "report.json", "badge.svg")
    return ReportFiles(*(directory / name for name in names))


def write_report(run: Run, directory: Path) -> ReportFiles:
    """Write the report of a run; it replaces the files of an earlier report, and no others.

    Args:
        run: The results.
        directory: The directory; it is created where it is missing.

    Raises:
        ReportDirectoryError: The directory has other files under the report's names, or cannot be written to.
        OSError: It cannot be written there. No file is left half written.
    """
    check_report_directory(directory)
    files = _files(directory)
    with atomic_writer(files.har) as target:
        write_har(run.exchanges, target)
    write_atomically(files.junit, junit_xml(run))
    write_atomically(files.machine, report_json(run).encode())
    write_atomically(files.badge, badge_svg(run).encode())
    write_atomically(files.page, page(run).encode())
    return files
