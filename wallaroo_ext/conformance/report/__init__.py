"""The report of a run: a page for people, JSON, JUnit XML and HAR for programs, a badge, and what GitHub shows.

`report_files.py` writes it. `failures.py` groups findings, `curl.py` repeats a request, `body_view.py` shows a body,
and `page.py` renders the page from `templates/`. All text from an instance is hostile until it is escaped.
"""

from __future__ import annotations

from wallaroo_ext.conformance.report.report_files import (
    ReportDirectoryError,
    ReportFiles,
    check_report_directory,
    write_report,
)

__all__ = ["ReportDirectoryError", "ReportFiles", "check_report_directory", "write_report"]
