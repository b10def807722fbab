"""One sandbox: its options, its state, its tokens, its engine and its default user."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wallaroo_ext import contract
from wallaroo_ext.sandbox.assays.scheduled import ScheduledAssays
from wallaroo_ext.sandbox.auth.issuer import ForeignIssuer
from wallaroo_ext.sandbox.auth.tokens import Tokens
from wallaroo_ext.sandbox.auth.users import add_default_workspace, add_user, find_user_by_email
from wallaroo_ext.sandbox.engine.loaded_models import Engine
from wallaroo_ext.sandbox.faults import Faults
from wallaroo_ext.sandbox.http.request_counts import RequestCounts
from wallaroo_ext.sandbox.http.reset_gate import Gate
from wallaroo_ext.sandbox.http.threads import OwnThreads
from wallaroo_ext.sandbox.inference.inference_log import InferenceLog
from wallaroo_ext.sandbox.inference.inference_queue import InferenceQueue
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS, SandboxOptions
from wallaroo_ext.sandbox.paths import KEYS_ENDPOINT, realm_path
from wallaroo_ext.sandbox.storage.store import Store
from wallaroo_ext.settings import DEFAULT_CLIENT_ID

if TYPE_CHECKING:
    from pathlib import Path

    from wallaroo_ext.sandbox.storage.clock import Clock

_SIGN_IN_THREADS = 8
_DEFAULT_USER = "user@example.com"


@dataclass(frozen=True, slots=True)
class Credentials:
    """How the default user signs in. They are kept in the data directory, so that they are the same after a restart."""

    username: str
    password: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)


class Instance:
    """A sandbox on a data directory.

    Args:
        directory: Where its state is, or will be.
        options: What was chosen for this run.

    Raises:
        DataDirectoryError: The data directory cannot be worked on, because another sandbox does, for one.
    """

    def __init__(self, directory: Path, options: SandboxOptions = DEFAULT_OPTIONS) -> None:
        self.options = options
        self.issuer = None if options.auth_url is None else _issuer(options.auth_url, options.audience)
        self.store = Store(directory)
        self.tokens = Tokens(self.store, options, self.issuer)
        self.credentials = Credentials(
            username=_DEFAULT_USER,
            password=self.store.setting("default_password", lambda: secrets.token_hex(8)),
            client_id=DEFAULT_CLIENT_ID,
            client_secret=self.store.setting("client_secret", lambda: secrets.token_hex(16)),
        )
        if self.issuer is None:
            self._add_default_user()
        self.engine = Engine(self.store, options)
        self.faults = Faults()
        self.log = InferenceLog(self.store, options.log_limit_mib)
        self.scheduled_assays = ScheduledAssays(self.store, self.log)
        self.requests = RequestCounts()
        self.gate = Gate()
        self.sign_in_threads = OwnThreads(_SIGN_IN_THREADS)
        self.inference_queue = InferenceQueue()

    def _add_default_user(self) -> None:
        with self.store.transaction() as db:
            if find_user_by_email(db, self.credentials.username) is None:
                add_user(db, self.credentials.username, self.credentials.password)

    @property
    def clock(self) -> Clock:
        """The time that the sandbox writes and computes with."""
        return self.store.clock

    def reset(self) -> None:
        """Make the sandbox as it was when it was new, but for the default user, the credentials and the signing keys.

        It waits for the requests that are being handled, and turns away those that came before it and are still being
        read. Conversions and deployments that are under way come to nothing, and so does what models still work on
        after some seconds.
        """
        with self.gate.alone(self.engine.interrupt):
            self.clock.reset()
            with self.store.transaction() as db:
                user = find_user_by_email(db, self.credentials.username) if self.issuer is None else None
                self.store.clear(db, user.id if user else None)
                if user is not None:
                    add_default_workspace(db, user)
                self.engine.forget()
            self.log.leave()
            self.store.remove_unnamed_files()
            self.engine.transitions.reset()
            self.faults.clear()
            self.requests.clear()

    def close(self) -> None:
        """End the engine's threads, and release the data directory."""
        self.engine.close()
        self.log.close()
        self.store.close()


def _issuer(auth_url: str, audience: str) -> ForeignIssuer:
    return ForeignIssuer(auth_url, realm_path(contract.operation("request_token").path), KEYS_ENDPOINT, audience)
