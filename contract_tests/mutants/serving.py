"""Runs a sandbox in this process, whose lies are switched by a function."""

from __future__ import annotations

import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from typing_extensions import override

from contract_tests.mutants.layer import LyingLayer
from contract_tests.support.servers.asgi_exchanges import RAW
from wallaroo_ext import contract
from wallaroo_ext.conformance.instance import SANDBOX_TOKEN_SECONDS
from wallaroo_ext.sandbox.auth.users import find_user_by_email
from wallaroo_ext.sandbox.http.protocol import DroppableProtocol
from wallaroo_ext.sandbox.http.validation import ContractSpec
from wallaroo_ext.sandbox.instance import Instance
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS, SandboxOptions
from wallaroo_ext.sandbox.paths import realm_path
from wallaroo_ext.sandbox.process import read_environment
from wallaroo_ext.sandbox.server.app import create_app
from wallaroo_ext.sandbox.server.serve import export_lines, listening

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from starlette.types import ASGIApp

    from contract_tests.mutants.layer import Mutant


@dataclass(frozen=True, slots=True)
class LyingInstance:
    """A sandbox that lies on demand.

    Attributes:
        environment: The variables that `wallaroo_ext.connect` reads.
    """

    environment: dict[str, str]
    _instance: Instance
    _layer: LyingLayer

    def become(self, mutant: Mutant | None) -> None:
        """Reset the sandbox, and lie like this mutant from now on; None for the truth."""
        self._layer.become(None)
        self._instance.reset()
        self._layer.become(mutant)

    def advance_clock(self, seconds: float) -> None:
        """Set the sandbox's clock forward, or back for a negative number of seconds; tokens go by real time."""
        self._instance.clock.advance(round(seconds * 1e9))

    def raise_ids(self, to: int) -> None:
        """Let the ids of each kind of thing go on from a high number, far from those of the other kinds."""
        with self._instance.store.transaction() as db:
            tables = db.execute("SELECT name FROM sqlite_master WHERE sql LIKE '%AUTOINCREMENT%'").fetchall()
            for number, (table,) in enumerate(tables):
                db.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
                db.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, to + number * 1_000_003))

    @property
    def lies(self) -> int:
        """The number of lies since the last `become`."""
        return self._layer.lies


class _RawProtocol(DroppableProtocol):
    """Lets the application write to the connection of a request, past all that a server of HTTP sees to."""

    @override
    def on_headers_complete(self) -> None:
        """Start a request, with the extension in its scope by which bytes are written as they are."""
        super().on_headers_complete()
        self.scope["extensions"][RAW] = {"write": self.transport.write}  # type: ignore[typeddict-item]


@contextmanager
def lying_instance(
    around: Callable[[ASGIApp], ASGIApp] | None = None,
    release: str = DEFAULT_OPTIONS.release,
    document: dict[str, Any] | None = None,
    token_seconds: int = SANDBOX_TOKEN_SECONDS,
    *,
    has_date: bool = True,
) -> Generator[LyingInstance]:
    """Run a sandbox for the time of a `with` block, with tokens as short-lived as those of the suite's own.

    Args:
        around: Wraps the application in a further layer.
        release: The release that it imitates.
        document: The contract that it serves; that of its release by default.
        token_seconds: The lifetime of its tokens.
        has_date: Whether its answers have a header `Date` with this machine's time.

    Yields:
        The sandbox.
    """
    with tempfile.TemporaryDirectory(prefix="wallaroo-mutants-") as directory:
        instance = Instance(Path(directory) / "data", SandboxOptions(token_lifetime=token_seconds, release=release))
        app = create_app(instance, ContractSpec(document or contract.load(instance.options.release)))
        with listening("127.0.0.1", 0) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            layer = LyingLayer(app, lambda: _good_token(instance, url))
            server = uvicorn.Server(
                uvicorn.Config(
                    layer if around is None else around(layer),
                    log_config=None,
                    http=_RawProtocol,
                    loop="asyncio",
                    lifespan="off",
                    date_header=has_date,
                )
            )
            thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
            thread.start()
            try:
                _wait(server)
                instance.engine.resume()
                yield LyingInstance(_environment(instance, url, Path(directory)), instance, layer)
            finally:
                server.should_exit = True
                thread.join()
                instance.close()


def _good_token(instance: Instance, url: str) -> str:
    with instance.store.reading() as db:
        user = find_user_by_email(db, instance.credentials.username)
    issuer = url + realm_path(contract.operation("request_token").path)
    return instance.tokens.issue(instance.credentials.client_id, user, issuer)["access_token"]


def _environment(instance: Instance, url: str, directory: Path) -> dict[str, str]:
    file = directory / "environment"
    file.write_text(export_lines(url, instance), encoding="utf-8")
    return read_environment(file)


def _wait(server: uvicorn.Server) -> None:
    deadline = time.monotonic() + 30
    while not server.started:
        if time.monotonic() > deadline:
            raise TimeoutError("The sandbox did not start within 30 s.")
        time.sleep(0.01)
