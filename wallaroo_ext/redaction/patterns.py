"""Removing secrets from texts for errors and logs, by patterns and by value."""

from __future__ import annotations

import re

from wallaroo_ext.redaction.known_secrets import find_known_secrets, remove_spans
from wallaroo_ext.redaction.terminal_text import printable_lines

BODY_LIMIT = 500
"""How much of an answer's body is kept in an error, in characters."""
_ROOM = 16_384
"""How much more is searched, so that a secret is found whole before the text is cut."""

# A value that is cut off by the end of the text counts, too: the text may have been cut before.
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
      (?! \[removed\] | \{\} | \[\] )                             # what is empty holds nothing
      (?: (?P<escape> \\+) " (?: (?! (?<!\\) (?P=escape) ") . )* (?: (?P=escape) ")?  # a string of JSON in a string
        | " (?: [^"\\] | \\. )* (?: " | \\?$ )
        | ' (?: [^'\\] | \\. )* (?: ' | \\?$ )
        | [\[{] .*                                                  # a list or an object may hold anything
        | (?: (?:bearer|basic|digest|negotiate|token) \s+ )? [^\s&,;}]+
      )
    """
)

_WORDS = ("eyj", "bearer", "basic", "://", "authorization", "cookie", "token", "pass", "pwd", "secret", "api")
"""One of these stands in whatever the pattern finds, which takes many times as long as to look for them."""
_OTHER_CASES = re.compile("[\u0130\u0131\u017f]")
"""Characters that the pattern takes for `i` and `s`, and that are others in lower case."""


def redact_beginning(text: str, length: int) -> str:
    """Return the beginning of a text without secrets, removed before the text is cut, so that no part of one stays."""
    return redact(text[: length + _ROOM])[:length]


def redact(text: str) -> str:
    """Return a text without secrets, with control characters other than tabs and line feeds escaped."""
    return printable_lines(remove_secrets(text))


def remove_secrets(text: str) -> str:
    """Return a text without the secrets that this process holds, and without what looks like a secret.

    Both are looked for in the original text: otherwise removing the password `token` would break the patterns.
    """
    found = map(_value_of, _SECRETS.finditer(text)) if _may_look_secret(text) else ()
    return remove_spans(text, [*find_known_secrets(text), *found])


def _may_look_secret(text: str) -> bool:
    """Return whether the pattern may find something; False is certain."""
    lower = text.lower()
    return any(word in lower for word in _WORDS) or _OTHER_CASES.search(text) is not None


def _value_of(found: re.Match[str]) -> tuple[int, int]:
    """Return the start and end of the secret in a match, after its name."""
    names = ("scheme", "user", "header", "element", "name")
    return found.start() + len(next((found[name] for name in names if found[name]), "")), found.end()
