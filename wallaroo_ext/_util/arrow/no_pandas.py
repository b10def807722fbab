"""Does without pandas, which pyarrow imports wherever it is installed, in programs that have no values of pandas."""

from __future__ import annotations

import sys
import threading
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    import pyarrow as pa

_lock = threading.Lock()


class _NoPandas:
    """A finder of modules that lets pandas be missing."""

    @staticmethod
    def find_spec(fullname: str, *_: object) -> None:
        """Raise for pandas, and leave all other modules to the other finders.

        Raises:
            ModuleNotFoundError: The module is pandas.
        """
        if fullname == "pandas":
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


def hide_pandas() -> None:
    """Let this process find no pandas from now on.

    Where it is installed, pyarrow imports it to look whether a value is of pandas. That would take most of the time
    that a short program takes.
    """
    sys.meta_path.insert(0, _NoPandas())


class _LatePandas:
    """A finder of modules that lets pandas be missing for one thread, and later tells pyarrow once it is imported."""

    def __init__(self) -> None:
        self.hidden_from: int | None = threading.get_ident()

    def find_spec(self, fullname: str, path: Sequence[str] | None = None, _: ModuleType | None = None) -> Any:
        """Return where pandas is, with the addition to its import; None for all other modules.

        Raises:
            ModuleNotFoundError: The module is pandas, and this is the thread that does without it.
        """
        if fullname != "pandas":
            return None
        if self.hidden_from == threading.get_ident():
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        others: list[Any] = [finder for finder in sys.meta_path if finder is not self]
        specs = (finder.find_spec(fullname, path) for finder in others if hasattr(finder, "find_spec"))
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None and spec.loader is not None:
            self._add_to_import(spec)
        return spec

    def _add_to_import(self, spec: ModuleSpec) -> None:
        loader: Any = spec.loader
        load = loader.exec_module

        def load_and_tell(module: ModuleType) -> None:
            load(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            table: Any = import_module("pyarrow").table({})
            with suppress(ImportError):  # pandas is too old for pyarrow
                table.to_pandas()  # with this call, pyarrow looks for pandas again

        loader.exec_module = load_and_tell


def keep_pandas_out() -> None:
    """Let pyarrow do without pandas until this process imports it, which is free to.

    pyarrow imports pandas at its first look whether a value is of pandas, and 50 MiB stay taken. If it finds none, it
    does not look again; so it has to be told once there are values of pandas.
    """
    pa: Any = import_module("pyarrow")
    with _lock:
        if "pandas" in sys.modules or any(isinstance(finder, _NoPandas | _LatePandas) for finder in sys.meta_path):
            return
        late = _LatePandas()
        sys.meta_path.insert(0, late)
        pa.array([0])  # pyarrow looks for pandas
        late.hidden_from = None


def to_values(column: Any) -> list[Any]:
    """Return the values of an Arrow column; times and durations that Python's own types cannot hold become texts."""
    try:
        return column.to_pylist()
    except (ValueError, OverflowError):
        return column.cast(_with_texts(column.type)).to_pylist()


def _with_texts(kind: pa.DataType) -> pa.DataType:
    """Return a type with texts in place of its times and durations."""
    import pyarrow as pa

    inner: Any = kind
    if pa.types.is_temporal(kind):
        return pa.string()
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(_with_texts(inner.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _with_texts(field.type)) for field in inner])
    if pa.types.is_map(kind):
        return pa.map_(_with_texts(inner.key_type), _with_texts(inner.item_type))
    return kind
