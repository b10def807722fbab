"""Converts Arrow columns to the tensors of a model and back; errors name the field and both shapes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from wallaroo_ext._util.arrow.list_types import is_list
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.sandbox.http.problems import engine_error, too_large

if TYPE_CHECKING:
    from collections.abc import Mapping

Array = np.ndarray[Any, np.dtype[Any]]
Column: TypeAlias = Any
"""A pyarrow array, chunked or not. Its stubs want the type of the elements, which is known only at run time."""

_ANY_INPUT = "tensor"
_ITEM = "inner"
_LARGEST_OFFSET = (1 << 31) - 1
_MAX_DIMENSIONS = 64  # of numpy
_LIST_SIZE = 64  # bytes of a Python list without its items
_MIB = 1 << 20
_DTYPES: dict[str, np.dtype[Any]] = {
    "tensor(float16)": np.dtype(np.float16),
    "tensor(float)": np.dtype(np.float32),
    "tensor(double)": np.dtype(np.float64),
    "tensor(int8)": np.dtype(np.int8),
    "tensor(int16)": np.dtype(np.int16),
    "tensor(int32)": np.dtype(np.int32),
    "tensor(int64)": np.dtype(np.int64),
    "tensor(uint8)": np.dtype(np.uint8),
    "tensor(uint16)": np.dtype(np.uint16),
    "tensor(uint32)": np.dtype(np.uint32),
    "tensor(uint64)": np.dtype(np.uint64),
    "tensor(bool)": np.dtype(np.bool_),
    "tensor(string)": np.dtype(np.object_),
}
_TEXT = "string"
_BY_NAME = {_TEXT if dtype.kind == "O" else str(dtype): dtype for dtype in _DTYPES.values()}

_ZIP_MAP = (
    ": export the model without ZipMap, with options={'zipmap': False} in skl2onnx, and zipmap=False in onnxmltools"
)


class UnsupportedTypeError(ValueError):
    """A model has an input or output that is no tensor of a supported type."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """An input or an output of a model.

    Attributes:
        name: The name.
        dtype: The type of the elements; object for strings.
        shape: The lengths of the dimensions, with None for a free one. The first one is the number of rows.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int | None, ...]

    @staticmethod
    def of(name: str, kind: str, shape: list[Any]) -> TensorSpec:
        """Return the specification of an input or output as onnxruntime describes it.

        Raises:
            UnsupportedTypeError: It is a sequence, a map, or a tensor of a type that Arrow does not have.
        """
        dtype = _DTYPES.get(kind)
        if dtype is None:
            advice = _ZIP_MAP if kind.startswith("seq(map(") else ""
            raise UnsupportedTypeError(
                f"{name!r} is a {kind}, and the engine knows tensors of common types only{advice}"
            )
        return TensorSpec(name, dtype, tuple(size if isinstance(size, int) else None for size in shape))

    @property
    def row_shape(self) -> tuple[int | None, ...]:
        """The shape of one row."""
        return self.shape[1:]


def take_inputs(columns: Mapping[str, Column], specs: list[TensorSpec]) -> dict[str, Array]:
    """Return the columns that a model takes, as tensors by input name.

    Raises:
        Problem: 400 in the engine's form, if a field is missing or does not fit.
    """
    return {spec.name: to_tensor(*_column_for(columns, spec, specs), spec) for spec in specs}


def _column_for(columns: Mapping[str, Column], spec: TensorSpec, specs: list[TensorSpec]) -> tuple[str, Column]:
    for name in (spec.name, _ANY_INPUT) if len(specs) == 1 else (spec.name,):
        if name in columns:
            return name, columns[name]
    sent = ", ".join(repr(name) for name in columns) or "none"
    raise engine_error(f"The model's input {spec.name!r} is missing; the fields sent are {sent}.")


def to_tensor(field: str, column: Column, spec: TensorSpec) -> Array:
    """Return a column as a tensor of the type and shape that a model's input takes."""
    array, lengths = _flattened(field, pa.concat_arrays(column.chunks) if column.num_chunks else _empty(column.type))
    rows = len(column)
    _check_row_count(rows, spec)
    row_shape = _row_shape(field, spec, lengths, rows)
    return _cast(field, array, spec).reshape((rows, *row_shape))


def _check_row_count(rows: int, spec: TensorSpec) -> None:
    """Check that a model takes so many rows: one may be exported for a certain number."""
    wanted = spec.shape[0] if spec.shape else None
    if wanted not in {None, rows}:
        raise engine_error(
            f"The model's input {spec.name!r} takes exactly {wanted} rows at a time, not {rows}: export the model with "
            "a first axis that is free, or send so many rows in a request."
        )


def _empty(kind: pa.DataType) -> Column:
    return pa.array([], type=kind)


def _flattened(field: str, array: Column) -> tuple[Column, list[int]]:
    """Return the flattened values of nested lists, and the length of the lists on each level."""
    lengths: list[int] = []
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    while pa.types.is_nested(array.type):
        if not is_list(array.type):
            raise engine_error(f"The field {field!r} has the type {array.type}, which is no tensor.")
        _refuse_nulls(field, array)
        lengths.append(_common_length(field, array))
        array = array.flatten()
    _refuse_nulls(field, array)
    return array, lengths


def is_text(kind: Any) -> bool:
    """Return whether an Arrow type is one of texts."""
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _refuse_nulls(field: str, array: Column) -> None:
    if array.null_count:
        raise engine_error(f"The field {field!r} has {array.null_count} nulls, and a tensor has none.")


def _common_length(field: str, array: Column) -> int:
    if pa.types.is_fixed_size_list(array.type):
        return int(array.type.list_size)
    if len(array) == 0:
        return 0
    lengths: Array = np.asarray(cast("Any", pc.list_value_length(array)))
    different = np.flatnonzero(lengths != lengths[0])
    if different.size:
        first = int(different[0])
        raise engine_error(
            f"The field {field!r} has lists of different lengths: {lengths[0]} values in the first one, "
            f"{lengths[first]} in number {first}."
        )
    return int(lengths[0])


def _row_shape(field: str, spec: TensorSpec, lengths: list[int], rows: int) -> tuple[int, ...]:
    """Return the shape of a row: the one that was sent or, for values in one flat list, the input's."""
    wanted = spec.row_shape
    if rows == 0:
        return tuple(size or 0 for size in wanted)
    if len(lengths) == len(wanted) and all(size in {None, sent} for size, sent in zip(wanted, lengths, strict=True)):
        return tuple(lengths)
    fixed = [size for size in wanted if size is not None]
    if len(fixed) == len(wanted) and math.prod(lengths) == math.prod(fixed):
        return tuple(fixed)
    raise engine_error(
        f"The field {field!r} has rows of shape {_shape(lengths)}, the model's input {spec.name!r} takes "
        f"{_shape(wanted)}."
    )


def _shape(sizes: list[int] | tuple[int | None, ...]) -> str:
    return f"[{', '.join('any' if size is None else str(size) for size in sizes)}]"


def _cast(field: str, array: Column, spec: TensorSpec) -> Array:
    """Return the values in the type that an input takes; numbers are converted if nothing but precision is lost.

    Raises:
        Problem: 400 in the engine's form, if they are of another kind, or too large for the type.
    """
    wanted = "string" if spec.dtype == object else str(spec.dtype)
    if len(array) and not _fits(array.type, spec.dtype):
        raise engine_error(f"The field {field!r} has values of type {array.type}, the model's input takes {wanted}.")
    values: Array = array.to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore", invalid="ignore"):
        converted = values.astype(spec.dtype, copy=False)
    if (spec.dtype.kind in "iu" and not np.array_equal(converted, values)) or _became_infinite(values, converted):
        raise engine_error(f"The field {field!r} has values that are no {wanted}, which the model's input takes.")
    return converted


def _fits(kind: Any, dtype: np.dtype[Any]) -> bool:
    """Return whether values of an Arrow type are of the kind that an input takes: texts, numbers or booleans."""
    if dtype.kind == "O":
        return is_text(kind)
    if dtype.kind in "iuf":
        return pa.types.is_integer(kind) or pa.types.is_floating(kind)
    return pa.types.is_boolean(kind)


def _became_infinite(values: Array, converted: Array) -> bool:
    """Return whether a number is too large for the type that it was converted to."""
    if converted is values or converted.dtype.kind != "f":
        return False
    infinite = np.isinf(converted)
    return bool(infinite.any()) and not np.isinf(values[infinite]).all()


def to_column(tensor: Array) -> Column:
    """Return a tensor as a column with one nested list per row; the lists have variable size and no nulls."""
    flat = np.ascontiguousarray(tensor).reshape(-1)
    column: Column = pa.array(flat.tolist(), pa.string()) if tensor.dtype == object else pa.array(flat)
    if flat.size > _LARGEST_OFFSET:
        raise engine_error(f"The answer has {flat.size} values in one output; send fewer rows at a time.")
    for level in range(tensor.ndim - 1, 0, -1):
        lists, size = math.prod(tensor.shape[:level]), tensor.shape[level]
        offsets: Column = pa.array(np.arange(lists + 1, dtype=np.int32) * np.int32(size))
        kind: Any = pa.list_(pa.field(_ITEM, column.type, nullable=False))
        column = cast("Any", pa.ListArray).from_arrays(offsets, column, type=kind)
    return column


def check_lists(outputs: Mapping[str, Array], memory_mib: int) -> None:
    """Check that the lists of an answer take no more memory than a limit; empty lists take memory too.

    Args:
        outputs: The tensors of the answer, which become one nested list per row.
        memory_mib: The memory that the lists may take, in MiB.

    Raises:
        Problem: 413, if they would take more.
    """
    count = sum(math.prod(tensor.shape[:level]) for tensor in outputs.values() for level in range(1, tensor.ndim))
    if count * _LIST_SIZE > memory_mib * _MIB:
        raise too_large(
            f"The outputs are {count} lists within lists, which take more than {memory_mib} MiB; send fewer rows at a "
            f"time."
        )


def with_variable_lists(column: Column) -> Column:
    """Return a column with lists of variable size instead of fixed size, as the engine answers."""
    kind = _variable(column.type)
    if kind.equals(column.type):
        return column
    try:
        return column.cast(kind)
    except pa.ArrowException as error:
        raise engine_error(f"Values of the type {column.type} cannot be answered: {error}.") from None


def _variable(kind: Any) -> Any:
    if is_list(kind):
        return pa.list_(pa.field(kind.value_field.name, _variable(kind.value_type), kind.value_field.nullable))
    return kind


def pack(outputs: Mapping[str, Array]) -> tuple[list[dict[str, Any]], list[Array]]:
    """Return the descriptions of tensors and their bytes in chunks, for `unpack`."""
    descriptions: list[dict[str, Any]] = []
    chunks: list[Array] = []
    for name, tensor in outputs.items():
        descriptions.append({"name": name, "dtype": _name_of(tensor.dtype), "shape": list(tensor.shape)})
        flat = np.ascontiguousarray(tensor).reshape(-1)
        chunks += _pack_texts(flat) if tensor.dtype == object else [flat.view(np.uint8)]
    return descriptions, chunks


def _name_of(dtype: np.dtype[Any]) -> str:
    return _TEXT if dtype.kind == "O" else str(dtype)


def _pack_texts(flat: Array) -> list[Array]:
    """Return the lengths of texts in bytes, and the concatenated texts."""
    texts = [str(value).encode("utf-8", "replace") for value in flat.tolist()]
    lengths = np.array([len(text) for text in texts], np.int64)
    return [lengths.view(np.uint8), np.frombuffer(b"".join(texts), np.uint8)]


def unpack(descriptions: Any, content: memoryview) -> tuple[dict[str, Array], memoryview]:
    """Return tensors that use the memory of some bytes, and the bytes that follow them.

    The input is not trusted: a model that broke out of its process may have written it.

    Raises:
        ValueError: The descriptions are malformed or do not fit the bytes.
    """
    tensors: dict[str, Array] = {}
    for description in list_of(descriptions):
        name, dtype, shape = (object_of(description).get(key) for key in ("name", "dtype", "shape"))
        if not isinstance(name, str) or name in tensors or not isinstance(dtype, str) or dtype not in _BY_NAME:
            raise ValueError("an output without a name or a type")
        sizes = list_of(shape)
        if len(sizes) > _MAX_DIMENSIONS or not all(type(size) is int and size >= 0 for size in sizes):
            raise ValueError("an output without a shape")
        flat, content = _unpack_values(_BY_NAME[dtype], math.prod(sizes), content)
        tensors[name] = flat.reshape(sizes)
    return tensors, content


def _unpack_values(dtype: np.dtype[Any], count: int, content: memoryview) -> tuple[Array, memoryview]:
    """Return the first `count` values of some bytes, and the bytes that follow them."""
    if dtype.kind == "O":
        return _unpack_texts(count, content)
    size = count * dtype.itemsize
    if size > len(content):
        raise ValueError("an output that is larger than the content")
    values = np.frombuffer(content[:size], np.uint8 if dtype.kind == "b" else dtype)
    return values != 0 if dtype.kind == "b" else values, content[size:]


def _unpack_texts(count: int, content: memoryview) -> tuple[Array, memoryview]:
    lengths, content = _unpack_values(np.dtype(np.int64), count, content)
    if count and (int(lengths.min()) < 0 or int(lengths.max()) > len(content)):
        raise ValueError("a text that is larger than the content")
    ends = np.cumsum(lengths)
    if count and int(ends[-1]) > len(content):
        raise ValueError("texts that are larger than the content")
    texts = np.empty(count, object)
    start = 0
    for number, end in enumerate(ends.tolist()):
        texts[number] = str(content[start:end], "utf-8", "replace")
        start = end
    return texts, content[start:]
