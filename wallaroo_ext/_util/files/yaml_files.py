"""Reads YAML 1.2 by its core schema, and JSON; needs PyYAML, which comes with the extra `sandbox`.

PyYAML by itself reads values as YAML 1.1 does: `on` as true, `12:30:00` as a number, `017` as 15, `2023-01-01` as a
date.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from wallaroo_ext._util.json_values import list_of, object_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_CORE_SCHEMA = (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
    ("merge", "<<", "<"),
)
"""The tags of plain values, the texts that have them, and how these begin. `<<` is of YAML 1.1, and still written."""
_BEGINNINGS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MOST_VALUES = 2_000_000
_DEEPEST = 200
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_BROKEN_SURROGATE = re.compile(r"[\ud800-\udfff]")


def read_yaml(file: Path) -> Any:
    """Return the content of a file of YAML or JSON.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is neither; the message says what is wrong in which line.
    """
    return parse_yaml(file.read_bytes())


def parse_yaml(content: bytes) -> Any:
    """Return the value of a document in YAML or JSON, of which no two parts are the same object.

    The keys of its objects are texts, as they are written: an unquoted `200` is "200".

    Raises:
        ValueError: It is neither; the message says what is wrong in which line.
    """
    text = _text(content)
    no_json: json.JSONDecodeError | None = None
    if text.lstrip()[:1] in {"{", "["}:
        try:
            return _from_json(text)
        except json.JSONDecodeError as error:
            no_json = error  # YAML has the same signs
        except (_KeyTwiceError, RecursionError):
            pass  # YAML says where
    try:
        return _Values().of(_nodes(text))
    except RecursionError:
        raise ValueError("it is no YAML, it is nested too deeply") from None
    except ValueError:
        if no_json is None:
            raise
        where = f"line {no_json.lineno}, column {no_json.colno}"
        raise ValueError(f"it is no JSON, {where}: {no_json.msg}") from None


def line_of(content: bytes, keys: Sequence[str | int]) -> int | None:
    """Return the line, from 1, of a part of a document, or of the nearest part around it that is there.

    Args:
        content: The document.
        keys: The keys that lead to the part.
    """
    text = _text(content)
    if text.lstrip()[:1] in {"{", "["}:  # PyYAML does not read all JSON; these changes keep each line where it is
        text = _SURROGATE_ESCAPE.sub(r"\\u0020", text.replace("\t", " "))
    try:
        node = _nodes(text)
    except ValueError:
        return None
    if node is None:
        return 1
    line = 0
    for key in map(str, keys):
        found = next((pair for pair in _children(node) if pair[0] == key), None)
        if found is None:
            break
        _, mark, node = found
        line = mark.line + 1
    return line or node.start_mark.line + 1


def _children(node: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield the parts of a node: their keys, where they begin, and their nodes."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        yield from ((str(key.value), key.start_mark, value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((str(number), item.start_mark, item) for number, item in enumerate(node.value))


def _text(content: bytes) -> str:
    encoding = next((name for mark, name in _BEGINNINGS if content.startswith(mark)), "utf-8-sig")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"it is no YAML, line {line}: it is no text in {error.encoding.upper()}") from None


def _from_json(text: str) -> Any:
    """Return the value of a text in JSON.

    Raises:
        ValueError: It is none, or has a key twice, a number that JSON does not have, or half of a surrogate pair.
    """
    value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refused, parse_float=_finite)
    if _SURROGATE_ESCAPE.search(text) and _BROKEN_SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise ValueError("it is no JSON: it has half of a surrogate pair")
    return value


class _KeyTwiceError(ValueError):
    """An object of JSON has a key twice."""


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    items = list(pairs)
    found = dict(items)
    if len(found) < len(items):
        raise _KeyTwiceError
    return found


def _refused(text: str) -> Any:
    raise ValueError(f"it is no JSON: {text} is no number of it")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refused(text)


def _nodes(text: str) -> Any:
    """Return the tree of a text in YAML, whose nodes know their lines; None where it is empty.

    Raises:
        ValueError: It is no YAML.
    """
    import yaml

    try:
        depth = 0
        for event in yaml.parse(text, Loader=_loader()):  # PyYAML's parser in C dies of what is nested very deeply
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _DEEPEST:
                mark = event.start_mark
                where = "" if mark is None else f"line {mark.line + 1}: "
                raise ValueError(f"it is no YAML, {where}it is nested too deeply")
        return yaml.compose(text, Loader=_loader())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(" ".join(filter(None, (error.context, error.problem))).split())
        where = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
        raise ValueError(f"it is no YAML, {where}{what}") from None
    except yaml.YAMLError as error:
        raise ValueError(f"it is no YAML, {' '.join(str(error).split())}") from None


@cache
def _loader() -> Any:
    """Return PyYAML's parser, with the tags of YAML 1.2's core schema."""
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loader = type("CoreSchemaLoader", (base,), {"yaml_implicit_resolvers": {}})
    for name, pattern, beginnings in _CORE_SCHEMA:
        firsts = ["" if each == "\0" else each for each in beginnings]
        loader.add_implicit_resolver(_TAG + name, re.compile(f"(?:{pattern})\\Z"), firsts)  # type: ignore[attr-defined]
    return loader


class _Values:
    """Makes values of the nodes of a document."""

    def __init__(self) -> None:
        self._count = 0
        self._open: set[int] = set()

    def of(self, node: Any) -> Any:
        """Return the value of a node; None for that of an empty document.

        Raises:
            ValueError: JSON has no such value.
        """
        import yaml

        if node is None:
            return None
        self._count += 1
        if self._count > _MOST_VALUES:
            raise ValueError(f"it is too large: its aliases stand for more than {_MOST_VALUES} values")
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        if id(node) in self._open:
            raise _error(node, "an alias stands for what it is a part of")
        self._open.add(id(node))
        try:
            return self._collection(node)
        finally:
            self._open.discard(id(node))

    def _collection(self, node: Any) -> Any:
        import yaml

        if node.tag not in {f"{_TAG}map", f"{_TAG}seq"}:
            raise _error(node, f"there is no way to read the tag {node.tag}")
        if isinstance(node, yaml.SequenceNode):
            return [self.of(item) for item in node.value]
        found: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                merged = self._merged(value) | merged
                continue
            if not isinstance(key, yaml.ScalarNode):
                raise _error(key, "a list or an object stands for a key")
            if key.value in found:
                raise _error(key, f"the key {key.value!r} is there twice")
            found[key.value] = self.of(value)
        return merged | found

    def _merged(self, node: Any) -> dict[str, Any]:
        """Return the fields of what `<<` stands before: an object, or a list of them, of which the first counts."""
        value = self.of(node)
        fields: dict[str, Any] = {}
        for each in list_of(value) or [value]:
            if not isinstance(each, dict):
                raise _error(node, "`<<` stands before what is no object")
            fields = object_of(each) | fields
        return fields


def _scalar(node: Any) -> Any:
    """Return the value of a node that is no list and no object."""
    kind, text = str(node.tag).removeprefix(_TAG), str(node.value)
    if kind in {"str", "!", "merge"}:
        return text
    pattern = next((pattern for name, pattern, _ in _CORE_SCHEMA if name == kind), None)
    if pattern is None:
        raise _error(node, f"there is no way to read the tag {node.tag}")
    if not re.fullmatch(pattern, text):
        raise _error(node, f"{text[:40]!r} is no {kind}")
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    try:
        return _integer(text) if kind == "int" else _finite(text)
    except ValueError:
        raise _error(node, f"{text[:40]} is no number of JSON") from None


def _integer(text: str) -> int:
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    return int(text[2:] if base != 10 else text, base)  # noqa: PLR2004 - the base of all others


def _error(node: Any, what: str) -> ValueError:
    return ValueError(f"it is no YAML, line {node.start_mark.line + 1}: {what}")
