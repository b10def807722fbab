"""Writes the contract as a web page, in one file that loads nothing: Redoc's program and the contract are in it.

The page is made when it is wanted and not committed, because Redoc's program is not this repository's.
"""

from __future__ import annotations

import html
import json
from pathlib import Path
from string import Template

from wallaroo_ext import contract

_HERE = Path(__file__).parent
_PROGRAM = _HERE / "node_modules/redoc/bundles/redoc.standalone.js"
_OPTIONS = {
    "disableSearch": False,
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
style-src 'unsafe-inline'; img-src data:; worker-src blob:">
<title>$title</title>
<style>body { margin: 0 }</style>
</head>
<body>
<div id="page"></div>
<script>$program</script>
<script>Redoc.init($document, $options, document.getElementById("page"))</script>
</body>
</html>
""")


def write_page(file: Path) -> None:
    """Write the page of the contract to a file, its evidence and the sources of its statements included."""
    document = contract.load()
    text = _PAGE.substitute(
        title=html.escape(document["info"]["title"]),
        program=_in_script(_PROGRAM.read_text(encoding="utf-8")),
        document=_in_script(json.dumps(document)),
        options=json.dumps(_OPTIONS),
    )
    file.write_text(text, encoding="utf-8")


def _in_script(text: str) -> str:
    r"""Return a program or JSON as it may stand in a page: `<\/` is `</` to JavaScript, and ends no script."""
    return text.replace("</script", r"<\/script").replace("<!--", r"<\!--")
