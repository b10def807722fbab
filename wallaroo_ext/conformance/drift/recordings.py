"""How a recorded set of exchanges differs from the contract: one JSON file an exchange, what was sent and what came.

{"path": "/v1/api/workspaces/list", "status": 200, "request": {}, "response": {"workspaces": []}}
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.drift import verdicts
from wallaroo_ext.conformance.drift.changes import Change, Drift, DriftError
from wallaroo_ext.conformance.drift.described import described, has_fields, path_key
from wallaroo_ext.conformance.drift.shapes import Shapes, is_anything, text_of, type_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from wallaroo_ext.conformance.drift.described import Described
    from wallaroo_ext.conformance.drift.shapes import Shape

LARGEST_FILE = 64 * 2**20
"""How large a file may be, in bytes."""
_NOTHING = object()
_LONGEST_VALUE = 80
_FIRST_ERROR, _FIRST_REDIRECT, _FIRST_SUCCESS = 400, 300, 200


@dataclass(frozen=True, slots=True)
class _Recorded:
    """An exchange as it was recorded; without a body where none was, or where it was null."""

    file: str
    path: str
    status: int
    request: Any
    response: Any


@dataclass(frozen=True, slots=True)
class _Seen:
    """Something in an exchange that the contract does not have, or lacks."""

    operation: str
    where: str
    event: str
    contract: Any
    other: Any


@dataclass(slots=True)
class _Sighting:
    """In which files something was seen."""

    seen: _Seen
    files: list[str] = field(default_factory=list[str])


def against_recordings(
    contract: dict[str, Any], directory: Path, progress: Callable[[int, int], object] | None = None
) -> Drift:
    """Return how a recorded set differs from the contract.

    What was sent is compared where it was answered with success: a wrong request that was refused says nothing.

    Args:
        contract: The contract, as `wallaroo_ext.contract.load` gives it.
        directory: The files, `*.json` at any depth.
        progress: Is told how many files were read, and how many there are.

    Raises:
        DriftError: There are no files, or one of them is no exchange; the message names it.
    """
    files = _files(directory)
    exchanges = _Exchanges(contract)
    sightings: dict[str, _Sighting] = {}
    for number, file in enumerate(files, 1):
        for key, seen in {repr(seen): seen for seen in exchanges.seen(_read(file, directory))}.items():
            sightings.setdefault(key, _Sighting(seen)).files.append(file.relative_to(directory).as_posix())
        if progress is not None:
            progress(number, len(files))
    return Drift(str(directory), tuple(exchanges.in_order(map(_change, sightings.values()))))


def _change(sighting: _Sighting) -> Change:
    seen, files = sighting.seen, sighting.files
    kind, breaks, reason = verdicts.of_recording(seen.event)
    return Change(seen.operation, seen.where, kind, seen.contract, seen.other, breaks, reason, len(files), files[0])


def _files(directory: Path) -> list[Path]:
    if not directory.is_dir():
        raise DriftError(f"{directory} is no directory of recorded exchanges.")
    files = sorted(file for file in directory.rglob("*.json") if file.is_file())
    if not files:
        raise DriftError(f"{directory} has no recorded exchanges: no file in it ends in .json.")
    return files


def _read(file: Path, directory: Path) -> _Recorded:
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
    return _Recorded(file.relative_to(directory).as_posix(), path, status, *bodies)


def _path_of(value: Any) -> str | None:
    """Return the path of a URL, or of a path with a query; nothing where it is neither."""
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


class _Exchanges:
    """What recorded exchanges have beside what the contract says."""

    def __init__(self, contract: dict[str, Any]) -> None:
        self._operations = described(contract, "The contract")
        self._requests = _Values(Shapes(contract, "request"), "sent ")
        self._answers = _Values(Shapes(contract, "answer"), "")

    @cached_property
    def _paths(self) -> list[tuple[re.Pattern[str], Described]]:
        """The operations by their paths, those without parameters first."""
        each = sorted(self._operations.items(), key=lambda entry: "{}" in entry[0][0])
        return [(re.compile(re.escape(path).replace(r"\{\}", "[^/]+")), found) for (path, _), found in each]

    def in_order(self, changes: Iterable[Change]) -> list[Change]:
        """Changes by operation in the contract's order, and those that are about none at the end."""
        order = {each.name: number for number, each in enumerate(self._operations.values())}
        return sorted(changes, key=lambda change: order.get(change.operation, len(order)))

    def seen(self, recorded: _Recorded) -> Iterator[_Seen]:
        """Yield what an exchange has beside what the contract says."""
        path = path_key(recorded.path)
        operation = next((found for pattern, found in self._paths if pattern.fullmatch(path)), None)
        if operation is None:
            yield _Seen(recorded.path, "", "recorded path added", None, recorded.path)
            return
        if _FIRST_SUCCESS <= recorded.status < _FIRST_REDIRECT and recorded.request is not _NOTHING:
            yield from self._in_request(operation, recorded.request)
        answer = operation.answers.get(str(recorded.status))
        if answer is None:
            yield _Seen(operation.name, f"answer {recorded.status}", _of_status(recorded.status), None, recorded.status)
        elif recorded.response is not _NOTHING:
            schemas = [schema for kind, schema in answer.items() if has_fields(kind)]
            for found in self._answers.of_any(schemas, recorded.response, f"answer {recorded.status} $"):
                yield _named(operation, found)

    def _in_request(self, operation: Described, body: Any) -> Iterator[_Seen]:
        schemas = [schema for kind, schema in (operation.request or {}).items() if has_fields(kind)]
        for found in self._requests.of_any(schemas, body, "request"):
            yield _named(operation, found)


def _named(operation: Described, seen: _Seen) -> _Seen:
    return _Seen(operation.name, seen.where, seen.event, seen.contract, seen.other)


def _of_status(status: int) -> str:
    if status >= _FIRST_ERROR:
        return "error added"
    return "redirect added" if status >= _FIRST_REDIRECT else "success added"


class _Values:
    """Compares values with schemas.

    Args:
        shapes: The schemas' shapes.
        prefix: What the events of a request begin with.
    """

    def __init__(self, shapes: Shapes, prefix: str) -> None:
        self._shapes = shapes
        self._prefix = prefix

    def of_any(self, schemas: list[Any], value: Any, where: str) -> list[_Seen]:
        """Return what a value has beside what several schemas of it say, of which one is enough."""
        if not schemas:
            return []
        return self._of_shapes([shape for schema in schemas for shape in self._shapes.of(schema)], value, where)

    def _found(self, where: str, event: str, contract: Any, other: Any) -> _Seen:
        wanted = event if not self._prefix else _IN_REQUESTS.get(event, event)
        return _Seen("", where, wanted, contract, other)

    def _of_shapes(self, shapes: list[Shape], value: Any, where: str) -> list[_Seen]:
        if is_anything(tuple(shapes)):
            return []
        fitting = [shape for shape in shapes if _is_of(shape, value)]
        if not fitting:
            event = "null" if value is None else "type changed"
            return [self._found(where, event, text_of(shapes), "null" if value is None else _name_of(value))]
        return min((list(self._of_shape(shape, value, where)) for shape in fitting), key=len)

    def _of_shape(self, shape: Shape, value: Any, where: str) -> Iterator[_Seen]:
        yield from self._of_plain(shape, value, where)
        for item in list_of(value):
            yield from self._of_shapes(list(self._shapes.of(shape.items)), item, f"{where}[]")
        if isinstance(value, dict):
            yield from self._of_fields(shape, object_of(value), where)

    def _of_plain(self, shape: Shape, value: Any, where: str) -> Iterator[_Seen]:
        if shape.values is not None and value not in shape.values:
            yield self._found(where, "value changed", list(shape.values), _short(value))
        if shape.listed is not None and value not in shape.listed:
            yield self._found(where, "unlisted value", list(shape.listed), _short(value))
        pattern = shape.limits.get("pattern")
        if isinstance(pattern, str) and isinstance(value, str) and not re.search(pattern, value):
            yield self._found(where, "value changed", {"pattern": pattern}, _short(value))

    def _of_fields(self, shape: Shape, value: dict[str, Any], where: str) -> Iterator[_Seen]:
        for name, inner in value.items():
            if name in shape.fields:
                yield from self._of_shapes(list(self._shapes.of(shape.fields[name])), inner, f"{where}.{name}")
            elif shape.schema_of_others is not None:
                yield from self._of_shapes(list(self._shapes.of(shape.schema_of_others)), inner, f"{where}.*")
            elif not shape.free:
                yield self._found(f"{where}.{name}", "field added", None, _name_of(inner))
        for name in shape.fields:
            if name in value or name not in shape.required | shape.always:
                continue
            inner = self._shapes.of(shape.fields[name])
            if not any(_is_file(each) for each in inner):
                event = "required field removed" if name in shape.required else "always field removed"
                yield self._found(f"{where}.{name}", event, text_of(inner), None)


_IN_REQUESTS = {
    "field added": "sent field added",
    "required field removed": "sent field removed",
    "always field removed": "sent field removed",
    "type changed": "sent type changed",
    "null": "sent type changed",
    "value changed": "sent value changed",
}


def _is_of(shape: Shape, value: Any) -> bool:
    """Return whether a value has a shape's type; 1.0 is an integer in JSON."""
    if shape.type != type_of(value):
        return False
    return not shape.whole or isinstance(value, int) or value.is_integer()


def _is_file(shape: Shape) -> bool:
    """Return whether a field is a file, which JSON does not have."""
    return shape.limits.get("format") == "binary"


def _name_of(value: Any) -> str:
    return "integer" if isinstance(value, int) and not isinstance(value, bool) else type_of(value)


def _short(value: Any) -> Any:
    """Return a value as a report shows it: the beginning of a long text."""
    return value[:_LONGEST_VALUE] + "…" if isinstance(value, str) and len(value) > _LONGEST_VALUE else value
