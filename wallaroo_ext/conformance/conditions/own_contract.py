"""Checks a contract that somebody wrote, before anything is sent: a run by half of a contract would blame the instance.

Whether it is good OpenAPI is for other programs to say. This is what the suite itself relies on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import object_of
from wallaroo_ext.contract_checks import ContractError, check_operations, check_references
from wallaroo_ext.contract_schemas import ContractSchemas

if TYPE_CHECKING:
    from collections.abc import Iterator


class UnusableContractError(ValueError):
    """The suite cannot hold an instance to a contract; the message says what is wrong where."""


def check_contract(document: Any) -> None:
    """Check that the suite can hold an instance to a contract.

    Args:
        document: The contract, as it was read.

    Raises:
        UnusableContractError: It cannot.
    """
    fields = object_of(document)
    if not str(fields.get("openapi", "")).startswith("3."):
        raise UnusableContractError("it is no OpenAPI document of version 3, it has no `openapi: 3.…`")
    for name in ("info", "paths"):
        if not object_of(fields.get(name)):
            raise UnusableContractError(f"its `{name}` is missing, empty or no object")
    try:
        check_operations(fields)
        check_references(fields)
    except ContractError as error:
        raise UnusableContractError(error.reason) from None
    _check_schemas(fields)


def _check_schemas(document: dict[str, Any]) -> None:
    """Check that each named schema, and each schema of an answer or a body, is one that a validator can be made of."""
    import jsonschema_rs

    schemas = ContractSchemas(document)
    for where, schema in _schemas(document):
        try:
            schemas.validator(schema)
        except (ValueError, jsonschema_rs.ValidationError) as error:
            raise UnusableContractError(f"{where} is no schema: {' '.join(str(error).split())}") from None
        except (LookupError, TypeError):
            raise UnusableContractError(
                f"{where} has `$ref` in its data, which would be taken for a reference"
            ) from None


def _schemas(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the schemas of a contract and of its bodies, with their places; `true` and `false` are some, too."""
    components = object_of(document.get("components"))
    found = [(f"#/components/schemas/{name}", value) for name, value in object_of(components.get("schemas")).items()]
    for path, method, operation in contract.operations(document):
        for part in [operation.get("requestBody"), *object_of(operation["responses"]).values()]:
            content = object_of(contract.resolve(document, object_of(part)).get("content"))
            found += [
                (f"{method.upper()} {path}, {kind},", object_of(media).get("schema", True))
                for kind, media in content.items()
            ]
    for where, schema in found:
        if isinstance(schema, dict):
            yield where, object_of(schema)
        elif not isinstance(schema, bool):
            raise UnusableContractError(f"{where} is no schema: it is no object")
