"""Refuses what openapi-python-client would drop without a word or get wrong, and what has no code of its own."""

from __future__ import annotations

import json
import re
import unicodedata
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from openapi_python_client.parser.bodies import BodyType
from openapi_python_client.strings import PythonIdentifier

from scripts.lib.generator.given import methods_of
from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.contract_checks import DATA, NAMES, ContractError
from wallaroo_ext.contract_schemas import ContractSchemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openapi_python_client.parser import GeneratorData
    from openapi_python_client.parser.openapi import Endpoint

Keys = tuple[str, ...]

_PREFIX = "field_"
_STATUS = re.compile(r"[1-5]XX|default")
_STYLES = {
    "path": ("simple",),
    "query": ("form", "spaceDelimited", "pipeDelimited"),
    "header": ("simple",),
    "cookie": ("form",),
}
_OWN_CLASSES = {
    "Any", "ApiModel", "AuthenticatedClient", "BinaryIO", "BytesIO", "Client", "File", "FileTypes", "Generator",
    "Generic", "HTTPStatus", "Literal", "Mapping", "Response", "T", "TextIO", "TypeVar", "UNSET", "UUID", "Unset",
}  # fmt: skip
"""The names that the generated modules import or make for themselves."""


def check_given(document: dict[str, Any]) -> None:
    """Check what can be told by the contract alone.

    Args:
        document: The contract, as `contract.load` returns it.

    Raises:
        ContractError: Something would be dropped or be wrong.
    """
    _check_info(document)
    _check_names(document)
    for path, item in object_of(document["paths"]).items():
        for method in methods_of(object_of(item)):
            keys = ("paths", path, method)
            _check_parameters(document, keys, object_of(item), item[method])
            _check_answers(document, keys, item[method])
    schemas = ContractSchemas(document)
    for keys, schema in _schemas(document, ()):
        _check_schema(schemas, keys, schema)


def _check_info(document: dict[str, Any]) -> None:
    info = object_of(document.get("info"))
    for name in ("title", "version"):
        if not isinstance(info.get(name), str):
            raise ContractError(("info", name), f"the contract's {name} is missing or no text: write it in quotes")


def _check_names(document: dict[str, Any]) -> None:
    """Check that each operation has a module of its own, whatever its tags, and each tag a package."""
    seen: dict[str, str] = {}
    for path, method, operation in contract.operations(document):
        name: str = operation["operationId"]
        module = str(PythonIdentifier(name, _PREFIX))
        if module in seen:
            raise ContractError(
                ("paths", path, method, "operationId"),
                f"the operations {seen[module]} and {name} would both be the module {module}: rename one of them",
            )
        seen[module] = name
        if not all(isinstance(tag, str) for tag in operation.get("tags", [])):
            raise ContractError(("paths", path, method, "tags"), f"a tag of {name} is no text")
        _check_signs(("paths", path), path)


def _check_signs(keys: Keys, text: str) -> None:
    """Check that a text has no signs that nobody sees: the generator leaves them out."""
    for sign in text:
        if unicodedata.category(sign).startswith("C") or unicodedata.category(sign) in {"Zl", "Zp"}:
            raise ContractError(keys, f"{text!r} has a sign that nobody sees, {sign!a}: leave it out")


def _check_parameters(document: dict[str, Any], keys: Keys, item: dict[str, Any], operation: dict[str, Any]) -> None:
    for holder, above in ((item, keys[:2]), (operation, keys)):
        for number, entry in enumerate(list_of(holder.get("parameters"))):
            _check_parameter(document, (*above, "parameters", str(number)), contract.resolve(document, entry))


def _check_parameter(document: dict[str, Any], keys: Keys, parameter: dict[str, Any]) -> None:
    place, name = parameter["in"], parameter["name"]
    _check_signs(keys, name)
    if "schema" not in parameter:
        raise ContractError(keys, f"the parameter {name} has `content`, which the generator drops: give it a `schema`")
    style = parameter.get("style", _STYLES[place][0])
    if style not in _STYLES[place]:
        raise ContractError(keys, f"the parameter {name} has the style {style}, which the generator does not know")
    kinds = kinds_of(document, parameter["schema"])
    is_exploded = parameter.get("explode", style == "form")
    if "object" in kinds and (place != "query" or not is_exploded or style != "form"):
        raise ContractError(
            keys,
            f"the parameter {name} is an object in the {place}, and the generator only knows those of exploded forms",
        )
    if "array" in kinds and (place in {"header", "cookie"} or len(kinds - {"null"}) > 1):
        raise ContractError(
            keys, f"the parameter {name} is a list in the {place}, or may be one, which the generator does not know"
        )


def kinds_of(document: dict[str, Any], schema: Any) -> set[str]:
    """Return the types that values of a schema may have, as far as it names them."""
    fields = object_of(contract.resolve(document, object_of(schema)))
    kinds = set(map(str, list_of(fields.get("type")) or [fields.get("type", "")]))
    if "properties" in fields:
        kinds.add("object")
    for key in ("allOf", "anyOf", "oneOf"):
        for part in list_of(fields.get(key)):
            kinds |= kinds_of(document, part)
    return kinds - {""}


def _check_answers(document: dict[str, Any], keys: Keys, operation: dict[str, Any]) -> None:
    for status in operation["responses"]:
        known = _STATUS.fullmatch(status) or (status.isdecimal() and int(status) in {each.value for each in HTTPStatus})
        if not known and not status.startswith("x-"):
            raise ContractError(
                (*keys, "responses", status),
                f"{status} is no status of HTTP that Python knows, and neither a range such as 4XX nor `default`",
            )
    content = object_of(contract.resolve(document, operation.get("requestBody", {})).get("content"))
    for kind, media in content.items():
        if kind.partition(";")[0].strip() == "application/x-www-form-urlencoded":
            _check_form(document, (*keys, "requestBody", "content", kind), object_of(media).get("schema", {}))


def _check_form(document: dict[str, Any], keys: Keys, schema: Any) -> None:
    fields = object_of(object_of(contract.resolve(document, schema)).get("properties"))
    for name, inner in fields.items():
        if "object" in kinds_of(document, inner):
            raise ContractError(keys, f"the field {name} of a form is an object, for which the generator has no text")


def _schemas(value: Any, keys: Keys, *, are_names: bool = False) -> Iterator[tuple[Keys, dict[str, Any]]]:
    """Yield the objects of a contract that are no data and no lists of names, with the keys that lead to them."""
    for number, item in enumerate(list_of(value)):
        yield from _schemas(item, (*keys, str(number)))
    if isinstance(value, dict) and not are_names:
        yield keys, object_of(value)
    for key, inner in object_of(value).items():
        if are_names or (key not in DATA and not key.startswith("x-")):
            yield from _schemas(inner, (*keys, key), are_names=not are_names and key in NAMES)


def _check_schema(schemas: ContractSchemas, keys: Keys, schema: dict[str, Any]) -> None:
    if isinstance(schema.get("discriminator"), dict):
        raise ContractError(
            keys,
            "the generator does not follow a `discriminator`, and would take the first schema that fits: leave it out, "
            "and let each schema have a `const`",
        )
    for name in object_of(schema.get("properties")):
        _check_signs((*keys, "properties", name), name)
    if isinstance(schema.get("enum"), list):
        _check_enum(keys, schema["enum"], kind=schema.get("type"))
    if isinstance(schema.get("const"), float | list | dict):
        raise ContractError(
            (*keys, "const"), "the generator has no type for a `const` that is no text and no whole number"
        )
    if "default" in schema and "in" not in schema:
        _check_default(schemas, keys, schema)
    for number, part in enumerate(list_of(schema.get("allOf"))):
        lost = {"anyOf", "oneOf"} & object_of(part).keys() if len(schema["allOf"]) > 1 else set[str]()
        if lost:
            raise ContractError(
                (*keys, "allOf", str(number)),
                f"the generator drops `{lost.pop()}` inside of `allOf`: name it as a schema",
            )
    for key in ("anyOf", "oneOf"):
        if key in schema and "properties" in schema and any(_says_more(part) for part in list_of(schema[key])):
            raise ContractError(
                keys, f"the generator drops `properties` beside `{key}`: put them into each schema of `{key}`"
            )


def _says_more(part: Any) -> bool:
    return bool({"$ref", "properties", "allOf", "anyOf", "oneOf"} & object_of(part).keys())


def _check_enum(keys: Keys, values: list[Any], *, kind: Any) -> None:
    named = [value for value in values if value is not None]
    of_one_type = all(type(value) is str for value in named) or all(type(value) is int for value in named)
    if kind != "boolean" and not of_one_type:
        raise ContractError(
            (*keys, "enum"), f"the values of an `enum` are all texts or all whole numbers, and not {json.dumps(values)}"
        )
    for value in named:
        if isinstance(value, str):
            _check_signs((*keys, "enum"), value)


def _check_default(schemas: ContractSchemas, keys: Keys, schema: dict[str, Any]) -> None:
    default = schema["default"]
    try:
        fits = default is None or schemas.validator(schema).is_valid(default)
    except (ValueError, LookupError, TypeError):  # no schema, which others say
        return
    if not fits:
        raise ContractError(
            (*keys, "default"), f"the default {json.dumps(default, ensure_ascii=False)} does not fit its own schema"
        )


def check_parsed(parsed: GeneratorData, given: dict[str, Any]) -> None:
    """Check what the generator understood: that all is there, and nothing takes another's place.

    Args:
        parsed: What it understood.
        given: What it was given.

    Raises:
        ContractError: Something is missing, or two things have one name.
    """
    _check_classes(parsed)
    endpoints = {
        str(each.name): each for found in parsed.endpoint_collections_by_tag.values() for each in found.endpoints
    }
    for path, method, operation in contract.operations(given):
        keys = ("paths", path, method)
        endpoint = endpoints.get(str(PythonIdentifier(operation["operationId"], _PREFIX)))
        if endpoint is None:
            raise ContractError(keys, f"the generator drops {operation['operationId']}")
        _check_bodies(keys, endpoint)
        names = {
            each["name"] for each in (*given["paths"][path].get("parameters", ()), *operation.get("parameters", ()))
        }
        if lost := names - {each.name.get_untrusted_value() for _, each in endpoint.iter_all_parameters()}:
            raise ContractError(keys, f"the generator drops the parameter {min(lost)}")
        if len(endpoint.responses) < len([each for each in operation["responses"] if not each.startswith("x-")]):
            raise ContractError((*keys, "responses"), "the generator drops an answer")


def _check_classes(parsed: GeneratorData) -> None:
    modules: dict[str, str] = {}
    for each in (*parsed.models, *parsed.enums):
        name, module = str(each.class_info.name), str(each.class_info.module_name).lower()
        if name in _OWN_CLASSES:
            raise ContractError(
                ("components", "schemas", name),
                f"the class {name} is one of the client's own: rename the schema, or its title",
            )
        if modules.setdefault(module, name) != name:
            raise ContractError(
                ("components", "schemas", name),
                f"the classes {modules[module]} and {name} would both be the module {module}: rename a schema",
            )


def _check_bodies(keys: Keys, endpoint: Endpoint) -> None:
    """Check that the type of a body tells which of several media types it is sent as."""
    seen: dict[str, str] = {}
    for body in endpoint.bodies:
        kind = body.prop.get_type_string(no_optional=True).as_unembedded_code().split("[")[0]
        name = body.content_type.get_untrusted_value()
        if body.body_type is BodyType.CONTENT and kind != "File":
            raise ContractError(
                (*keys, "requestBody", "content", name),
                f"a body of {name} is bytes: its schema is a text in `format: binary`",
            )
        if len(endpoint.bodies) > 1 and ("|" in kind or kind == "Any"):
            raise ContractError(
                (*keys, "requestBody", "content", name),
                f"beside other media types, a body of {name} has to be of one type",
            )
        if kind in seen:
            raise ContractError(
                (*keys, "requestBody", "content", name),
                f"{seen[kind]} and {name} have bodies of one type, {kind}, which does not say as which it is sent: "
                "give each a schema of its own",
            )
        seen[kind] = name
