"""Does Arrow's reading ahead end with what it reads for, so that no thread is in Python while the interpreter ends?"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import pyarrow as pa
import pytest

from wallaroo_ext._util.arrow.read_ahead import ReadAhead

_PROGRAM = """
import sys, time
from wallaroo_ext import InvalidDataError
from wallaroo_ext.inference.files.csv_files import CsvFile, Dialect

class Slow:
    reads = 0

    def read(self, size=-1):
        self.reads += 1
        if self.reads == 1:
            return b"a,b\\n" + b"1,2\\n" * 200
        if self.reads > 3:
            time.sleep(0.2)  # the program ends meanwhile
        return b"1,2,3\\n" if self.reads == 4 and sys.argv[1] == "wrong" else b"1,2\\n" * 200

    def close(self):
        pass

rows = CsvFile(Slow, Dialect(), 800).texts(["a", "b"])
if sys.argv[1] == "wrong":
    try:
        list(rows)
    except InvalidDataError as error:
        print(error)
else:
    print(next(rows).num_rows)
if sys.argv[1] == "dropped":
    del rows
"""


@pytest.mark.parametrize(
    ("how", "printed"), [("held", "200"), ("dropped", "200"), ("wrong", "row 600 has 3 fields, and the line of names")]
)
def test_a_program_that_ends_before_its_csv_file_is_not_aborted(how: str, printed: str) -> None:
    command = [sys.executable, "-c", _PROGRAM, how]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(printed)


class _File:
    """A file of which each read waits until it may go on."""

    def __init__(self) -> None:
        self.is_read, self.may_go_on = threading.Event(), threading.Event()
        self.is_done = False

    def read(self, size: int = -1, /) -> bytes:
        self.is_read.set()
        assert self.may_go_on.wait(60)
        self.is_done = True
        return b"x" * size


def test_the_end_waits_for_a_read_that_is_under_way() -> None:
    file = _File()
    ahead = ReadAhead(file)
    opened = ahead.opened()
    read: list[bytes] = []
    ended: list[bool] = []

    def end() -> None:
        nonlocal opened
        del opened
        ahead.end()
        ended.append(file.is_done)

    reader = threading.Thread(target=lambda: read.append(ahead.read(3)))
    reader.start()
    assert file.is_read.wait(60)
    ender = threading.Thread(target=end)
    ender.start()
    assert not ended
    file.may_go_on.set()
    reader.join()
    ender.join()
    assert (read, ended) == ([b"xxx"], [True])
    assert ahead.read(3) == b""


def test_pyarrow_alone_holds_the_file() -> None:
    file = _File()
    file.may_go_on.set()
    ahead = ReadAhead(file)
    made: Any = pa.PythonFile(ahead.opened(), mode="r")
    assert made.read(2) == b"xx"
    del made
    ahead.end()  # it is let go by now, so that this does not wait


def test_a_forked_child_waits_for_no_thread_of_its_parent() -> None:
    file = _File()
    ahead = ReadAhead(file)
    reader = threading.Thread(target=ahead.read, args=(1,))
    reader.start()
    assert file.is_read.wait(60)
    child = os.fork()
    if child == 0:
        try:
            ahead.end()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    file.may_go_on.set()
    reader.join()
