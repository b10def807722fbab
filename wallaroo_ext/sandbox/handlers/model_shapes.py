"""The forms in which releases show models, their versions and their configurations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from wallaroo_ext.sandbox.options import SandboxOptions
    from wallaroo_ext.sandbox.storage.store import Row

_OWNER = '""'  # two quotation marks, as recorded of every release

CONFIG_FIELDS = (
    "filter_threshold",
    "tensor_fields",
    "input_schema",
    "output_schema",
    "batch_config",
    "dynamic_batching_config",
    "continuous_batching_config",
)
"""The fields of a configuration that a request sets under the name that it is shown under."""


def lists_versions(options: SandboxOptions) -> bool:
    """Return whether models are listed with their versions."""
    return options.is_since("2024.2")


def shows_workspace_of_model(options: SandboxOptions) -> bool:
    """Return whether a model is shown with its workspace."""
    return options.is_since("2025.2")


def server_version(options: SandboxOptions) -> str:
    """Return the version of the server, which versions of models name."""
    return f"{options.release}.0"


def model(row: Row) -> dict[str, Any]:
    """Return a model without its versions."""
    return {
        "id": row["id"],
        "name": row["name"],
        "owner_id": _OWNER,
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }


def version(row: Row) -> dict[str, Any]:
    """Return a version as a part of its model."""
    return {
        "sha": row["sha"],
        "models_pk_id": row["model_id"],
        "model_version": row["version"],
        "owner_id": _OWNER,
        "model_id": row["name"],
        "id": row["id"],
        "file_name": row["file_name"],
        "image_path": None,
    }


def listed_version(options: SandboxOptions, row: Row) -> dict[str, Any]:
    """Return a version as the list of versions has it: with its status since 2023.2, with its owner since 2024.2."""
    shown = version(row)
    if options.is_since("2024.2") and row["uploader_id"] is not None:
        shown["owner_id"] = row["uploader_id"]
    if options.is_since("2023.2"):
        shown["status"] = row["status"]
        if row["error_summary"] is not None:
            shown["error_summary"] = row["error_summary"]
    return shown


def version_details(options: SandboxOptions, row: Row) -> dict[str, Any]:
    """Return a version by itself."""
    shown = {
        "name": row["name"],
        "visibility": row["visibility"],
        "workspace_id": row["workspace_id"],
        "conversion": conversion(options, orjson.loads(row["metadata"])["conversion"]),
        "id": row["id"],
        "image_path": None,
        "status": row["status"],
        "task_id": None,
        "file_info": {
            "version": row["version"],
            "sha": row["sha"],
            "file_name": row["file_name"],
            "size": row["size"],
        },
        "created_on_version": row["created_on_version"],
        "created_by": row["created_by"],
        "created_at": row["created_at"],
        "deployed": bool(row["deployed"]),
    }
    return shown | {"error_summary": row["error_summary"]} if options.is_since("2025.2") else shown


def conversion(options: SandboxOptions, requested: dict[str, Any]) -> dict[str, Any]:
    """Return the conversion that was requested of a version, in the form of the release."""
    shown: dict[str, Any] = {
        "python_version": requested.get("python_version"),
        "requirements": requested.get("requirements") or [],
        "framework": requested["framework"],
    }
    if not options.is_since("2025.2"):
        return shown
    processors = {"arch": requested.get("arch") or "x86", "accel": requested.get("accel") or "none"}
    return processors | shown | {"framework_config": requested.get("framework_config")}


def config(found: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as a model, and `get_model_config_by_id`, have it."""
    names = ("id", "runtime", "tensor_fields", "filter_threshold")
    return {name: found.get(name) for name in names}


def config_details(options: SandboxOptions, found: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration as a version by itself has it."""
    names = ["id", "model_version_id", "runtime", *CONFIG_FIELDS[:5]]
    if options.is_since("2025.2"):
        names += [*CONFIG_FIELDS[5:], "queue_depth"]
    if options.is_since("2024.2"):
        names.append("sidekick_uri")
    if options.is_since("2025.2"):
        names.append("openai")
    return {name: found.get(name) for name in names}
