"""Texts without their secrets: what may stand in errors and logs."""

from __future__ import annotations

import re

from wallaroo_ext._util.terminal_text import visible
from wallaroo_ext.redaction.known_secrets import known_spans, without_spans

BODY_LIMIT = 500
"""How much of an answer's body an error has, in characters."""
_ROOM = 16_384
"""How much more is read, so that a secret is whole when it is looked for, and only then the text is cut."""

# A value that the end of the text cuts off is a value, too: who wrote the text may have cut it.
_SECRETS = re.compile(
    r"""(?ixs)
    eyJ[\w-]+ (?:\.[\w-]*){0,4}                                     # a JSON web token
    | (?P<scheme> \b (?:bearer|basic) (?: \s+ | \+ | %(?:25)*20 ) ) (?! \[removed\] ) [\w.~+/=%-]+
    | (?P<user> ://[^\s/:@]*: ) (?: [^\s/@]+ (?= @) | (?! \d+ $) [^\s/@]+ $ )  # the password of a URL; no port
    | (?P<header> (?:authorization|cookie) \s* : \s* ) (?! ["'] | \[removed\] ) [^\r\n]+
    | (?P<element> < (?:[\w-]+:)? [\w-]* (?:token|password|passwd|pwd|passphrase|secret|api[-_]?key) s?
        (?: \s [^<>]* )? > ) (?! \[removed\] ) [^<]+
    | (?P<name> (?: (?:token|password|passwd|pwd|passphrase|secret|authorization|cookie|api[-_]?key)s? | \b pass )
        (?: \\*["'] \s* (?: [:=]>?+ | , ) | \s* (?: [:=]>?+ | %(?:25)*3[ad] | &\#(?:61|x3d); | &equals; ) ) \s* )
      (?! \[removed\] )
      (?: (?P<escape> \\+) " (?: (?! (?<!\\) (?P=escape) ") . )* (?: (?P=escape) ")?  # a string of JSON in a string
        | " (?: [^"\\] | \\. )* (?: " | \\?$ )
        | ' (?: [^'\\] | \\. )* (?: ' | \\?$ )
        | [\[{] .*                                                  # a list or an object may hold anything
        | (?: (?:bearer|basic|digest|negotiate|token) \s+ )? [^\s&,;}]+
      )
    """
)


def excerpt(body: bytes) -> str:
    """Return the first 500 characters of a body, without secrets and without what steers a terminal."""
    return beginning(body[: BODY_LIMIT + _ROOM].decode("utf-8", errors="replace"), BODY_LIMIT)


def beginning(text: str, length: int) -> str:
    """Return the beginning of a text, without secrets: they are taken out first, so that no part of one stays."""
    return redacted(text[: length + _ROOM])[:length]


def redacted(text: str) -> str:
    """Return a text without secrets, and with control characters other than tabs and line feeds written out."""
    return visible(without_secrets(text))


def without_secrets(text: str) -> str:
    """Return a text without the secrets that this process holds, and without what looks like one.

    Both are looked for in the text as it came: a password that is `token` would spoil the patterns otherwise.
    """
    return without_spans(text, [*known_spans(text), *map(_value_of, _SECRETS.finditer(text))])


def _value_of(found: re.Match[str]) -> tuple[int, int]:
    """Return where the secret is in what a pattern has found, behind its name."""
    names = ("scheme", "user", "header", "element", "name")
    return found.start() + len(next((found[name] for name in names if found[name]), "")), found.end()
