"""Puts a run's own things into the requests of a contract, so that an instance accepts data generated from it.

The contract says that `pipeline_id` is a number, and by `x-names` that it is a pipeline's. It cannot say which
pipelines there are. Requests with random numbers would always be refused, and no success would ever be checked.
"""

from __future__ import annotations

import base64
import copy
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.guard.effects import split_thing
from wallaroo_ext.conformance.guard.owned_resources import DOMAIN, NOBODYS
from wallaroo_ext.conformance.resources.fixtures import assay_request, second_assay_request
from wallaroo_ext.conformance.resources.samples import INPUT, LARGEST, OUTPUT, WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wallaroo_ext.conformance.guard.effects import Effects, RequestName
    from wallaroo_ext.conformance.guard.expressions import Location
    from wallaroo_ext.conformance.resources.fixtures import Fixtures

_NUMBER = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
_VECTOR = {"type": "array", "items": _NUMBER, "minItems": WIDTH, "maxItems": WIDTH}
_TIME_NAMES = ("start", "end")
_OTHER_CREDENTIALS = ("username", "password", "refresh_token", "scope", "client_id", "client_secret")
_SECOND_ASSAYS = ("PreviewAssayBaselineV2Request", "PreviewAssayV2Request", "ScheduleAssayV2Request")
_NEW_NAMES = 3
"""The number of names for each kind of thing that may be made again under the same name: few, as none is removed."""

_NOTHING: dict[str, Any] = {"not": {}}
"""The schema of a field that has nothing to name."""

Replacement = dict[str, Any] | None
"""A schema that replaces the contract's; None for a field that is left out."""


def bound(document: dict[str, Any], effects: Mapping[str, Effects], fixtures: Fixtures, prefix: str) -> dict[str, Any]:
    """Return a copy of a contract from which data is generated that the instance has to accept.

    Args:
        document: The contract.
        effects: The effects of its operations.
        fixtures: The run's own things.
        prefix: The beginning of all names that the run gives.
    """
    changed = copy.deepcopy(document)
    schemas = object_of(object_of(changed.get("components")).get("schemas"))
    for name, fields in _sensible_values(fixtures).items():
        _replace(object_of(schemas.get(name)), fields)
    # Without times, servers since 2023.4 answer 500, as recorded.
    _require(object_of(schemas.get("GetAssayResultsRequest")), _TIME_NAMES)
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
    """Return a copy of a contract in which fields that name a thing can only name one of the run's.

    Bad data that is generated from it is bad in other fields, or names nothing, so that it touches nothing of others.
    """
    changed = copy.deepcopy(document)
    for path, _, operation in contract.operations(changed):
        _Binding(changed, effects[operation["operationId"]], fixtures, prefix, is_good=False).bind(path, operation)
    return _without_shared_parameters(changed)


def _without_shared_parameters(document: dict[str, Any]) -> dict[str, Any]:
    """Return a contract without the parameters of paths, which each operation has itself by now."""
    for item in object_of(document["paths"]).values():
        object_of(item).pop("parameters", None)
    return document


class _Binding:
    """Puts the run's own things into the request of an operation.

    Args:
        document: The contract, which is changed.
        effects: The effects of the operation.
        fixtures: The run's own things.
        prefix: The beginning of all names that the run gives.
        is_good: Whether the instance has to accept the data that is generated.
    """

    def __init__(
        self, document: dict[str, Any], effects: Effects, fixtures: Fixtures, prefix: str, *, is_good: bool = True
    ) -> None:
        self._document = document
        self._effects = effects
        self._things = fixtures.things_for(effects)
        self._query = _query_parameters(fixtures)
        self._prefix = prefix
        self._is_good = is_good

    def bind(self, path: str, operation: dict[str, Any]) -> None:
        """Change an operation, after copying the parts that it shares with others."""
        parameters = self._own_parameters(path, operation)
        body = self._own_body(operation)
        for name in self._effects.names:
            schema = self._schema(name)
            for parameter in parameters:
                if contract.parameter_location(parameter) == name.location:
                    self._bind_parameter(parameter, schema)
            for media in object_of(body.get("content")).values() if name.location[0] == "body" else ():
                media["schema"] = self._replaced(object_of(media.get("schema")), name.location[1:], schema)
        if not self._is_good:
            return
        for parameter in parameters:
            if "schema" in parameter:  # and no `content`
                parameter["schema"] = self._query.get(str(parameter.get("name")), parameter["schema"])
        for media in object_of(body.get("content")).values() if self._effects.writes else ():
            media["schema"] = self._closed(object_of(media.get("schema")), ("body",), ())

    def _own_parameters(self, path: str, operation: dict[str, Any]) -> list[dict[str, Any]]:
        found = [dict(parameter) for parameter in contract.parameters(self._document, path, operation)]
        if found:
            operation["parameters"] = found
        return found

    def _own_body(self, operation: dict[str, Any]) -> dict[str, Any]:
        if "requestBody" not in operation:
            return {}
        body = copy.deepcopy(object_of(contract.resolve(self._document, operation["requestBody"])))
        operation["requestBody"] = body
        return body

    def _schema(self, name: RequestName) -> dict[str, Any] | None:
        """Return the schema of a field that names a thing; None where the field is left out."""
        kind, key = split_thing(name.thing)
        if name.origin == "unused":
            return _own_name(self._prefix, DOMAIN if key == "email" else "")
        if name.origin == "new":
            return {"enum": [f"{self._prefix}-n{number}" for number in range(_NEW_NAMES)]}
        if self._is_good and any(given.kind == kind for given in self._effects.answer) and not self._is_needed(name):
            return None  # an operation that makes a thing need not name another one of its kind
        values = self._things.get(name.thing, [])
        if values or self._is_good:
            return {"enum": values} if values else _NOTHING
        return {"enum": [NOBODYS]} if key == "id" else _own_name(self._prefix)

    def _is_needed(self, name: RequestName) -> bool:
        return self._effects.requires(name.location)

    def _bind_parameter(self, parameter: dict[str, Any], schema: dict[str, Any] | None) -> None:
        if schema is None or (schema == _NOTHING and not parameter.get("required")):
            return
        is_list = object_of(contract.resolve(self._document, object_of(parameter.get("schema")))).get("type") == "array"
        parameter["schema"] = {"type": "array", "items": schema, "minItems": 1} if is_list else schema
        for example in ("example", "examples"):
            parameter.pop(example, None)

    def _replaced(self, schema: dict[str, Any], keys: Location, replacement: dict[str, Any] | None) -> dict[str, Any]:
        """Return a copy of a schema with another schema at these keys, if it has them."""
        schema = dict(object_of(contract.resolve(self._document, schema)))
        if not keys:
            return self._replacement(schema, replacement)
        for keyword in ("allOf", "anyOf", "oneOf"):
            if keyword in schema:
                schema[keyword] = [
                    self._replaced(object_of(inner), keys, replacement) for inner in list_of(schema[keyword])
                ]
        if keys[0] == "*" and isinstance(schema.get("items"), dict):
            return self._with_items(schema, keys[1:], replacement)
        properties = dict(object_of(schema.get("properties")))
        if keys[0] in properties:
            inner = self._replaced(object_of(properties[keys[0]]), keys[1:], replacement)
            is_available = not (len(keys) == 1 and (replacement is None or replacement == _NOTHING))
            if is_available or keys[0] in list_of(schema.get("required")):
                properties[keys[0]] = inner
            elif self._is_good:
                return schema | _left_out(schema, keys[0])
            schema["properties"] = properties
        return schema

    def _with_items(self, schema: dict[str, Any], keys: Location, replacement: dict[str, Any] | None) -> dict[str, Any]:
        if not keys and replacement in (None, _NOTHING):
            return schema if not self._effects.writes else schema | {"maxItems": 0}
        items = self._replaced(object_of(schema["items"]), keys, replacement)
        return schema | {"items": items} | ({"minItems": 1, "maxItems": 1} if self._is_good else {})

    def _closed(self, schema: dict[str, Any], location: Location, above: tuple[int, ...]) -> dict[str, Any]:
        """Return a copy of a schema in which the values of unknown fields can name nothing of others."""
        resolved = object_of(contract.resolve(self._document, schema))
        if id(resolved) in above:
            return schema
        above, closed = (*above, id(resolved)), dict(resolved)
        if "properties" in closed:
            inner = object_of(closed["properties"]).items()
            closed["properties"] = {key: self._closed(object_of(each), (*location, key), above) for key, each in inner}
        if isinstance(closed.get("items"), dict) and closed["items"]:
            closed["items"] = self._closed(object_of(closed["items"]), (*location, "*"), above)
        is_open = closed.get("additionalProperties", True) is True and not _is_composed(closed)
        if closed.get("type") == "object" and is_open and not self._effects.covering((*location, "*")):
            closed["additionalProperties"] = _own_name(self._prefix)
        return closed

    def _replacement(self, schema: dict[str, Any], replacement: dict[str, Any] | None) -> dict[str, Any]:
        """Return the replacement of a schema; of a list, the items are replaced."""
        if schema.get("type") == "array" and replacement not in (None, _NOTHING):
            return self._with_items(schema | {"items": {}}, (), replacement)
        if replacement is None:
            return _NOTHING
        if "enum" in replacement and not self._is_good and self._admits_null(schema):
            return {"enum": [*replacement["enum"], None]}  # so that null does not count as bad data
        return replacement

    def _admits_null(self, schema: dict[str, Any]) -> bool:
        """Return whether a field may be null."""
        kinds = schema.get("type")
        forms = [object_of(contract.resolve(self._document, object_of(form))) for form in list_of(schema.get("anyOf"))]
        return kinds == "null" or "null" in list_of(kinds) or any(map(self._admits_null, forms))


def _is_composed(schema: dict[str, Any]) -> bool:
    """Return whether other parts of a schema have fields of their own."""
    parts = [object_of(part) for keyword in ("allOf", "anyOf", "oneOf") for part in list_of(schema.get(keyword))]
    return any("required" not in part or len(part) > 1 for part in parts)


def _own_name(prefix: str, end: str = "") -> dict[str, Any]:
    """Return the schema of names that only the run gives."""
    return {"type": "string", "pattern": f"^{prefix}-[a-z0-9]{{1,9}}{end.replace('.', chr(92) + '.')}$"}


def _sensible_values(fixtures: Fixtures) -> dict[str, dict[str, Replacement]]:
    """Return replacements of fields that name nothing, by the names of their schemas and fields.

    The contract allows more there than every instance has to accept: any time, any framework, any scope.
    """
    times: dict[str, Replacement] = dict.fromkeys(_TIME_NAMES, _times(fixtures))
    return {
        "TokenRequest": {"grant_type": _only("client_credentials")} | dict.fromkeys(_OTHER_CREDENTIALS),
        "AddWorkspaceUserRequest": {"user_type": _only("COLLABORATOR")},
        "ModelMetadata": {"input_schema": _arrow_schema(), "output_schema": _arrow_schema()},
        "Conversion": {"framework": _only("onnx")},
        "CreatePipelineRequest": {"definition": _definition(fixtures)},
        "AssayRequest": _assay(fixtures),
        "SummarizeAssayBaselineRequest": _summary(fixtures),
        "GetPipelineLogsRequest": {"order": _only("Asc")} | dict.fromkeys(("start_time", "end_time", "cursor")),
        "GetAssayBaselineRequest": times,
        "GetAssayResultsRequest": times,
        "GetAssayResultsBetweenRequest": times,
        "GetAssayResultsV2Request": times,
        **_second_assays(fixtures),
    }


def _assay(fixtures: Fixtures) -> dict[str, Replacement]:
    """Return the replacements of an assay's fields: it watches the run's rows, in one of a few ways."""
    if fixtures.scored_at is None:
        return {"baseline": _NOTHING}
    watched = assay_request(fixtures)
    free = {"name", "active", "status", "warning_threshold", "alert_threshold", "summarizer"}
    free |= {"workspace_id", "pipeline_id", "pipeline_name"}  # which are bound by what they name
    others: dict[str, Replacement] = {"summarizer": _summarizers(watched)}
    paths = [f"output {OUTPUT} 0", f"input {INPUT} {WIDTH - 1}"]
    if "iopath" in watched:
        others["iopath"] = {"enum": paths}
    else:
        others |= {"window": {"enum": [watched["window"] | {"path": path} for path in paths]}, "iopath": None}
    return {name: _only(value) for name, value in watched.items() if name not in free} | others


def _summary(fixtures: Fixtures) -> dict[str, Replacement]:
    """Return the replacements of fields of a summary: it is of some numbers, or of the run's rows."""
    if fixtures.scored_at is None:
        return {"baseline": _NOTHING}
    watched = assay_request(fixtures)
    vector: dict[str, Any] = {"vector": [number / 10 for number in range(50)]}
    baselines = [vector, *([watched["baseline"]["calculated"]] if "calculated" in watched["baseline"] else [])]
    return {"baseline": {"enum": baselines}, "summarizer": _summarizers(watched)}


def _second_assays(fixtures: Fixtures) -> dict[str, dict[str, Replacement]]:
    """Return the replacements of fields of assays of the second version: they watch the run's rows."""
    if fixtures.scored_at is None:
        return {name: {"baseline": _NOTHING} for name in _SECOND_ASSAYS}
    watched = second_assay_request(fixtures)
    way = watched["summarizer"]["UnivariateContinuous"]
    ways = [
        {"UnivariateContinuous": way | {"aggregation": aggregation, "bin_mode": mode, "metric": metric}}
        for mode in ({"Quantile": 5}, {"Equal": 5})
        for metric in ("PSI", "MaxDiff", "SumDiff")
        for aggregation in ("Density", "Cumulative")
    ]
    vector = {"Vector": [number / 10 for number in range(50)]}
    values: dict[str, Replacement] = {
        "baseline": {"enum": [watched["baseline"], vector]},
        "summarizer": {"enum": ways},
    }
    timed = values | {name: _only(watched[name]) for name in ("scheduling", "window")}
    start, end = watched["baseline"]["Static"]
    return {
        "PreviewAssayBaselineV2Request": values,
        "PreviewAssayV2Request": timed | {"preview_start": _only(start), "preview_end": _only(end)},
        "ScheduleAssayV2Request": timed,
        "AssayV2TargetingRequest": {"iopath": _only(watched["targeting"]["iopath"])},
        "AssayV2DataOriginRequest": {"locations": None},
    }


def _summarizers(watched: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a few ways to summarize."""
    summarizer = watched["summarizer"]
    ways = [
        summarizer | {"bin_mode": mode, "metric": metric, "aggregation": aggregation, "add_outlier_edges": outliers}
        for mode in ("Quantile", "Equal")
        for metric in ("PSI", "MaxDiff", "SumDiff")
        for aggregation in ("Density", "Cumulative")
        for outliers in (True, False)
    ]
    return {"enum": ways}


def _rows() -> dict[str, Any]:
    """Return the schemas of rows for the run's model."""
    row = {"type": "object", "properties": {INPUT: _VECTOR}, "required": [INPUT], "additionalProperties": False}
    vectors = {"type": "array", "items": _VECTOR, "minItems": 1, "maxItems": 3}
    return {
        "PandasRecords": {"type": "array", "items": row, "minItems": 1, "maxItems": 3},
        "Tensors": row | {"properties": {"tensor": vectors}, "required": ["tensor"]},
    }


def _query_parameters(fixtures: Fixtures) -> dict[str, dict[str, Any]]:
    """Return the schemas of the query parameters of inferences and of topics, by their names."""
    return {
        "dataset[]": {"type": "array", "items": {"enum": ["*", "time", "in", "out", f"out.{OUTPUT}", "metadata"]}},
        "dataset.exclude[]": {"type": "array", "items": {"enum": ["metadata", f"in.{INPUT}", "check_failures"]}},
        "dataset.separator": {"enum": [".", "/", "__"]},
        "order": {"enum": ["asc", "desc"]},
        "time.start": _times(fixtures),
        "time.end": _times(fixtures),
    }


def _fit_examples(document: dict[str, Any], operation: dict[str, Any]) -> None:
    """Put the run's own things into the examples of a request."""
    for media in object_of(object_of(operation.get("requestBody")).get("content")).values():
        schema = object_of(media.get("schema"))
        for name, example in list(object_of(media.get("examples")).items()):
            if "value" in example and not _fit(document, schema, example, "value"):
                del media["examples"][name]
        if "example" in media and not _fit(document, schema, media, "example"):
            del media["example"]


class _IncompleteError(Exception):
    """An example lacks a field that its schema requires, and no value of it is known."""


def _fit(document: dict[str, Any], schema: dict[str, Any], holder: dict[str, Any], key: str) -> bool:
    """Put the run's own things into an example, and return whether it could be completed."""
    try:
        holder[key] = _fitted(document, schema, holder[key])
    except _IncompleteError:
        return False
    return True


def _fitted(document: dict[str, Any], schema: dict[str, Any], value: Any) -> Any:
    """Return a value that fits a schema: with allowed values in place of others, and without unknown fields."""
    schema = contract.resolve(document, schema)
    allowed = list_of(schema.get("enum"))
    if allowed:
        return value if value in allowed else allowed[0]
    if schema == _NOTHING:
        return None
    if isinstance(value, dict):
        properties = object_of(schema.get("properties"))
        found = {name: _fitted(document, properties[name], value[name]) for name in properties if name in value}
        lacking = [name for name in schema.get("required", ()) if name not in found]
        return {name: _allowed(document, object_of(properties.get(name))) for name in lacking} | found
    if isinstance(value, list):
        items = list_of(value)[: schema.get("maxItems")]
        return [_fitted(document, object_of(schema.get("items")), item) for item in items]
    return value


def _allowed(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """Return a value that a schema allows, for a field that an example lacks.

    Raises:
        _IncompleteError: None is known.
    """
    schema = contract.resolve(document, schema)
    allowed = list_of(schema.get("enum"))
    if allowed:
        return allowed[0]
    if schema != _VECTOR:
        raise _IncompleteError
    return [0.5] * WIDTH


def _replace(schema: dict[str, Any], fields: Mapping[str, Replacement]) -> None:
    """Replace fields of a schema; of those with nothing to name only required ones stay, for `missing_things`."""
    properties = object_of(schema.get("properties"))
    for name, replacement in fields.items():
        if name not in properties:
            continue
        if replacement is None or (replacement == _NOTHING and name not in schema.get("required", ())):
            schema.update(_left_out(schema, name))
            properties = object_of(schema["properties"])
        else:
            properties[name] = replacement


def _left_out(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the keywords of an object's schema without one of its fields, which is no unknown field either.

    Hypothesis knows the texts of the modules that are loaded, and gives unknown fields such names now and then.
    """
    properties = {key: inner for key, inner in object_of(schema.get("properties")).items() if key != name}
    before = list_of(object_of(object_of(schema.get("propertyNames")).get("not")).get("enum"))
    return {"properties": properties, "propertyNames": {"not": {"enum": [*before, name]}}}


def missing_things(document: dict[str, Any]) -> dict[str, str]:
    """Return the fields of a bound contract that are required and have nothing to name, by operation."""
    found: dict[str, str] = {}
    for _, _, operation in contract.operations(document):
        for name, schema in _required_fields(document, operation):
            if schema == _NOTHING:
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
            yield " or ".join(either), _NOTHING


def _either(schema: dict[str, Any]) -> None:
    """Require one of the fields that `x-one-of-required` lists."""
    names = [name for name in schema.get("x-one-of-required", ()) if name in object_of(schema.get("properties"))]
    if names:
        schema["anyOf"] = [{"required": [name]} for name in names]


def _require(schema: dict[str, Any], names: tuple[str, ...]) -> None:
    """Require fields, as far as a schema has them."""
    added = [name for name in names if name in object_of(schema.get("properties"))]
    if added:
        schema["required"] = list(dict.fromkeys([*list_of(schema.get("required")), *added]))


def _by_fields(schema: dict[str, Any]) -> None:
    """Require the fields of the oldest upload: the contract has that rule in prose only, as generators fail on it."""
    schema["required"] = ["file", "name", "visibility", "workspace_id"]
    schema.update(_left_out(schema, "metadata"))


def _once_each(schema: dict[str, Any]) -> None:
    """Allow only texts in unknown fields of a form: a list would repeat a field, which RFC 6749 forbids."""
    schema["additionalProperties"] = {"type": "string"}


def _only(value: Any) -> dict[str, Any]:
    return _NOTHING if value is None else {"enum": [value]}


def _definition(fixtures: Fixtures) -> dict[str, Any]:
    with_steps = [{"steps": [{"ModelInference": {"models": [fixtures.model]}}]}] if fixtures.model else []
    return {"enum": [{}, *with_steps]}


def _times(fixtures: Fixtures) -> dict[str, Any]:
    """Return the schema of times shortly before and after the run's rows were scored, or around now."""
    middle = fixtures.scored_at or datetime.now(UTC)
    return {"enum": [(middle + timedelta(hours=hours)).isoformat() for hours in (-1, 1)]}


def _arrow_schema() -> dict[str, Any]:
    schema = pa.schema([(INPUT, pa.list_(pa.float32(), WIDTH))])
    return _only(base64.b64encode(schema.serialize().to_pybytes()).decode())
