"""Makes an environment hold what a lock pins: whole, or not at all.

`environment.sh` runs it with a lock file open as file descriptor 9, which stays open for as long as the script runs: a
shared lock on it says that the environment is used, an exclusive one that it is changed. The system takes the lock back
when the last process that has the descriptor ends, however it ends. So nobody changes an environment under a running
script, two scripts never set it up at the same time, and no lock is left behind.

What says that an environment is whole is written last, and removed before anything is changed. An environment without
it is made anew from nothing, because nobody knows what is missing in it; one that a person
made gets another name. Nothing but Python is needed.
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
"""The descriptor that `environment.sh` has opened."""

_WHOLE = "installed.json"
"""What says that an environment is whole, and what it holds."""

_OWN = "made-by-scripts"
"""What says that an environment is this program's, whole or not, and not one that a person made under its name."""

_LARGER = {"demo": ("demo", "test", "check"), "test": ("test", "check")}
"""The environments contain one another in this order, so that a larger one serves where a smaller one is asked for."""

_WITHOUT_PROJECT = ("mutation",)
"""The environments of tools, in which the project itself is not installed."""

_LOOK_EVERY = 0.2

_HELD = "WALLAROO_EXT_ENVIRONMENTS_IN_USE"
"""The environments that the scripts use that this one was started by."""

_PIP_SETTINGS = """
    CACHE_DIR CERT CLIENT_CERT CONFIG_FILE DEFAULT_TIMEOUT EXTRA_INDEX_URL FIND_LINKS INDEX_URL KEYRING_PROVIDER
    NO_CACHE_DIR NO_INDEX NO_INPUT PROXY RETRIES TIMEOUT TRUSTED_HOST
"""
_UV_SETTINGS = """
    CACHE_DIR CONCURRENT_DOWNLOADS CONFIG_FILE DEFAULT_INDEX EXTRA_INDEX_URL FIND_LINKS HTTP_RETRIES HTTP_TIMEOUT INDEX
    INDEX_STRATEGY INDEX_URL INSECURE_HOST KEYRING_PROVIDER LINK_MODE NATIVE_TLS NO_CACHE NO_INDEX OFFLINE SYSTEM_CERTS
"""
_INDEX_SETTINGS = {"PIP_": frozenset(_PIP_SETTINGS.split()), "UV_": frozenset(_UV_SETTINGS.split())}
"""What of a person's settings says where packages come from; everything else could install other ones, or elsewhere."""

_INTERPRETER_SETTINGS = ("PYTHON", "VIRTUAL_ENV", "CONDA_", "__PYVENV_LAUNCHER__", "PIPENV_")


class SetUpError(Exception):
    """The environment cannot be set up; the message says why and what to do."""


class Environment:
    """An environment in the clone.

    Args:
        root: The clone.
        directory: Where the environment is, below the clone.
        name: The name of its lock.
    """

    def __init__(self, root: Path, directory: str, name: str) -> None:
        self.root = root
        self.path = root / directory
        self.name = name
        self.python = self.path / "bin/python"

    def is_current(self) -> bool:
        """Return whether it is whole and holds what is wanted."""
        found = self.installed()
        if found is None or found["name"] not in _LARGER.get(self.name, (self.name,)):
            return False
        return found["inputs"] == self.inputs(found["name"])

    def installed(self) -> dict[str, Any] | None:
        """Return what it holds; None where it is not whole, was made elsewhere, or by another Python."""
        try:
            found: dict[str, Any] = json.loads((self.path / _WHOLE).read_text(encoding="utf-8"))
            is_whole = set(found["entries"]) <= set(self.entries())
        except (OSError, ValueError, KeyError, TypeError):
            return None
        is_own = found.get("root") == str(self.root) and found.get("python") == self._python_version()
        return found if is_own and is_whole else None

    def inputs(self, name: str) -> str:
        """Return a digest of the locks, and of what an editable install is made of."""
        files = [*(self.root / "scripts/requirements" / f"{each}.txt" for each in ("uv", name))]
        digest = hashlib.sha256()
        for file in [*files, self.root / "pyproject.toml"]:
            digest.update(file.read_bytes())
        return digest.hexdigest()

    def entries(self) -> list[str]:
        """Return the names of what is installed, two levels deep; without bytecode, which comes and goes."""
        found = [str(file.relative_to(self.path)) for file in self.path.glob("bin/*")]
        for packages in self.path.glob("lib/python*/site-packages"):
            for entry in _listed(packages):
                found.append(str(entry.relative_to(self.path)))
                if entry.is_dir():
                    found += [str(each.relative_to(self.path)) for each in _listed(entry)]
        return sorted(found)

    def _python_version(self) -> str | None:
        """Return the version and the place of the Python that it was made with; None where that is gone."""
        try:
            real = self.python.resolve(strict=True)
            return f"{real} {real.stat().st_size} {(self.path / 'pyvenv.cfg').read_text(encoding='utf-8')}"
        except OSError:
            return None

    def set_up(self, base: str) -> None:
        """Install what is wanted, as large as it was, so that a small script does not take the tests' packages away.

        Args:
            base: The Python to make it with.

        Raises:
            SetUpError: It failed; then nothing says that the environment is whole.
        """
        before = self.installed()
        name = self.name
        if before is not None and before["name"] in _LARGER.get(self.name, ()):
            name = before["name"]
        _say(f"Setting up {self.path} from scripts/requirements/{name}.txt ...")
        if before is None:
            self._make(base)
        else:
            self._begin()
        inputs = self.inputs(name)
        self._install(name)
        write(self.path / _WHOLE, self._record(name, inputs))

    def _make(self, base: str) -> None:
        if self.path.is_symlink():  # it may lead to another clone's, of which this one is a copy
            self.path.unlink()
        elif self.path.exists() and not self._is_own():
            self._set_aside()
        self._empty()
        run(base, "-m", "venv", str(self.path), advice="Is Python's venv module there (python3-venv on Debian)?")

    def _begin(self) -> None:
        """Note whose it is, and that it is not whole."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / _OWN).touch()
        remove(self.path / _WHOLE)

    def _is_own(self) -> bool:
        """Return whether it is this program's, or nobody's; older releases marked whole ones only."""
        names = [entry.name for entry in self.path.iterdir()] if self.path.is_dir() else [self.path.name]
        return not names or _OWN in names or _WHOLE in names

    def _set_aside(self) -> None:
        """Keep what a person has there under another name."""
        beside = self.path.with_name(f"{self.path.name}.{time.time_ns()}")
        self.path.rename(beside)
        _say(f"{self.path} was not made by these scripts: it is {beside} now.")

    def _empty(self) -> None:
        """Remove what is in it; what says whose it is comes last."""
        self._begin()
        for entry in list(self.path.iterdir()):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != _OWN:
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


def _listed(directory: Path) -> list[Path]:
    return [each for each in directory.iterdir() if each.name != "__pycache__" and each.suffix != ".pyc"]


def use(environment: Environment) -> bool:
    """Take the shared lock on an environment. Returns whether it is current."""
    lock(fcntl.LOCK_SH, environment.path)
    return environment.is_current()


def install(environment: Environment, base: str) -> None:
    """Set an environment up while nobody else uses it, and keep it for use."""
    if str(environment.path) in os.environ.get(_HELD, "").split(os.pathsep):
        own = "A script that uses it has started this one: run this one by itself once."
        lock(fcntl.LOCK_EX, environment.path, or_else=f"{environment.path} has to be set up again. {own}")
    else:
        lock(fcntl.LOCK_EX, environment.path)
    if not environment.is_current():  # another script may have set it up, while this one waited
        wait_for_programs_of(environment)
        environment.set_up(base)
    lock(fcntl.LOCK_SH, environment.path)


def wait_for_programs_of(environment: Environment) -> None:
    """Wait for programs that run from an environment without a lock, as far as the system shows them.

    A person may have started them. So may a set-up that was killed: pip and venv start programs that go on then.
    """
    waits_for = ""
    while user := _program_of(str(environment.path)):
        if user != waits_for:
            _say(f"Waiting for {user}, which runs from {environment.path}.")
        waits_for = user
        time.sleep(_LOOK_EVERY)


def _program_of(path: str) -> str:
    """Return a program that runs from an environment; empty for none. Those that started this one are none."""
    own = _ancestors()
    for process, command in _processes():
        is_from_there = any(argument.startswith(f"{path}{os.sep}") for argument in command[:2])
        if is_from_there and process not in own and not any(each.endswith("set_up.py") for each in command):
            return _shown(process, command)
    return ""


def _ancestors() -> set[int]:
    found, process = set[int](), os.getpid()
    while process > 1 and process not in found:
        found.add(process)
        try:
            after_name = (Path("/proc") / str(process) / "stat").read_text(encoding="utf-8").rpartition(")")[2]
            process = int(after_name.split()[1])
        except (OSError, ValueError):
            process = os.getppid() if process == os.getpid() else 0
    return found


def _processes() -> Iterator[tuple[int, list[str]]]:
    """Yield the processes with their command lines, as far as the system shows them."""
    for process in sorted(Path("/proc").glob("[0-9]*"), key=lambda process: int(process.name)):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")[:-1]
        except OSError:  # it has ended, or is somebody else's
            continue
        yield int(process.name), command


def _shown(process: int, command: list[str]) -> str:
    return f"the process {process} ({' '.join(command)[:60]})"


def install_node_modules(directory: Path) -> None:
    """Make a directory's node_modules hold what its package-lock.json pins."""
    wanted = (directory / "package-lock.json").read_bytes()
    whole = directory / "node_modules" / ".installed-lock"
    with (directory / "node_modules.lock").open("ab") as file:
        lock(fcntl.LOCK_EX, directory / "node_modules", descriptor=file.fileno())
        if whole.is_file() and whole.read_bytes() == wanted and (directory / "node_modules/.bin").is_dir():
            return
        _say(f"Setting up {directory / 'node_modules'} ...")
        remove(whole)
        options = ("--include=dev", "--no-audit", "--no-fund", "--loglevel=error")
        command = ("npm", "ci", "--prefix", str(directory), *options)
        run(*command, advice="It needs a registry that npm can reach.", descriptor=file.fileno())
        write(whole, wanted.decode())


def lock(how: int, path: Path, *, or_else: str = "", descriptor: int = _LOCK) -> None:
    """Take the lock on what is installed somewhere, and say whom it waits for.

    Args:
        how: `fcntl.LOCK_SH` or `fcntl.LOCK_EX`.
        path: What is installed.
        or_else: The sentence to end with, where it is not to be waited for.
        descriptor: The open lock file.

    Raises:
        SetUpError: There is no lock to take, because the clone cannot be written; or it is taken.
    """
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        if or_else:
            raise SetUpError(or_else) from None
        _say(f"Waiting for {_other(descriptor)}, which uses {path} or sets it up.")
        fcntl.flock(descriptor, how)
    except OSError as error:
        if how != fcntl.LOCK_SH:  # nobody can change what cannot be written, so that it needs no lock to be used
            why = f"there is no lock file {path}.lock to open, or no lock on it ({error.strerror})"
            raise SetUpError(f"{path} cannot be set up: {why}. Can this user write there?") from None


def _other(descriptor: int) -> str:
    """Another process that has a lock file open, as far as the system tells."""
    own = (os.getpid(), os.getppid())
    wanted = os.fstat(descriptor)
    for process, command in _processes():
        try:
            files = [each.stat() for each in Path(f"/proc/{process}/fd").iterdir()]
        except OSError:  # it has ended, or is somebody else's
            continue
        if process not in own and any(os.path.samestat(file, wanted) for file in files):
            return _shown(process, command)
    return "another script"


def run(*command: str, advice: str, directory: Path | None = None, descriptor: int = _LOCK) -> None:
    """Run a command with what a person's settings say of package indexes, and nothing else of them.

    It gets the lock, too: where this program is killed and the command goes on, nobody sets up beside it.

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
    """Return the environment variables without those that would have something else installed, or somewhere else."""
    kept: dict[str, str] = {}
    for name, value in variables.items():
        group = next((group for group in _INDEX_SETTINGS if name.startswith(group)), None)
        steers = name.startswith(_INTERPRETER_SETTINGS)
        if not steers and (group is None or name.removeprefix(group) in _INDEX_SETTINGS[group]):
            kept[name] = value
    return kept | {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}  # in place of what a configuration file says


def write(file: Path, text: str) -> None:
    """Write a file as a whole or not at all, and have it on the disk."""
    beside = file.with_name(f"{file.name}.new")
    with beside.open("w", encoding="utf-8") as opened:
        opened.write(text)
        opened.flush()
        os.fsync(opened.fileno())
    beside.replace(file)


def remove(file: Path) -> None:
    """Remove a file, where there is one, and have that on the disk."""
    try:
        file.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return
    directory = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def base_python(named: str) -> str:
    """The Python to make environments with: the one that was found, or the one that its environment was made with."""
    in_environment = sys.prefix != sys.base_prefix
    return str(getattr(sys, "_base_executable", named)) if in_environment else named


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str]) -> NoReturn:
    """Do what `environment.sh` asks for: check, install, or node."""
    what, root, place, *more = arguments
    code = 0
    try:
        if what == "node":
            install_node_modules(Path(root) / place)
        elif what == "check":
            code = 0 if use(Environment(Path(root), place, more[0])) else OUT_OF_DATE
        else:
            install(Environment(Path(root), place, more[0]), base_python(more[1]))
    except SetUpError as error:
        _say(str(error))
        code = 2
    except OSError as error:
        _say(f"The set-up failed: {error.filename or place}: {error.strerror}. Mend that, and start the script again.")
        code = 2
    except KeyboardInterrupt:
        _say("The set-up was interrupted; the next script does it anew.")
        code = 130
    raise SystemExit(code)


if __name__ == "__main__":
    main(sys.argv[1:])
