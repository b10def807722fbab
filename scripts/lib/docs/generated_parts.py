"""Writes parts of pages from the code: the functions, the errors, the commands, the kinds of fault.

A page has the place of such a part in a comment in a line of its own, `<!-- functions -->` for one.
"""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import wallaroo_ext
from wallaroo_ext import aio
from wallaroo_ext.cli.main import COMMANDS, build_app
from wallaroo_ext.errors import WallarooError
from wallaroo_ext.sandbox.faults.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sphinx.application import Sphinx

_PLACE = re.compile(r"^<!-- (\w+) -->$", re.MULTILINE)
_CONTENTS = re.compile(r"## Table of Contents\n.*?(?=^\*\*Commands)", re.DOTALL | re.MULTILINE)
_ROOMS: Mapping[str, str] = {
    "client": "Signing in",
    "auth": "Signing in",
    "settings": "Signing in",
    "transport": "Connections and retries",
    "errors": "Connections and retries",
    "operations": "Operations",
    "resources": "Workspaces, models and pipelines",
    "uploads": "Uploads",
    "deployments": "Deployments",
    "inference": "Inference",
    "batch": "Many rows",
    "logs": "Logs",
    "assays": "Assays",
    "sandbox": "The sandbox",
}
"""The headings of the functions, by the part of the package that they are in."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the extension with Sphinx."""
    app.connect("source-read", _write_parts)
    return {"version": "1", "parallel_read_safe": True}


def _write_parts(_app: Sphinx, _name: str, source: list[str]) -> None:
    source[0] = _PLACE.sub(lambda match: _PARTS[match[1]]() if match[1] in _PARTS else match[0], source[0])


def commands() -> str:
    """Return the commands in Markdown, a section each, as cyclopts describes them."""
    app = build_app([])
    texts = [
        app[name].generate_docs("markdown", usage_name=f"wallaroo-ext {name}", heading_level=2) for name in COMMANDS
    ]
    return "\n\n".join(_CONTENTS.sub("", text).strip() for text in texts)


def functions() -> str:
    """Return the public functions and classes of `wallaroo_ext`, by the part of the package that they are in."""
    sections: dict[str, list[str]] = {heading: [] for heading in _ROOMS.values()}
    for name in wallaroo_ext.__all__:
        subject = getattr(wallaroo_ext, name)
        if not _is_error(subject):
            module = getattr(
                subject, "__module__", wallaroo_ext.sandbox.__name__
            )  # which is a module that can be called
            sections[_ROOMS[module.split(".")[1]]].append(name)
    return "\n".join(f"## {heading}\n\n{_described('wallaroo_ext', names)}" for heading, names in sections.items())


def aio_functions() -> str:
    """Return the functions for asyncio."""
    return _described(aio.__name__, [name for name in aio.__all__ if name != "connect"])


def errors() -> str:
    """Return the tree of errors, and what each of them says."""
    names = [name for name in wallaroo_ext.__all__ if _is_error(getattr(wallaroo_ext, name))]
    return "\n".join([*_branch(WallarooError, names, 0), "", _described("wallaroo_ext", names)])


def faults() -> str:
    """Return the table of the kinds of fault."""
    rows = [f"| `{name}` | {_options(kind.options)} | {_sentence(kind.apply)} |" for name, kind in KINDS.items()]
    return "\n".join(["| kind | options | what it does |", "| --- | --- | --- |", *rows])


_PARTS: Mapping[str, Callable[[], str]] = {
    "aio": aio_functions,
    "commands": commands,
    "errors": errors,
    "faults": faults,
    "functions": functions,
}


def _is_error(subject: object) -> bool:
    return isinstance(subject, type) and issubclass(subject, WallarooError)


def _branch(error: type[WallarooError], names: list[str], depth: int) -> Iterable[str]:
    """Return an error and those below it as a list in Markdown."""
    yield f"{'  ' * depth}- {{py:exc}}`wallaroo_ext.{error.__name__}`: {_sentence(error)}"
    for below in sorted(error.__subclasses__(), key=lambda found: found.__name__):
        if below.__name__ in names:
            yield from _branch(below, names, depth + 1)


def _described(module: str, names: Iterable[str]) -> str:
    """Return what Sphinx describes names of a module by."""
    lines: list[str] = []
    for name in names:
        subject = getattr(wallaroo_ext if module == "wallaroo_ext" else aio, name)
        kind = ("exception" if _is_error(subject) else "class") if isinstance(subject, type) else "function"
        lines += [f".. auto{kind}:: {module}.{name}", *(["   :members:"] if kind == "class" else [])]
    return "\n".join(["```{eval-rst}", *lines, "```"])


def _options(options: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}`" for name in options)


def _sentence(subject: object) -> str:
    """Return the first paragraph of a docstring in one line."""
    return " ".join((inspect.getdoc(subject) or "").partition("\n\n")[0].split())
