"""Do bash, zsh and fish, on a terminal, complete words, files and names as `--install-completion` promises?

The line that a shell completed is given to a program that shows its words, so that what is looked at is what would run.
"""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING, Any

import pexpect
import pytest

from contract_tests.support.command_line import SCRIPT, environment_of
from contract_tests.support.servers.forks import fork_server

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = pytest.mark.slow

terminal: Any = pexpect  # it has no types
SECONDS = 60
TAB, TO_THE_BEGINNING, FORGET_LINE = "\t", "\x01", "\x03"
READY = "READY> "
PROMPTS = {
    "bash": f"PS1='{READY}'; bind 'set enable-bracketed-paste off'",
    "zsh": f"PS1='{READY}'; unsetopt PROMPT_SP",
    "fish": f"function fish_prompt; echo -n '{READY}'; end",
}
SHOWN = "#!/bin/sh\nprintf 'WORDS'\nprintf '<%s>' \"$@\"\nprintf '.\\n'\n"
COLOURS = re.compile(r"\x1b[\[(][0-9;?]*[A-Za-z]")
WORKSPACE = "user@example.com - Default Workspace"


class Shell:
    """A shell on a terminal, whose user has installed the completion.

    Args:
        kind: `bash`, `zsh` or `fish`.
        directory: The user's home directory, in which the shell also starts.
        variables: Variables of its environment.
    """

    def __init__(self, kind: str, directory: Path, variables: dict[str, str]) -> None:
        programs = {"wallaroo-ext": f'#!/bin/sh\nexec {" ".join(SCRIPT)} "$@"\n', "shown": SHOWN}
        for name, text in programs.items():
            program = directory / "bin" / name
            program.parent.mkdir(exist_ok=True)
            program.write_text(text, encoding="utf-8")
            program.chmod(0o755)
        places = {"HOME": str(directory), "ZDOTDIR": str(directory), "XDG_CONFIG_HOME": str(directory / ".config")}
        path = f"{directory / 'bin'}{os.pathsep}{os.environ['PATH']}"
        own = environment_of({**variables, **places, "PATH": path, "TERM": "dumb", "EDITOR": "", "VISUAL": ""})
        self._start = [kind, ["-i"]], {"env": own, "cwd": str(directory), "encoding": "utf-8", "dimensions": (50, 250)}
        self._kind = kind
        self._program = self._started()
        self._run("wallaroo-ext --install-completion")
        self.end()
        self._program = self._started()

    def _started(self) -> Any:
        arguments, options = self._start
        program = terminal.spawn(*arguments, timeout=SECONDS, **options)
        program.sendline(PROMPTS[self._kind])
        program.expect_exact(f"{READY}'")  # of the command itself
        program.expect_exact(READY)
        return program

    def _run(self, command: str) -> None:
        self._program.sendline(command)
        self._program.expect(r"installed to [^\r\n]*\r?\n")
        self._program.expect_exact(READY)

    def type(self, keys: str, *, shown: str) -> None:
        """Press keys, and wait until something is shown."""
        self._program.send(keys)
        self._program.expect_exact(shown)

    def completed(self, line: str) -> list[str]:
        """Return the words of a line, without its first one, after the shell completed its end."""
        self._program.send(f"{line}{TAB}")
        self._program.send(f"{TO_THE_BEGINNING}shown \r")
        self._program.expect(r"WORDS(<.*>)\.\r?\n")
        shown = COLOURS.sub("", self._program.match[1])
        self._program.expect_exact(READY)
        return shown[1:-1].split("><")[1:]

    def end(self) -> None:
        """End the shell."""
        self._program.close(force=True)


@pytest.fixture(scope="module")
def instance() -> Generator[dict[str, str]]:
    """Yield a sandbox of their own, in which no other test names anything."""
    with fork_server.running() as environment:
        yield environment


@pytest.fixture(scope="module", params=["bash", "zsh", "fish"])
def shell(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, instance: dict[str, str]
) -> Generator[Shell]:
    """Yield a shell of a user who has files, and an instance that has names."""
    if shutil.which(request.param) is None:
        pytest.skip(f"There is no {request.param} on this machine.")
    directory = tmp_path_factory.mktemp(request.param)
    for name in ("rows.csv", "a table of 2026.csv", "bodies/body.json"):
        (directory / name).parent.mkdir(exist_ok=True)
        (directory / name).touch()
    running = Shell(request.param, directory, instance)
    yield running
    running.end()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("doc", ["doctor"]),
        ("list mod", ["list", "models"]),
        ("assay ch", ["assay", "chart"]),
        ("call list_model_v", ["call", "list_model_versions"]),
        ("call --outp", ["call", "--output"]),
        ("sandbox --release 2024", ["sandbox", "--release", "2024.2"]),
    ],
)
def test_words_are_completed(shell: Shell, line: str, words: list[str]) -> None:
    assert shell.completed(f"wallaroo-ext {line}") == words


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("infer tumours ro", ["infer", "tumours", "rows.csv"]),
        ("upload a", ["upload", "a table of 2026.csv"]),
        ("batch bod", ["batch", "bodies"]),
        ("batch bodies/b", ["batch", "bodies/body.json"]),
        ("infer tumours rows.csv --output ro", ["infer", "tumours", "rows.csv", "--output", "rows.csv"]),
        ("sandbox --data-dir bo", ["sandbox", "--data-dir", "bodies"]),
        ("call list_models --data @bo", ["call", "list_models", "--data", "@bodies"]),
        ("call list_models --data @bodies/b", ["call", "list_models", "--data", "@bodies/body.json"]),
    ],
)
def test_files_are_completed(shell: Shell, line: str, words: list[str]) -> None:
    completed = shell.completed(f"wallaroo-ext {line}")
    assert [word.removesuffix("/") for word in completed] == words  # zsh takes the slash away at the end of a line


@pytest.mark.parametrize("before", ["call list_models --data @", "batch "])
def test_one_goes_on_below_a_directory(shell: Shell, before: str) -> None:
    *words, at = before.split(" ")
    shell.type(f"wallaroo-ext {before}bo{TAB}", shown="dies/")
    assert shell.completed("bo") == [*words, f"{at}bodies/body.json"]


@pytest.mark.parametrize("written", ["user", "user@", "user@exa"])
def test_names_of_the_instance_are_completed(shell: Shell, written: str) -> None:
    line = f"wallaroo-ext list models --workspace {written}"
    assert shell.completed(line) == ["list", "models", "--workspace", WORKSPACE]
