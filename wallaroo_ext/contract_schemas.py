"""The schemas of a contract: what its references stand for, and validators whose references point into it."""

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
        """Return a validator of a schema whose references point into the contract.

        It gets the schemas that it needs and no others: the whole contract in each validator is 40 MiB in all.
        """
        needed: dict[str, Any] = {}
        self._collect(schema, needed)
        return jsonschema_rs.Draft202012Validator(schema | {"components": {"schemas": needed}})

    def _collect(self, value: Any, found: dict[str, Any]) -> None:
        """The named schemas that a value refers to, directly or by others."""
        fields = object_of(value)
        name = str(fields.get("$ref", "")).removeprefix("#/components/schemas/")
        if name and name not in found:
            found[name] = self.resolve(fields)
            self._collect(found[name], found)
        for inner in [*fields.values(), *list_of(value)]:
            self._collect(inner, found)

    def resolve(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return what a reference stands for; the value itself where it is none."""
        return contract.resolve(self.document, value)
