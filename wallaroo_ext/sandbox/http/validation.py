"""The contract's operations with validators for their parameters and bodies."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.contract_schemas import ContractSchemas
from wallaroo_ext.sandbox.http.problems import bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    import jsonschema_rs
    from starlette.datastructures import QueryParams

_LOCATIONS = {"path", "query"}
_LITERALS = {"integer": re.compile(r"-?(0|[1-9][0-9]{0,99})"), "boolean": re.compile("true|false")}

_FORM = "application/x-www-form-urlencoded"
_SUCCESS = re.compile("2[0-9]{2}")
_DELIMITERS = {"form": ",", "spaceDelimited": " ", "pipeDelimited": "|", "simple": ","}
"""What stands between the values of a list that is one text, by the parameter's style."""


def parse_media_type(value: str) -> tuple[str, dict[str, str]]:
    """Parse a media type, and return it and its parameters in lower case."""
    kind, *rest = value.split(";")
    pairs = (item.partition("=") for item in rest)
    return kind.strip().lower(), {name.strip().lower(): text.strip().strip('"').lower() for name, _, text in pairs}


def _check(validator: jsonschema_rs.Validator, value: Any, path: list[str]) -> None:
    """Raise a Problem, 400, that names the first error in a value."""
    error = next(iter(validator.iter_errors(value)), None)
    if error is not None:
        innermost = _innermost(error)
        location = ".".join([*path, *map(str, innermost.instance_path)])
        raise bad_request(f"{location}: {innermost.message}" if location else innermost.message)


def _innermost(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """Return the error that explains why none of several schemas fits: that of the one which fits the furthest."""
    alternatives: list[list[jsonschema_rs.ValidationError]] = getattr(error.kind, "context", [])
    first = [errors[0] for errors in alternatives if errors]
    return _innermost(max(first, key=lambda each: len(each.instance_path))) if first else error


@dataclass(frozen=True, slots=True)
class BodySpec:
    """One media type that an operation accepts as its body.

    Attributes:
        media_type: The media type as the contract writes it.
        schema: The schema, with references.
        validator: Validates a parsed body.
        one_of_required: Fields of which at least one is required.
        required_in_form: The required fields of a form, for which Keycloak has its own error message.
        is_rows: Whether the body has the rows of an inference, which are also accepted as Arrow.
    """

    media_type: str
    schema: dict[str, Any]
    validator: jsonschema_rs.Validator
    one_of_required: tuple[str, ...]
    required_in_form: tuple[str, ...]
    is_rows: bool = False

    def check(self, body: Any) -> None:
        """Raise a Problem, 400, that names the first error in a body."""
        for name in self.required_in_form:
            if name not in body:
                raise bad_request(f"Missing form parameter: {name}")
        _check(self.validator, body, [])
        if self.one_of_required and not any(body.get(name) is not None for name in self.one_of_required):
            raise bad_request(f"One of {', '.join(self.one_of_required)} is required.")


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """One parameter in the path or the query of an operation.

    Attributes:
        name: The name.
        location: `path` or `query`.
        required: Whether it is required.
        is_list: Whether it may have several values.
        delimiter: What stands between its values; empty where it is repeated for each.
        kind: The type of its value, or of each of its values.
        validator: Validates the value, or the list of values.
    """

    name: str
    location: str
    required: bool
    is_list: bool
    delimiter: str
    kind: str
    validator: jsonschema_rs.Validator

    def check(self, texts: list[str]) -> None:
        """Raise a Problem, 400, that names the parameter, unless the texts in the request are valid."""
        if not texts:
            if self.required:
                raise bad_request(f"{self.name}: the {self.location} needs this parameter.")
            return
        if self.delimiter:
            texts = [part for text in texts for part in text.split(self.delimiter)]
        if len(texts) > 1 and not self.is_list:
            raise bad_request(f"{self.name}: the {self.location} has this parameter {len(texts)} times.")
        values = [_value_of(text, self.kind) for text in texts]
        _check(self.validator, values if self.is_list else values[0], [self.name])


def _value_of(text: str, kind: str) -> Any:
    """Parse a text as a value of a type. Return the text itself if it is none: the schema then refuses it."""
    literal = _LITERALS.get(kind)
    return json.loads(text) if literal is not None and literal.fullmatch(text) else text


def _kind(schema: dict[str, Any]) -> str:
    """Return the type of a schema's values, apart from null; empty where there are several, or none is named."""
    if "anyOf" in schema or "oneOf" in schema:
        kinds = [_kind(object_of(part)) for part in [*list_of(schema.get("anyOf")), *list_of(schema.get("oneOf"))]]
    else:
        kinds = list(map(str, list_of(schema.get("type")) or [schema.get("type", "")]))
    named = [kind for kind in kinds if kind != "null"]
    return "null" if not named else named[0] if len(named) == 1 else ""


@dataclass(frozen=True, slots=True)
class OperationSpec:
    """One operation of the contract.

    Attributes:
        operation_id: The `operationId`, which is the name of the handler.
        path: The path, with parameters in braces.
        method: GET, POST and so on.
        parameters: The parameters of the path and the query.
        bodies: The accepted bodies.
        body_required: Whether a body is required.
        success: The status of a successful answer.
        statuses: Every status that the contract allows.
        bearer: Whether a bearer token is required.
    """

    operation_id: str
    path: str
    method: str
    parameters: tuple[ParameterSpec, ...]
    bodies: tuple[BodySpec, ...]
    body_required: bool
    success: int
    statuses: frozenset[int]
    bearer: bool

    def check_parameters(self, path: Mapping[str, str], query: QueryParams) -> None:
        """Raise a Problem, 400, that names the first invalid parameter."""
        for parameter in self.parameters:
            in_path = parameter.location == "path"
            parameter.check([path[parameter.name]] if in_path else query.getlist(parameter.name))

    def body_kind(self, content_type: str) -> BodySpec | None:
        """Return the accepted body that a Content-Type header names, by the most specific match, or None."""
        kind, parameters = parse_media_type(content_type)
        best: tuple[int, BodySpec] | None = None
        for body in self.bodies:
            known, wanted = parse_media_type(body.media_type)
            if known == kind and wanted.items() <= parameters.items() and (best is None or len(wanted) > best[0]):
                best = len(wanted), body
        return None if best is None else best[1]


class ContractSpec(ContractSchemas):
    """The operations of a contract.

    Args:
        document: The parsed contract.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document)
        specs = [self._operation(*found) for found in contract.operations(document)]
        self.operations = {spec.operation_id: spec for spec in specs}

    def _operation(self, path: str, method: str, operation: dict[str, Any]) -> OperationSpec:
        body = self.resolve(operation.get("requestBody", {}))
        content: dict[str, Any] = body.get("content", {})
        is_rows = any("arrow" in kind for kind in content)
        security: list[dict[str, Any]] = operation.get("security", self.document.get("security", []))
        return OperationSpec(
            operation_id=operation["operationId"],
            path=path,
            method=method.upper(),
            parameters=self._parameters(path, operation),
            bodies=tuple(self._body(kind, media.get("schema", {}), is_rows=is_rows) for kind, media in content.items()),
            body_required=body.get("required", False),
            success=next(
                (int(status) for status in operation["responses"] if _SUCCESS.fullmatch(status)), HTTPStatus.OK
            ),
            statuses=frozenset(int(status) for status in operation["responses"] if status.isdecimal()),
            bearer=any("bearerToken" in scheme for scheme in security),
        )

    def _parameters(self, path: str, operation: dict[str, Any]) -> tuple[ParameterSpec, ...]:
        """Return the parameters of an operation; its own override those of its path."""
        written = [*self.document["paths"][path].get("parameters", ()), *operation.get("parameters", ())]
        found = {(parameter["name"], parameter["in"]): parameter for parameter in map(self.resolve, written)}
        return tuple(self._parameter(parameter) for (_, location), parameter in found.items() if location in _LOCATIONS)

    def _parameter(self, parameter: dict[str, Any]) -> ParameterSpec:
        content = list(parameter.get("content", {}).values())
        schema = self.resolve(parameter.get("schema") or (content[0].get("schema", {}) if content else {}))
        is_list = _kind(schema) == "array" and not content
        style = parameter.get("style", "form" if parameter["in"] == "query" else "simple")
        is_one_text = is_list and not (parameter["in"] == "query" and parameter.get("explode", style == "form"))
        return ParameterSpec(
            name=parameter["name"],
            location=parameter["in"],
            required=parameter.get("required", False),
            is_list=is_list,
            delimiter=_DELIMITERS.get(style, "") if is_one_text else "",
            kind=_kind(self.resolve(schema.get("items", {})) if is_list else schema),
            validator=self.validator({} if content else schema),
        )

    def _body(self, media_type: str, schema: dict[str, Any], *, is_rows: bool) -> BodySpec:
        return BodySpec(
            media_type=media_type,
            schema=schema,
            validator=self.validator(schema),
            one_of_required=tuple(self.resolve(schema).get("x-one-of-required", ())),
            required_in_form=tuple(self.resolve(schema).get("required", ())) if media_type == _FORM else (),
            is_rows=is_rows,
        )
