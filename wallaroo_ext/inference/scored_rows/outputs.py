"""The outputs of a model as numpy arrays."""

from __future__ import annotations

import json
import math
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.column_names import MODEL_SPLIT, OUTPUT, is_output

if TYPE_CHECKING:
    import numpy as np
    from pyarrow import RecordBatch, Table

    Array = np.ndarray[Any, np.dtype[Any]]

Column: TypeAlias = Any
"""A pyarrow array. Its stubs ask for the type of the elements, which is known at run time only."""

_TENSOR_TYPE = b"tensor_type"
"""The metadata of a column in which an instance describes its tensors: `{"shape": [3, 4]}`."""


def outputs(table: Table | RecordBatch) -> dict[str, Array]:
    """Return the outputs of the models as arrays, by their names.

    An output is named as the model names it: `dense_1` is the column `out.dense_1`. Where several models scored each
    row, as in a shadow step, these are the outputs of the first one, and those of the others have the whole names of
    their columns, `out_<model>.<output>`, so that no two are confused. Where each row was sent to one of several
    models, `_model_split` says to which: an array of objects, dictionaries with the model's `name`, `version` and
    `sha`.

    Each array has the shape of the model's output, with the rows as its first dimension. An array of numbers uses the
    memory of the answer if that came as Arrow in one piece, and is read-only then. Texts are an array of objects. A
    null, which JSON has in place of NaN, becomes NaN. The shape is the one that the instance states in the column's
    metadata, as `tensor_type`; where it states none, or one of another number of values, it is that of the lists, whose
    lengths are 0 if there are no rows.

    Args:
        table: The result of `infer`, or one of those of `infer_batches`; also what it was read from, with an `out` that
            has its fields nested.

    Raises:
        InvalidDataError: It is no such table, there are no outputs, the rows of one have different shapes, or it has
            nulls and a type without NaN; the message names the output. Its values are still in its column,
            `table.column("out.<name>")`.
    """
    from wallaroo_ext.inference.scored_rows.flat_tables import flat_table

    pa: Any = import_module("pyarrow")
    given: Any = table
    if isinstance(given, pa.RecordBatch):
        given = pa.Table.from_batches([given])
    if not isinstance(given, pa.Table):
        raise InvalidDataError(
            f"Outputs are read from the table that `infer` gives, or a batch of `infer_batches`, not from a "
            f"{type(given).__name__}."
        )
    table = flat_table(given)
    names = [name for name in table.column_names if is_output(name)]
    if not names and table.num_columns:
        raise InvalidDataError(
            f"These rows have no outputs, but {', '.join(table.column_names)}.",
            advice="Ask for `out` by `dataset`, and do not leave it out by `dataset_exclude`.",
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidDataError(f"Two columns have the name {twice!r}.")
    fields: Any = table.schema
    return {name.removeprefix(OUTPUT): _array(fields.field(name), table.column(name)) for name in names}


def _array(field: Any, column: Column) -> Array:
    from wallaroo_ext._util.arrow.list_types import is_list

    values = _single_array(column)
    rows, lengths = len(values), list[int]()
    while is_list(values.type):
        lengths.append(_common_length(field.name, values))
        values = values.flatten()
    stated = _stated_shape(field)
    if stated is not None and (not rows or math.prod(stated) == math.prod(lengths)):
        lengths = stated
    array = _split_models(values) if field.name == MODEL_SPLIT else _values(field.name, values)
    return array.reshape([rows, *lengths])


def _stated_shape(field: Any) -> list[int] | None:
    """Return the shape of a row that the metadata of a column states; None if it states no whole one."""
    metadata: dict[bytes, bytes] | None = field.metadata
    if metadata is None or _TENSOR_TYPE not in metadata:
        return None
    try:
        shape = object_of(json.loads(metadata[_TENSOR_TYPE])).get("shape")
    except ValueError:
        return None
    if not isinstance(shape, list) or not all(type(size) is int and size >= 0 for size in cast("list[Any]", shape)):
        return None
    return cast("list[int]", shape)


def _split_models(values: Column) -> Array:
    """Return the models that rows were sent to as objects; some releases have each as a text of JSON."""
    import numpy as np

    known: dict[str, Any] = {}
    models = [known.setdefault(each, _parsed(each)) if isinstance(each, str) else each for each in values.to_pylist()]
    array = np.empty(len(models), object)
    array[:] = models
    return array


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _single_array(column: Column) -> Column:
    if column.num_chunks == 1:
        return column.chunk(0)
    pa: Any = import_module("pyarrow")
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _common_length(name: str, lists: Column) -> int:
    """Return the common length of lists.

    Raises:
        InvalidDataError: A list is null, or the lengths differ.
    """
    import numpy as np

    if lists.null_count:
        raise InvalidDataError(f"The column {name!r} has rows without a value, and an array needs one for each row.")
    if hasattr(lists.type, "list_size"):
        return lists.type.list_size
    lengths: Array = np.diff(lists.offsets.to_numpy())
    if lengths.size == 0:
        return 0
    different = np.flatnonzero(lengths != lengths[0])
    if different.size:
        raise InvalidDataError(
            f"The column {name!r} has lists of different lengths, such as {lengths[0]} and {lengths[different[0]]}, "
            f"and an array has one shape."
        )
    return int(lengths[0])


def _values(name: str, values: Column) -> Array:
    pa: Any = import_module("pyarrow")
    kind, types = values.type, pa.types
    if types.is_nested(kind):
        raise InvalidDataError(f"The column {name!r} has values of type {kind}, for which numpy has no array.")
    if types.is_null(kind):
        values = values.cast(pa.float64())
    elif values.null_count and not (types.is_floating(kind) or types.is_string(kind)):
        raise InvalidDataError(f"The column {name!r} has nulls, and an array of {kind} cannot have any.")
    return values.to_numpy(zero_copy_only=False)
