"""The contract with a run's own things in its requests, so that data made from it is data that an instance accepts.

The contract says that `pipeline_id` is a number, and by `x-names` that it is a pipeline's; that there is a pipeline of
that number it cannot say. Random numbers would only ever be refused, and every check of a success would hold because
there was none.
"""

from __future__ import annotations

import base64
import copy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.effects import parameter_place, split_thing
from wallaroo_ext.conformance.resources.fixtures import assay_request
from wallaroo_ext.conformance.resources.owned import DOMAIN, NOBODYS
from wallaroo_ext.conformance.resources.samples import INPUT, LARGEST, OUTPUT, WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wallaroo_ext.conformance.guard.effects import Effects, Place, RequestName
    from wallaroo_ext.conformance.resources.fixtures import Fixtures

_NUMBER = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
_VECTOR = {"type": "array", "items": _NUMBER, "minItems": WIDTH, "maxItems": WIDTH}
_TIME_NAMES = ("start", "end")
_OTHER_CREDENTIALS = ("username", "password", "refresh_token", "scope", "client_id", "client_secret")
_NEW_NAMES = 3
"""How many names there are of each kind of thing that may be made again under its name: few, as none is removed."""

_NONE_THERE: dict[str, Any] = {"not": {}}
"""The schema of a thing that there is none of."""

Replacement = dict[str, Any] | None
"""A schema in place of the contract's; None for a field that is left out."""


def bound(document: dict[str, Any], effects: Mapping[str, Effects], fixtures: Fixtures, prefix: str) -> dict[str, Any]:
    """Return a copy of a contract from which data is made that the instance has to accept.

    Args:
        document: The contract.
        effects: What it says of the effects of its operations.
        fixtures: The run's own things.
        prefix: What the names of everything that the run makes begin with.
    """
    changed = copy.deepcopy(document)
    schemas = object_of(object_of(changed.get("components")).get("schemas"))
    for name, fields in _sensible_values(fixtures).items():
        _replace(object_of(schemas.get(name)), fields)
    for schema in schemas.values():
        _either(object_of(schema))
    schemas.update(_rows())
    _by_fields(object_of(schemas.get("UploadModelRequest")))
    _once_each(object_of(schemas.get("TokenRequest")))
    for path, _, operation in contract.operations(changed):
        _Binding(changed, effects[operation["operationId"]], fixtures, prefix).bind(path, operation)
        _fit_examples(changed, operation)
    return _without_shared_parameters(changed)


def bound_names(
    document: dict[str, Any], effects: Mapping[str, Effects], fixtures: Fixtures, prefix: str
) -> dict[str, Any]:
    """Return a copy of a contract in which what names a thing names one of the run's, and all else is as it was.

    Bad data that is made from it is bad elsewhere, or names nothing, so that it touches nothing of others.
    """
    changed = copy.deepcopy(document)
    for path, _, operation in contract.operations(changed):
        _Binding(changed, effects[operation["operationId"]], fixtures, prefix, is_good=False).bind(path, operation)
    return _without_shared_parameters(changed)


def _without_shared_parameters(document: dict[str, Any]) -> dict[str, Any]:
    """Return a contract without the parameters of paths: each operation has its own by now."""
    for item in object_of(document["paths"]).values():
        object_of(item).pop("parameters", None)
    return document


class _Binding:
    """Puts the run's own things into the request of an operation.

    Args:
        document: The contract, which is changed.
        effects: What it says of the operation's effects.
        fixtures: The run's own things.
        prefix: What the names of everything that the run makes begin with.
        is_good: Whether data is made of it that the instance has to accept.
    """

    def __init__(
        self, document: dict[str, Any], effects: Effects, fixtures: Fixtures, prefix: str, *, is_good: bool = True
    ) -> None:
        self._document = document
        self._effects = effects
        self._things = fixtures.things_for(effects)
        self._prefix = prefix
        self._is_good = is_good

    def bind(self, path: str, operation: dict[str, Any]) -> None:
        """Change an operation, with copies of what it shares with others."""
        parameters = self._own_parameters(path, operation)
        body = self._own_body(operation)
        for name in self._effects.names:
            schema = self._schema(name)
            for parameter in parameters:
                if parameter_place(parameter) == name.place:
                    self._bind_parameter(parameter, schema)
            for media in object_of(body.get("content")).values() if name.place[0] == "body" else ():
                media["schema"] = self._replaced(object_of(media.get("schema")), name.place[1:], schema)
        if not self._is_good:
            return
        for parameter in parameters:
            parameter["schema"] = _dataset_parameters().get(str(parameter.get("name")), parameter.get("schema"))
        for media in object_of(body.get("content")).values() if self._effects.writes else ():
            media["schema"] = self._closed(object_of(media.get("schema")), ("body",), ())

    def _own_parameters(self, path: str, operation: dict[str, Any]) -> list[dict[str, Any]]:
        shared = list_of(object_of(self._document["paths"][path]).get("parameters"))
        found: dict[tuple[Any, Any], dict[str, Any]] = {}
        for written in [*shared, *list_of(operation.get("parameters"))]:
            parameter = dict(object_of(contract.resolve(self._document, object_of(written))))
            found[parameter.get("in"), parameter.get("name")] = parameter
        if found:
            operation["parameters"] = list(found.values())
        return list(found.values())

    def _own_body(self, operation: dict[str, Any]) -> dict[str, Any]:
        if "requestBody" not in operation:
            return {}
        body = copy.deepcopy(object_of(contract.resolve(self._document, operation["requestBody"])))
        operation["requestBody"] = body
        return body

    def _schema(self, name: RequestName) -> dict[str, Any] | None:
        """Return the schema of a field that names a thing; None where there is nothing that it could name."""
        kind, key = split_thing(name.thing)
        if name.origin == "unused":
            return _own_name(self._prefix, DOMAIN if key == "email" else "")
        if name.origin == "new":
            return {"enum": [f"{self._prefix}-n{number}" for number in range(_NEW_NAMES)]}
        if self._is_good and any(given.kind == kind for given in self._effects.answer) and not self._is_needed(name):
            return None  # what makes a thing of a kind names no other one, where it need not
        values = self._things.get(name.thing, [])
        if values or self._is_good:
            return {"enum": values} if values else _NONE_THERE
        return {"enum": [NOBODYS]} if key == "id" else _own_name(self._prefix)

    def _is_needed(self, name: RequestName) -> bool:
        return self._effects.requires(name.place)

    def _bind_parameter(self, parameter: dict[str, Any], schema: dict[str, Any] | None) -> None:
        if schema is None or (schema == _NONE_THERE and not parameter.get("required")):
            return
        is_list = object_of(contract.resolve(self._document, object_of(parameter.get("schema")))).get("type") == "array"
        parameter["schema"] = {"type": "array", "items": schema, "minItems": 1} if is_list else schema
        for example in ("example", "examples"):
            parameter.pop(example, None)

    def _replaced(self, schema: dict[str, Any], way: Place, replacement: dict[str, Any] | None) -> dict[str, Any]:
        """A copy of a schema with another one at the end of a way; the schema itself where it does not lead there."""
        schema = dict(object_of(contract.resolve(self._document, schema)))
        if not way:
            return self._kept_list(schema, replacement)
        for keyword in ("allOf", "anyOf", "oneOf"):
            if keyword in schema:
                schema[keyword] = [
                    self._replaced(object_of(inner), way, replacement) for inner in list_of(schema[keyword])
                ]
        if way[0] == "*" and isinstance(schema.get("items"), dict):
            return self._with_items(schema, way[1:], replacement)
        properties = dict(object_of(schema.get("properties")))
        if way[0] in properties:
            inner = self._replaced(object_of(properties[way[0]]), way[1:], replacement)
            is_there = not (len(way) == 1 and (replacement is None or replacement == _NONE_THERE))
            if is_there or way[0] in list_of(schema.get("required")):
                properties[way[0]] = inner
            elif self._is_good:
                del properties[way[0]]
            schema["properties"] = properties
        return schema

    def _with_items(self, schema: dict[str, Any], way: Place, replacement: dict[str, Any] | None) -> dict[str, Any]:
        if not way and replacement in (None, _NONE_THERE):
            return schema if not self._effects.writes else schema | {"maxItems": 0}
        items = self._replaced(object_of(schema["items"]), way, replacement)
        return schema | {"items": items} | ({"minItems": 1, "maxItems": 1} if self._is_good else {})

    def _closed(self, schema: dict[str, Any], place: Place, above: tuple[int, ...]) -> dict[str, Any]:
        """Return a copy of a schema in which unknown fields name nothing of others, whatever they are taken for."""
        resolved = object_of(contract.resolve(self._document, schema))
        if id(resolved) in above:
            return schema
        above, closed = (*above, id(resolved)), dict(resolved)
        if "properties" in closed:
            inner = object_of(closed["properties"]).items()
            closed["properties"] = {key: self._closed(object_of(each), (*place, key), above) for key, each in inner}
        if isinstance(closed.get("items"), dict) and closed["items"]:
            closed["items"] = self._closed(object_of(closed["items"]), (*place, "*"), above)
        is_open = closed.get("additionalProperties", True) is True and not _is_composed(closed)
        if closed.get("type") == "object" and is_open and not self._effects.covering((*place, "*")):
            closed["additionalProperties"] = _own_name(self._prefix)
        return closed

    def _kept_list(self, schema: dict[str, Any], replacement: dict[str, Any] | None) -> dict[str, Any]:
        """Return what replaces a schema; the items of a list, where a list of names stands for one."""
        if schema.get("type") == "array" and replacement not in (None, _NONE_THERE):
            return self._with_items(schema | {"items": {}}, (), replacement)
        return _NONE_THERE if replacement is None else replacement


def _is_composed(schema: dict[str, Any]) -> bool:
    """Return whether other parts of a schema have fields of their own."""
    parts = [object_of(part) for keyword in ("allOf", "anyOf", "oneOf") for part in list_of(schema.get(keyword))]
    return any("required" not in part or len(part) > 1 for part in parts)


def _own_name(prefix: str, end: str = "") -> dict[str, Any]:
    """Return the schema of names that only the run gives."""
    return {"type": "string", "pattern": f"^{prefix}-[a-z0-9]{{1,9}}{end.replace('.', chr(92) + '.')}$"}


def _sensible_values(fixtures: Fixtures) -> dict[str, dict[str, Replacement]]:
    """Return what stands in place of fields that name nothing, by the names of their schemas and their own.

    The contract allows more there than every instance has to take: any time, any framework, any scope.
    """
    times: dict[str, Replacement] = dict.fromkeys(_TIME_NAMES, _times(fixtures))
    return {
        "TokenRequest": {"grant_type": _only("client_credentials")} | dict.fromkeys(_OTHER_CREDENTIALS),
        "AddWorkspaceUserRequest": {"user_type": _only("COLLABORATOR")},
        "ModelMetadata": {"input_schema": _arrow_schema(), "output_schema": _arrow_schema()},
        "Conversion": {"framework": _only("onnx")},
        "CreatePipelineRequest": {"definition": _definition(fixtures)},
        "AssayRequest": _assay(fixtures),
        "GetAssayBaselineRequest": times,
        "GetAssayResultsRequest": times,
        "GetAssayResultsBetweenRequest": times,
    }


def _assay(fixtures: Fixtures) -> dict[str, Replacement]:
    """Return an assay's fields: what it watches and compares is the run's, how it does so is from a few ways."""
    if fixtures.scored_at is None:
        return {"baseline": _NONE_THERE}
    fixed = assay_request(fixtures)
    free = {"name", "active", "status", "warning_threshold", "alert_threshold", "summarizer"}
    free |= {"workspace_id", "pipeline_id", "pipeline_name"}  # which are bound by what they name
    summarizer = fixed["summarizer"]
    ways = [
        summarizer | {"bin_mode": mode, "metric": metric, "aggregation": aggregation, "add_outlier_edges": outliers}
        for mode in ("Quantile", "Equal")
        for metric in ("PSI", "MaxDiff", "SumDiff")
        for aggregation in ("Density", "Cumulative")
        for outliers in (True, False)
    ]
    paths = [f"output {OUTPUT} 0", f"input {INPUT} {WIDTH - 1}"]
    others: dict[str, Replacement] = {"summarizer": {"enum": ways}, "iopath": {"enum": paths}}
    return {name: _only(value) for name, value in fixed.items() if name not in free} | others


def _rows() -> dict[str, Any]:
    """Return the schemas of rows, as the run's model takes them."""
    row = {"type": "object", "properties": {INPUT: _VECTOR}, "required": [INPUT], "additionalProperties": False}
    vectors = {"type": "array", "items": _VECTOR, "minItems": 1, "maxItems": 3}
    return {
        "PandasRecords": {"type": "array", "items": row, "minItems": 1, "maxItems": 3},
        "Tensors": row | {"properties": {"tensor": vectors}, "required": ["tensor"]},
    }


def _dataset_parameters() -> dict[str, dict[str, Any]]:
    """Return the schemas of what an inference may be asked for in its query, by the names of the parameters."""
    return {
        "dataset[]": {"type": "array", "items": {"enum": ["*", "time", "in", "out", f"out.{OUTPUT}", "metadata"]}},
        "dataset.exclude[]": {"type": "array", "items": {"enum": ["metadata", f"in.{INPUT}", "check_failures"]}},
        "dataset.separator": {"enum": [".", "/", "__"]},
    }


def _fit_examples(document: dict[str, Any], operation: dict[str, Any]) -> None:
    """Put the run's own things into the examples of a request."""
    for media in object_of(object_of(operation.get("requestBody")).get("content")).values():
        schema = object_of(media.get("schema"))
        for example in object_of(media.get("examples")).values():
            if "value" in example:
                example["value"] = _fitted(document, schema, example["value"])
        if "example" in media:
            media["example"] = _fitted(document, schema, media["example"])


def _fitted(document: dict[str, Any], schema: dict[str, Any], value: Any) -> Any:
    """A value with what a schema allows in place of what it does not, and without fields that it does not have."""
    schema = contract.resolve(document, schema)
    allowed = list_of(schema.get("enum"))
    if allowed:
        return value if value in allowed else allowed[0]
    if schema == _NONE_THERE:
        return None
    if isinstance(value, dict):
        properties = object_of(schema.get("properties"))
        found = {name: _fitted(document, properties[name], value[name]) for name in properties if name in value}
        return {name: _allowed(document, properties[name]) for name in schema.get("required", ())} | found
    if isinstance(value, list):
        kept = list_of(value)[: schema.get("maxItems")]
        return [_fitted(document, object_of(schema.get("items")), item) for item in kept]
    return value


def _allowed(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """Return a value that a schema allows, for a field that an example does not have."""
    schema = contract.resolve(document, schema)
    allowed = list_of(schema.get("enum"))
    return allowed[0] if allowed else [0.5] * WIDTH


def _replace(schema: dict[str, Any], fields: Mapping[str, Replacement]) -> None:
    """Replace fields of a schema; of what there is nothing, only required ones are kept, for `unanswerable` to find."""
    properties = object_of(schema.get("properties"))
    for name, replacement in fields.items():
        if name not in properties:
            continue
        if replacement is None or (replacement == _NONE_THERE and name not in schema.get("required", ())):
            del properties[name]
        else:
            properties[name] = replacement


def unanswerable(document: dict[str, Any]) -> dict[str, str]:
    """The operations of a bound contract that need something of which there is nothing: what they need, by id."""
    found: dict[str, str] = {}
    for _, _, operation in contract.operations(document):
        for name, schema in _required_fields(document, operation):
            if schema == _NONE_THERE:
                found[operation["operationId"]] = name
    return found


def _required_fields(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for parameter in operation.get("parameters", ()):
        yield parameter["name"], parameter.get("schema")
    body = contract.resolve(document, operation.get("requestBody", {}))
    for media in object_of(body.get("content")).values():
        schema = contract.resolve(document, object_of(media.get("schema")))
        properties = object_of(schema.get("properties"))
        for name in schema.get("required", ()):
            yield name, properties.get(name)
        either = schema.get("x-one-of-required", ())
        if either and not any(name in properties for name in either):
            yield " or ".join(either), _NONE_THERE


def _either(schema: dict[str, Any]) -> None:
    """Have data with one of the fields that `x-one-of-required` lists."""
    names = [name for name in schema.get("x-one-of-required", ()) if name in object_of(schema.get("properties"))]
    if names:
        schema["anyOf"] = [{"required": [name]} for name in names]


def _by_fields(schema: dict[str, Any]) -> None:
    """Have the oldest upload in its own way, by fields: its rule is in prose, because generators break on it."""
    schema["required"] = ["file", "name", "visibility", "workspace_id"]
    object_of(schema.get("properties")).pop("metadata", None)


def _once_each(schema: dict[str, Any]) -> None:
    """Have unknown fields of a form once: a list would be sent as a field many times, which RFC 6749 forbids."""
    schema["additionalProperties"] = {"type": "string"}


def _only(value: Any) -> dict[str, Any]:
    return _NONE_THERE if value is None else {"enum": [value]}


def _definition(fixtures: Fixtures) -> dict[str, Any]:
    return {"enum": [{}, {"steps": [{"ModelInference": {"models": [fixtures.model]}}]}]}


def _times(fixtures: Fixtures) -> dict[str, Any]:
    """Times around the one when the run's rows were scored, or today."""
    middle = fixtures.scored_at or datetime.now(UTC)
    return {"enum": [(middle + timedelta(hours=hours)).isoformat() for hours in (-1, 1)]}


def _arrow_schema() -> dict[str, Any]:
    schema = pa.schema([(INPUT, pa.list_(pa.float32(), WIDTH))])
    return _only(base64.b64encode(schema.serialize().to_pybytes()).decode())
