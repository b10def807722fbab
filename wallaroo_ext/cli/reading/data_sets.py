"""The data set of `wallaroo-ext batch`: which columns and which rows to score."""

from __future__ import annotations

import operator
import re
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.cli.reading.columns import drop_columns, find_columns, find_each_once
from wallaroo_ext.inference.inputs.rows import require_pyarrow

if TYPE_CHECKING:
    from wallaroo_ext.batch.reading.data_source import Source
    from wallaroo_ext.inference.files.texts.text_options import TextOptions

_CONDITION = re.compile(r"\s*(?P<name>.+?)\s*(?P<sign>==|!=|<=|>=|<|>|=)\s*(?P<value>.*?)\s*")
_OPERATORS = {
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_OWNER = "the data set"


def open_data_set(
    location: str,
    kind: str | None,
    types: dict[str, str],
    texts: TextOptions,
    storage_options: dict[str, Any] | None = None,
) -> Source:
    """Return the data set, to read its columns.

    Raises:
        UsageError: It is the standard input, which cannot be read again.
    """
    require_pyarrow()
    if location == "-":
        raise UsageError(
            "A batch goes on after it was stopped, and so needs files that can be read again: save the standard input "
            "in a file, or score it by `wallaroo-ext infer NAME -`. A file of this name is ./-"
        )
    from wallaroo_ext.batch.reading.data_source import open_source
    from wallaroo_ext.inference.files.opening.storage_options import with_storage_options

    return open_source(with_storage_options(location, storage_options), kind=kind, types=types, texts=texts)


def parse_types(texts: list[str]) -> dict[str, str]:
    """Return the types of columns, as `infer_dataset` takes them.

    Args:
        texts: Each is a column and a type, such as `id=int64`, or several with commas between.

    Raises:
        UsageError: A column has no type.
    """
    found: dict[str, str] = {}
    for pair in [pair for text in texts for pair in text.split(",")]:
        name, sign, kind = pair.rpartition("=")
        if not sign or not name.strip():
            raise UsageError(f"--types {pair!r}: write a column and its type, such as id=int64.")
        found[name.strip()] = kind.strip()
    return found


def choose_columns(source: Source, columns: list[str], drop: list[str], keys: list[str]) -> dict[str, Any]:
    """Return the columns to send, and the keys, as `infer_dataset` takes them.

    Args:
        source: The data set.
        columns: The columns to send; all but the keys if none are given.
        drop: The columns not to send.
        keys: The keys. Each text is a name, or names with commas between.

    Raises:
        UsageError: There is no such column, one is named twice, or none is left.
    """
    known = source.names
    key_columns = find_each_once(known, keys, "--keys", _OWNER)
    wanted = find_each_once(known, columns, "--columns", _OWNER)
    wanted = wanted or [name for name in source.data_columns if name not in key_columns]
    return {"columns": drop_columns(known, wanted, drop, _OWNER), "keys": key_columns}


def parse_filter(source: Source, conditions: list[str]) -> Any:
    """Return the conditions as an expression of pyarrow; None if there are none.

    Raises:
        UsageError: A text is no condition, or its value does not fit the column's type.
    """
    parts = [_split(source, condition) for condition in conditions]
    columns = source.select(list(dict.fromkeys(name for name, _, _, _ in parts)), None)
    expressions = [_expression(columns, *part) for part in parts]
    combined: Any = None
    for expression in expressions:
        combined = expression if combined is None else combined & expression
    return combined


def _split(source: Source, condition: str) -> tuple[str, str, str, str]:
    """Return the column, the operator and the value of a condition, and the condition itself."""
    found = _CONDITION.fullmatch(condition)
    if found is None:
        raise UsageError(
            f'--filter {condition!r}: a condition is a column, a sign and a value, such as "amount >= 100".'
        )
    name, *others = find_columns(source.names, [found["name"]], "--filter", _OWNER)
    if others:
        raise UsageError(f"--filter {condition!r}: a condition is about one column; give another --filter for another.")
    return name, found["sign"], found["value"], condition


def _expression(source: Source, name: str, sign: str, text: str, condition: str) -> Any:
    value = _value(source, name, text, condition)
    compute: Any = import_module("pyarrow.compute")
    field = compute.field(name)
    return _OPERATORS[sign](field, value)


def _value(source: Source, name: str, text: str, condition: str) -> Any:
    pa: Any = import_module("pyarrow")
    kind = source.type_of(name)
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    try:
        return pa.scalar(text[1:-1] if quoted else text).cast(cast("Any", kind))
    except (pa.ArrowException, ValueError) as error:
        raise UsageError(f"--filter {condition!r}: {text!r} is no value of the type {kind}.") from error
