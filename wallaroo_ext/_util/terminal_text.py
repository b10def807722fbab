"""Texts from outside, so that they do to a terminal, a log or a page nothing but being shown."""

from __future__ import annotations

import re

_LAYOUT = re.compile("([\n\t])")


def printable(text: str) -> str:
    r"""Return a text in which everything that cannot be seen is written out, such as `\x1b`.

    That is what Unicode says of control and format characters, which steer terminals or turn the direction of writing
    round, of the separators of lines, of halves of surrogate pairs and of code points that stand for nothing.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else _written_out(each) for each in text)


def visible(text: str) -> str:
    """Return a text as `printable` does, with its line feeds and tabs."""
    if text.isprintable():
        return text
    return "".join(part if part in {"\n", "\t"} else printable(part) for part in _LAYOUT.split(text))


def visible_json(text: str) -> str:
    r"""Return JSON that means the same and has escapes such as `\u009b` for what cannot be seen.

    Args:
        text: What `json.dumps` wrote; only its strings have such characters.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each == "\n" else _units(each) for each in text)


def _units(character: str) -> str:
    encoded = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{encoded[at : at + 4]}" for at in range(0, len(encoded), 4))


def _written_out(character: str) -> str:
    return character.encode("unicode_escape").decode()
