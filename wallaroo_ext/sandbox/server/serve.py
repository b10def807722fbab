"""Running a sandbox as a program: the port, the lines that tell how to reach it, a clean end."""

from __future__ import annotations

import asyncio
import errno
import os
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
from wallaroo_ext.sandbox.http.access_log import AccessLog, coloured_line, json_line, text_line
from wallaroo_ext.sandbox.http.connections import Acceptor, connection_limit
from wallaroo_ext.sandbox.http.log_writer import LogWriter, log_failures, shows_colours
from wallaroo_ext.sandbox.http.loopback import LoopbackCors, is_local_name
from wallaroo_ext.sandbox.http.protocol import DroppableProtocol
from wallaroo_ext.sandbox.http.validation import ContractSpec
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.server.app import create_app
from wallaroo_ext.sandbox.server.banner import Facts, first_screen, last_line
from wallaroo_ext.sandbox.server.env_file import check_env_file, env_lines, write_env_file
from wallaroo_ext.sandbox.server.tls import Tls, given_pair, throw_away_pair

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from types import FrameType

    from starlette.types import ASGIApp

    from wallaroo_ext.sandbox.http.access_log import LogFormat
    from wallaroo_ext.sandbox.options import SandboxOptions
    from wallaroo_ext.sandbox.storage.store import Store

_SHUTDOWN_SECONDS = 5
_PORT_SETTING = "port"
_OTHER_PORT = "Port {}, which this data directory had before, is taken: it is {} now, and clients have to be told.\n"
_IN_THE_CLEAR = "This is plain http on {}: everyone on the way can read passwords and tokens; --tls encrypts them.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Where a sandbox answers, and what it says of itself.

    Attributes:
        host: The address to listen on.
        port: The port; 0 for a free one, None for the one that the data directory had last, or a free one.
        directory: Where its state is kept; None for a temporary directory, which is removed at the end.
        env_file: Where the `export` lines are written as well, readable by its owner only; a file with anything else is
            refused.
        certificate: The file of a certificate, to speak TLS with `key`; None without one.
        key: The file of its private key.
        throw_away_tls: Whether it speaks TLS with a certificate that it makes itself.
        log_format: How each request is logged on stderr.
        ends_with_stdin: Whether it ends when its standard input does, as it does when the program ends that started it.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    directory: Path | None = None
    env_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    throw_away_tls: bool = False
    log_format: LogFormat = "text"
    ends_with_stdin: bool = False


class LimitedServer(uvicorn.Server):
    """Serves an application on sockets that are bound, with limits for connections and for what comes over them.

    Args:
        config: What `server_config` gives.
        on_ready: Called once it answers.
        limit: How many connections there may be; None for as many as this process can hold.
    """

    def __init__(
        self, config: uvicorn.Config, on_ready: Callable[[], None] = lambda: None, *, limit: int | None = None
    ) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._limit = connection_limit() if limit is None else limit

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer on the sockets."""
        await super().startup([])  # without any, since asyncio would accept on them without limits
        protocol = partial(
            DroppableProtocol, self.config, self.server_state, self.lifespan.state, asyncio.get_running_loop()
        )
        for listener in sockets or ():
            acceptor = Acceptor(listener, protocol, self.server_state.connections, self.config.ssl, self._limit)
            acceptor.start(self.config.backlog)
            self.servers.append(cast("asyncio.Server", acceptor))  # uvicorn closes them, and waits for them
        self._on_ready()


def server_config(application: ASGIApp, tls: Tls | None = None) -> uvicorn.Config:
    """Return how an application is served: by what is said here, and by nothing that the environment says.

    uvicorn would believe `X-Forwarded-For` of whom `FORWARDED_ALLOW_IPS` names, and so take a request from anywhere for
    one of this machine. It would read `WEB_CONCURRENCY`, too, and speak WebSocket where a library for it is installed.
    """
    return uvicorn.Config(
        application,
        log_config=None,
        access_log=False,
        http=DroppableProtocol,
        ws="none",
        interface="asgi3",
        lifespan="on",
        loop="asyncio",  # where it is installed, uvloop takes three times as long to read a large body
        workers=1,
        proxy_headers=False,
        forwarded_allow_ips="",
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        ssl_certfile=None if tls is None else tls.certificate,
        ssl_keyfile=None if tls is None else tls.key,
    )


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
        OSError: The host is none of this machine, the port is taken, or the directory cannot be written to.
    """
    if server.env_file is not None:
        check_env_file(server.env_file)
    with listening(server.host, 0):
        pass  # nothing is made, nor a certificate for its name, for a host that cannot be
    keep_memory()
    with (
        suppress(KeyboardInterrupt),
        _interrupted_by(signal.SIGTERM),
        ExitStack() as opened,
        _state(server.directory) as state,
    ):
        listener = None if server.port is None else opened.enter_context(listening(server.host, server.port))
        if server.ends_with_stdin:
            threading.Thread(target=_end_with_stdin, name="stdin", daemon=True).start()
        given = None if server.certificate is None or server.key is None else given_pair(server.certificate, server.key)
        instance = Instance(state, options)
        try:
            tls = throw_away_pair(state / "tls", server.host) if server.throw_away_tls else given
            if listener is None:
                listener = opened.enter_context(_listening_as_before(server.host, instance.store))
            port = listener.getsockname()[1]
            instance.store.change_setting(_PORT_SETTING, str(port))
            facts = _facts(server, options, state, tls, port)
        except BaseException:
            instance.close()
            raise
        _run(server, instance, tls, facts, listener)


def _facts(server: ServerOptions, options: SandboxOptions, state: Path, tls: Tls | None, port: int) -> Facts:
    """Return where the sandbox is, for whoever is told of it."""
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
    config = server_config(_application(instance, log, server.log_format), tls)

    failures: list[Exception] = []

    def announce() -> None:
        try:
            _announce(server, instance, facts)
        except Exception as error:  # noqa: BLE001 - raised below: uvicorn would print its traceback
            failures.append(error)
            asyncio.get_running_loop().call_soon(setattr, running, "should_exit", True)
        else:
            instance.engine.resume()

    running = LimitedServer(config, announce)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # else it was started to outlive its terminal
        signal.signal(signal.SIGHUP, running.handle_exit)
    try:
        running.run([listener])
        if failures:
            raise failures[0]
    finally:
        log.close()
        if sys.stderr.isatty():
            _say(f"\r{last_line(facts)}")


def _application(instance: Instance, log: LogWriter, log_format: LogFormat) -> ASGIApp:
    """Return the sandbox, with what stands between it and the network."""
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
    if facts.url.startswith("http:") and not is_local_name(server.host.lower()):
        _say(_IN_THE_CLEAR.format(server.host))
    if sys.stderr.isatty():
        _say(first_screen(facts, coloured=shows_colours(sys.stderr)))


def _say(text: str) -> None:
    print(text, end="", file=sys.stderr, flush=True)  # noqa: T201 - to the person who started it


def _secrets(instance: Instance) -> list[str]:
    """Return what the log must not have."""
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


def _end_with_stdin() -> None:
    """Read standard input to its end, and end the sandbox as SIGTERM does."""
    with suppress(OSError):  # it is closed already
        while os.read(0, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def listening(host: str, port: int) -> Generator[socket.socket]:
    """Yield a socket that listens; what comes before the sandbox accepts waits in the system's queue.

    asyncio turns off Nagle's algorithm, which would add 40 ms to an answer, only on sockets that name their protocol.

    Raises:
        OSError: The host is none of this machine, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            if not host:
                raise ValueError("to the system, this is every address")  # noqa: TRY301 - as all that is no host
            listener.bind((host, port))
        except (ValueError, TypeError):  # it cannot be encoded as a name
            raise OSError(errno.EADDRNOTAVAIL, "that is no name or address of a host") from None
        listener.listen()  # only then is the port nobody else's
        yield listener


@contextmanager
def _listening_as_before(host: str, store: Store) -> Generator[socket.socket]:
    """A socket on the port that the data directory had last, so that what clients know is still true; else another."""
    before = store.setting(_PORT_SETTING, lambda: "0")
    with ExitStack() as opened:
        try:
            listener = opened.enter_context(listening(host, int(before)))
        except (OSError, OverflowError, ValueError):
            listener = opened.enter_context(listening(host, 0))
            _say(_OTHER_PORT.format(before, listener.getsockname()[1]))
        yield listener


def _reachable(host: str) -> str:
    """Return the host to reach a listening address by."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - only compared with


@contextmanager
def _state(directory: Path | None) -> Generator[Path]:
    if directory is not None:
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="wallaroo-sandbox-") as temporary:
        yield Path(temporary)
