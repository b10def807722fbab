"""One sandbox: its options, its state, its tokens, its engine and its default user."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wallaroo_ext import contract
from wallaroo_ext.sandbox.engine import Engine
from wallaroo_ext.sandbox.inference_log import InferenceLog
from wallaroo_ext.sandbox.issuer import ForeignIssuer
from wallaroo_ext.sandbox.options import DEFAULT_OPTIONS, SandboxOptions
from wallaroo_ext.sandbox.own_routes import KEYS_ENDPOINT, realm_path
from wallaroo_ext.sandbox.store import Store
from wallaroo_ext.sandbox.tokens import Tokens
from wallaroo_ext.sandbox.users import add_user, find_user_by_email
from wallaroo_ext.settings import DEFAULT_CLIENT_ID

if TYPE_CHECKING:
    from pathlib import Path

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
        DataDirectoryInUseError: Another sandbox works on the directory.
    """

    def __init__(self, directory: Path, options: SandboxOptions = DEFAULT_OPTIONS) -> None:
        self.options = options
        self.issuer = None if options.auth_url is None else _issuer(options.auth_url)
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
        self.engine = Engine(self.store)
        self.log = InferenceLog(self.store, options.log_limit_mib)

    def _add_default_user(self) -> None:
        with self.store.transaction() as db:
            if find_user_by_email(db, self.credentials.username) is None:
                add_user(db, self.credentials.username, self.credentials.password)

    def close(self) -> None:
        """End the engine's threads, and release the data directory."""
        self.engine.close()
        self.log.close()
        self.store.close()


def _issuer(auth_url: str) -> ForeignIssuer:
    return ForeignIssuer(auth_url, realm_path(contract.operation("request_token").path), KEYS_ENDPOINT)
