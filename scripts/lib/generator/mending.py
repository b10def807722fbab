"""Mends what openapi-python-client understood of a contract, where its code would be wrong: names and defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from openapi_python_client.parser.properties.const import ConstProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.union import UnionProperty
from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import PythonCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from openapi_python_client.config import Config
    from openapi_python_client.parser import GeneratorData
    from openapi_python_client.parser.openapi import Endpoint
    from openapi_python_client.parser.properties.protocol import PropertyProtocol, Value

_IN_MODELS = {
    "additional_keys", "additional_properties", "cast", "cls", "d", "field_dict", "files", "from_dict", "json",
    "prop", "prop_dict", "prop_name", "src_dict", "to_dict", "to_multipart", "types",
}  # fmt: skip
"""The names that the methods of a model use or are."""
_IN_ENDPOINTS = {
    "asyncio", "asyncio_detailed", "body", "cast", "client", "cookies", "errors", "headers", "httpx", "params", "quote",
    "response", "sync", "sync_detailed", "text_of",
}  # fmt: skip
"""The names that the functions of an operation use or are."""


def mend(parsed: GeneratorData, config: Config) -> None:
    """Change what the generator understood, so that its templates make right code of it.

    Args:
        parsed: What it understood.
        config: Its settings.
    """
    for model in parsed.models:
        _rename([*(model.required_properties or []), *(model.optional_properties or [])], _IN_MODELS, config)
        if model.additional_properties is not None:
            _mend_values([model.additional_properties])
    for collection in parsed.endpoint_collections_by_tag.values():
        for endpoint in collection.endpoints:
            _mend_endpoint(endpoint, config)


def _mend_endpoint(endpoint: Endpoint, config: Config) -> None:
    parameters = [parameter for _, parameter in endpoint.iter_all_parameters()]
    before = [str(parameter.python_name) for parameter in endpoint.path_parameters]
    taken = _IN_ENDPOINTS | {f"json_{parameter.python_name}" for parameter in parameters}
    _rename(parameters, taken, config)
    path = endpoint.path.get_untrusted_value()
    for old, parameter in zip(before, endpoint.path_parameters, strict=True):
        path = path.replace(f"{{{old}}}", f"{{{parameter.python_name}}}")
    endpoint.path = UntrustedString(path)
    _mend_values(response.prop for response in endpoint.responses)
    _mend_values(body.prop for body in endpoint.bodies)


def _rename(properties: list[Any], taken: set[str], config: Config) -> None:
    """Give properties names that their code does not use for anything else."""
    names = {str(each.python_name) for each in properties}
    for each in properties:
        name = str(each.python_name)
        if name in taken:
            while name in taken | names:
                name += "_"
            each.set_python_name(UntrustedString(name), config=config, skip_snake_case=True)
            names.add(name)
    _mend_values(properties)
    for each in properties:
        for inner in _items(each):
            name = str(inner.python_name)
            while {name, f"{name}_data", f"{name}_element"} & names:
                name += "_"
            if name != inner.python_name:
                inner.set_python_name(UntrustedString(name), config=config, skip_snake_case=True)


def _items(each: Any) -> Iterable[Any]:
    """Yield the items of lists in a property, for which its code has names, too."""
    if isinstance(each, ListProperty):
        yield each.inner_property
        yield from _items(each.inner_property)
    elif isinstance(each, UnionProperty):
        for inner in each.inner_properties:
            yield from _items(inner)


def _mend_values(properties: Iterable[PropertyProtocol]) -> None:
    """Write texts among defaults and constants as Python does; the generator writes backslashes and quotes twice."""
    for each in properties:
        if each.default is not None:
            _mend_value(each.default)
        if isinstance(each, ConstProperty):
            _mend_value(each.value)
        if isinstance(each, ListProperty):
            _mend_values([each.inner_property])
        elif isinstance(each, UnionProperty):
            _mend_values(each.inner_properties)


def _mend_value(value: Value) -> None:
    code = value.python_code.as_unembedded_code()
    if isinstance(value.raw_value, str) and code[:1] in {"'", '"'}:
        value.python_code = PythonCode(repr(value.raw_value))
