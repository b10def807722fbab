"""The files of a report, each of which is there as a whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from wallaroo_ext.cli.files import in_place_of
from wallaroo_ext.conformance.report.har import write_har
from wallaroo_ext.conformance.report.junit import junit_xml
from wallaroo_ext.conformance.report.machine import report_json
from wallaroo_ext.conformance.report.page import page

if TYPE_CHECKING:
    from pathlib import Path

    from wallaroo_ext.conformance.run import Run


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where a report was written.

    Attributes:
        page: The page for people, which needs no other file.
        har: Every request and its answer, as HTTP Archive 1.2.
        junit: What became of the tests, as JUnit XML.
        machine: What the page says, as JSON.
    """

    page: Path
    har: Path
    junit: Path
    machine: Path


def write_report(run: Run, directory: Path) -> ReportFiles:
    """Write the report of a run; files of an earlier one are replaced.

    Args:
        run: What was found.
        directory: Where; it is made where it is missing.

    Raises:
        OSError: It cannot be written there. No file is left half written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    files = ReportFiles(*(directory / name for name in ("report.html", "report.har", "junit.xml", "report.json")))
    with in_place_of(files.har) as target:
        write_har(run.exchanges, target)
    _write(files.junit, junit_xml(run))
    _write(files.machine, report_json(run).encode())
    _write(files.page, page(run).encode())
    return files


def _write(file: Path, content: bytes) -> None:
    with in_place_of(file) as target:
        target.write(content)
