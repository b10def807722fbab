"""One sandbox: its state, its tokens, its engine and its default user."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wallaroo_ext.sandbox.engine import Engine
from wallaroo_ext.sandbox.store import Store
from wallaroo_ext.sandbox.tokens import Tokens
from wallaroo_ext.sandbox.users import add_user
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

    Raises:
        DataDirectoryInUseError: Another sandbox works on the directory.
    """

    def __init__(self, directory: Path) -> None:
        self.store = Store(directory)
        self.tokens = Tokens(self.store)
        self.credentials = Credentials(
            username=_DEFAULT_USER,
            password=self.store.setting("default_password", lambda: secrets.token_hex(8)),
            client_id=DEFAULT_CLIENT_ID,
            client_secret=self.store.setting("client_secret", lambda: secrets.token_hex(16)),
        )
        self._add_default_user()
        self.engine = Engine(self.store)

    def _add_default_user(self) -> None:
        with self.store.transaction() as db:
            if not db.execute("SELECT 1 FROM users").fetchone():
                add_user(db, self.credentials.username, self.credentials.password)

    def close(self) -> None:
        """End the engine's threads, and release the data directory."""
        self.engine.close()
        self.store.close()
