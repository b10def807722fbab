"""Is an environment complete or made again after scripts ran at once, were killed or failed, or the clone was moved?

Python, uv and npm are stand-ins here that record their commands, so that nothing is installed.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shlex
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from scripts.lib import set_up

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
BASE: str = cast("Any", sys)._base_executable  # an environment's own Python makes others with its base
SLOW_KILL = pytest.param("KILL_PARENT_AT", marks=pytest.mark.slow)
SLOW_FAILURE = pytest.param("FAIL_AT", marks=pytest.mark.slow)
STEPS = ["venv", "pip", "sync", "project", "verify"]
PACKAGES = "lib/python3.11/site-packages"
STAND_IN = """#!/bin/sh
# Python, uv and npm: each step is recorded, and may fail, be slow, or kill the program that started it.
step() {
    printf '%s\\n' "$1 $2" >>"$FAKE/steps"
    env >"$FAKE/environment"
    sleep "${SLOW-0}"
    if [ "${FAIL_AT-}" = "$1" ]; then echo "No space left on device" >&2; exit 1; fi
    if [ "${KILL_PARENT_AT-}" = "$1" ]; then kill -9 $PPID; exit 1; fi
    if [ "${KILL_ALL_AT-}" = "$1" ]; then kill -9 0; fi
}
here=$(dirname -- "$0")
case "${0##*/} $*" in
python*" -m venv "*)
    mkdir -p "$3/bin" "$3/lib/python3.11/site-packages"
    step venv ""
    cp "$0" "$3/bin/python"
    echo "version = 3.11" >"$3/pyvenv.cfg"
    ;;
python*" -m pip "*)
    cp "$0" "$here/uv"
    step pip ""
    ;;
"uv pip sync "*)
    mkdir -p "$here/../lib/python3.11/site-packages/package"
    step sync "${*##*/}"
    echo >"$here/../lib/python3.11/site-packages/package/__init__.py"
    ;;
"uv pip install "*) step project "" ;;
python*" -c import wallaroo_ext"*) step verify "" ;;
"npm ci "*)
    rm -rf "$3/node_modules"
    mkdir -p "$3/node_modules/.bin"
    step npm ""
    ;;
*) exec REAL "$@" ;;
esac
"""
SCRIPT = """#!/bin/sh
set -eu
. "$(dirname -- "$0")/lib/environment.sh"
use_environment NAME
if [ "${1-}" = hold ]; then echo holding; read -r _; fi
if [ "${1-}" = start ]; then shift; "$@"; fi
echo "ran with $VIRTUAL_ENV"
"""


class Clone:
    """A clone with scripts that set themselves up with stand-ins."""

    def __init__(self, path: Path, tools: Path) -> None:
        self.path, self.tools = path, tools

    def variables(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("HOME", "LANG") if name in os.environ}
        own = {"PATH": f"{self.tools}:/usr/bin:/bin", "FAKE": str(self.tools), "PIP_NO_INDEX": "1"}
        return {**kept, **own, **more}

    def start(self, script: str, *arguments: str, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.path / "scripts" / script), *arguments],
            env=self.variables(more),
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, script: str, *arguments: str, **more: str) -> tuple[int, str]:
        """Run a script to its end. Returns its exit code and its standard error."""
        with self.start(script, *arguments, **more) as started:
            try:
                out, err = started.communicate(timeout=60)
            finally:
                started.kill()
        assert started.returncode or out == f"ran with {self.path.resolve()}/.venv\n"
        return started.returncode, err

    def steps(self) -> list[str]:
        """Return the steps since the last time."""
        file = self.tools / "steps"
        found = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [each.split()[0] for each in found]

    def environment(self) -> dict[str, str]:
        """Return the environment variables of the last step."""
        lines = (self.tools / "environment").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    """Return a clone at a path with characters that shells and programs often get wrong."""
    path, tools = tmp_path / "a clone' [ü] $HOME", tmp_path / "tools"
    (path / "scripts/lib").mkdir(parents=True)
    (path / "scripts/requirements").mkdir()
    tools.mkdir()
    for file in ("environment.sh", "set_up.py"):
        shutil.copy(ROOT / "scripts/lib" / file, path / "scripts/lib" / file)
    for name in ("uv", "demo", "test", "check"):
        (path / f"scripts/requirements/{name}.txt").write_text(f"{name}==1\n", encoding="utf-8")
    (path / "pyproject.toml").write_text("", encoding="utf-8")
    for name in ("demo", "test", "check"):
        executable(path / "scripts" / name, SCRIPT.replace("NAME", name))
    for name in ("python3.11", "npm"):
        executable(tools / name, STAND_IN.replace("REAL", shlex.quote(BASE)))
    return Clone(path, tools)


def executable(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)


def listing(directory: Path) -> dict[str, bytes]:
    files = [file for file in directory.rglob("*") if file.is_file()]
    return {str(file.relative_to(directory)): file.read_bytes() for file in files}


class TestCutShort:
    @pytest.mark.parametrize("step", STEPS)
    @pytest.mark.parametrize("failure", ["KILL_ALL_AT", SLOW_KILL, SLOW_FAILURE])
    def test_the_next_script_makes_it_anew(self, clone: Clone, step: str, failure: str) -> None:
        code, _ = clone.run("demo", **{failure: step})
        assert code != 0
        assert clone.steps()[-1] == step
        assert clone.run("demo")[0] == 0
        assert clone.steps() == STEPS
        assert clone.run("demo") == (0, "")
        assert clone.steps() == []

    @pytest.mark.parametrize("step", ["pip", "sync", "project", "verify"])
    def test_so_it_does_where_a_larger_one_was_not_finished(self, clone: Clone, step: str) -> None:
        assert clone.run("demo")[0] == 0
        assert clone.run("test", KILL_ALL_AT=step)[0] != 0
        clone.steps()
        assert clone.run("demo")[0] == 0
        assert clone.steps() == STEPS

    @pytest.mark.parametrize("step", STEPS)
    def test_a_failure_is_said_and_ends_with_2(self, clone: Clone, step: str) -> None:
        code, errors = clone.run("demo", FAIL_AT=step)
        assert code == 2
        assert "No space left on device" in errors
        assert "The set-up failed: see above." in errors

    def test_a_disk_that_is_full_at_the_last_write_leaves_nothing_that_claims_to_be_whole(
        self, clone: Clone, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert clone.run("demo")[0] == 0
        environment = set_up.Environment(clone.path.resolve(), ".venv", "demo")
        (clone.path / "pyproject.toml").write_text("changed", encoding="utf-8")

        def install_nothing(_: set_up.Environment, name: str) -> None:
            assert name == "demo"

        def full(_: int) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        for name, value in clone.variables({}).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(set_up.Environment, "_install", install_nothing)
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space left"):
            environment.set_up("python3.11")
        assert environment.installed() is None


class TestTwoAtOnce:
    def test_one_waits_for_the_other_and_says_so(self, clone: Clone) -> None:
        started = [clone.start("demo", SLOW="0.3") for _ in range(3)]
        errors = [each.communicate(timeout=60)[1] for each in started]
        assert [each.returncode for each in started] == [0, 0, 0]
        assert clone.steps() == STEPS
        assert sum("Setting up" in text for text in errors) == 1
        assert sum("Waiting for" in text and "which uses" in text for text in errors) == 2

    def test_nobody_changes_what_a_running_script_uses(self, clone: Clone) -> None:
        clone.run("demo")
        clone.steps()
        with clone.start("demo", "hold") as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "holding\n"
            assert clone.run("demo") == (0, "")
            with clone.start("test") as waiting:
                assert waiting.stderr is not None
                assert f"Waiting for the process {holder.pid} (/bin/sh " in waiting.stderr.readline()
                time.sleep(0.3)
                assert clone.steps() == []
                assert clone.run("demo") == (0, "")
                holder.communicate("go on\n")
                waiting.communicate(timeout=60)
                assert waiting.returncode == 0
        assert clone.steps() == STEPS[1:]

    @pytest.mark.parametrize("is_first", [True, False])
    def test_an_environment_beside_another_is_held_as_well(self, clone: Clone, *, is_first: bool) -> None:
        (clone.path / "scripts/requirements/vendor.txt").write_text("vendor==1\n", encoding="utf-8")
        both = ["use_environment_beside 7 vendor", "use_environment demo"]
        script = SCRIPT.replace("use_environment NAME", "\n".join(both if is_first else reversed(both)))
        executable(clone.path / "scripts/both", script)
        with clone.start("both", "hold") as holder, ExitStack() as opened:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "holding\n"
            beside = ["venv", "pip", "sync"]  # the project is in the other one only
            assert clone.steps() == ([*beside, *STEPS] if is_first else [*STEPS, *beside])
            names = (".venv.lock", ".venv-vendor.lock")
            locks = [opened.enter_context((clone.path / name).open("ab")) for name in names]
            for lock in locks:
                with pytest.raises(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            holder.communicate("go on\n")
            for lock in locks:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def test_a_holder_that_is_killed_holds_nothing(self, clone: Clone) -> None:
        clone.run("demo")
        with clone.start("demo", "hold") as holder:
            assert holder.stdout is not None
            holder.stdout.readline()
            holder.kill()
        assert clone.run("test")[0] == 0

    def test_a_program_that_runs_from_it_without_a_lock_is_waited_for(self, clone: Clone) -> None:
        clone.run("demo")
        clone.steps()
        left = clone.path.resolve() / ".venv/bin/left-by-a-killed-set-up"
        executable(left, "#!/bin/sh\nread -r _\n")
        with subprocess.Popen([str(left)], stdin=subprocess.PIPE) as program, clone.start("test") as waiting:
            assert waiting.stderr is not None
            assert f"Waiting for the process {program.pid} (/bin/sh {left}"[:60] in waiting.stderr.readline()
            assert clone.steps() == []
            program.communicate(b"end\n")
            waiting.communicate(timeout=60)
            assert waiting.returncode == 0
        assert clone.steps() == STEPS[1:]

    def test_a_script_that_another_one_started_does_not_wait_for_it(self, clone: Clone) -> None:
        clone.run("demo")
        code, errors = clone.run("demo", "start", str(clone.path / "scripts/test"))
        assert code == 2
        assert "A script that uses it has started this one: run this one by itself once." in errors
        clone.run("test")
        with clone.start("demo", "start", str(clone.path / "scripts/test")) as nested:
            assert nested.communicate(timeout=60)[0].count("ran with") == 2


class TestMovedAndCopied:
    def test_a_moved_clone_is_set_up_anew(self, clone: Clone) -> None:
        clone.run("demo")
        clone.steps()
        clone.path = clone.path.rename(clone.path.with_name("moved"))
        assert clone.run("demo")[0] == 0
        assert clone.steps() == STEPS

    @pytest.mark.parametrize("linked", ["a directory", "a link"])
    def test_a_copy_writes_nothing_into_the_original(self, clone: Clone, tmp_path: Path, linked: str) -> None:
        clone.run("demo")
        if linked == "a link":
            (clone.path / ".venv").rename(tmp_path / "elsewhere")
            (clone.path / ".venv").symlink_to(tmp_path / "elsewhere")
        copy = Clone(tmp_path / "copy", clone.tools)
        shutil.copytree(clone.path, copy.path, symlinks=True)
        clone.steps()
        before = listing(clone.path), listing(tmp_path / "elsewhere")
        assert copy.run("demo")[0] == 0
        assert copy.steps() == STEPS
        assert before == (listing(clone.path), listing(tmp_path / "elsewhere"))
        assert not (copy.path / ".venv").is_symlink()

    def test_a_link_to_a_clone_is_the_clone(self, clone: Clone, tmp_path: Path) -> None:
        clone.run("demo")
        clone.steps()
        (tmp_path / "link").symlink_to(clone.path)
        assert Clone(tmp_path / "link", clone.tools).run("demo") == (0, "")
        assert clone.steps() == []

    @pytest.mark.parametrize("name", ["a:b", "a\nb"])
    def test_a_path_that_no_environment_can_have_is_refused(self, clone: Clone, name: str) -> None:
        clone.path = clone.path.rename(clone.path.with_name(name))
        code, errors = clone.run("demo")
        assert code == 2
        assert "a colon or a line break" in errors
        assert clone.steps() == []

    def test_where_no_lock_can_be_written_what_is_whole_is_used(self, clone: Clone) -> None:
        clone.run("demo")
        lock = clone.path / ".venv.lock"
        lock.unlink()
        lock.symlink_to("/nowhere/lock")
        assert clone.run("demo") == (0, "")
        code, errors = clone.run("test")
        assert code == 2
        assert "Can this user write there?" in errors


class TestDamaged:
    @pytest.mark.parametrize(
        "what",
        [
            "lib/python3.11/site-packages/package/__init__.py",
            "lib/python3.11/site-packages/package",
            "bin/uv",
            "bin/python",
        ],
    )
    def test_what_lacks_something_is_made_anew(self, clone: Clone, what: str) -> None:
        clone.run("demo")
        clone.steps()
        gone = clone.path / ".venv" / what
        shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
        assert clone.run("demo")[0] == 0
        assert clone.steps() == STEPS

    def test_so_is_what_has_another_python_than_it_was_made_with(self, clone: Clone) -> None:
        clone.run("demo")
        clone.steps()
        python = clone.path / ".venv/bin/python"
        executable(python, python.read_text(encoding="utf-8") + "# a newer release\n")
        assert clone.run("demo")[0] == 0
        assert clone.steps() == STEPS
        python.unlink()
        python.symlink_to("/nowhere/python")
        assert clone.run("demo")[0] == 0
        assert clone.steps() == STEPS

    @pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"entries": []}', '{"entries": 1, "root": 2}'])
    def test_so_is_what_says_nothing_sensible_of_itself(self, clone: Clone, content: str) -> None:
        clone.run("demo")
        clone.steps()
        (clone.path / ".venv/installed.json").write_text(content, encoding="utf-8")
        assert clone.run("demo")[0] == 0
        assert clone.steps() == STEPS

    def test_one_that_a_person_made_is_kept_under_another_name(self, clone: Clone) -> None:
        (clone.path / ".venv/lib").mkdir(parents=True)
        (clone.path / ".venv/lib/own.py").write_text("mine")
        code, errors = clone.run("demo", FAIL_AT="pip")
        assert (code, "was not made by these scripts" in errors) == (2, True)
        code, errors = clone.run("demo")
        assert (code, "was not made by these scripts" in errors) == (0, False)
        [kept] = clone.path.glob(".venv.[0-9]*")
        assert (kept / "lib/own.py").read_text() == "mine"

    def test_what_a_person_added_and_bytecode_are_no_damage(self, clone: Clone) -> None:
        clone.run("demo")
        clone.steps()
        packages = clone.path / ".venv/lib/python3.11/site-packages"
        (packages / "package/__pycache__").mkdir()
        (packages / "own").mkdir()
        assert clone.run("demo") == (0, "")


class TestSizes:
    def test_a_larger_one_serves_and_stays_as_large(self, clone: Clone) -> None:
        clone.run("test")
        clone.steps()
        assert clone.run("demo") == (0, "")
        (clone.path / "pyproject.toml").write_text("changed", encoding="utf-8")
        _, errors = clone.run("demo")
        assert "from scripts/requirements/test.txt" in errors
        assert clone.steps() == STEPS[1:]
        assert clone.run("test") == (0, "")


class TestSettings:
    def test_what_would_install_elsewhere_is_not_heard_and_the_index_is(self, clone: Clone) -> None:
        steering = {
            "PIP_TARGET": "/elsewhere",
            "PIP_PREFIX": "/elsewhere",
            "PIP_USER": "1",
            "PIP_REQUIRE_VIRTUALENV": "1",
            "PIP_NO_DEPS": "1",
            "PIP_DRY_RUN": "1",
            "UV_PROJECT_ENVIRONMENT": "/elsewhere",
            "UV_PYTHON": "3.9",
            "UV_TARGET": "/elsewhere",
            "UV_SYSTEM_PYTHON": "1",
            "PYTHONPATH": "/elsewhere",
            "PYTHONUSERBASE": "/elsewhere",
            "VIRTUAL_ENV": "/elsewhere",
            "CONDA_PREFIX": "/elsewhere",
        }
        kept = {"PIP_INDEX_URL": "https://index.example.com", "UV_DEFAULT_INDEX": "https://index.example.com"}
        code, _ = clone.run("demo", **steering, **kept, CDPATH="/usr", IFS="/", BASH_ENV="/nowhere", ENV="/nowhere")
        assert code == 0
        found = clone.environment()
        assert {name: found[name] for name in kept} == kept
        assert found["PIP_USER"] == found["PIP_REQUIRE_VIRTUALENV"] == "0"
        assert not (set(steering) - {"PIP_USER", "PIP_REQUIRE_VIRTUALENV"}) & set(found)

    def test_it_needs_no_home_and_no_open_umask(self, clone: Clone) -> None:
        environment = clone.variables({})
        environment.pop("HOME", None)
        done = subprocess.run(
            ["/bin/sh", "-c", 'umask 077 && exec "$0"', str(clone.path / "scripts/demo")],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr


class TestNodeModules:
    def install(self, clone: Clone, **more: str) -> int:
        with self.start(clone, **more) as started:
            started.communicate(timeout=60)
        return started.returncode

    def start(self, clone: Clone, **more: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(clone.path / "scripts/lib/set_up.py"), "node", str(clone.path), "node"]
        return subprocess.Popen(
            command, env=clone.variables(more), stderr=subprocess.PIPE, text=True, start_new_session=True
        )

    @pytest.fixture(autouse=True)
    def pinned(self, clone: Clone) -> None:
        (clone.path / "node").mkdir()
        (clone.path / "node/package-lock.json").write_text("{}", encoding="utf-8")

    @pytest.mark.parametrize("failure", ["KILL_PARENT_AT", "KILL_ALL_AT", "FAIL_AT"])
    def test_what_was_cut_short_is_done_anew(self, clone: Clone, failure: str) -> None:
        assert self.install(clone) == 0
        (clone.path / "node/package-lock.json").write_text("[]", encoding="utf-8")
        assert self.install(clone, **{failure: "npm"}) != 0
        (clone.path / "node/package-lock.json").write_text("{}", encoding="utf-8")
        assert self.install(clone) == 0
        assert self.install(clone) == 0
        assert clone.steps() == ["npm"] * 3

    def test_of_two_at_once_one_waits(self, clone: Clone) -> None:
        started = [self.start(clone, SLOW="0.3") for _ in range(2)]
        errors = [each.communicate(timeout=60)[1] for each in started]
        assert [each.returncode for each in started] == [0, 0]
        assert clone.steps() == ["npm"]
        assert sum("Waiting for" in text for text in errors) == 1


def test_every_script_sets_itself_up_by_it() -> None:
    for script in (ROOT / "scripts").iterdir():
        if script.is_file() and script.name != "__init__.py":
            text = script.read_text(encoding="utf-8")
            assert '. "$(dirname -- "$0")/lib/environment.sh"' in text, script
            assert "use_environment" in text, script
            assert "-m venv" not in text, script
