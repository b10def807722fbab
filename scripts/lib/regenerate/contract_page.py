"""The contract as a web page, in one file that loads nothing: Redoc's program and the contract are in it.

Redoc's program comes from the package `offapi`, which includes its licence. It is not this repository's, so the page is
written by `scripts/regenerate` and not committed.
"""

from __future__ import annotations

import html
import json
from string import Template

from wallaroo_ext import contract
from wallaroo_ext.sandbox.server.docs import offapi_file

_PROGRAM = "redoc.js"
_OPTIONS = {
    "disableSearch": False,
    "disableTelemetry": True,  # and the page's policy lets nothing out
    "hideDownloadButtons": True,
    "nativeScrollbars": True,
    "onlyRequiredInSamples": True,
}
_PAGE = Template("""\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; \
style-src 'unsafe-inline'; img-src data:; font-src data:; worker-src blob:">
<title>$title</title>
<style>body { margin: 0 }</style>
</head>
<body>
<div id="page"></div>
<script type="module">$program
init($document, $options, document.getElementById("page"))</script>
</body>
</html>
""")


def contract_page(program: str | None = None) -> str:
    """Return the page of the contract, its evidence and the sources of its statements included.

    Args:
        program: The program that shows it; None for Redoc's.
    """
    document = contract.load()
    return _PAGE.substitute(
        title=html.escape(document["info"]["title"]),
        program=_in_script(offapi_file(_PROGRAM).read_text(encoding="utf-8") if program is None else program),
        document=_in_script(json.dumps(document)),
        options=json.dumps(_OPTIONS),
    )


def _in_script(text: str) -> str:
    r"""Return a program or JSON as it may stand in a page: `<\/` is `</` to JavaScript, and ends no script."""
    return text.replace("</script", r"<\/script").replace("<!--", r"<\!--")
