"""What requests are about: which field of an operation names what kind of thing, and which answers give new ones.

The contract says what a field is; this says of which kind of thing it is the id or the name, so that a run can fill it
with something of its own and keep away from everything else.
"""

from __future__ import annotations

from typing import Literal

Kind = Literal[
    "workspace",
    "new workspace",
    "model",
    "version",
    "pipeline",
    "variant",
    "deployment",
    "deployment name",
    "deploy id",
    "assay",
    "user",
    "email",
]
"""What a field names: `new workspace` and `deploy id` are names that a request gives, the rest are of what is there."""

SUBJECTS: dict[str, dict[str, Kind]] = {
    "create_workspace": {"workspace_name": "new workspace"},
    "add_workspace_user": {"workspace_id": "workspace", "user_id": "user", "email": "email"},
    "list_workspace_users": {"workspace_id": "workspace"},
    "remove_workspace_user": {"workspace_id": "workspace", "user_id": "user", "email": "email"},
    "list_workspaces": {"user_id": "user"},
    "activate_user": {"email": "email"},
    "deactivate_user": {"email": "email"},
    "invite_user": {"email": "email"},
    "upload_and_convert_model": {"workspace_id": "workspace"},
    "upload_model": {"workspace_id": "workspace"},
    "upload_model_stream": {"workspace_id": "workspace"},
    "list_models": {"workspace_id": "workspace"},
    "get_model": {"id": "model"},
    "get_model_by_id": {"id": "model"},
    "get_model_config_by_id": {"model_id": "version"},
    "list_model_versions": {"models_pk_id": "model"},
    "create_pipeline": {"workspace_id": "workspace"},
    "copy_pipeline": {"workspace_id": "workspace", "source_pipeline": "pipeline", "deploy": "deploy id"},
    "deploy_pipeline": {
        "deploy_id": "deploy id",
        "pipeline_id": "pipeline",
        "pipeline_version_pk_id": "variant",
        "model_configs": "version",
        "model_ids": "version",
    },
    "undeploy_pipeline": {"pipeline_id": "pipeline", "deployment_id": "deployment"},
    "get_deployment_status": {"name": "deployment name"},
    "get_pipeline_external_url": {"workspace_id": "workspace"},
    "infer_deployment": {"deployment": "deployment name"},
    "infer_pipeline": {"deployment": "deployment name"},
    "create_assay": {"workspace_id": "workspace", "pipeline_id": "pipeline"},
    "run_interactive_assay": {"workspace_id": "workspace", "pipeline_id": "pipeline"},
    "run_interactive_assay_baseline": {"workspace_id": "workspace", "pipeline_id": "pipeline"},
    "get_assay_baseline": {"workspace_id": "workspace"},
    "list_assays": {"pipeline_id": "pipeline"},
    "set_assay_active": {"id": "assay"},
    "get_assay_results": {"assay_id": "assay", "pipeline_id": "pipeline"},
    "get_assay_results_between": {"assay_id": "assay"},
}
"""The fields of each operation's request that name a thing, by their names, which are unique within a request."""

WRITES = {
    "create_workspace",
    "add_workspace_user",
    "remove_workspace_user",
    "invite_user",
    "activate_user",
    "deactivate_user",
    "upload_and_convert_model",
    "upload_model",
    "upload_model_stream",
    "create_pipeline",
    "copy_pipeline",
    "deploy_pipeline",
    "undeploy_pipeline",
    "infer_deployment",
    "infer_pipeline",
    "create_assay",
    "set_assay_active",
}
"""The operations that change something on the instance; inferences are logged there."""

USER_CHANGES = {"invite_user", "activate_user", "deactivate_user", "add_workspace_user", "remove_workspace_user"}
"""The operations that change something for people."""

UPLOADED = ("insert_models", "returning", 0, "models", 0, "id")

GIVEN: dict[str, dict[Kind, tuple[str | int, ...]]] = {
    "create_workspace": {"workspace": ("workspace_id",)},
    "invite_user": {"user": ("id",)},
    "upload_and_convert_model": {"version": UPLOADED, "model": UPLOADED},
    "upload_model": {"version": UPLOADED, "model": UPLOADED},
    "upload_model_stream": {"version": UPLOADED, "model": UPLOADED},
    "create_pipeline": {"pipeline": ("pipeline_pk_id",), "variant": ("pipeline_variant_pk_id",)},
    "copy_pipeline": {
        "pipeline": ("pipeline_pk_id",),
        "variant": ("pipeline_variant_pk_id",),
        "deployment": ("deployment", "id"),
    },
    "deploy_pipeline": {"deployment": ("id",)},
    "create_assay": {"assay": ("assay_id",)},
}
"""What an answer gives that the run made, and where it stands.

In every recording, the first version's id of a new model is the model's own id, too.
"""
