"""The verdict of a run as a badge, to show on a page of one's own."""

from __future__ import annotations

import re

from wallaroo_ext.conformance.results import Run, Verdict, verdict

_COLOURS = {Verdict.CONFORMS: "#2da44e", Verdict.DOES_NOT_CONFORM: "#cf222e", Verdict.COULD_NOT_RUN: "#9a6700"}
_LABEL = "conformance"
_RELEASE = re.compile(r"[0-9]{4}\.[0-9]{1,2}")
_CHARACTER = 6.6
"""How wide a character of 11 pixels is, about; the texts are stretched to what this makes of them."""
_MARGIN = 8


def badge_svg(run: Run) -> str:
    """Return a picture of the verdict, with the release that the instance was held to."""
    found = verdict(run)
    is_known = found is Verdict.CONFORMS and _RELEASE.fullmatch(run.subject.release) is not None
    text = f"{found.text} to {run.subject.release}" if is_known else found.text
    left, right = _width(_LABEL), _width(text)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{_LABEL}: {text}">\n'
        f"<!-- wallaroo-ext -->\n<title>{_LABEL}: {text}</title>\n"
        f'<rect width="{left + right}" height="20" rx="3" fill="{_COLOURS[found]}"/>\n'
        f'<path d="M3 0h{left - 3}v20h-{left - 3}a3 3 0 0 1-3-3v-14a3 3 0 0 1 3-3z" fill="#444"/>\n'
        '<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">\n'
        f'<text x="{_MARGIN}" y="14" textLength="{left - 2 * _MARGIN}">{_LABEL}</text>\n'
        f'<text x="{left + _MARGIN}" y="14" textLength="{right - 2 * _MARGIN}">{text}</text>\n'
        "</g>\n</svg>\n"
    )


def _width(text: str) -> int:
    return round(len(text) * _CHARACTER) + 2 * _MARGIN
