"""Running a sandbox as a program: listening, announcing how to reach it, and ending cleanly."""

from __future__ import annotations

import asyncio
import errno
import os
import random
import signal
import socket
import sys
import tempfile
import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

import uvicorn

from wallaroo_ext import contract
from wallaroo_ext.sandbox.engine.allocator import keep_memory
from wallaroo_ext.sandbox.http.connections import Acceptor, connection_limit
from wallaroo_ext.sandbox.http.logs.access_log import AccessLog, coloured_line, json_line, text_line
from wallaroo_ext.sandbox.http.logs.log_writer import LogWriter, log_failures, shows_colours
from wallaroo_ext.sandbox.http.loopback import LoopbackCors, is_local_name
from wallaroo_ext.sandbox.http.protocol import DroppableProtocol
from wallaroo_ext.sandbox.http.validation import ContractSpec
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.server.app import create_app
from wallaroo_ext.sandbox.server.banner import SandboxInfo, banner, farewell
from wallaroo_ext.sandbox.server.env_file import check_env_file, env_lines, write_env_file
from wallaroo_ext.sandbox.server.tls import TlsFiles, generated_certificate, given_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from types import FrameType

    from starlette.types import ASGIApp

    from wallaroo_ext.sandbox.http.logs.access_log import LogFormat
    from wallaroo_ext.sandbox.options import SandboxOptions
    from wallaroo_ext.sandbox.storage.store import Store

_SHUTDOWN_SECONDS = 5
_PORT_SETTING, _NO_PORT = "port", "0"
_PORTS = range(20_000, 32_768)
"""Where a data directory gets its port: below those that systems give to connections of other programs, which could
take it while no sandbox runs."""
_MOST_TRIES = 20
_PORT_CHANGED = "Port {}, which this data directory had before, is taken: it is {} now, and clients have to be told.\n"
_UNENCRYPTED = "This is plain http on {}: others on the network can read passwords and tokens; --tls encrypts them.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Where a sandbox listens, and what it writes where.

    Attributes:
        host: The address to listen on.
        port: The port; 0 for a free one; None for the last port of the data directory if it is free, else a free one.
        directory: The data directory; None for a temporary one, which is removed at the end.
        env_file: A file for the `export` lines, which only its owner can read; a file with other content is refused.
        certificate: The file of a certificate for TLS; None for plain http or a generated certificate.
        key: The file of the private key of the certificate.
        generate_certificate: Whether to use TLS with a generated certificate.
        log_format: The format of the access log on stderr.
        ends_with_stdin: Whether the sandbox ends when its standard input is closed, as when its parent process ends.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    directory: Path | None = None
    env_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    generate_certificate: bool = False
    log_format: LogFormat = "text"
    ends_with_stdin: bool = False


class LimitedServer(uvicorn.Server):
    """Serves an application on bound sockets, with limits on connections and requests.

    Args:
        config: The configuration from `server_config`.
        on_ready: Called once the server accepts connections.
        limit: The largest number of connections; None for as many as this process can hold.
    """

    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[], None] = lambda: None, *, limit: int | None = None
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._limit = connection_limit() if limit is None else limit

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept connections on the sockets."""
        await super().startup([])  # no sockets, because asyncio would accept connections without limits
        protocol = partial(
            DroppableProtocol, self.config, self.server_state, self.lifespan.state, asyncio.get_running_loop()
        )
        for listener in sockets or ():
            acceptor = Acceptor(listener, protocol, self.server_state.connections, self.config.ssl, self._limit)
            acceptor.start(self.config.backlog)
            self.servers.append(cast("asyncio.Server", acceptor))  # so that uvicorn closes it and waits for it
        self._on_ready()


def server_config(application: ASGIApp, tls: TlsFiles | None = None) -> uvicorn.Config:
    """Return a configuration of uvicorn that does not depend on the environment.

    By default, uvicorn trusts `X-Forwarded-For` from the hosts in `FORWARDED_ALLOW_IPS`, so that a remote request could
    pass as local. It also reads `WEB_CONCURRENCY`, and serves WebSocket if a library for it is installed.
    """
    return uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        http=DroppableProtocol,
        ws="none",
        interface="asgi3",
        lifespan="on",
        loop="asyncio",  # uvloop takes three times as long to read a large body
        workers=1,
        proxy_headers=False,
        forwarded_allow_ips="",
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        ssl_certfile=None if tls is None else tls.certificate,
        ssl_keyfile=None if tls is None else tls.key,
    )


def serve(server: ServerOptions, options: SandboxOptions) -> None:
    """Run a sandbox until it is interrupted.

    Once it accepts connections, the `export WALLAROO_…=…` lines for its default user are printed, and written to the
    `env_file`. If it trusts another issuer, only the two URLs are.

    Args:
        server: Where the sandbox listens, and what it writes where.
        options: The options of this run.

    Raises:
        CertificateError: The certificate cannot be used.
        DataDirectoryError: The data directory cannot be used, for instance because another sandbox uses it.
        EnvFileError: The file for the lines has other content.
        OSError: The host is not an address of this machine, the port is taken, or the directory is not writable.
    """
    if server.env_file is not None:
        check_env_file(server.env_file)
    with listening(server.host, 0):
        pass  # fail before creating anything if the host is invalid
    keep_memory()
    with (
        suppress(KeyboardInterrupt),
        _as_interrupt(signal.SIGTERM),
        ExitStack() as opened,
        _data_directory(server.directory) as directory,
    ):
        listener = None if server.port is None else opened.enter_context(listening(server.host, server.port))
        if server.ends_with_stdin:
            threading.Thread(target=_end_with_stdin, name="stdin", daemon=True).start()
        given = (
            None
            if server.certificate is None or server.key is None
            else given_certificate(server.certificate, server.key)
        )
        instance = Instance(directory, options)
        try:
            tls = generated_certificate(directory / "tls", server.host) if server.generate_certificate else given
            if listener is None:
                listener = opened.enter_context(_listening_on_last_port(server.host, instance.store))
            port = listener.getsockname()[1]
            instance.store.change_setting(_PORT_SETTING, str(port))
            info = _sandbox_info(server, options, directory, tls, port)
        except BaseException:
            instance.close()
            raise
        _run(server, instance, tls, info, listener)


def _sandbox_info(
    server: ServerOptions, options: SandboxOptions, directory: Path, tls: TlsFiles | None, port: int
) -> SandboxInfo:
    """Return the facts that are shown to the user."""
    scheme, host = ("http", _reachable(server.host)) if tls is None else ("https", tls.host(server.host))
    return SandboxInfo(
        url=f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}",
        release=options.release,
        directory=directory.absolute(),
        is_kept=server.directory is not None,
        env_file=server.env_file,
        trusted=None if tls is None or tls.trusted is None else tls.trusted.absolute(),
        auth_url=options.auth_url,
    )


def _run(
    server: ServerOptions, instance: Instance, tls: TlsFiles | None, info: SandboxInfo, listener: socket.socket
) -> None:
    """Serve requests until a signal arrives; the application closes the instance."""
    log = LogWriter(sys.stderr)
    log_failures(log, _secrets(instance), as_json=server.log_format == "json")
    config = server_config(_application(instance, log, server.log_format), tls)

    failures: list[Exception] = []

    def announce() -> None:
        try:
            _announce(server, instance, info)
        except Exception as error:  # noqa: BLE001 - raised below: uvicorn would print its traceback
            failures.append(error)
            asyncio.get_running_loop().call_soon(setattr, running, "should_exit", True)
        else:
            instance.engine.resume()

    running = LimitedServer(config, announce)
    ends_with_terminal = signal.getsignal(signal.SIGHUP) is signal.SIG_DFL  # otherwise it was started to outlive it
    if ends_with_terminal:
        signal.signal(signal.SIGHUP, running.handle_exit)
    try:
        running.run([listener])
        if failures:
            raise failures[0]
    finally:
        if ends_with_terminal:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)
        log.close()
        if sys.stderr.isatty():
            _print_message(f"\r{farewell(info)}")


def _application(instance: Instance, log: LogWriter, log_format: LogFormat) -> ASGIApp:
    """Return the sandbox's application, with CORS and the access log."""
    spec = ContractSpec(contract.load_rules(instance.options.release))
    application: ASGIApp = LoopbackCors(create_app(instance, spec))
    if log_format == "off":
        return application
    format_entry = json_line if log_format == "json" else coloured_line if shows_colours(sys.stderr) else text_line
    return AccessLog(application, spec.operations, log.write, format_entry)


def _announce(server: ServerOptions, instance: Instance, info: SandboxInfo) -> None:
    """Print the `export` lines on stdout and to the file, and the banner on stderr."""
    lines = export_lines(info.url, instance, info.trusted)
    if server.env_file is not None:
        write_env_file(server.env_file, lines)
    print(lines, end="", flush=True)  # noqa: T201 - the output of the command
    if info.url.startswith("http:") and not is_local_name(server.host.lower()):
        _print_message(_UNENCRYPTED.format(server.host))
    if sys.stderr.isatty():
        _print_message(banner(info, coloured=shows_colours(sys.stderr)))


def _print_message(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)  # noqa: T201 - messages to the user


def _secrets(instance: Instance) -> list[str]:
    """Return the secrets that must not appear in the log."""
    credentials = instance.credentials
    known = (credentials.password, credentials.client_secret, instance.options.control_secret)
    return [secret for secret in known if secret]


def export_lines(url: str, instance: Instance, trusted: Path | None = None) -> str:
    """Return shell lines that set the environment of a client; credentials at another issuer are unknown."""
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
def _as_interrupt(number: signal.Signals) -> Generator[None]:
    """Treat a signal like Ctrl-C within the block, so that temporary files are removed."""

    def interrupt(_: int, __: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(number, interrupt)
    try:
        yield
    finally:
        signal.signal(number, before)


def _end_with_stdin() -> None:
    """Wait until standard input is closed, then end the sandbox with SIGTERM."""
    with suppress(OSError):  # already closed
        while os.read(0, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def listening(host: str, port: int) -> Generator[socket.socket]:
    """Yield a listening socket; connections wait in its backlog until the sandbox accepts them.

    The protocol is given because only then asyncio turns off Nagle's algorithm, which would add 40 ms to an answer.

    Raises:
        OSError: The host is not an address of this machine, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if not host:
                raise ValueError("an empty host means every address")  # noqa: TRY301 - handled like other invalid hosts
            listener.bind((host, port))
        except (ValueError, TypeError):  # the host cannot be encoded as a name
            raise OSError(errno.EADDRNOTAVAIL, "that is no name or address of a host") from None
        listener.listen()  # only then is the port reserved
        yield listener


@contextmanager
def _listening_on_last_port(host: str, store: Store) -> Generator[socket.socket]:
    """Yield a socket on the last port of the data directory, so that clients find it again, or else on a free port."""
    last_port = store.setting(_PORT_SETTING, lambda: _NO_PORT)
    with ExitStack() as opened:
        listener = None if last_port == _NO_PORT else next(_listeners(opened, host, [last_port]), None)
        if listener is None:
            some = random.sample(_PORTS, _MOST_TRIES)
            listener = next(_listeners(opened, host, some), None) or opened.enter_context(listening(host, 0))
            if last_port != _NO_PORT:
                _print_message(_PORT_CHANGED.format(last_port, listener.getsockname()[1]))
        yield listener


def _listeners(opened: ExitStack, host: str, ports: Iterable[int | str]) -> Iterator[socket.socket]:
    """Yield sockets on those of some ports that are free."""
    for port in ports:
        with suppress(OSError, OverflowError, ValueError):
            yield opened.enter_context(listening(host, int(port)))


def _reachable(host: str) -> str:
    """Return the host by which clients on this machine reach a listening address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - only compared with


@contextmanager
def _data_directory(directory: Path | None) -> Generator[Path]:
    if directory is not None:
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="wallaroo-sandbox-") as temporary:
        yield Path(temporary)
