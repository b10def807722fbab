"""The data set that a person names: its columns, and which of its rows."""

from __future__ import annotations

import re
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from wallaroo_ext.cli.printing.output import UsageError
from wallaroo_ext.inference.rows import require_pyarrow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wallaroo_ext.batch.reading.data_source import Source

_CONDITION = re.compile(r"\s*(?P<name>.+?)\s*(?P<sign>==|!=|<=|>=|<|>|=)\s*(?P<value>.*?)\s*")
_SHOWN = 10


def source_of(place: str, kind: str | None, types: dict[str, str]) -> Source:
    """Return the data set, to look at its columns."""
    require_pyarrow()
    from wallaroo_ext.batch.reading.data_source import open_source

    return open_source(place, kind=kind, types=types)


def types_of(texts: list[str]) -> dict[str, str]:
    """Return the types that columns are to have, as `infer_dataset` takes them.

    Args:
        texts: Each is a column and a type, such as `id=int64`, or several with commas between.

    Raises:
        UsageError: One has no type.
    """
    found: dict[str, str] = {}
    for pair in [pair for text in texts for pair in text.split(",")]:
        name, sign, kind = pair.rpartition("=")
        if not sign or not name.strip():
            raise UsageError(f"--types {pair!r}: it is a column and its type, such as id=int64.")
        found[name.strip()] = kind.strip()
    return found


def chosen(source: Source, columns: list[str], drop: list[str], keys: list[str]) -> dict[str, Any]:
    """Return the columns to send, and the keys, as `infer_dataset` takes them.

    Args:
        source: The data set.
        columns: The columns to send; all but the keys where there are none.
        drop: The columns not to send.
        keys: The keys. Each text is a name, or names with commas between.

    Raises:
        UsageError: There is no such column, or none is left.
    """
    known = source.names
    own = _named(known, keys, "--keys")
    wanted = _named(known, columns, "--columns") or [name for name in source.data_columns if name not in own]
    left_out = set(_named(known, drop, "--drop"))
    kept = [name for name in wanted if name not in left_out]
    if not kept:
        raise UsageError("No column is left to be sent.")
    return {"columns": kept, "keys": own}


def _named(known: Sequence[str], texts: list[str], option: str) -> list[str]:
    names = [name for text in texts for name in ([text] if text in known else text.split(","))]
    for name in names:
        if name not in known:
            raise UsageError(f"{option}: there is no column {name!r} in the data set, but {_near(known, name)}.")
    return names


def _near(known: Sequence[str], name: str) -> str:
    more = ["…"] if len(known) > _SHOWN else []
    return ", ".join(get_close_matches(name, known, n=3, cutoff=0.5) or [*known[:_SHOWN], *more])


def filter_of(source: Source, conditions: list[str]) -> Any:
    """Return the conditions as an expression of pyarrow; None where there are none.

    Raises:
        UsageError: One is no condition, or its value is none of the column's type.
    """
    parts = [_parts(source, condition) for condition in conditions]
    looked_at = source.select(list(dict.fromkeys(name for name, _, _, _ in parts)), None)
    expressions = [_expression(looked_at, *part) for part in parts]
    whole: Any = None
    for expression in expressions:
        whole = expression if whole is None else whole & expression
    return whole


def _parts(source: Source, condition: str) -> tuple[str, str, str, str]:
    """Return the column of a condition, its sign, its value, and the condition itself."""
    found = _CONDITION.fullmatch(condition)
    if found is None:
        raise UsageError(
            f'--filter {condition!r}: a condition is a column, a sign and a value, such as "amount >= 100".'
        )
    [name] = _named(source.names, [found["name"]], "--filter")
    return name, found["sign"], found["value"], condition


def _expression(source: Source, name: str, sign: str, text: str, condition: str) -> Any:
    value = _value(source, name, text, condition)
    compute: Any = import_module("pyarrow.compute")
    field = compute.field(name)
    signs: dict[str, Any] = {
        "==": field == value,
        "=": field == value,
        "!=": field != value,
        "<": field < value,
        "<=": field <= value,
        ">": field > value,
        ">=": field >= value,
    }
    return signs[sign]


def _value(source: Source, name: str, text: str, condition: str) -> Any:
    pa: Any = import_module("pyarrow")
    kind = source.type_of(name)
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    try:
        return pa.scalar(text[1:-1] if quoted else text).cast(cast("Any", kind))
    except (pa.ArrowException, ValueError) as error:
        raise UsageError(f"--filter {condition!r}: {text!r} is no value of the type {kind}.") from error
