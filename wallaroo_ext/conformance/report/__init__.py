"""The report of a run: a page for people, and JSON, JUnit XML and HAR for programs.

`files.py` writes it. `failures.py` groups what was found, `curl.py` repeats a request, `bodies.py` shows a body, and
`page.py` puts the page together from `templates/`. Everything that an instance said is hostile until it is escaped.
"""

from __future__ import annotations

from wallaroo_ext.conformance.report.files import (
    ReportDirectoryError,
    ReportFiles,
    check_report_directory,
    write_report,
)

__all__ = ["ReportDirectoryError", "ReportFiles", "check_report_directory", "write_report"]
