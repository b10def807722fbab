"""The contract as the sandbox uses it: each operation's path, bodies with their validators, and kind of sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from wallaroo_ext import contract
from wallaroo_ext.sandbox.problems import bad_request


def parse_media_type(value: str) -> tuple[str, dict[str, str]]:
    """A media type and its parameters, in lower case."""
    kind, *rest = value.split(";")
    pairs = (item.partition("=") for item in rest)
    return kind.strip().lower(), {name.strip().lower(): text.strip().strip('"').lower() for name, _, text in pairs}


@dataclass(frozen=True, slots=True)
class BodyKind:
    """One media type that an operation reads.

    Attributes:
        media_type: As the contract writes it.
        schema: Its schema, with references.
        validator: Checks a parsed body.
        one_of_required: Fields of which at least one has to be there.
    """

    media_type: str
    schema: dict[str, Any]
    validator: jsonschema_rs.Validator
    one_of_required: tuple[str, ...]

    def check(self, body: Any) -> None:
        """Raise a Problem, 400, that names the first field that is wrong."""
        error = next(iter(self.validator.iter_errors(body)), None)
        if error is not None:
            where = ".".join(str(part) for part in error.instance_path)
            raise bad_request(f"{where}: {error.message}" if where else error.message)
        if self.one_of_required and not any(body.get(name) is not None for name in self.one_of_required):
            raise bad_request(f"One of {', '.join(self.one_of_required)} is required.")


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """One operation of the contract.

    Attributes:
        operation_id: Its id, which is its handler's name.
        path: Its path, with parameters in braces.
        method: GET, POST and so on.
        bodies: What it reads, by media type.
        success: The status of its success.
        bearer: Whether it wants a bearer token.
    """

    operation_id: str
    path: str
    method: str
    bodies: tuple[BodyKind, ...]
    success: int
    bearer: bool

    def body_kind(self, content_type: str) -> BodyKind | None:
        """The media type that a Content-Type header names; the one with most parameters in common wins."""
        kind, parameters = parse_media_type(content_type)
        best: tuple[int, BodyKind] | None = None
        for body in self.bodies:
            known, wanted = parse_media_type(body.media_type)
            if known == kind and wanted.items() <= parameters.items() and (best is None or len(wanted) > best[0]):
                best = len(wanted), body
        return None if best is None else best[1]


class ContractSpec:
    """All operations of a contract.

    Args:
        document: The contract, as read from its file.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        specs = [self._operation(*found) for found in contract.operations(document)]
        self.operations = {spec.operation_id: spec for spec in specs}

    def _operation(self, path: str, method: str, operation: dict[str, Any]) -> OperationSpec:
        content: dict[str, Any] = self.resolve(operation.get("requestBody", {})).get("content", {})
        security: list[dict[str, Any]] = operation.get("security", self._document.get("security", []))
        return OperationSpec(
            operation_id=operation["operationId"],
            path=path,
            method=method.upper(),
            bodies=tuple(self._body(kind, media["schema"]) for kind, media in content.items()),
            success=next(int(status) for status in operation["responses"] if status.startswith("2")),
            bearer=any("bearerToken" in scheme for scheme in security),
        )

    def _body(self, media_type: str, schema: dict[str, Any]) -> BodyKind:
        return BodyKind(
            media_type=media_type,
            schema=schema,
            validator=self.validator(schema),
            one_of_required=tuple(self.resolve(schema).get("x-one-of-required", ())),
        )

    def validator(self, schema: dict[str, Any]) -> jsonschema_rs.Validator:
        """A validator of a schema whose references point into the contract."""
        return jsonschema_rs.Draft202012Validator(schema | {"components": self._document["components"]})

    def resolve(self, value: dict[str, Any]) -> dict[str, Any]:
        """What a reference stands for; the value itself where it is none."""
        return contract.resolve(self._document, value)
