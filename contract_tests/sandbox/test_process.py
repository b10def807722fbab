"""Does a sandbox that a program starts say why it does not start, and does it end whatever interrupts the program?"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from wallaroo_ext.sandbox import process
from wallaroo_ext.sandbox.process import SandboxFailedError

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass
class FakeProgram:
    """A program that does nothing, and what it had to do with its files.

    Attributes:
        stdin: Its end of the pipe by whose end it ends.
        code: Its exit code; None while it runs.
        interrupts: Whether the waiting for its end is interrupted.
    """

    stdin: int = -1
    code: int | None = None
    interrupts: bool = False
    output: bytes = b""

    def __call__(self, arguments: Sequence[str], files: tuple[int, int, int]) -> FakeProgram:
        assert arguments[0] == "sandbox"
        self.stdin = os.dup(files[0])
        os.write(files[2], self.output)
        return self

    def poll(self) -> int | None:
        return self.code

    def end(self) -> None:
        if self.interrupts:
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("code", "output", "said"),
    [
        (1, b"", "The sandbox did not start: it gave no reason"),
        (1, b"The port \xff is taken.\n", "The sandbox did not start: The port \ufffd is taken."),
        (None, b"", "The sandbox did not start within 0.1 seconds: it gave no reason"),
        (None, b"waiting\n", "The sandbox did not start within 0.1 seconds: waiting"),
    ],
)
def test_a_start_that_fails_says_why_or_how_long_it_took(
    code: int | None, output: bytes, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_START_SECONDS", 0.1)
    program = FakeProgram(code=code, output=output)
    with pytest.raises(SandboxFailedError) as raised, process.running(start=program):
        pass
    os.close(program.stdin)
    assert str(raised.value) == said


def test_a_program_whose_end_is_not_waited_for_loses_what_it_lives_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_START_SECONDS", 0.0)
    program = FakeProgram(interrupts=True)
    with pytest.raises(KeyboardInterrupt), process.running(start=program):
        pass
    os.set_blocking(program.stdin, False)
    assert os.read(program.stdin, 1) == b""  # it would raise BlockingIOError while the other end is open
    os.close(program.stdin)
