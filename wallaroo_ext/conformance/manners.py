"""How a run behaves on an instance that belongs to others: what it may send, and how often."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wallaroo_ext.conformance.subjects import SUBJECTS, USER_CHANGES, WRITES

if TYPE_CHECKING:
    from wallaroo_ext.conformance.belongings import Belongings
    from wallaroo_ext.conformance.requests import Said


class WithheldError(Exception):
    """A request was not sent, because it would touch what the run did not make; the message says what."""


@dataclass(frozen=True, slots=True)
class Manners:
    """What a run may do.

    Attributes:
        belongings: What it made.
        read_only: Whether it may only read.
        user_changes: Whether it may invite, activate and deactivate users, and change members of its workspaces.
    """

    belongings: Belongings
    read_only: bool = False
    user_changes: bool = False

    def forbids(self, operation: str) -> str:
        """Why an operation may not be tried at all; empty where it may."""
        if self.read_only and operation in WRITES:
            return "It writes, and the run was told to read only (--read-only)."
        if not self.user_changes and operation in USER_CHANGES:
            return "It changes something for people, which needs --allow-user-changes."
        return ""

    def check(self, operation: str, said: Said) -> None:
        """See that a request touches nothing of others.

        A request that reads may name anything; one that writes may name only what the run made, in every field that
        names a thing, also where the rest of it is wrong: an instance may be less particular than the contract.

        Args:
            operation: The contract's `operationId`.
            said: The request.

        Raises:
            WithheldError: It may not be sent.
        """
        reason = self.forbids(operation)
        if reason:
            raise WithheldError(reason)
        if operation not in WRITES:
            return
        for name, kind in SUBJECTS[operation].items():
            for value in said.values(name):
                if not (_invites(operation, value) or self.belongings.has(kind, value)):
                    raise WithheldError(f"{name} {value!r} names no {kind} of this run.")


def _invites(operation: str, value: object) -> bool:
    """Whether a value is the address of somebody whom a run may invite: nobody has one at this domain."""
    return operation == "invite_user" and isinstance(value, str) and value.endswith("@example.com")


class Rate:
    """Lets no more than so many requests a second go.

    Args:
        per_second: How many; None for any number.
    """

    def __init__(self, per_second: float | None) -> None:
        self._pause = 0.0 if per_second is None else 1 / per_second
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait until the next request may go."""
        if not self._pause:
            return
        with self._lock:
            now = time.monotonic()
            begin = max(now, self._next)
            self._next = begin + self._pause
        time.sleep(begin - now)
