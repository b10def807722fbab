"""A sandbox as an object: its options, storage, tokens, engine, faults and default user."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wallaroo_ext import contract
from wallaroo_ext.sandbox.assays.scheduled import ScheduledAssays
from wallaroo_ext.sandbox.auth.issuer import ForeignIssuer
from wallaroo_ext.sandbox.auth.tokens import Tokens
from wallaroo_ext.sandbox.auth.users import add_default_workspace, add_user, find_user_by_email
from wallaroo_ext.sandbox.engine.engine import Engine
from wallaroo_ext.sandbox.faults import Faults
from wallaroo_ext.sandbox.http.logs.request_counts import RequestCounts
from wallaroo_ext.sandbox.http.reset_gate import ResetGate
from wallaroo_ext.sandbox.http.threads import ThreadPool
from wallaroo_ext.sandbox.inference.inference_log import InferenceLog
from wallaroo_ext.sandbox.inference.inference_queue import InferenceQueue
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS, SandboxOptions
from wallaroo_ext.sandbox.paths import KEYS_ENDPOINT, realm_path
from wallaroo_ext.sandbox.storage.model_configs import configure_all_versions
from wallaroo_ext.sandbox.storage.store import Store
from wallaroo_ext.settings import DEFAULT_CLIENT_ID

if TYPE_CHECKING:
    from pathlib import Path

    from wallaroo_ext.sandbox.storage.clock import Clock

_SIGN_IN_THREADS = 8
_DEFAULT_USER = "user@example.com"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials of the default user. They are stored in the data directory, so a restart does not change them."""

    username: str
    password: str = field(repr=False)
    client_id: str
    client_secret: str = field(repr=False)


class Instance:
    """A sandbox on a data directory.

    Args:
        directory: The data directory; created if it does not exist.
        options: The options of this run.

    Raises:
        DataDirectoryError: The data directory cannot be used, for instance because another sandbox uses it.
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
        if options.configures_uploads:
            with self.store.transaction() as db:
                configure_all_versions(db)
        self.engine = Engine(self.store, options)
        self.faults = Faults()
        self.log = InferenceLog(self.store, options.log_limit_mib)
        self.scheduled_assays = ScheduledAssays(self.store, self.log)
        self.requests = RequestCounts()
        self.gate = ResetGate()
        self.sign_in_threads = ThreadPool(_SIGN_IN_THREADS)
        self.inference_queue = InferenceQueue()

    def _add_default_user(self) -> None:
        with self.store.transaction() as db:
            if find_user_by_email(db, self.credentials.username) is None:
                add_user(db, self.credentials.username, self.credentials.password)

    @property
    def clock(self) -> Clock:
        """The clock that the sandbox uses for its records and schedules."""
        return self.store.clock

    def reset(self) -> None:
        """Remove everything but the default user with the refresh tokens, the credentials and the signing keys.

        It waits for the requests that are being handled, and refuses those whose body is still being received.
        Conversions and deployments in progress are abandoned, and after some seconds running inferences, too.
        """
        with self.gate.exclusive(self.engine.interrupt):
            self.clock.reset()
            with self.store.transaction() as db:
                user = find_user_by_email(db, self.credentials.username) if self.issuer is None else None
                self.store.clear(db, user.id if user else None)
                if user is not None:
                    add_default_workspace(db, user)
                self.engine.reset()
            self.log.close_segment()
            self.store.remove_unnamed_files()
            self.engine.transitions.reset()
            self.faults.clear()
            self.requests.clear()

    def close(self) -> None:
        """Stop the engine, and release the data directory."""
        self.engine.close()
        self.log.close()
        self.store.close()


def _issuer(auth_url: str, audience: str) -> ForeignIssuer:
    return ForeignIssuer(auth_url, realm_path(contract.operation("request_token").path), KEYS_ENDPOINT, audience)
