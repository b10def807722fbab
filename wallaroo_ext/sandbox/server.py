"""Running a sandbox as a program: the port, the lines that tell how to reach it, a clean end."""

from __future__ import annotations

import ipaddress
import signal
import socket
import sys
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import uvicorn

from wallaroo_ext import contract
from wallaroo_ext.sandbox.access_log import AccessLog, coloured_line, json_line, text_line
from wallaroo_ext.sandbox.allocator import keep_memory
from wallaroo_ext.sandbox.app import create_app
from wallaroo_ext.sandbox.cors import LoopbackCors
from wallaroo_ext.sandbox.env_file import check_env_file, env_lines, write_env_file
from wallaroo_ext.sandbox.first_screen import Facts, first_screen, last_line
from wallaroo_ext.sandbox.http_protocol import DroppableProtocol
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.log_writer import LogWriter, log_failures, shows_colours
from wallaroo_ext.sandbox.spec import ContractSpec
from wallaroo_ext.sandbox.tls import Tls, given_pair, throw_away_pair

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    from starlette.types import ASGIApp

    from wallaroo_ext.sandbox.access_log import LogFormat
    from wallaroo_ext.sandbox.options import SandboxOptions

_SHUTDOWN_SECONDS = 5
_IN_THE_CLEAR = "This is plain http on {}: everyone on the way can read passwords and tokens; --tls encrypts them.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Where a sandbox answers, and what it says of itself.

    Attributes:
        host: The address to listen on.
        port: The port; 0 for a free one.
        directory: Where its state is kept; None for a temporary directory, which is removed at the end.
        env_file: Where the `export` lines are written as well, readable by its owner only; a file with anything else is
            refused.
        certificate: The file of a certificate, to speak TLS with `key`; None without one.
        key: The file of its private key.
        throw_away_tls: Whether it speaks TLS with a certificate that it makes itself.
        log_format: How each request is logged on stderr.
    """

    host: str = "127.0.0.1"
    port: int = 0
    directory: Path | None = None
    env_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    throw_away_tls: bool = False
    log_format: LogFormat = "text"


class _Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()


def serve(server: ServerOptions, options: SandboxOptions) -> None:
    """Run a sandbox until it is interrupted.

    Once it answers, the `export WALLAROO_…=…` lines of its default user are printed, and written to a file; where it
    trusts another issuer, those of the two URLs.

    Args:
        server: Where it answers, and what it says of itself.
        options: What was chosen for this run.

    Raises:
        CertificateError: The certificate cannot be served.
        DataDirectoryError: The data directory cannot be worked on, because another sandbox does, for one.
        EnvFileError: The file for the lines has something else.
        OSError: The port is taken, or the directory cannot be written to.
    """
    if server.env_file is not None:
        check_env_file(server.env_file)
    keep_memory()
    with (
        suppress(KeyboardInterrupt),
        _interrupted_by(signal.SIGTERM),
        listening(server.host, server.port) as listener,
        _state(server.directory) as state,
    ):
        given = None if server.certificate is None or server.key is None else given_pair(server.certificate, server.key)
        instance = Instance(state, options)
        try:
            tls = throw_away_pair(state / "tls", server.host) if server.throw_away_tls else given
            facts = _facts(server, options, state, tls, listener.getsockname()[1])
        except BaseException:
            instance.close()
            raise
        _run(server, instance, tls, facts, listener)


def _facts(server: ServerOptions, options: SandboxOptions, state: Path, tls: Tls | None, port: int) -> Facts:
    """Where the sandbox is, for whoever is told of it."""
    scheme, host = ("http", _reachable(server.host)) if tls is None else ("https", tls.host(server.host))
    return Facts(
        url=f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}",
        release=options.release,
        directory=state.absolute(),
        is_kept=server.directory is not None,
        env_file=server.env_file,
        trusted=None if tls is None or tls.trusted is None else tls.trusted.absolute(),
        auth_url=options.auth_url,
    )


def _run(server: ServerOptions, instance: Instance, tls: Tls | None, facts: Facts, listener: socket.socket) -> None:
    """Answer until a signal comes; the application closes the instance."""
    log = LogWriter(sys.stderr)
    log_failures(log, _secrets(instance), as_json=server.log_format == "json")
    config = uvicorn.Config(
        _application(instance, log, server.log_format),
        log_config=None,
        http=DroppableProtocol,
        loop="asyncio",  # where it is installed, uvloop takes three times as long to read a large body
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        ssl_certfile=None if tls is None else tls.certificate,
        ssl_keyfile=None if tls is None else tls.key,
    )

    def announce() -> None:
        _announce(server, instance, facts)
        instance.engine.resume()

    running = _Server(config, announce)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # else it was started to outlive its terminal
        signal.signal(signal.SIGHUP, running.handle_exit)
    try:
        running.run([listener])
    finally:
        log.close()
        if sys.stderr.isatty():
            _say(f"\r{last_line(facts)}")


def _application(instance: Instance, log: LogWriter, log_format: LogFormat) -> ASGIApp:
    """The sandbox, with what stands between it and the network."""
    spec = ContractSpec(contract.load())
    application: ASGIApp = LoopbackCors(create_app(instance, spec))
    if log_format == "off":
        return application
    form = json_line if log_format == "json" else coloured_line if shows_colours(sys.stderr) else text_line
    return AccessLog(application, spec.operations, log.write, form)


def _announce(server: ServerOptions, instance: Instance, facts: Facts) -> None:
    """Tell programs on stdout and in the file, and people on stderr."""
    lines = export_lines(facts.url, instance, facts.trusted)
    if server.env_file is not None:
        write_env_file(server.env_file, lines)
    print(lines, end="", flush=True)  # noqa: T201 - what the command is for
    if facts.url.startswith("http:") and not _is_loopback(server.host):
        _say(_IN_THE_CLEAR.format(server.host))
    if sys.stderr.isatty():
        _say(first_screen(facts, coloured=shows_colours(sys.stderr)))


def _say(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)  # noqa: T201 - to the person who started it


def _secrets(instance: Instance) -> list[str]:
    """What the log must not have."""
    credentials = instance.credentials
    known = (credentials.password, credentials.client_secret, instance.options.control_secret)
    return [secret for secret in known if secret]


def export_lines(url: str, instance: Instance, trusted: Path | None = None) -> str:
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
    if trusted is not None:
        variables["WALLAROO_CA_BUNDLE"] = str(trusted)
    return env_lines(variables)


@contextmanager
def _interrupted_by(number: signal.Signals) -> Generator[None]:
    """End on a signal as on Ctrl-C, so that what is temporary is removed."""

    def interrupt(_: int, __: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    try:
        yield
    finally:
        signal.signal(number, before)


@contextmanager
def listening(host: str, port: int) -> Generator[socket.socket]:
    """A socket that is bound; uvicorn listens on it.

    asyncio turns off Nagle's algorithm, which would add 40 ms to an answer, only on sockets that name their protocol.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        yield listener


def _reachable(host: str) -> str:
    """The host to reach a listening address by."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - only compared with


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@contextmanager
def _state(directory: Path | None) -> Generator[Path]:
    if directory is not None:
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="wallaroo-sandbox-") as temporary:
        yield Path(temporary)
