"""Escaping text from outside, so that it cannot control a terminal, a log or a page."""

from __future__ import annotations

import re

_LAYOUT = re.compile("([\n\t])")


def printable(text: str) -> str:
    r"""Return a text with every unprintable character escaped, such as `\x1b`.

    Unprintable are, as Unicode defines it, control and format characters, which control terminals or reverse the
    direction of writing, line separators, lone surrogates and unassigned code points.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def printable_lines(text: str) -> str:
    """Return a text with every unprintable character escaped except line feeds and tabs."""
    if text.isprintable():
        return text
    return "".join(part if part in {"\n", "\t"} else printable(part) for part in _LAYOUT.split(text))


def printable_json(text: str) -> str:
    r"""Return the same JSON with unprintable characters as JSON escapes, such as `\u009b`.

    Args:
        text: The output of `json.dumps`, in which only strings have such characters.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else _units(each) for each in text)


def _units(character: str) -> str:
    encoded = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{encoded[at : at + 4]}" for at in range(0, len(encoded), 4))


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
