"""Compares recorded exchanges with the contract.

Each is a JSON file:

{"path": "/v1/api/workspaces/list", "status": 200, "request": {}, "response": {"workspaces": []}}
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.drift.changes import Change, Drift, DriftError
from wallaroo_ext.conformance.drift.document_operations import has_fields, operations_of, path_key
from wallaroo_ext.conformance.drift.impact import recording_impact
from wallaroo_ext.conformance.drift.shapes import Shapes, is_anything, text_of, type_of
from wallaroo_ext.conformance.rules import status_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from wallaroo_ext.conformance.drift.document_operations import DocumentOperation
    from wallaroo_ext.conformance.drift.shapes import Shape

LARGEST_FILE = 64 * 2**20
"""The size of the largest file, in bytes."""
_NOTHING = object()
_LONGEST_VALUE = 80
_FIRST_ERROR, _FIRST_REDIRECT, _FIRST_SUCCESS = 400, 300, 200


@dataclass(frozen=True, slots=True)
class _RecordedExchange:
    """A recorded exchange; its bodies are `_NOTHING` where there was none, or it was null."""

    file: str
    path: str
    status: int
    request: Any
    response: Any


@dataclass(frozen=True, slots=True)
class _Deviation:
    """Something in an exchange that the contract does not have, or that the contract requires and is missing."""

    operation: str
    where: str
    event: str
    contract: Any
    other: Any


@dataclass(slots=True)
class _Occurrences:
    """The files that have a deviation."""

    deviation: _Deviation
    files: list[str] = field(default_factory=list[str])


def compare_recordings(
    contract: dict[str, Any], directory: Path, progress: Callable[[int, int], object] | None = None
) -> Drift:
    """Return the differences between the contract and recorded exchanges.

    A request is compared only if it succeeded: an invalid request that was refused does not differ from the contract.

    Args:
        contract: The contract, as `wallaroo_ext.contract.load` returns it.
        directory: The directory of the files, `*.json` at any depth.
        progress: Called with the number of files that were read, and the number of all files.

    Raises:
        DriftError: There are no files, or one of them is no exchange; the message names it.
    """
    files = _files(directory)
    comparison = _Comparison(contract)
    occurrences: dict[str, _Occurrences] = {}
    for number, file in enumerate(files, 1):
        for key, found in {repr(found): found for found in comparison.deviations(_read(file, directory))}.items():
            occurrences.setdefault(key, _Occurrences(found)).files.append(file.relative_to(directory).as_posix())
        if progress is not None:
            progress(number, len(files))
    return Drift(str(directory), tuple(comparison.in_order(map(_change, occurrences.values()))))


def _change(occurrences: _Occurrences) -> Change:
    found, files = occurrences.deviation, occurrences.files
    kind, breaks, reason = recording_impact(found.event)
    return Change(found.operation, found.where, kind, found.contract, found.other, breaks, reason, len(files), files[0])


def _files(directory: Path) -> list[Path]:
    if not directory.is_dir():
        raise DriftError(f"{directory} is no directory of recorded exchanges.")
    files = sorted(file for file in directory.rglob("*.json") if file.is_file())
    if not files:
        raise DriftError(f"{directory} has no recorded exchanges: no file in it ends in .json.")
    return files


def _read(file: Path, directory: Path) -> _RecordedExchange:
    """Return the exchange of a file.

    Raises:
        DriftError: It cannot be read, is too large, no JSON, or no exchange.
    """
    value = _json(file)
    path, status = object_of(value).get("path"), object_of(value).get("status")
    path = _path_of(path)
    if path is None:
        raise DriftError(f"{file} is no recorded exchange: its `path` is not the path of a URL.", advice=_SHAPE)
    if not isinstance(status, int) or isinstance(status, bool):
        raise DriftError(f"{file} is no recorded exchange: its `status` is not an HTTP status.", advice=_SHAPE)
    bodies = [_NOTHING if value.get(name) is None else value[name] for name in ("request", "response")]
    return _RecordedExchange(file.relative_to(directory).as_posix(), path, status, *bodies)


def _path_of(value: Any) -> str | None:
    """Return the path of a URL, or of a path with a query; None where it is neither."""
    if not isinstance(value, str) or not value.startswith(("/", "http://", "https://")):
        return None
    try:
        return urlsplit(value).path
    except ValueError:
        return None


_SHAPE = 'It has to be an object like {"path": "/v1/…", "status": 200, "request": …, "response": …}.'


def _json(file: Path) -> Any:
    try:
        size = file.stat().st_size
        if size > LARGEST_FILE:
            raise DriftError(
                f"{file} has {size / 2**20:.0f} MiB, and a recorded exchange at most {LARGEST_FILE >> 20}."
            )
        return json.loads(file.read_bytes())
    except OSError as error:
        raise DriftError(f"{file} cannot be read: {error.strerror or error}.") from None
    except (ValueError, RecursionError) as error:
        raise DriftError(f"{file} is no JSON: {error}.") from None


class _Comparison:
    """Compares recorded exchanges with a contract."""

    def __init__(self, contract: dict[str, Any]) -> None:
        self._operations = operations_of(contract, "The contract")
        self._requests = _ValueComparison(Shapes(contract, "request"), is_request=True)
        self._answers = _ValueComparison(Shapes(contract, "answer"), is_request=False)

    @cached_property
    def _paths(self) -> list[tuple[re.Pattern[str], DocumentOperation]]:
        """The operations with patterns of their paths, those without parameters first."""
        each = sorted(self._operations.items(), key=lambda entry: "{}" in entry[0][0])
        return [(re.compile(re.escape(path).replace(r"\{\}", "[^/]+")), found) for (path, _), found in each]

    def in_order(self, changes: Iterable[Change]) -> list[Change]:
        """Return changes by operation in the contract's order; those that belong to none come last."""
        order = {each.name: number for number, each in enumerate(self._operations.values())}
        return sorted(changes, key=lambda change: order.get(change.operation, len(order)))

    def deviations(self, recorded: _RecordedExchange) -> Iterator[_Deviation]:
        """Yield the deviations of an exchange from the contract."""
        path = path_key(recorded.path)
        operation = next((found for pattern, found in self._paths if pattern.fullmatch(path)), None)
        if operation is None:
            yield _Deviation(recorded.path, "", "recorded path added", None, recorded.path)
            return
        if _FIRST_SUCCESS <= recorded.status < _FIRST_REDIRECT and recorded.request is not _NOTHING:
            yield from self._in_request(operation, recorded.request)
        name = status_name(operation.answers, recorded.status)
        if name is None:
            event = _event_of_status(recorded.status)
            yield _Deviation(operation.name, f"answer {recorded.status}", event, None, recorded.status)
        elif recorded.response is not _NOTHING:
            schemas = [schema for kind, schema in operation.answers[name].items() if has_fields(kind)]
            for found in self._answers.of_any(schemas, recorded.response, f"answer {recorded.status} $"):
                yield replace(found, operation=operation.name)

    def _in_request(self, operation: DocumentOperation, body: Any) -> Iterator[_Deviation]:
        schemas = [schema for kind, schema in (operation.request or {}).items() if has_fields(kind)]
        for found in self._requests.of_any(schemas, body, "request"):
            yield replace(found, operation=operation.name)


def _event_of_status(status: int) -> str:
    if status >= _FIRST_ERROR:
        return "error added"
    return "redirect added" if status >= _FIRST_REDIRECT else "success added"


class _ValueComparison:
    """Compares values with schemas.

    Args:
        shapes: The schemas' shapes.
        is_request: Whether the values are of requests.
    """

    def __init__(self, shapes: Shapes, *, is_request: bool) -> None:
        self._shapes = shapes
        self._is_request = is_request

    def of_any(self, schemas: list[Any], value: Any, where: str) -> list[_Deviation]:
        """Return the deviations of a value from the one of several schemas that fits it best."""
        if not schemas:
            return []
        return self._of_shapes([shape for schema in schemas for shape in self._shapes.of(schema)], value, where)

    def _deviation(self, where: str, event: str, contract: Any, other: Any) -> _Deviation:
        event = _REQUEST_EVENTS.get(event, event) if self._is_request else event
        return _Deviation("", where, event, contract, other)

    def _of_shapes(self, shapes: list[Shape], value: Any, where: str) -> list[_Deviation]:
        if is_anything(tuple(shapes)):
            return []
        fitting = [shape for shape in shapes if _is_of(shape, value)]
        if not fitting:
            event = "null" if value is None else "type changed"
            return [self._deviation(where, event, text_of(shapes), "null" if value is None else _type_name(value))]
        return min((list(self._of_shape(shape, value, where)) for shape in fitting), key=len)

    def _of_shape(self, shape: Shape, value: Any, where: str) -> Iterator[_Deviation]:
        yield from self._of_scalar(shape, value, where)
        for item in list_of(value):
            yield from self._of_shapes(list(self._shapes.of(shape.items)), item, f"{where}[]")
        if isinstance(value, dict):
            yield from self._of_fields(shape, object_of(value), where)

    def _of_scalar(self, shape: Shape, value: Any, where: str) -> Iterator[_Deviation]:
        if shape.values is not None and value not in shape.values:
            yield self._deviation(where, "value changed", list(shape.values), _shortened(value))
        if shape.listed is not None and value not in shape.listed:
            yield self._deviation(where, "unlisted value", list(shape.listed), _shortened(value))
        pattern = shape.limits.get("pattern")
        if isinstance(pattern, str) and isinstance(value, str) and not re.search(pattern, value):
            yield self._deviation(where, "value changed", {"pattern": pattern}, _shortened(value))

    def _of_fields(self, shape: Shape, value: dict[str, Any], where: str) -> Iterator[_Deviation]:
        for name, inner in value.items():
            if name in shape.fields:
                yield from self._of_shapes(list(self._shapes.of(shape.fields[name])), inner, f"{where}.{name}")
            elif shape.schema_of_others is not None:
                yield from self._of_shapes(list(self._shapes.of(shape.schema_of_others)), inner, f"{where}.*")
            elif not shape.free:
                yield self._deviation(f"{where}.{name}", "field added", None, _type_name(inner))
        for name in shape.fields:
            if name in value or name not in shape.required | shape.always:
                continue
            inner = self._shapes.of(shape.fields[name])
            if not any(_is_file(each) for each in inner):
                event = "required field removed" if name in shape.required else "always field removed"
                yield self._deviation(f"{where}.{name}", event, text_of(inner), None)


_REQUEST_EVENTS = {
    "field added": "sent field added",
    "required field removed": "sent field removed",
    "always field removed": "sent field removed",
    "type changed": "sent type changed",
    "null": "sent type changed",
    "value changed": "sent value changed",
}


def _is_of(shape: Shape, value: Any) -> bool:
    """Return whether a value has the type of a shape; 1.0 is an integer in JSON."""
    if shape.type != type_of(value):
        return False
    return not shape.whole or isinstance(value, int) or value.is_integer()


def _is_file(shape: Shape) -> bool:
    """Return whether a field is a file, which JSON does not have."""
    return shape.limits.get("format") == "binary"


def _type_name(value: Any) -> str:
    return "integer" if isinstance(value, int) and not isinstance(value, bool) else type_of(value)


def _shortened(value: Any) -> Any:
    """Return a value, of a long text the beginning."""
    return value[:_LONGEST_VALUE] + "…" if isinstance(value, str) and len(value) > _LONGEST_VALUE else value
