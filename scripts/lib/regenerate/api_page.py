"""Writes the page generated/api.md, a table of all operations."""

from __future__ import annotations

from typing import Any

from openapi_python_client.strings import PythonIdentifier

from wallaroo_ext import contract
from wallaroo_ext._util.json_values import object_of

PACKAGE = "wallaroo_mlops_client"


def page(document: dict[str, Any]) -> str:
    """Return the page: for each operation the function to call, its types, and the documents that it comes from."""
    lines = [
        "# Operations",
        "",
        f"Written by `scripts/regenerate` from the contract, version {document['info']['version']}.",
    ]
    lines += ["Each function has the forms `sync`, `asyncio`, `sync_detailed` and `asyncio_detailed`; the types are in"]
    lines += [f"`{PACKAGE}.models`."]
    for tag in tags_of(document):
        rows = [table_row(document, path, operation) for path, operation in operations_of(document, tag)]
        if rows:
            lines += ["", f"## {tag}", "", "| operation | path | function | request | answer | document |"]
            lines += ["| --- | --- | --- | --- | --- | --- |", *rows]
    return "\n".join(lines) + "\n"


def tags_of(document: dict[str, Any]) -> list[str]:
    """Return the names of the tags in the contract's order; tags that only operations name come last."""
    declared = [str(object_of(tag).get("name", "")) for tag in document.get("tags", [])]
    used = [tag_of(operation) for _, _, operation in contract.operations(document)]
    return list(dict.fromkeys(declared + used))


def tag_of(operation: dict[str, Any]) -> str:
    """Return the tag by which the generator puts an operation into a package."""
    return (operation.get("tags") or ["default"])[0]


def operations_of(document: dict[str, Any], tag: str) -> list[tuple[str, dict[str, Any]]]:
    """Return the operations that have a tag as their first one."""
    return [(path, operation) for path, _, operation in contract.operations(document) if tag_of(operation) == tag]


def table_row(document: dict[str, Any], path: str, operation: dict[str, Any]) -> str:
    """Return an operation as a row of the page."""
    tag, name = PythonIdentifier(tag_of(operation), "tag"), PythonIdentifier(operation["operationId"], "field_")
    module = f"{PACKAGE}.api.{tag}.{name}"
    documents = dict.fromkeys(entry["document"] for entry in operation.get("x-evidence", []))
    cells = [
        operation["operationId"],
        path,
        module,
        types_of(request_content(document, operation)),
        types_of(answer_content(document, operation)),
    ]
    return "| " + " | ".join([*(f"`{cell}`" if cell else "" for cell in cells), ", ".join(documents)]) + " |"


def request_content(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    """Return the bodies that an operation accepts, by media type."""
    return contract.resolve(document, operation.get("requestBody", {})).get("content", {})


def answer_content(document: dict[str, Any], operation: dict[str, Any]) -> dict[str, Any]:
    """Return the bodies that an operation answers with on success, by media type."""
    answers = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    bodies = [contract.resolve(document, answer).get("content", {}) for answer in answers]
    return {kind: media for body in bodies for kind, media in body.items()}


def types_of(content: dict[str, Any]) -> str:
    """Return the types of bodies as one text, in the order of their media types."""
    return ", ".join(dict.fromkeys(type_of(object_of(media.get("schema"))) for media in content.values()))


def type_of(schema: dict[str, Any]) -> str:
    """Return the generated client's name for the type of a schema; a file is `File`."""
    if "$ref" in schema:
        name: str = schema["$ref"].rpartition("/")[2]
        return {"ArrowFile": "File", "PandasRecords": "list[PandasRecordsItem]"}.get(name, name)
    if schema.get("type") == "array":
        return f"list[{type_of(object_of(schema.get('items')))}]"
    return "File" if schema.get("format") == "binary" else str(schema.get("type", "Any"))
