"""Checks an ONNX file before onnxruntime loads it, and counts its nodes and tensors.

The file is in the format of Protocol Buffers and is read message by message, without copies. A file that two parsers of
Protocol Buffers could read differently is refused, because onnxruntime might load something else than what was checked.
So every field must be one of onnx.proto, with its type and the shortest encoding, and only lists may repeat.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_FIXED = {_FIXED_64: 8, _FIXED_32: 4}
_LONGEST_VARINT, _LONGEST_TAG = 10, 5
_LARGEST_TAG, _LARGEST_VARINT = (1 << 32) - 1, (1 << 64) - 1
_LARGEST_INT32, _LEAST_NEGATIVE = (1 << 31) - 1, (1 << 64) - (1 << 31)
_MAX_FIELDS = 10_000_000
_MAX_MESSAGES = 100_000
_MAX_CALLS_DEEP = 64
_MAX_MESSAGES_DEEP = 100  # the default limit of Protocol Buffers' own parsers
_NO_MODEL = "the file is no ONNX model, or not all of one"
_TOO_MANY = f"the model has more than {_MAX_MESSAGES} nodes and tensors"
_AMBIGUOUS = "; two parsers may read that differently, so save the model again with the package onnx"


class _FieldType(NamedTuple):
    """The type of a field.

    Attributes:
        wire: The wire type.
        message: The name of the message type; empty for other types.
        is_list: Whether the field may be repeated.
        is_text: Whether the value must be UTF-8.
        is_int32: Whether the value is a number of 32 bits.
    """

    wire: int
    message: str = ""
    is_list: bool = False
    is_text: bool = False
    is_int32: bool = False

    @property
    def is_packable(self) -> bool:
        """Whether this is a list of numbers, which may be packed into one field of bytes."""
        return self.is_list and self.wire != _BYTES


_SCALARS = {
    "int64": _FieldType(_VARINT),
    "int32": _FieldType(_VARINT, is_int32=True),
    "float": _FieldType(_FIXED_32),
    "double": _FieldType(_FIXED_64),
    "text": _FieldType(_BYTES, is_text=True),
    "bytes": _FieldType(_BYTES),
}


def _messages(description: str) -> dict[str, dict[int, _FieldType]]:
    """Return the field types of each message, from lines `message:number type,number type*,…`; `*` marks lists."""
    return {
        name: {int(number): _field_type(kind) for number, kind in (part.split() for part in fields.split(","))}
        for name, _, fields in (line.partition(":") for line in description.split("\n") if line)
    }


def _field_type(name: str) -> _FieldType:
    bare = name.removesuffix("*")
    return _SCALARS.get(bare, _FieldType(_BYTES, message=bare))._replace(is_list=name.endswith("*"))


# The messages of onnx.proto, with the numbers of their fields.
_MESSAGES = _messages("""
model:1 int64,2 text,3 text,4 text,5 int64,6 text,7 graph,8 opset*,14 entry*,20 training*,25 function*,26 configuration*
opset:1 text,2 int64
graph:1 node*,2 text,5 tensor*,10 text,11 value*,12 value*,13 value*,14 annotation*,15 sparse-tensor*,16 entry*
node:1 text*,2 text*,3 text,4 text,5 attribute*,6 text,7 text,8 text,9 entry*,10 node-configuration*
attribute:1 text,2 float,3 int64,4 bytes,5 tensor,6 graph,7 float*,8 int64*,9 bytes*,10 tensor*,11 graph*,13 text,\
14 type,15 type*,20 int32,21 text,22 sparse-tensor,23 sparse-tensor*
tensor:1 int64*,2 int32,3 segment,4 float*,5 int32*,6 bytes*,7 int64*,8 text,9 bytes,10 double*,11 int64*,12 text,\
13 entry*,14 int32,16 entry*
segment:1 int64,2 int64
entry:1 text,2 text
sparse-tensor:1 tensor,2 tensor,3 int64*
type:1 tensor-type,4 sequence-type,5 map-type,6 text,7 opaque-type,8 tensor-type,9 sequence-type
tensor-type:1 int32,2 shape
shape:1 dimension*
dimension:1 int64,2 text,3 text
sequence-type:1 type
map-type:1 int32,2 type
opaque-type:1 text,2 text
value:1 text,2 type,3 text,4 entry*
annotation:1 text,2 entry*
training:1 graph,2 graph,3 entry*,4 entry*
function:1 text,4 text*,5 text*,6 text*,7 node*,8 text,9 opset*,10 text,11 attribute*,12 value*,13 text,14 entry*
configuration:1 text,2 int32,3 text*
node-configuration:1 text,2 sharding*,3 int32
sharding:1 text,2 int64*,3 device-group*,4 sharded-dimension*
device-group:1 int64,2 int64*
sharded-dimension:1 int64,2 simple-sharding*
simple-sharding:1 int64,2 text,3 int64
""")
# A message has at most one of these fields.
_ALTERNATIVES = {"type": {1, 4, 5, 7, 8, 9}, "dimension": {1, 2}, "simple-sharding": {1, 2}}
# The fields that name a function, in the function and in a node that calls it: name, domain and overload.
_NAMES = {"function": (1, 10, 13), "node": (4, 7, 8)}
_TENSOR_NAME, _TENSOR_EXTERNAL_DATA, _TENSOR_LOCATION = 8, 13, 14
_SPARSE_DIMENSIONS = 3
_READ = {"tensor": (_TENSOR_NAME, _TENSOR_LOCATION), "sparse-tensor": (_SPARSE_DIMENSIONS,), "entry": (1, 2)}
_ENTRY_KEY, _ENTRY_VALUE = 1, 2
_DEFAULT, _EXTERNAL = 0, 1
# Long lists of numbers in an attribute, such as the trees of a forest: field 7, floats, and field 8, integers.
_NUMBERS = re.compile(
    rb"(?:\x3d[\x00-\xff]{4}|\x40(?:[\x00-\x7f]|[\x80-\xff]{1,8}[\x01-\x7f]|[\x80-\xff]{9}\x01)){1,1000}+"
)

Function = tuple[str, ...]
"""The name of a function. The empty tuple stands for the model's own graph."""


class OnnxFileError(ValueError):
    """A file must not be loaded; the message says why."""


@dataclass(slots=True)
class OnnxFile:
    """The sizes of a model.

    Attributes:
        nodes: The number of nodes, with each call of a function replaced by the function's nodes.
        dense_values: The number of values in sparse tensors, with the zeros that the file leaves out.
        tensors: The number of tensors.
    """

    nodes: int = 0
    dense_values: int = 0
    tensors: int = 0


class _Field(NamedTuple):
    """A field of a message.

    Attributes:
        number: The number of the field.
        message: The name of the message type; empty for other types.
        value: The value of a varint; None for others, a packed list of numbers among them.
        start: The offset of its first byte.
        end: The offset behind its last byte; the same as `start` for a varint.
    """

    number: int
    message: str
    value: int | None
    start: int
    end: int


class _Reader:
    """Reads the fields of messages.

    Args:
        content: The content of the file.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._count = 0

    def fields(self, message: str, start: int, end: int) -> Iterator[_Field]:
        """Yield the fields of a message that are messages themselves, or whose values are needed.

        Args:
            message: The name of the message type.
            start: The offset of its first byte.
            end: The offset behind its last byte.

        Raises:
            OnnxFileError: The bytes are no such message, or two parsers may read them differently.
        """
        wanted = {*_NAMES.get(message, ()), *_READ.get(message, ())}
        seen: set[int] = set()
        while start < end:
            numbers = _NUMBERS.match(self._content, start, end) if message == "attribute" else None
            if numbers is not None:
                start = numbers.end()
                continue
            number, wire, start = self._tag(start, end)
            kind = _checked_type(message, number, wire)
            if not kind.is_list:
                _refuse_repeated(message, number, seen)
            found = self._value(number, wire, kind, start, end)
            if found.message or number in wanted:
                yield found
            start = found.end

    def _tag(self, offset: int, end: int) -> tuple[int, int, int]:
        """Return a field's number and wire type, and the offset of its value."""
        self._count += 1
        if self._count > _MAX_FIELDS:
            raise OnnxFileError(f"the file has more than {_MAX_FIELDS} parts")
        tag, begin = self._varint(offset, end)
        if tag > _LARGEST_TAG or begin - offset > _LONGEST_TAG:
            raise OnnxFileError(f"the file has a part with a number above 32 bits{_AMBIGUOUS}")
        return tag >> 3, tag & 7, begin

    def _value(self, number: int, wire: int, kind: _FieldType, start: int, end: int) -> _Field:
        """Return a field whose value begins at an offset."""
        if wire == _VARINT:
            value, start = self._varint(start, end)
            if kind.is_int32 and _LARGEST_INT32 < value < _LEAST_NEGATIVE:
                raise OnnxFileError(f"the file has a number of 32 bits that is larger{_AMBIGUOUS}")
            return _Field(number, "", value, start, start)
        if wire == _BYTES:
            size, start = self._varint(start, end)
        else:
            size = _FIXED[wire]
        if size > end - start:
            raise OnnxFileError(_NO_MODEL)
        if kind.is_text:
            self._check_text(start, start + size)
        return _Field(number, kind.message, None, start, start + size)

    def _check_text(self, start: int, end: int) -> None:
        try:
            self._content[start:end].decode()
        except UnicodeDecodeError:
            raise OnnxFileError(f"the file has a text that is no UTF-8{_AMBIGUOUS}") from None

    def _varint(self, offset: int, end: int) -> tuple[int, int]:
        """Return a varint, which must have the shortest encoding, and the offset behind it."""
        value = shift = 0
        for position in range(offset, min(end, offset + _LONGEST_VARINT)):
            byte = self._content[position]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:  # noqa: PLR2004 - the bit that says that more bytes follow
                if (byte == 0 and shift) or value > _LARGEST_VARINT:
                    raise OnnxFileError(f"the file has a number in another form than the shortest{_AMBIGUOUS}")
                return value, position + 1
            shift += 7
        raise OnnxFileError(_NO_MODEL)

    def numbers(self, found: _Field) -> Iterator[int]:
        """Yield the numbers of a packed list."""
        offset = found.start
        while offset < found.end:
            value, offset = self._varint(offset, found.end)
            yield value

    def text(self, found: _Field) -> str:
        """Return the value of a text field."""
        return self._content[found.start : found.end].decode()

    def texts(self, fields: list[_Field], numbers: tuple[int, ...]) -> tuple[str, ...]:
        """Return the values of the text fields with some numbers; a missing field is empty."""
        values = {part.number: self.text(part) for part in fields if part.number in numbers}
        return tuple(values.get(number, "") for number in numbers)


def _checked_type(message: str, number: int, wire: int) -> _FieldType:
    """Return the type of a message's field, and check that the message has it and that its wire type fits."""
    kind = _MESSAGES[message].get(number)
    if kind is None:
        if message == "model":  # most often, the file is something else altogether
            raise OnnxFileError(f"{_NO_MODEL}: it has a part {number}, which models do not have")
        raise OnnxFileError(f"the file has a part {number} in a {message}, which ONNX does not have{_AMBIGUOUS}")
    if wire != kind.wire and not (wire == _BYTES and kind.is_packable):
        raise OnnxFileError(f"{_NO_MODEL}: part {number} of a {message} is of another type")
    return kind


def _refuse_repeated(message: str, number: int, seen: set[int]) -> None:
    """Refuse a field that is no list and was seen before, and remember it."""
    alternatives = _ALTERNATIVES.get(message, ())
    key = -1 if number in alternatives else number
    if key in seen:
        raise OnnxFileError(f"the file has the part {number} of a {message} twice{_AMBIGUOUS}")
    seen.add(key)


def inspect(content: bytes) -> OnnxFile:
    """Check the content of an ONNX file, and return the sizes of its model.

    Raises:
        OnnxFileError: It is no ONNX file, refers to data outside of it, has too many nodes, or two parsers may read it
            differently.
    """
    if not content:
        raise OnnxFileError("the file is no ONNX model, it is empty")
    return _Inspection(_Reader(content)).inspect(len(content))


@dataclass(slots=True)
class _Inspection:
    """The state of checking a file.

    Attributes:
        reader: Reads the file.
        messages: The number of nodes and tensors so far.
        tensors: The number of tensors so far.
        dense_values: The number of values in sparse tensors so far.
        calls: The functions and operators that the nodes of each function, and of the model's graph, call.
    """

    reader: _Reader
    messages: int = 0
    tensors: int = 0
    dense_values: int = 0
    calls: dict[Function, list[Function]] = field(default_factory=lambda: defaultdict[Function, list[Function]](list))

    def inspect(self, size: int) -> OnnxFile:
        """Check every message, and return the sizes of the model."""
        waiting: list[tuple[str, int, int, int, Function]] = [("model", 0, size, 0, ())]
        while waiting:
            message, start, end, depth, function = waiting.pop()
            if depth > _MAX_MESSAGES_DEEP:
                raise OnnxFileError(f"the model is nested more than {_MAX_MESSAGES_DEEP} levels deep")
            fields = self._fields(message, start, end)
            if message == "function":
                function = self._define(self.reader.texts(fields, _NAMES[message]))
            else:
                self._check(message, fields, function)
            waiting += [(part.message, part.start, part.end, depth + 1, function) for part in fields if part.message]
        return OnnxFile(self._count_nodes((), 0, {}), self.dense_values, self.tensors)

    def _define(self, function: Function) -> Function:
        """Record a function and return it; two functions of one name are refused."""
        if function in self.calls:
            raise OnnxFileError(f"the model has two functions of the name {function[0]!r}{_AMBIGUOUS}")
        self.calls[function] = []
        return function

    def _check(self, message: str, fields: list[_Field], function: Function) -> None:
        """Count the nodes and tensors, and refuse tensors with data outside of the file."""
        if message == "node":
            self._count()
            self.calls[function].append(self.reader.texts(fields, _NAMES[message]))
        elif message == "tensor":
            self._count()
            self.tensors += 1
            _refuse_external_data(self.reader, fields)
        elif message == "sparse-tensor":
            self.dense_values += _dense_values(self.reader, fields)

    def _fields(self, message: str, start: int, end: int) -> list[_Field]:
        """Return the fields of a message that are messages or whose values are needed."""
        fields: list[_Field] = []
        for found in self.reader.fields(message, start, end):
            fields.append(found)
            if len(fields) > _MAX_MESSAGES:
                raise OnnxFileError(_TOO_MANY)
        return fields

    def _count(self) -> None:
        self.messages += 1
        if self.messages > _MAX_MESSAGES:
            raise OnnxFileError(_TOO_MANY)

    def _count_nodes(self, function: Function, depth: int, known: dict[Function, int]) -> int:
        """Return the number of a function's nodes, with its calls replaced by the nodes of the called functions."""
        if depth > _MAX_CALLS_DEEP:
            raise OnnxFileError(f"the model's functions call each other more than {_MAX_CALLS_DEEP} times deep")
        if function not in known:
            calls = self.calls.get(function, ())
            known[function] = sum(
                self._count_nodes(called, depth + 1, known) if called in self.calls else 1 for called in calls
            )
            if known[function] > _MAX_MESSAGES:
                raise OnnxFileError(f"the model's functions stand for more than {_MAX_MESSAGES} nodes")
        return known[function]


def _refuse_external_data(reader: _Reader, fields: list[_Field]) -> None:
    """Raise an OnnxFileError if a tensor refers to data outside of the file."""
    name, location, is_external = "", "", False
    for part in fields:
        if part.number == _TENSOR_NAME:
            name = reader.text(part)
        elif part.number == _TENSOR_LOCATION:
            if part.value not in {_DEFAULT, _EXTERNAL}:
                raise OnnxFileError(f"the file has a tensor with the data location {part.value}{_AMBIGUOUS}")
            is_external = part.value == _EXTERNAL
        elif part.number == _TENSOR_EXTERNAL_DATA:
            key, value = reader.texts(list(reader.fields("entry", part.start, part.end)), (_ENTRY_KEY, _ENTRY_VALUE))
            location = value if key == "location" else location
    if is_external:
        raise OnnxFileError(
            f"the data of its tensor {name!r} is outside of the file, in {location!r}; save the model with all of its "
            f"data in one file"
        )


def _dense_values(reader: _Reader, fields: list[_Field]) -> int:
    """Return the number of values of a sparse tensor, by its dimensions, which may be a packed list."""
    dimensions: list[int] = []
    for part in fields:
        if part.number == _SPARSE_DIMENSIONS:
            dimensions += list(reader.numbers(part)) if part.value is None else [part.value]
    return math.prod(dimensions)
