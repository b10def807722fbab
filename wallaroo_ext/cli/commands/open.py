"""`wallaroo-ext open`: where an instance shows its operations as a page."""

from __future__ import annotations

import webbrowser
from http import HTTPStatus
from typing import Annotated

from cyclopts import Parameter

from wallaroo_ext.cli.options import DEFAULT_OPTIONS, Options
from wallaroo_ext.cli.printing import output
from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.errors import NotFoundError
from wallaroo_ext.sandbox.paths import DOCS_PAGE
from wallaroo_ext.transport.response_errors import connection_error
from wallaroo_ext.transport.wire_errors import NO_ANSWER

_SHOWN = {HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
"""The statuses of a page that is there, perhaps for those who sign in."""


def open(  # noqa: A001 - the command's name
    *, browser: Annotated[bool, Parameter(negative=(), show_default=False)] = False, options: Options = DEFAULT_OPTIONS
) -> None:
    """Print the URL of the page on which the instance shows its operations, to authorize and try them.

    A sandbox has this page, and so has an instance that shows its API.

    For example: `wallaroo-ext open --browser`

    Args:
        browser: Open it in a browser, too.
        options: The instance, and how to answer.
    """
    with options.report_errors():
        with options.connect() as client:
            http = client.get_httpx_client()
            url = str(http.base_url).rstrip("/") + DOCS_PAGE
            try:
                status = http.get(url, auth=None, follow_redirects=True).status_code
            except NO_ANSWER as error:
                raise connection_error("open", error) from error
        if status not in _SHOWN:
            what = f"There is no page at {url}: it is answered with {status}."
            advice = "`wallaroo-ext operations` lists the operations, `wallaroo-ext call NAME --example` shows a body."
            raise NotFoundError(what, operation="open", status=status, msg=what, advice=advice)
        if options.json:
            output.print_line(output.to_json({"url": url}, machine=True))
        else:
            output.print_line(url)
        if browser and not webbrowser.open(url):
            raise UsageError("No browser can be started here: open the URL by yourself.")
