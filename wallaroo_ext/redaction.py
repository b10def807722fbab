"""Texts without their secrets: what may stand in errors and logs."""

from __future__ import annotations

import re

BODY_LIMIT = 500
"""How much of an answer's body an error has, in bytes."""

_REMOVED = "[removed]"

# A value that the end of the text cuts off is a value, too: a body is cut before its secrets are taken out.
_SECRETS = re.compile(
    r"""(?ixs)
    eyJ[\w-]+ (?:\.[\w-]*){0,4}                                     # a JSON web token
    | (?P<scheme> \b (?:bearer|basic) \s+ ) [\w.~+/=-]+
    | (?P<user> ://[^\s/:@]*: ) (?: [^\s/@]+ (?= @) | (?! \d+ $) [^\s/@]+ $ )  # the password of a URL; no port
    | (?P<header> (?:authorization|cookie) \s* : \s* ) (?! ["'] ) [^\r\n]+
    | (?P<name> (?:token|password|passwd|secret|authorization|cookie|api[-_]?key)s? \\*["']? \s* [:=] \s* )
      (?: (?P<escape> \\+) " (?: (?! (?<!\\) (?P=escape) ") . )* (?: (?P=escape) ")?  # a string of JSON in a string
        | " (?: [^"\\] | \\. )* (?: " | \\?$ )
        | ' (?: [^'\\] | \\. )* (?: ' | \\?$ )
        | [\[{] .*                                                  # a list or an object may hold anything
        | [^\s&,;}]+
      )
    """
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def excerpt(body: bytes) -> str:
    """The first 500 bytes of a body as text, without secrets and without what steers a terminal."""
    return redacted(body[:BODY_LIMIT].decode("utf-8", errors="replace"))


def redacted(text: str) -> str:
    """A text with what looks like a secret taken out, and control characters other than tabs and line feeds."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", without_secrets(text))


def without_secrets(text: str) -> str:
    """A text with what looks like a secret taken out, and nothing else changed."""
    return _SECRETS.sub(lambda found: f"{_prefix(found)}{_REMOVED}", text)


def _prefix(found: re.Match[str]) -> str:
    return next((found[name] for name in ("scheme", "user", "header", "name") if found[name]), "")
