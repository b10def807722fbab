"""Does the code on the documentation's pages run, in the order in which a reader meets it, and print what they say?

All of it runs in one directory, with a sandbox that the tutorial itself starts. What a page's blocks of Python define
stays defined on that page; what its shell lines export stays exported.
"""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
import time
from contextlib import redirect_stdout
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from wallaroo_mlops_client import Client

from contract_tests.support.documentation import README, ROOT, Block, blocks, pages

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.slow
BESIDE = "runs in another terminal"
ELSEWHERE = "not run here: "
PAGES = [README, *pages()]
BASH = "/bin/bash"
OUTPUT = doctest.OutputChecker()
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Reader:
    """Does what a page says, in a directory.

    Args:
        directory: Where; its `scripts` is the clone's.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("WALLAROO_")}
        self.environment |= {"HOME": str(directory), "COLUMNS": "100"}
        self.environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{self.environment['PATH']}"
        self.others: list[subprocess.Popen[bytes]] = []

    def run_shell(self, block: Block) -> str:
        """Run shell lines, and return what they print; what they export stays."""
        kept = self.directory / ".environment"
        script = f"set -e\n{block.code}\nenv -0 > {kept}\n"
        done = subprocess.run(
            [BASH, "-c", script],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block.page.name}:{block.line}: {done.stdout}{done.stderr}"
        lines = kept.read_text(encoding="utf-8").split("\0")
        self.environment = dict(line.split("=", 1) for line in lines if "=" in line)
        return done.stdout

    def run_beside(self, block: Block) -> None:
        """Start shell lines that go on, and wait until the file is there that they write."""
        written = self.directory / block.code.split("--env-file ")[1].split()[0]
        written.unlink(missing_ok=True)
        lines = f"exec {block.code.strip()}"
        self.others.append(
            subprocess.Popen([BASH, "-c", lines], cwd=self.directory, env=self.environment, stdout=subprocess.DEVNULL)
        )
        deadline = time.monotonic() + 60
        while not written.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert written.exists()

    def run_python(self, block: Block, names: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> str:
        """Run Python, and return what it prints."""
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(self.directory)
        shown = StringIO()
        code = "\n" * (block.line - 1) + block.code
        with redirect_stdout(shown):
            exec(compile(code, str(block.page), "exec", dont_inherit=True), names)  # noqa: S102 - it is our own text
        return shown.getvalue()


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Generator[Reader]:
    directory = tmp_path_factory.mktemp("reader")
    for name in ("scripts", ".venv"):
        (directory / name).symlink_to(Path(sys.prefix) if name == ".venv" else ROOT / name)
    found = Reader(directory)
    yield found
    for process in found.others:
        process.terminate()
        process.wait(timeout=60)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_code_of_a_page_runs_and_prints_what_the_page_says(
    page: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    shown = ""
    for block in blocks(page):
        if block.note.startswith(ELSEWHERE):
            shown = ""
        elif block.note == BESIDE:
            reader.run_beside(block)
        elif block.language == "sh":
            shown = reader.run_shell(block)
        elif block.language == "python":
            shown = reader.run_python(block, names, monkeypatch)
        elif block.language == "output":
            wanted = block.code.replace("…", "...")
            assert OUTPUT.check_output(wanted, shown, FLAGS), f"{page.name}:{block.line} says otherwise:\n{shown}"
    for found in names.values():
        if isinstance(found, Client):  # a reader's ends with the program
            found.get_httpx_client().close()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_what_does_not_run_has_its_reason(page: Path) -> None:
    for block in blocks(page):
        assert block.language in {"python", "sh", "output", "yaml", "json", "text", "toml"}
        assert not block.note or block.note == BESIDE or len(block.note) > len(ELSEWHERE) + 10
    for before, block in pairwise(blocks(page)):
        if block.language == "output":
            assert before.language in {"python", "sh"}
            assert not before.note
