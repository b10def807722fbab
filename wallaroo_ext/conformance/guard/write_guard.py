"""Protects an instance that others use, too: no request is sent that could change what the run did not make.

The contract says what each operation changes (`effects.py`). What the contract does not describe is not sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from reprlib import repr as shortened
from typing import TYPE_CHECKING, Any

from wallaroo_ext.conformance.guard.effects import ABOUT_PEOPLE, NOTHING, split_thing
from wallaroo_ext.conformance.guard.expressions import expression_of
from wallaroo_ext.conformance.guard.owned_resources import DOMAIN, normalized

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallaroo_ext.conformance.guard.effects import Effects, RequestName
    from wallaroo_ext.conformance.guard.owned_resources import OwnedResources
    from wallaroo_ext.conformance.guard.request_fields import RequestFields, Value

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""The methods that change nothing, according to HTTP (RFC 9110, 9.2.1)."""


class WithheldError(Exception):
    """A request was not sent, as it could touch what the run did not make, or still needs; the message says why."""


@dataclass(frozen=True, slots=True)
class WriteGuard:
    """Decides which requests a run may send.

    Attributes:
        effects: The effects of each operation, by its id.
        owned: The things that the run made.
        read_only: Whether the run may only read.
        user_changes: Whether it may invite, activate and deactivate users, and change members of its workspaces.
        alone: Whether nobody else has anything on the instance.
    """

    effects: Mapping[str, Effects]
    owned: OwnedResources
    read_only: bool = False
    user_changes: bool = False
    alone: bool = False

    def writes(self, operation: str) -> bool:
        """Return whether an operation may change something; one that is not described in full may."""
        found = self.effects[operation]
        return bool(found.problem or found.writes)

    def undescribed(self, operation: str) -> str:
        """Return which description of an operation is missing in the contract; empty where it is complete."""
        found = self.effects[operation]
        if found.writes and not found.names:
            return "It writes, and no field of its request says to what: it could be anybody's."
        return found.problem

    def forbids(self, operation: str) -> str:
        """Return why an operation may not be tried at all; empty where it may."""
        found = self.effects[operation]
        if self.undescribed(operation):
            return self.undescribed(operation)
        if self.read_only and found.writes:
            return "It writes, and the run was told to read only (--read-only)."
        if not self.user_changes and ABOUT_PEOPLE.intersection(found.writes):
            return "It changes something for people, which needs --allow-user-changes."
        return ""

    def allows(self, operation: str) -> bool:
        """Return whether the contract has an operation that may be tried."""
        return operation in self.effects and not self.forbids(operation)

    def check(self, operation: str, request: RequestFields) -> None:
        """Check that a request touches nothing of others.

        A request that reads may name anything. One that writes may name only what the run made, in every field, even
        where other fields are invalid: an instance may be more lenient than the contract.

        Args:
            operation: The contract's `operationId`.
            request: The values of the request.

        Raises:
            WithheldError: It may not be sent.
        """
        reason = self.forbids(operation)
        if reason:
            raise WithheldError(reason)
        found = self.effects[operation]
        if request.misleading:
            raise WithheldError(f"{request.misleading}.")
        if not found.writes:
            return
        if request.unreadable:
            raise WithheldError(f"It writes, and {request.unreadable}.")
        is_nameless = found.has_nameless_body  # as are the rows of an inference, of which there may be many
        for value in request.values:
            if value.location[0] != "body" or not is_nameless:
                self._check_value(found, value)
        if not found.requires_name and not self._names_something(found, request):
            raise WithheldError("It writes, and the request names nothing of this run.")
        self._check_decisive(found, request)

    def check_spared(self, operation: str, request: RequestFields, spared: Mapping[str, Any]) -> None:
        """Check that a request names none of the things that the rest of the run needs as they are.

        Args:
            operation: The contract's `operationId`.
            request: The values of the request.
            spared: The ids and names that it may not name, by kind and key, such as `pipeline id`.

        Raises:
            WithheldError: It names one.
        """
        for name in self.effects[operation].names:
            if name.origin == "existing" and name.thing in spared:
                named = map(normalized, request.at(name.location))
                if normalized(spared[name.thing]) in named:
                    shown = f"{expression_of(name.location)} {shortened(spared[name.thing])}"
                    raise WithheldError(f"{shown} is the {name.thing} that later tests of this run need.")

    def _check_decisive(self, effects: Effects, request: RequestFields) -> None:
        """Check that a request that writes has the fields without which an instance could apply it to everything.

        Raises:
            WithheldError: It does.
        """
        for names in () if self.alone else effects.decisive:
            if not any(request.has(name) for name in names):
                fields = " or ".join(expression_of(name.location) for name in names)
                raise WithheldError(f"Without {fields}, it could be taken for one about what others have.")

    def check_undeclared(self, method: str, operation: str, request: RequestFields, *, has_body: bool) -> None:
        """Check that a request with a method that the contract does not have for its path can change nothing.

        Args:
            method: The method.
            operation: An operation at its path, with another method.
            request: The values of the request.
            has_body: Whether it has a body.

        Raises:
            WithheldError: It may not be sent.
        """
        reason = self.forbids(operation)
        if reason:
            raise WithheldError(reason)
        if self.read_only:
            raise WithheldError(f"The contract does not say that {method} only reads there.")
        if method.upper() not in SAFE_METHODS or has_body:
            raise WithheldError(f"The contract does not say what {method} changes there.")
        known = all(self.owned.is_harmless(value.value) or self._is_own_path(value) for value in request.values)
        if request.misleading or request.unreadable or not known:
            raise WithheldError(f"The contract does not say what {method} does there, and the request names something.")

    def check_elsewhere(self, method: str, *, has_body: bool) -> None:
        """Check that a request at a path that the contract does not have can only read.

        Raises:
            WithheldError: It may not be sent.
        """
        if method.upper() not in {"GET", "HEAD"} or has_body:
            raise WithheldError("The contract has no operation at this path.")

    def _check_value(self, effects: Effects, value: Value) -> None:
        """Check that a value in a request that writes names nothing of others.

        Raises:
            WithheldError: It does, or could.
        """
        for key in effects.free_keys(value.location):
            if not self.owned.is_harmless(key):
                raise WithheldError(f"The contract does not say what the key {shortened(key)} of an object names.")
        fields = effects.covering(value.location)
        if not fields and not effects.is_nameless(value.location) and not self.owned.is_harmless(value.value):
            raise WithheldError(
                f"The contract does not say what {expression_of(value.location)} {shortened(value.value)} names."
            )
        for name in fields:
            if name.thing != NOTHING and not self.owns(name, value.value):
                raise WithheldError(
                    f"{expression_of(value.location)} {shortened(value.value)} names no {name.thing} of this run."
                )

    def owns(self, name: RequestName, value: Any) -> bool:
        """Return whether a value of a field can name only what the run made, or may make."""
        _, key = split_thing(name.thing)
        if key == "email" and isinstance(value, str) and not value.endswith(DOMAIN):
            return False
        if name.origin != "existing":
            return self.owned.is_harmless(value)
        return self.owned.has(name.thing, value)

    def _names_something(self, effects: Effects, request: RequestFields) -> bool:
        return any(value is not None for name in effects.names for value in request.at(name.location))

    def _is_own_path(self, value: Value) -> bool:
        """Return whether a path parameter is the id or the name of something of the run, of any kind."""
        return value.location[0] == "path" and any(self.owned.has(thing, value.value) for thing in self.owned.things())
