"""A Keycloak as a process of its own, in development mode, on loopback."""

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

_PATIENCE_SECONDS = 240.0
_SHUTDOWN_SECONDS = 30.0
_PAUSE_SECONDS = 0.1
_LAST_LINES = 12
# What is built into the server, so that another choice means building it anew.
_BUILD_OPTIONS = (f"--http-relative-path={RELATIVE_PATH}", "--db=dev-file")
# A server that lives for some minutes starts sooner with the simple compiler and collector.
_JAVA_OPTIONS = (
    "-Xms64m -Xmx384m -XX:MaxMetaspaceSize=256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError "
    "-Dfile.encoding=UTF-8 -Djava.util.concurrent.ForkJoinPool.common.parallelism=2"
)
# What would change the server from outside.
_FOREIGN = ("KC_", "JAVA_OPTS", "JAVA_ADD_OPENS", "JAVA_LOCALE", "JAVA_TOOL_OPTIONS", "QUARKUS_", "DEBUG")


class KeycloakFailedError(Exception):
    """Keycloak did not start or stop as it should; the message has what it said last."""


class KeycloakServer:
    """A Keycloak in a directory of its own. Its state is in that directory, so that it can be started again.

    Args:
        directory: Where it is unpacked, which is not there yet, and where its database is.
        port: The port; 0 for a free one.

    Raises:
        KeycloakUnavailableError: This machine cannot have one.
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
        self._log = directory / "said.log"
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
                start_new_session=True,  # it is stopped from here, and not by a Ctrl-C that is for this program
            )
        try:
            self._wait(self._process)
        except BaseException:
            self.stop()
            raise
        self._keep_build()

    def stop(self) -> None:
        """Stop it as an administrator does, and by force where it does not end; a stopped one stays as it is."""
        process, self._process = self._process, None
        if process is None:
            return
        _signal(process, signal.SIGTERM)
        try:
            process.wait(_SHUTDOWN_SECONDS)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
            raise KeycloakFailedError(f"Keycloak did not stop: {self._last_words()}") from None

    def _environment(self) -> dict[str, str]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        return outside | {
            "JAVA": self._java,
            "JAVA_OPTS": _JAVA_OPTIONS,
            "KC_BOOTSTRAP_ADMIN_USERNAME": ADMIN,
            "KC_BOOTSTRAP_ADMIN_PASSWORD": self.admin_password,
        }

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with httpx.Client(base_url=self.url, trust_env=False) as http:
            while not _answers(http):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise KeycloakFailedError(f"Keycloak did not start: {self._last_words()}")
                time.sleep(_PAUSE_SECONDS)

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_LAST_LINES:]) or "it gave no reason"

    @property
    def _built(self) -> Path:
        return self._home / "lib" / "quarkus"

    @property
    def _kept_build(self) -> Path:
        """Where the cache has what was built with these options, which takes longer than starting."""
        key = hashlib.sha256("\n".join((SHA256, *_BUILD_OPTIONS)).encode()).hexdigest()
        return cache() / f"built-{key[:16]}"

    def _use_kept_build(self) -> None:
        if self._kept_build.is_dir():
            shutil.rmtree(self._built)
            shutil.copytree(self._kept_build, self._built)

    def _keep_build(self) -> None:
        """Put what was built into the cache as a whole; whoever came first has done it."""
        if self._kept_build.is_dir():
            return
        with tempfile.TemporaryDirectory(dir=cache()) as temporary:
            copied = Path(temporary) / "built"
            shutil.copytree(self._built, copied)
            with suppress(OSError):
                copied.rename(self._kept_build)


@contextmanager
def running(port: int = 0) -> Generator[KeycloakServer]:
    """Run a Keycloak in a temporary directory for the time of a `with` block.

    Raises:
        KeycloakUnavailableError: This machine cannot have one.
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


def _free_port(wanted: int) -> int:
    """Return the port that is wanted, where nobody listens on it; any free one for 0."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, wanted))
        except (OSError, OverflowError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no port"
            raise KeycloakFailedError(f"Keycloak cannot listen on port {wanted}: {reason}.") from None
        return listening.getsockname()[1]


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to all processes of the server: the shell script, and Java."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
