"""Validators for the schemas of a contract, which may refer to each other."""

from __future__ import annotations

from typing import Any

import jsonschema_rs

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import list_of, object_of


class ContractSchemas:
    """The schemas of a contract; needs the extra `sandbox` or `conformance`, for jsonschema-rs.

    Args:
        document: The contract, as read from its file.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    def validator(self, schema: dict[str, Any]) -> jsonschema_rs.Validator:
        """Return a validator of a schema that refers to schemas of the contract.

        It contains only the schemas that it needs: the whole contract in each validator would take 40 MiB.
        """
        needed: dict[str, Any] = {}
        self._collect(schema, needed)
        return jsonschema_rs.Draft202012Validator(schema | {"components": {"schemas": needed}})

    def _collect(self, value: Any, found: dict[str, Any]) -> None:
        """Add the named schemas that a value refers to, directly or through others, to `found`."""
        fields = object_of(value)
        name = str(fields.get("$ref", "")).removeprefix("#/components/schemas/")
        if name and name not in found:
            found[name] = self.resolve(fields)
            self._collect(found[name], found)
        for inner in [*fields.values(), *list_of(value)]:
            self._collect(inner, found)

    def resolve(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return what a reference refers to; the value itself if it is no reference."""
        return contract.resolve(self.document, value)
