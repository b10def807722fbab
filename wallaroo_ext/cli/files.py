"""Writing files that are there as a whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from wallaroo_ext.cli.output import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Generator
    from typing import BinaryIO


def check_output(file: Path, endings: Collection[str] = ()) -> None:
    """Refuse a file that cannot be written, before any work is done for it.

    Args:
        file: The file.
        endings: The endings that its name may have; any where there are none.

    Raises:
        UsageError: Its directory is not there, or its name has another ending.
    """
    if endings and file.suffix.lower() not in endings:
        raise UsageError(f"--output {file}: the name has to end in {', '.join(endings)}.")
    if not file.parent.is_dir():
        raise UsageError(f"There is no directory {file.parent} to write {file.name} to.")


@contextmanager
def in_place_of(file: Path) -> Generator[BinaryIO]:
    """A file to write to, which takes the place of another one when the block ends well."""
    if file.exists() and not file.is_file():  # /dev/null, a pipe
        with file.open("wb") as target:
            yield target
        return
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as temporary:
        try:
            yield temporary.file  # pyright: ignore[reportReturnType] - a binary file
            temporary.close()
            Path(temporary.name).chmod(0o666 & ~_umask())
            Path(temporary.name).replace(file)
        except BaseException:
            Path(temporary.name).unlink(missing_ok=True)
            raise


def _umask() -> int:
    """Which permissions a new file does not get."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
