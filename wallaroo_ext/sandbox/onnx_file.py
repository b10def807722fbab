"""What an ONNX file is made of, as far as it has to be known before the file is given to onnxruntime.

The file is Protocol Buffers. It is walked over without being copied, from message to message, along the fields through
which tensors and nodes can be reached; the numbers are those of onnx.proto.
"""

from __future__ import annotations

import math
import mmap
import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from pathlib import Path

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_FIXED = {_FIXED_64: 8, _FIXED_32: 4}
_VARINT_BITS = 70
_MAX_FIELDS = 10_000_000
_MAX_MESSAGES = 100_000
_MAX_CALLS_DEEP = 64
_NO_MODEL = "the file is no ONNX model, or not all of one"
_TOO_MANY = f"the model has more than {_MAX_MESSAGES} nodes and tensors"

# The messages through which tensors and nodes can be reached: what each of their fields holds.
_INNER = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor"},
    "sparse tensor": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
# Which fields name a function, in the function itself and in a node that calls it: name, domain and overload.
_NAMES = {"function": (1, 10, 13), "node": (4, 7, 8)}
_TENSOR_NAME, _TENSOR_EXTERNAL_DATA, _TENSOR_LOCATION = 8, 13, 14
_SPARSE_DIMENSIONS = 3
_READ = {"tensor": (_TENSOR_NAME, _TENSOR_EXTERNAL_DATA, _TENSOR_LOCATION), "sparse tensor": (_SPARSE_DIMENSIONS,)}
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_EXTERNAL = 1
_ENUM_BITS = (1 << 32) - 1
# Long lists of numbers in an attribute, of the trees of a forest for one: field 7, floats, and field 8, integers.
_NUMBERS = re.compile(rb"(?:\x3d[\x00-\xff]{4}|\x40[\x80-\xff]{0,9}[\x00-\x7f]){1,1000}+")

Function = tuple[str, ...]
"""What names a function. No function has the name (), which stands for the model's own graph."""


class OnnxFileError(ValueError):
    """A file may not be loaded; the message says why."""


@dataclass(slots=True)
class OnnxFile:
    """What was found in a file.

    Attributes:
        nodes: How many nodes it has, with each call of a function replaced by the function's own nodes.
        dense_values: How many values its sparse tensors have, with the zeros that are not in the file.
    """

    nodes: int = 0
    dense_values: int = 0


@dataclass(slots=True)
class _Field:
    """A field of a message.

    Attributes:
        number: Which field it is.
        value: Its value, where it is a number.
        start: Where its bytes begin.
        end: Where they end; the same where it is a number.
    """

    number: int
    value: int
    start: int
    end: int


class _Walk:
    """Reads the fields of messages.

    Args:
        content: The file.
    """

    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self._count = 0

    def fields(self, start: int, end: int, wanted: Container[int], *, has_numbers: bool = False) -> Iterator[_Field]:
        """Some fields of the message that is in a part of the file.

        Args:
            start: Where it begins.
            end: Where it ends.
            wanted: The numbers of the fields.
            has_numbers: Whether it is an attribute, whose lists of numbers are passed over at once.

        Raises:
            OnnxFileError: It is no message.
        """
        while start < end:
            numbers = _NUMBERS.match(self._content, start, end) if has_numbers else None
            if numbers is not None:
                start = numbers.end()
                continue
            found = self._field(start, end)
            if found.number in wanted:
                yield found
            start = found.end

    def _field(self, start: int, end: int) -> _Field:
        """The field that begins at a place."""
        self._count += 1
        if self._count > _MAX_FIELDS:
            raise OnnxFileError(f"the file has more than {_MAX_FIELDS} parts")
        tag, start = self._varint(start, end)
        number, kind = tag >> 3, tag & 7
        if number and kind == _BYTES:
            size, start = self._varint(start, end)
            if size <= end - start:
                return _Field(number, 0, start, start + size)
        elif number and kind == _VARINT:
            value, start = self._varint(start, end)
            return _Field(number, value, start, start)
        elif number and _FIXED.get(kind, end) <= end - start:
            start += _FIXED[kind]
            return _Field(number, 0, start, start)
        raise OnnxFileError(_NO_MODEL)

    def _varint(self, place: int, end: int) -> tuple[int, int]:
        """A number of variable length, and where it ends."""
        value = shift = 0
        while place < end and shift < _VARINT_BITS:
            byte = self._content[place]
            place += 1
            if byte < 0x80:  # noqa: PLR2004 - the bit that says that more bytes follow
                return value | byte << shift, place
            value |= (byte & 0x7F) << shift
            shift += 7
        raise OnnxFileError(_NO_MODEL)

    def numbers(self, found: _Field) -> Iterator[int]:
        """The numbers of a packed list."""
        place = found.start
        while place < found.end:
            value, place = self._varint(place, found.end)
            yield value

    def text(self, found: _Field) -> str:
        """What a field of text says."""
        return self._content[found.start : found.end].decode("utf-8", errors="replace")

    def texts(self, fields: list[_Field], numbers: tuple[int, ...]) -> tuple[str, ...]:
        """What the fields of these numbers say; nothing where one is not there."""
        said = {part.number: self.text(part) for part in fields if part.number in numbers}
        return tuple(said.get(number, "") for number in numbers)


def inspect(path: Path) -> OnnxFile:
    """Look through an ONNX file.

    Raises:
        OnnxFileError: It is none, it says that some of its data is outside of it, or it stands for too many nodes.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            raise OnnxFileError("the file is no ONNX model, it is empty")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _Inspection(_Walk(content)).inspect(len(content))


@dataclass(slots=True)
class _Inspection:
    """One way through a file.

    Attributes:
        walk: Reads the file.
        messages: How many nodes and tensors there were.
        dense_values: As in `OnnxFile`.
        calls: What the nodes of each function call, functions or operators; of the model's own graph, too.
    """

    walk: _Walk
    messages: int = 0
    dense_values: int = 0
    calls: dict[Function, list[Function]] = field(default_factory=lambda: defaultdict[Function, list[Function]](list))

    def inspect(self, size: int) -> OnnxFile:
        """Go from message to message."""
        waiting: list[tuple[str, int, int, Function]] = [("model", 0, size, ())]
        while waiting:
            kind, start, end, function = waiting.pop()
            fields = self._fields(kind, start, end)
            if kind in {"node", "tensor"}:
                self._count()
            if kind == "node":
                self.calls[function].append(self.walk.texts(fields, _NAMES[kind]))
            elif kind == "function":
                function = self.walk.texts(fields, _NAMES[kind])
            elif kind == "tensor":
                _refuse_external_data(self.walk, fields)
            elif kind == "sparse tensor":
                self.dense_values += _dense_values(self.walk, fields)
            inner = _INNER[kind]
            waiting += [(inner[part.number], part.start, part.end, function) for part in fields if part.number in inner]
        return OnnxFile(self._expanded((), 0, {}), self.dense_values)

    def _fields(self, kind: str, start: int, end: int) -> list[_Field]:
        """The fields of a message that matter."""
        wanted = {*_INNER[kind], *_NAMES.get(kind, ()), *_READ.get(kind, ())}
        found = self.walk.fields(start, end, wanted, has_numbers=kind == "attribute")
        fields = list(islice(found, _MAX_MESSAGES + 1))
        if len(fields) > _MAX_MESSAGES:
            raise OnnxFileError(_TOO_MANY)
        return fields

    def _count(self) -> None:
        self.messages += 1
        if self.messages > _MAX_MESSAGES:
            raise OnnxFileError(_TOO_MANY)

    def _expanded(self, function: Function, depth: int, known: dict[Function, int]) -> int:
        """How many nodes a function has when its calls of others are replaced by theirs."""
        if depth > _MAX_CALLS_DEEP:
            raise OnnxFileError(f"the model's functions call each other more than {_MAX_CALLS_DEEP} times deep")
        if function not in known:
            calls = self.calls.get(function, ())
            known[function] = sum(
                self._expanded(called, depth + 1, known) if called in self.calls else 1 for called in calls
            )
            if known[function] > _MAX_MESSAGES:
                raise OnnxFileError(f"the model's functions stand for more than {_MAX_MESSAGES} nodes")
        return known[function]


def _refuse_external_data(walk: _Walk, fields: list[_Field]) -> None:
    """Raise an OnnxFileError where a tensor's data is said to be in another place."""
    name, location, is_external = "", "", False
    for part in fields:
        if part.number == _TENSOR_NAME:
            name = walk.text(part)
        elif part.number == _TENSOR_LOCATION:
            is_external = is_external or part.value & _ENUM_BITS == _EXTERNAL
        elif part.number == _TENSOR_EXTERNAL_DATA:
            entry = {
                inner.number: walk.text(inner)
                for inner in walk.fields(part.start, part.end, (_ENTRY_KEY, _ENTRY_VALUE))
            }
            location = entry.get(_ENTRY_VALUE, "") if entry.get(_ENTRY_KEY) == "location" else location
    if is_external:
        raise OnnxFileError(
            f"the data of its tensor {name!r} is outside of the file, in {location!r}; save the model with all of its "
            f"data in one file"
        )


def _dense_values(walk: _Walk, fields: list[_Field]) -> int:
    """How many values a sparse tensor has, by its dimensions; a packed list of them is bytes."""
    dimensions: list[int] = []
    for part in fields:
        if part.number == _SPARSE_DIMENSIONS:
            dimensions += list(walk.numbers(part)) if part.end > part.start else [part.value]
    return math.prod(dimensions)
