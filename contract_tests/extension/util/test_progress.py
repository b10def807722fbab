"""Is progress shown wherever people look: on a terminal, in a notebook's real kernel, and in a pipe?"""

from __future__ import annotations

import os
import pty
import queue
import subprocess
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.manager import start_new_kernel  # pyright: ignore[reportUnknownVariableType] - its types are partial

from wallaroo_ext._util import progress
from wallaroo_ext._util.progress import progress_line, progress_text
from wallaroo_ext.batch.progress import BatchProgress, progress_function
from wallaroo_ext.cli.printing.progress import show_tests
from wallaroo_ext.uploads.progress import show_progress

if TYPE_CHECKING:
    from collections.abc import Generator

_SECONDS = 120


def show_all() -> None:
    """Show the progress of waiting, of an upload and of a run."""
    with progress_line("Waiting for p-1.") as show:
        show("p-1 is Running.")
    with show_progress("m\x1b[31m", progress=True) as tell:
        assert tell is not None
        for sent in (0, 2 << 20):
            tell(sent, 2 << 20)
    with progress_function(progress=True) as tell_rows:
        assert tell_rows is not None
        tell_rows(BatchProgress(500, 1000, 0, 250.0, 4.0))


def in_terminal(code: str, environment: dict[str, str], output: Path | None = None) -> str:
    """Run code of this module with a terminal as its standard error, and return what the terminal was sent.

    Args:
        code: The code.
        environment: Variables to set.
        output: The file for standard output; the terminal by default.
    """
    leader, terminal = pty.openpty()
    program = [sys.executable, "-c", f"from {__name__} import *\n{code}"]
    with ExitStack() as opened:
        stdout: Any = terminal if output is None else opened.enter_context(output.open("w"))
        started = subprocess.Popen(program, stdout=stdout, stderr=terminal, env={**os.environ, **environment})
    os.close(terminal)
    shown = b""
    with suppress(OSError):  # the terminal is closed
        while part := os.read(leader, 65_536):
            shown += part
    os.close(leader)
    started.wait(_SECONDS)
    return shown.decode()


_WAITING = """
from wallaroo_ext._util.progress import progress_line

with progress_line("Waiting for p-1.") as show:
    show("p-1 is Starting.")
    show("p-1 is Running.")
"""
_SCORING = """
from wallaroo_ext.batch.progress import BatchProgress, progress_function

with progress_function(True) as tell:
    for rows in (0, 500, 1000):
        tell(BatchProgress(rows, 1000, 0, 250.0, 4.0))
"""
_SENDING = """
from wallaroo_ext.uploads.progress import show_progress

with show_progress("m", progress=True) as tell:
    for sent in (0, 1 << 20, 2 << 20):
        tell(sent, 2 << 20)
"""


@pytest.fixture(scope="module")
def kernel() -> Generator[Any]:
    """Yield a client of a notebook's kernel."""
    manager, client = start_new_kernel(startup_timeout=_SECONDS)
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def run(kernel: Any, code: str) -> list[dict[str, Any]]:
    """Run a cell, and return what the kernel published for its output."""
    outputs: list[dict[str, Any]] = []

    def keep(message: dict[str, Any]) -> None:
        if message["msg_type"] in {"stream", "display_data", "update_display_data", "error", "comm_open"}:
            outputs.append({"kind": message["msg_type"]} | message["content"])

    try:
        kernel.execute_interactive(code, timeout=_SECONDS, output_hook=keep)
    except queue.Empty:
        pytest.fail("The kernel does not answer.")
    assert not [output for output in outputs if output["kind"] == "error"], outputs
    return outputs


def texts(outputs: list[dict[str, Any]]) -> list[str]:
    return [output["data"]["text/plain"] for output in outputs if "data" in output]


class TestNotebookWithoutWidgets:
    @pytest.fixture(autouse=True)
    def _hidden(self, kernel: Any) -> Generator[None]:
        run(kernel, "import sys; hidden, sys.modules['ipywidgets'] = sys.modules.get('ipywidgets'), None")
        yield
        run(kernel, "sys.modules.pop('ipywidgets') if hidden is None else sys.modules.update(ipywidgets=hidden)")

    def test_a_line_is_replaced(self, kernel: Any) -> None:
        outputs = run(kernel, _WAITING)
        assert texts(outputs) == ["Waiting for p-1.", "p-1 is Starting.", "p-1 is Running."]
        assert [output["kind"] for output in outputs] == ["display_data", "update_display_data", "update_display_data"]
        assert len({output["transient"]["display_id"] for output in outputs}) == 1

    def test_a_run_shows_its_rows(self, kernel: Any) -> None:
        assert texts(run(kernel, _SCORING)) == [
            "0 of 1,000 rows, 250 a second",
            "500 of 1,000 rows, 250 a second",
            "1,000 of 1,000 rows, 250 a second",
        ]

    def test_an_upload_shows_its_bytes(self, kernel: Any) -> None:
        assert texts(run(kernel, _SENDING)) == [
            "Sending m of 2.0 MiB.",
            "1.0 MiB of 2.0 MiB sent.",
            "2.0 MiB of 2.0 MiB sent.",
        ]


class TestNotebookWithWidgets:
    @pytest.mark.parametrize("code", [_WAITING, _SCORING, _SENDING])
    def test_a_bar_is_a_widget(self, kernel: Any, code: str) -> None:
        outputs = run(kernel, code)
        assert any("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in outputs)
        assert not [output for output in outputs if output["kind"] == "stream"]  # such as a warning


class TestTerminal:
    @pytest.mark.parametrize("variable", ["TERM=dumb", "TERM=unknown", "PYTHONIOENCODING=ascii"])
    def test_lines_are_shown_where_no_bar_can_be_drawn(self, variable: str) -> None:
        name, value = variable.split("=")
        shown = in_terminal("show_all()", {name: value})
        assert shown.splitlines() == [
            "Waiting for p-1.",
            "p-1 is Running.",
            "Sending m\\x1b[31m of 2.0 MiB.",
            "2.0 MiB of 2.0 MiB sent.",
            "500 of 1,000 rows, 250 a second",
        ]

    @pytest.mark.parametrize("columns", ["1", "20", "80"])
    def test_a_bar_fits_and_gives_the_cursor_back(self, columns: str) -> None:
        shown = in_terminal("show_all()", {"TERM": "xterm", "COLUMNS": columns})
        assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 3
        assert "\x1b[31m of" not in shown

    def test_an_interrupt_gives_the_cursor_back(self) -> None:
        shown = in_terminal("with progress_line('x'): raise KeyboardInterrupt", {"TERM": "xterm"})
        assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
        assert "KeyboardInterrupt" in shown

    def test_what_others_print_into_a_file_stays_there(self, tmp_path: Path) -> None:
        """The output of other tasks and threads was shown above the bar, and was not in the file."""
        output = tmp_path / "output"
        in_terminal("with progress_line('x'): print('a result')", {"TERM": "xterm"}, output)
        assert output.read_text() == "a result\n"


class TestPipe:
    @pytest.fixture
    def seconds(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        """Return a list whose last element is the time."""
        now = [0.0]
        monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: now[-1]))  # no other thread's time
        return now

    def test_each_state_is_a_line(self, capsys: pytest.CaptureFixture[str]) -> None:
        with progress_line("Waiting for p-1.") as show:
            for text in ("p-1 is Starting.", "p-1 is Starting.", "p-1 is \x1b[31mRunning."):
                show(text)
        out, err = capsys.readouterr()
        assert (out, err.splitlines()[:2], len(err.splitlines())) == ("", ["Waiting for p-1.", "p-1 is Starting."], 3)
        assert "\x1b" not in err

    def test_a_run_is_a_line_every_ten_seconds(self, capsys: pytest.CaptureFixture[str], seconds: list[float]) -> None:
        with progress_function(progress=True) as tell:
            assert tell is not None
            for second in range(25):
                seconds.append(second)
                tell(BatchProgress(second * 100, None, 0, 100.0, second))
        lines = [f"{rows} rows, 100 a second" for rows in ("1,000", "2,000", "2,400")]
        assert capsys.readouterr().err.splitlines() == lines

    @pytest.mark.parametrize("rows", [0, 1])
    def test_a_short_run_is_a_line_at_its_end(self, capsys: pytest.CaptureFixture[str], rows: int) -> None:
        with suppress(KeyError), progress_function(progress=True) as tell:
            assert tell is not None
            tell(BatchProgress(rows, rows, 0, 0.0, 0.0))
            raise KeyError
        assert capsys.readouterr().err.splitlines() == [f"{rows} of {rows} rows, 0 a second"]

    @pytest.mark.parametrize("variable", ["FORCE_COLOR", "TTY_COMPATIBLE"])
    def test_a_log_that_may_have_colours_gets_no_bar(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, variable: str
    ) -> None:
        monkeypatch.setenv(variable, "1")
        show_all()
        assert "\x1b" not in capsys.readouterr().err

    def test_an_upload_is_a_line_at_its_ends_and_every_ten_seconds(
        self, capsys: pytest.CaptureFixture[str], seconds: list[float]
    ) -> None:
        with show_progress("m", progress=True) as tell:
            assert tell is not None
            for second in range(25):
                seconds.append(second)
                tell(second << 20, 24 << 20)
        assert capsys.readouterr().err.splitlines() == [
            "Sending m of 24.0 MiB.",
            "10.0 MiB of 24.0 MiB sent.",
            "20.0 MiB of 24.0 MiB sent.",
            "24.0 MiB of 24.0 MiB sent.",
        ]

    def test_an_upload_of_unknown_size_is_a_line_at_its_ends(self, capsys: pytest.CaptureFixture[str]) -> None:
        with show_progress("m", progress=True) as tell:
            assert tell is not None
            for sent in range(3):
                tell(sent << 20, None)
        assert capsys.readouterr().err.splitlines() == ["Sending m.", "2.0 MiB sent."]

    def test_a_text_is_shown_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        with progress_text() as show:
            for _ in range(3):
                show("the same", kept=True)
        assert capsys.readouterr().err == "the same\n"

    @pytest.mark.parametrize(("stream", "is_there"), [(None, False), (None, True), ("/dev/full", True)])
    def test_nothing_fails_or_goes_elsewhere_where_none_can_be_shown(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, stream: str | None, *, is_there: bool
    ) -> None:
        """Without standard error, the lines were printed among the results; on a full disk, the work ended."""
        goes_on = False
        with suppress(OSError), Path(stream or os.devnull).open("w") as opened:  # closing it fails if it is full
            if stream is None:
                opened.close()
            monkeypatch.setattr(sys, "stderr", opened if is_there else None)
            show_all()
            goes_on = True
        assert goes_on
        assert capsys.readouterr().out == ""

    def test_a_suite_is_a_line_every_tenth_of_its_tests(self, capsys: pytest.CaptureFixture[str]) -> None:
        with show_tests(quiet=False) as show:
            for done in range(1, 31):
                show(done, 30)
        lines = capsys.readouterr().err.splitlines()
        assert lines == [f"{done} of 30 tests are done." for done in range(3, 31, 3)]
