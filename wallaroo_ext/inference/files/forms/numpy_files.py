"""Reading numpy's files: one array (`.npy`), or several with names (`.npz`); never with pickled objects."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import IO, Any

import numpy as np

from wallaroo_ext.errors import InvalidDataError
from wallaroo_ext.inference.files.forms.formats import check_zip
from wallaroo_ext.inference.refused_columns import Unreadable

_OBJECTS = "it has objects of Python, which are pickled and so not loaded: save an array of numbers or texts."
_ONLY = "arr_0"
"""The name that `numpy.savez` gives to an array without one."""


def read_npy(opened: IO[bytes]) -> np.ndarray[Any, Any]:
    """Return the array of a `.npy` file, as a part of the memory that the file is mapped to, if it is on a disk.

    Raises:
        InvalidDataError: It has objects, was cut off, or goes on behind the array.
    """
    try:
        if isinstance(getattr(opened, "raw", None), io.FileIO):
            found: Any = np.lib.format.open_memmap(opened.name, mode="r")
            opened.seek(found.offset + found.nbytes)
        else:
            found = np.lib.format.read_array(opened, allow_pickle=False)
    except ValueError as error:
        raise _unreadable(error) from error
    if opened.read(1):
        raise InvalidDataError(
            "it goes on behind its array: save several arrays by numpy.savez, or joined by numpy.concatenate."
        )
    return found


def read_npz(opened: IO[bytes]) -> Any:
    """Return the arrays of a `.npz` file by their names; a single one without a name as it is.

    Raises:
        InvalidDataError: It is another zip file, is broken, or has nothing but objects.
    """
    check_zip(opened)
    opened.seek(0)
    found: dict[str, Any] = {}
    try:
        with zipfile.ZipFile(opened) as archive:
            for name in archive.namelist():
                with archive.open(name) as member:
                    found[name.removesuffix(".npy")] = _array_of(member)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:
        raise InvalidDataError(f"it cannot be unpacked: {error}. Copy or write it again.") from error
    first = next(iter(found.values()))
    if len(found) == 1 and isinstance(first, Unreadable):
        raise first.error
    return first if list(found) == [_ONLY] else found


def _array_of(member: IO[bytes]) -> Any:
    """Return one of several arrays, or why it cannot be read."""
    try:
        return read_npy(member)
    except InvalidDataError as error:
        return Unreadable(error)


def _unreadable(error: ValueError) -> InvalidDataError:
    if "bject" in str(error):
        return InvalidDataError(_OBJECTS)
    if "mmap length" in str(error) or "reshape" in str(error) or "EOF" in str(error):
        return InvalidDataError("it has fewer values than it says: it was cut off.")
    return InvalidDataError(f"{str(error).partition(chr(10))[0]}.")
