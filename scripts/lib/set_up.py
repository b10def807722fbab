"""Installs what a lock pins into an environment: all of it, or nothing.

`environment.sh` runs it with a lock file open as file descriptor 9, which stays open for as long as the script runs: a
shared lock on it means that the environment is in use, an exclusive one that it is being changed. The system releases
the lock when the last process that has the descriptor ends, however it ends. So an environment never changes under a
running script, two scripts never set it up at the same time, and no lock is left behind.

The record of a complete environment is written last, and removed before anything is changed. An environment without a
record is made again from nothing, because nobody knows what is missing in it; one that a person made is renamed.
Nothing but Python is needed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

OUT_OF_DATE = 3
"""The exit code of `check` where something has to be installed."""

_LOCK = 9
"""The file descriptor by which `environment.sh` gives the lock file."""

_RECORD = "installed.json"
"""The record of a complete environment: what it was made from, and what it holds."""

_MARKER = "made-by-scripts"
"""Marks an environment, complete or not, as made by this program and not by a person."""

_LARGER = {"demo": ("demo", "test", "check"), "test": ("test", "check")}
"""The environments that contain a smaller one and may serve in its place, the smallest first."""

_WITHOUT_PROJECT = ("vendor", "vendor-2023", "consumers")
"""The environments of tools and of the vendor's SDK, without the project itself."""

_POLL_SECONDS = 0.2

_IN_USE = "WALLAROO_EXT_ENVIRONMENTS_IN_USE"
"""The environment variable with the environments that the scripts use which started this one."""

_PIP_SETTINGS = """
    CACHE_DIR CERT CLIENT_CERT CONFIG_FILE DEFAULT_TIMEOUT EXTRA_INDEX_URL FIND_LINKS INDEX_URL KEYRING_PROVIDER
    NO_CACHE_DIR NO_INDEX NO_INPUT PROXY RETRIES TIMEOUT TRUSTED_HOST
"""
_UV_SETTINGS = """
    CACHE_DIR CONCURRENT_DOWNLOADS CONFIG_FILE DEFAULT_INDEX EXTRA_INDEX_URL FIND_LINKS HTTP_RETRIES HTTP_TIMEOUT INDEX
    INDEX_STRATEGY INDEX_URL INSECURE_HOST KEYRING_PROVIDER LINK_MODE NATIVE_TLS NO_CACHE NO_INDEX OFFLINE SYSTEM_CERTS
"""
_INDEX_SETTINGS = {"PIP_": frozenset(_PIP_SETTINGS.split()), "UV_": frozenset(_UV_SETTINGS.split())}
"""The settings of a person that say where packages come from; all others could install other packages, or elsewhere."""

_INTERPRETER_SETTINGS = ("PYTHON", "VIRTUAL_ENV", "CONDA_", "__PYVENV_LAUNCHER__", "PIPENV_")


class SetUpError(Exception):
    """The environment cannot be set up; the message says why and what to do."""


class Environment:
    """An environment in the clone.

    Args:
        root: The clone.
        directory: The directory of the environment, below the clone.
        name: The name of its lock.
    """

    def __init__(self, root: Path, directory: str, name: str) -> None:
        self.root = root
        self.path = root / directory
        self.name = name
        self.python = self.path / "bin/python"

    def is_current(self) -> bool:
        """Return whether the environment is complete and holds what its lock pins."""
        record = self.installed()
        if record is None or record["name"] not in _LARGER.get(self.name, (self.name,)):
            return False
        return record["inputs"] == self.inputs(record["name"])

    def installed(self) -> dict[str, Any] | None:
        """Return the record; None if the environment is incomplete, was made elsewhere, or by another Python."""
        try:
            record: dict[str, Any] = json.loads((self.path / _RECORD).read_text(encoding="utf-8"))
            is_complete = set(record["entries"]) <= set(self.entries())
        except (OSError, ValueError, KeyError, TypeError):
            return None
        is_own = record.get("root") == str(self.root) and record.get("python") == self._python_version()
        return record if is_own and is_complete else None

    def inputs(self, name: str) -> str:
        """Return a digest of the locks and of pyproject.toml, which the editable install is made from."""
        files = [*(self.root / "scripts/requirements" / f"{each}.txt" for each in ("uv", name))]
        digest = hashlib.sha256()
        for file in [*files, self.root / "pyproject.toml"]:
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def entries(self) -> list[str]:
        """Return the installed files and directories, two levels deep and without bytecode, which comes and goes."""
        entries = [str(file.relative_to(self.path)) for file in self.path.glob("bin/*")]
        for packages in self.path.glob("lib/python*/site-packages"):
            for entry in _children(packages):
                entries.append(str(entry.relative_to(self.path)))
                if entry.is_dir():
                    entries += [str(each.relative_to(self.path)) for each in _children(entry)]
        return sorted(entries)

    def _python_version(self) -> str | None:
        """Return the version and the path of the Python that it was made with; None if that is gone."""
        try:
            real = self.python.resolve(strict=True)
            return f"{real} {real.stat().st_size} {(self.path / 'pyvenv.cfg').read_text(encoding='utf-8')}"
        except OSError:
            return None

    def set_up(self, base: str) -> None:
        """Install what the lock pins, or the larger lock that was installed before, so that tests keep their packages.

        Args:
            base: The Python to make it with.

        Raises:
            SetUpError: It failed; the environment has no record then.
        """
        before = self.installed()
        name = self.name
        if before is not None and before["name"] in _LARGER.get(self.name, ()):
            name = before["name"]
        _print(f"Setting up {self.path} from scripts/requirements/{name}.txt ...")
        if before is None:
            self._make(base)
        else:
            self._mark_incomplete()
        inputs = self.inputs(name)
        self._install(name)
        write_durably(self.path / _RECORD, self._record(name, inputs))

    def _make(self, base: str) -> None:
        if self.path.is_symlink():  # it may lead to the environment of another clone, which this one is a copy of
            self.path.unlink()
        elif self.path.exists() and not self._is_own():
            self._rename_aside()
        self._empty()
        run(base, "-m", "venv", str(self.path), advice="Is Python's venv module there (python3-venv on Debian)?")

    def _mark_incomplete(self) -> None:
        """Mark the environment as made by this program, and as incomplete."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / _MARKER).touch()
        remove_durably(self.path / _RECORD)

    def _is_own(self) -> bool:
        """Return whether it was made by this program, or is empty; older releases marked complete ones only."""
        names = [entry.name for entry in self.path.iterdir()] if self.path.is_dir() else [self.path.name]
        return not names or _MARKER in names or _RECORD in names

    def _rename_aside(self) -> None:
        """Rename an environment that a person made."""
        other = self.path.with_name(f"{self.path.name}.{time.time_ns()}")
        self.path.rename(other)
        _print(f"{self.path} was not made by these scripts: it is {other} now.")

    def _empty(self) -> None:
        """Remove everything in it but the marker."""
        self._mark_incomplete()
        for entry in list(self.path.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != _MARKER:
                entry.unlink()

    def _install(self, name: str) -> None:
        locks = self.root / "scripts/requirements"
        python, uv = str(self.python), str(self.path / "bin/uv")
        advice = "It needs room on the disk, and a package index that pip can reach."
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes")
        run(*pip, "-r", str(locks / "uv.txt"), advice=advice)
        sync = (uv, "pip", "sync", "--quiet", "--system-certs", "--require-hashes", "--python", python)
        run(*sync, str(locks / f"{name}.txt"), advice=advice)
        if name not in _WITHOUT_PROJECT:
            install = (uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--no-build-isolation")
            # By a dot: in a path, uv takes brackets for extras.
            run(*install, "--python", python, "--editable", ".", advice=advice, directory=self.root)
            run(
                python,
                "-c",
                "import wallaroo_ext, wallaroo_mlops_client, httpx",
                advice="What was installed does not run.",
            )

    def _record(self, name: str, inputs: str) -> str:
        facts = {"root": str(self.root), "name": name, "inputs": inputs, "python": self._python_version()}
        return json.dumps(facts | {"entries": self.entries()})


def _children(directory: Path) -> list[Path]:
    return [each for each in directory.iterdir() if each.name != "__pycache__" and each.suffix != ".pyc"]


def use(environment: Environment) -> bool:
    """Take the shared lock on an environment. Returns whether it is current."""
    lock(fcntl.LOCK_SH, environment.path)
    return environment.is_current()


def install(environment: Environment, base: str) -> None:
    """Set an environment up while nobody else uses it, and take the shared lock on it."""
    if str(environment.path) in os.environ.get(_IN_USE, "").split(os.pathsep):
        reason = "A script that uses it has started this one: run this one by itself once."
        lock(fcntl.LOCK_EX, environment.path, or_else=f"{environment.path} has to be set up again. {reason}")
    else:
        lock(fcntl.LOCK_EX, environment.path)
    if not environment.is_current():  # another script may have set it up, while this one waited
        wait_for_programs_of(environment)
        environment.set_up(base)
    lock(fcntl.LOCK_SH, environment.path)


def wait_for_programs_of(environment: Environment) -> None:
    """Wait for programs that run from an environment without a lock, as far as the system shows them.

    A person may have started them, or a set-up that was killed while pip or venv went on.
    """
    printed = ""
    while user := _program_of(str(environment.path)):
        if user != printed:
            _print(f"Waiting for {user}, which runs from {environment.path}.")
        printed = user
        time.sleep(_POLL_SECONDS)


def _program_of(path: str) -> str:
    """Return a description of a program that runs from an environment; empty if there is none but our ancestors."""
    ancestors = _ancestors()
    for process, command in _processes():
        is_from_there = any(argument.startswith(f"{path}{os.sep}") for argument in command[:2])
        if is_from_there and process not in ancestors and not any(each.endswith("set_up.py") for each in command):
            return _describe(process, command)
    return ""


def _ancestors() -> set[int]:
    """Return this process and those that started it."""
    ancestors, process = set[int](), os.getpid()
    while process > 1 and process not in ancestors:
        ancestors.add(process)
        try:
            after_name = (Path("/proc") / str(process) / "stat").read_text(encoding="utf-8").rpartition(")")[2]
            process = int(after_name.split()[1])
        except (OSError, ValueError):
            process = os.getppid() if process == os.getpid() else 0
    return ancestors


def _processes() -> Iterator[tuple[int, list[str]]]:
    """Yield the ids of processes with their command lines, as far as the system shows them."""
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda process: int(process.name)):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        except OSError:  # the process has ended, or belongs to somebody else
            continue
        yield int(process.name), command


def _describe(process: int, command: list[str]) -> str:
    return f"the process {process} ({' '.join(command)[:60]})"


def install_node_modules(directory: Path) -> None:
    """Install what a directory's package-lock.json pins into its node_modules."""
    wanted = (directory / "package-lock.json").read_bytes()
    record = directory / "node_modules" / ".installed-lock"
    with (directory / "node_modules.lock").open("ab") as file:
        lock(fcntl.LOCK_EX, directory / "node_modules", descriptor=file.fileno())
        if record.is_file() and record.read_bytes() == wanted and (directory / "node_modules/.bin").is_dir():
            return
        _print(f"Setting up {directory / 'node_modules'} ...")
        remove_durably(record)
        options = ("--include=dev", "--no-audit", "--no-fund", "--loglevel=error")
        command = ("npm", "ci", "--prefix", str(directory), *options)
        run(*command, advice="It needs a registry that npm can reach.", descriptor=file.fileno())
        write_durably(record, wanted.decode())


def lock(how: int, path: Path, *, or_else: str = "", descriptor: int = _LOCK) -> None:
    """Take the lock on an environment, and print which process it waits for.

    Args:
        how: `fcntl.LOCK_SH` or `fcntl.LOCK_EX`.
        path: The environment, or the node_modules.
        or_else: The message of the error to raise in place of waiting; empty to wait.
        descriptor: The open lock file.

    Raises:
        SetUpError: The lock cannot be taken because the clone cannot be written, or is held and `or_else` is given.
    """
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        if or_else:
            raise SetUpError(or_else) from None
        _print(f"Waiting for {_holder(descriptor)}, which uses {path} or sets it up.")
        fcntl.flock(descriptor, how)
    except OSError as error:
        if how != fcntl.LOCK_SH:  # what cannot be written cannot change, so it needs no lock to be used
            why = f"there is no lock file {path}.lock to open, or no lock on it ({error.strerror})"
            raise SetUpError(f"{path} cannot be set up: {why}. Can this user write there?") from None


def _holder(descriptor: int) -> str:
    """Return a description of another process that has a lock file open, as far as the system shows it."""
    ourselves = (os.getpid(), os.getppid())
    wanted = os.fstat(descriptor)
    for process, command in _processes():
        try:
            files = [each.stat() for each in Path(f"/proc/{process}/fd").iterdir()]
        except OSError:  # the process has ended, or belongs to somebody else
            continue
        if process not in ourselves and any(os.path.samestat(file, wanted) for file in files):
            return _describe(process, command)
    return "another script"


def run(*command: str, advice: str, directory: Path | None = None, descriptor: int = _LOCK) -> None:
    """Run a command with a person's settings of package indexes, and without their other settings.

    The command inherits the lock: if this program is killed and the command goes on, no other set-up starts beside it.

    Raises:
        SetUpError: It failed.
    """
    variables = environment_variables(os.environ)
    try:
        done = subprocess.run(
            command, cwd=directory, env=variables, stdout=sys.stderr, check=False, pass_fds=[descriptor]
        )
    except OSError as error:
        raise SetUpError(f"The set-up failed: {command[0]} could not be run ({error.strerror}). {advice}") from None
    if done.returncode:
        raise SetUpError(f"The set-up failed: see above. {advice}")


def environment_variables(variables: Any) -> dict[str, str]:
    """Return the environment variables without those that would change what is installed, or where."""
    kept: dict[str, str] = {}
    for name, value in variables.items():
        group = next((group for group in _INDEX_SETTINGS if name.startswith(group)), None)
        changes_python = name.startswith(_INTERPRETER_SETTINGS)
        if not changes_python and (group is None or name.removeprefix(group) in _INDEX_SETTINGS[group]):
            kept[name] = value
    return kept | {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}  # these override a configuration file


def write_durably(file: Path, text: str) -> None:
    """Write a file as a whole or not at all, and sync it to the disk."""
    temporary = file.with_name(f"{file.name}.new")
    with temporary.open("w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    temporary.replace(file)


def remove_durably(file: Path) -> None:
    """Remove a file, if there is one, and sync that to the disk."""
    try:
        file.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return
    directory = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def base_python(python: str) -> str:
    """Return the Python to make environments with: `python`, or the one that its own environment was made with."""
    in_environment = sys.prefix != sys.base_prefix
    return str(getattr(sys, "_base_executable", python)) if in_environment else python


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> NoReturn:
    """Run the command that `environment.sh` names: check, install or node."""
    command, root, directory, *more = arguments
    code = 0
    try:
        if command == "node":
            install_node_modules(Path(root) / directory)
        elif command == "check":
            code = 0 if use(Environment(Path(root), directory, more[0])) else OUT_OF_DATE
        else:
            install(Environment(Path(root), directory, more[0]), base_python(more[1]))
    except SetUpError as error:
        _print(str(error))
        code = 2
    except OSError as error:
        cause = f"{error.filename or directory}: {error.strerror}"
        _print(f"The set-up failed: {cause}. Repair that, and start the script again.")
        code = 2
    except KeyboardInterrupt:
        _print("The set-up was interrupted; the next script repeats it.")
        code = 130
    raise SystemExit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
