"""Removing secrets from the logs of httpx and httpcore."""

from __future__ import annotations

import logging
import re

from wallaroo_ext.redaction.patterns import redact

_LOGGERS = (
    "httpx",
    "httpcore",
    "httpcore.connection",
    "httpcore.http11",
    "httpcore.http2",
    "httpcore.proxy",
    "httpcore.socks",
)
"""Each logger is named, because a filter of `httpcore` does not see what its children log."""

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
    """Removes from log records tokens, queries of URLs, and the values of headers not known to be harmless."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Remove the secrets of a record. Return True, so that every record is logged."""
        text = record.getMessage()
        safe = redact(_QUERY.sub(r"\g<before>?[removed]", _HEADER.sub(_header, text)))
        if safe != text:
            record.msg, record.args = safe, None
        return True


_filter = SecretFilter()


def redact_logs() -> None:
    """Remove secrets from what httpx and httpcore log, whoever uses them in this process."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_filter)  # the same filter is added once


def _header(found: re.Match[str]) -> str:
    return found[0] if _HARMLESS.fullmatch(found["name"]) else f"({found['name']}, [removed])"
