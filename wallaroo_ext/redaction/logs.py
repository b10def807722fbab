"""The logs of httpx and httpcore without what is secret in them."""

from __future__ import annotations

import logging
import re

from wallaroo_ext.redaction.patterns import redacted

_LOGGERS = (
    "httpx",
    "httpcore",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)
"""Each logger by itself: a filter of `httpcore` would not see what its children log."""

_HEADER = re.compile(
    r"""\( (?P<name> b'[^']*' | b"[^"]*" ), \s b(?: '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" ) \)""", re.VERBOSE
)
_HARMLESS = re.compile(
    r"""b['"] (?: content-(?:type|length|encoding) | transfer-encoding | connection | keep-alive | date | server | vary
    | allow | retry-after ) ['"]""",
    re.VERBOSE | re.IGNORECASE,
)
_QUERY = re.compile(r"""(?P<before>https?://[^\s"'?]*)\?[^\s"']*""")


class SecretFilter(logging.Filter):
    """Takes out of a record the values of headers that are not known to be harmless, queries of URLs, and tokens."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass, without its secrets."""
        text = record.getMessage()
        safe = redacted(_QUERY.sub(r"\g<before>?[removed]", _HEADER.sub(_header, text)))
        if safe != text:
            record.msg, record.args = safe, None
        return True


_filter = SecretFilter()


def protect_logs() -> None:
    """Keep secrets out of what httpx and httpcore log, whoever uses them in this process."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_filter)  # the same filter is added once


def _header(found: re.Match[str]) -> str:
    return found[0] if _HARMLESS.fullmatch(found["name"]) else f"({found['name']}, [removed])"
