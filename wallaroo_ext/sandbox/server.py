"""Running a sandbox as a program: the port, the lines that tell how to reach it, a clean end."""

from __future__ import annotations

import os
import shlex
import socket
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from wallaroo_ext import contract
from wallaroo_ext.sandbox.allocator import keep_memory
from wallaroo_ext.sandbox.app import create_app
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.spec import ContractSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from wallaroo_ext.sandbox.options import SandboxOptions

_SHUTDOWN_SECONDS = 5


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def serve(host: str, port: int, directory: Path | None, env_file: Path | None, options: SandboxOptions) -> None:
    """Run a sandbox until it is interrupted.

    Once it answers, the `export WALLAROO_…=…` lines of its default user are printed, and written to a file; where it
    trusts another issuer, those of the two URLs.

    Args:
        host: The address to listen on.
        port: The port; 0 for a free one.
        directory: Where its state is kept; None for a temporary directory, which is removed at the end.
        env_file: Where the lines are written as well, readable by its owner only.
        options: What was chosen for this run.

    Raises:
        DataDirectoryInUseError: Another sandbox works on the directory.
        OSError: The port is taken, or the directory cannot be written to.
    """
    keep_memory()
    with _listening(host, port) as listener, _state(directory) as state:
        instance = Instance(state, options)
        url = f"http://{_url_host(host)}:{listener.getsockname()[1]}"

        def announce() -> None:
            lines = export_lines(url, instance)
            if env_file is not None:
                _write_private(env_file, lines)
            print(lines, end="", flush=True)  # noqa: T201 - what the command is for
            instance.engine.resume()

        config = uvicorn.Config(
            create_app(instance, ContractSpec(contract.load())),
            log_level="warning",
            loop="asyncio",  # where it is installed, uvloop takes three times as long to read a large body
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
        with suppress(KeyboardInterrupt):
            _Server(config, announce).run([listener])


def export_lines(url: str, instance: Instance) -> str:
    """Shell lines that set the environment of a client; who may sign in at another issuer is not known here."""
    credentials = instance.credentials
    variables = {"WALLAROO_API_URL": url}
    if instance.issuer is not None:
        variables["WALLAROO_AUTH_URL"] = instance.issuer.url
    else:
        variables |= {
            "WALLAROO_AUTH_URL": url,
            "WALLAROO_CLIENT_ID": credentials.client_id,
            "WALLAROO_CLIENT_SECRET": credentials.client_secret,
            "WALLAROO_USER": credentials.username,
            "WALLAROO_PASSWORD": credentials.password,
        }
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())


@contextmanager
def _listening(host: str, port: int) -> Generator[socket.socket]:
    """A socket that is bound; uvicorn listens on it.

    asyncio turns off Nagle's algorithm, which would add 40 ms to an answer, only on sockets that name their protocol.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        yield listener


def _url_host(host: str) -> str:
    """The host to reach a listening address by."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - only compared with
        return "127.0.0.1" if host == "0.0.0.0" else "[::1]"  # noqa: S104 - only compared with
    return f"[{host}]" if ":" in host else host


@contextmanager
def _state(directory: Path | None) -> Generator[Path]:
    if directory is not None:
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="wallaroo-sandbox-") as temporary:
        yield Path(temporary)


def _write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone can read, and that is never half written."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    fresh.replace(path)
