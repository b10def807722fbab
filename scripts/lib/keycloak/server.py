"""Runs a Keycloak in a process of its own, in development mode, on loopback."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from scripts.lib.keycloak.archive import SHA256, cache, java, unpack

if TYPE_CHECKING:
    from collections.abc import Generator

HOST = "127.0.0.1"
RELATIVE_PATH = "/auth"
ADMIN = "admin"

_START_SECONDS = 240.0
_SHUTDOWN_SECONDS = 30.0
_PAUSE_SECONDS = 0.1
_SHOWN_LINES = 12
# These options are built into the server; other ones need another build.
_BUILD_OPTIONS = (f"--http-relative-path={RELATIVE_PATH}", "--db=dev-file")
# A server that lives for minutes starts sooner with the simple compiler and garbage collector.
_JAVA_OPTIONS = (
    "-Xms64m -Xmx384m -XX:MaxMetaspaceSize=256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError "
    "-Dfile.encoding=UTF-8 -Djava.util.concurrent.ForkJoinPool.common.parallelism=2"
)
# The prefixes of environment variables that would change the server.
_IGNORED_VARIABLES = ("KC_", "JAVA_OPTS", "JAVA_ADD_OPENS", "JAVA_LOCALE", "JAVA_TOOL_OPTIONS", "QUARKUS_", "DEBUG")


class KeycloakFailedError(Exception):
    """Keycloak did not start or stop; the message has the last lines of its log."""


class KeycloakServer:
    """A Keycloak that can be stopped and started again; its state is in its directory.

    Args:
        directory: The directory for the program and its database, which does not exist yet.
        port: The port; 0 for a free one.

    Raises:
        KeycloakUnavailableError: This machine cannot run one.
        KeycloakFailedError: The port is taken.

    Attributes:
        url: Its address without a path; the realms are below `/auth`.
        admin_password: The password of the user `admin`.
    """

    def __init__(self, directory: Path, port: int = 0) -> None:
        self._java = java()
        self._home = directory
        self._port = _free_port(port)
        self._process: subprocess.Popen[bytes] | None = None
        self._log = directory / "server.log"
        self.url = f"http://{HOST}:{self._port}"
        self.admin_password = secrets.token_hex(16)
        unpack(directory)
        self._use_kept_build()

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            KeycloakFailedError: It did not start.
        """
        command = ["sh", str(self._home / "bin" / "kc.sh"), "start-dev", *_BUILD_OPTIONS]
        command += [f"--http-host={HOST}", f"--http-port={self._port}"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for this program, which stops the server
            )
        try:
            self._wait(self._process)
        except BaseException:
            self.stop()
            raise
        self._keep_build()

    def stop(self) -> None:
        """Stop it, if it is running.

        Raises:
            KeycloakFailedError: It did not stop, and was killed.
        """
        process, self._process = self._process, None
        if process is None:
            return
        _signal(process, signal.SIGTERM)
        try:
            process.wait(_SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
            raise KeycloakFailedError(f"Keycloak did not stop: {self._log_end()}") from None

    def _environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(_IGNORED_VARIABLES)}
        return inherited | {
            "JAVA": self._java,
            "JAVA_OPTS": _JAVA_OPTIONS,
            "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
            "KC_BOOTSTRAP_ADMIN_PASSWORD": self.admin_password,
        }

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_SECONDS
        with httpx.Client(base_url=self.url, trust_env=False) as http:
            while not _answers(http):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise KeycloakFailedError(f"Keycloak did not start: {self._log_end()}")
                time.sleep(_PAUSE_SECONDS)

    def _log_end(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_SHOWN_LINES:]) or "it gave no reason"

    @property
    def _built(self) -> Path:
        return self._home / "lib" / "quarkus"

    @property
    def _kept_build(self) -> Path:
        """The cached build with these options; to build takes longer than to start."""
        key = hashlib.sha256("\n".join((SHA256, *_BUILD_OPTIONS)).encode()).hexdigest()
        return cache() / f"built-{key[:16]}"

    def _use_kept_build(self) -> None:
        if self._kept_build.is_dir():
            shutil.rmtree(self._built)
            shutil.copytree(self._kept_build, self._built)

    def _keep_build(self) -> None:
        """Copy the build into the cache as a whole, unless another process has done so."""
        if self._kept_build.is_dir():
            return
        with tempfile.TemporaryDirectory(dir=cache()) as temporary:
            copied = Path(temporary) / "built"
            shutil.copytree(self._built, copied)
            with suppress(OSError):
                copied.rename(self._kept_build)


@contextmanager
def running(port: int = 0) -> Generator[KeycloakServer]:
    """Run a Keycloak in a temporary directory while a `with` block runs.

    Raises:
        KeycloakUnavailableError: This machine cannot run one.
        KeycloakFailedError: It did not start.
    """
    with tempfile.TemporaryDirectory(prefix="keycloak-", ignore_cleanup_errors=True) as temporary:
        server = KeycloakServer(Path(temporary) / "server", port)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def _answers(http: httpx.Client) -> bool:
    with suppress(httpx.TransportError):
        return http.get(f"{RELATIVE_PATH}/realms/master").is_success
    return False


def _free_port(port: int) -> int:
    """Return a port if it is free; for 0, any free one.

    Raises:
        KeycloakFailedError: The port is taken, or is not a port.
    """
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a port"
            raise KeycloakFailedError(f"Keycloak cannot listen on port {port}: {reason}.") from None
        return listening.getsockname()[1]


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to the shell script and to Java."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
