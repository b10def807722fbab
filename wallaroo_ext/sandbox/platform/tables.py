"""The tables that GraphQL shows: their columns, what they are related to, and the rows that a user may see."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wallaroo_ext.sandbox.options import SandboxOptions

VISIBLE = """
WITH own_workspaces AS (SELECT workspace_id FROM workspace_users WHERE user_id = :user),
    own_pipelines AS (SELECT id FROM pipelines WHERE workspace_id IN own_workspaces),
    own_models AS (SELECT model_id FROM model_readers WHERE user_id = :user)
"""
"""What the user `:user` may see; the tables' SQL is read after it."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What a row of a table leads to in another table.

    Attributes:
        table: The other table.
        column: The column of this table that has to be equal to `other`; it need not be shown.
        other: The column of the other table.
        many: Whether there may be any number of rows, as opposed to one or none.
        newest_first: Whether rows come by descending ids unless another order is asked for.
    """

    table: str
    column: str
    other: str
    many: bool = False
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        rows: The SQL that selects the rows that the user `:user` may see, hidden columns included.
        columns: The type of each column that is shown, by its name.
        relations: What a row leads to, by name.
        words: The columns, and texts in SQL, that a search looks into; none if there is no search.
    """

    rows: str
    columns: Mapping[str, str]
    relations: Mapping[str, Relation] = field(default_factory=dict[str, Relation])
    words: tuple[str, ...] = ()


def tables(options: SandboxOptions) -> dict[str, Table]:
    """Return the tables by name, as a release shows them."""
    return {
        "workspace": _workspace(options),
        "workspace_users": _WORKSPACE_USERS,
        "user_default_workspace": _DEFAULT_WORKSPACE,
        "models": _MODELS,
        "model": _MODEL,
        "model_config": _MODEL_CONFIG,
        "pipeline": _PIPELINE,
        "pipeline_version": _PIPELINE_VERSION,
        "pipeline_publish": _PIPELINE_PUBLISH,
        "deployment": _DEPLOYMENT,
        "deployment_pipeline_version": _DEPLOYMENT_PIPELINE_VERSION,
        "deployment_model_configs": _DEPLOYMENT_MODEL_CONFIGS,
        "tag": _TAG,
        "model_tag": _MODEL_TAG,
        "pipeline_tag": _PIPELINE_TAG,
        "assay": _ASSAY,
    }


_WORKSPACES = (
    "SELECT workspaces.id, name, archived, workspaces.created_at, CREATOR AS created_by, created_by AS owner_id "
    "FROM workspaces JOIN users ON users.id = created_by WHERE workspaces.id IN own_workspaces"
)


def _workspace(options: SandboxOptions) -> Table:
    """Return the workspaces; since 2025.2, they name their creator by the e-mail address."""
    creator = "email" if options.is_since("2025.2") else "created_by"
    return Table(
        rows=_WORKSPACES.replace("CREATOR", creator),
        columns={
            "id": "bigint!",
            "name": "String!",
            "archived": "Boolean!",
            "created_at": "timestamptz!",
            "created_by": "String",
            "owner_id": "String",
        },
        relations={
            "users": Relation("workspace_users", "id", "workspace_id", many=True),
            "models": Relation("models", "id", "workspace_id", many=True),
            "pipelines": Relation("pipeline", "id", "workspace_id", many=True),
        },
    )


_WORKSPACE_USERS = Table(
    rows="SELECT workspace_id, user_id, user_type FROM workspace_users WHERE workspace_id IN own_workspaces",
    columns={"workspace_id": "bigint!", "user_id": "String!", "user_type": "String!"},
    relations={"workspace": Relation("workspace", "workspace_id", "id")},
)
_DEFAULT_WORKSPACE = Table(
    rows="SELECT workspaces.id AS workspace_id, users.id AS user_id FROM workspaces JOIN users "
    "ON users.id = created_by AND name = email || ' - Default Workspace' "
    "WHERE workspaces.id IN own_workspaces",
    columns={"workspace_id": "bigint!", "user_id": "String!"},
    relations={"workspace": Relation("workspace", "workspace_id", "id")},
)
_MODELS = Table(
    rows="SELECT id, name, workspace_id, created_at, updated_at, "
    "(SELECT users.id FROM model_versions JOIN users ON email = created_by WHERE model_versions.id = models.id) "
    "AS owner_id FROM models WHERE id IN own_models",
    columns={
        "id": "bigint!",
        "name": "String!",
        "owner_id": "String",
        "workspace_id": "bigint!",
        "created_at": "timestamptz!",
        "updated_at": "timestamptz!",
    },
    relations={
        "workspace": Relation("workspace", "workspace_id", "id"),
        # published clients take the first for the newest:
        "models": Relation("model", "id", "models_pk_id", many=True, newest_first=True),
    },
)
_MODEL = Table(
    rows="SELECT model_versions.id, models.name AS model_id, version AS model_version, model_id AS models_pk_id, sha, "
    "status, error_summary, file_name, NULL AS image_path, NULL AS task_id, model_versions.created_at, "
    "model_versions.created_at AS updated_at, visibility, created_on_version, created_by, size AS file_size, "
    "(SELECT id FROM users WHERE email = created_by) AS owner_id, json_extract(metadata, '$.conversion') AS conversion "
    "FROM model_versions JOIN models ON models.id = model_id WHERE model_id IN own_models",
    columns={
        "id": "bigint!",
        "model_id": "String!",
        "model_version": "String!",
        "models_pk_id": "bigint!",
        "owner_id": "String",
        "sha": "String!",
        "status": "String",
        "error_summary": "String",
        "file_name": "String",
        "file_size": "bigint",
        "image_path": "String",
        "task_id": "String",
        "visibility": "String!",
        "conversion": "jsonb",
        "created_on_version": "String",
        "created_by": "String",
        "created_at": "timestamptz!",
        "updated_at": "timestamptz!",
    },
    relations={
        "model": Relation("models", "models_pk_id", "id"),
        "model_tags": Relation("model_tag", "id", "model_id", many=True),
        "model_configs": Relation("model_config", "id", "model_id", many=True),
    },
    words=(
        "model_id",
        "sha",
        "model_version",
        "file_name",
        "(SELECT group_concat(tag) FROM model_tags JOIN tags ON tags.id = tag_id WHERE version_id = t.id)",
    ),
)
_MODEL_CONFIG = Table(
    rows="SELECT model_configs.id, version_id AS model_id, runtime, details ->> 'input_schema' AS input_schema, "
    "details ->> 'output_schema' AS output_schema, details ->> 'batch_config' AS batch_config, "
    "details ->> 'filter_threshold' AS filter_threshold, details -> 'tensor_fields' AS tensor_fields, "
    "details -> 'dynamic_batching_config' AS dynamic_batching_config, "
    "details -> 'continuous_batching_config' AS continuous_batching_config, details -> 'openai' AS openai "
    "FROM model_configs JOIN model_versions ON model_versions.id = version_id "
    "WHERE model_versions.model_id IN own_models",
    columns={
        "id": "bigint!",
        "model_id": "bigint!",
        "runtime": "String!",
        "filter_threshold": "float8",
        "tensor_fields": "jsonb",
        "input_schema": "String",
        "output_schema": "String",
        "batch_config": "String",
        "dynamic_batching_config": "jsonb",
        "continuous_batching_config": "jsonb",
        "openai": "jsonb",
    },
    relations={"model": Relation("model", "model_id", "id")},
)
_PIPELINE = Table(
    rows="SELECT id, name AS pipeline_id, workspace_id, created_at, 'private' AS visibility, "
    "(SELECT created_by FROM workspaces WHERE workspaces.id = workspace_id) AS owner_id, "
    "(SELECT max(created_at) FROM pipeline_versions WHERE pipeline_id = pipelines.id) AS updated_at, "
    "(SELECT id FROM deployments WHERE pipeline_id = pipelines.id ORDER BY deployed DESC, id DESC LIMIT 1) "
    "AS deployment_id FROM pipelines WHERE workspace_id IN own_workspaces",
    columns={
        "id": "bigint!",
        "pipeline_id": "String!",
        "workspace_id": "bigint!",
        "owner_id": "String",
        "visibility": "String!",
        "created_at": "timestamptz!",
        "updated_at": "timestamptz!",
    },
    relations={
        "workspace": Relation("workspace", "workspace_id", "id"),
        "deployment": Relation("deployment", "deployment_id", "id"),
        "pipeline_versions": Relation("pipeline_version", "id", "pipeline_pk_id", many=True),
        "pipeline_tags": Relation("pipeline_tag", "id", "pipeline_pk_id", many=True),
    },
)
_TAGS_OF_PIPELINE = (
    "(SELECT group_concat(tag) FROM pipeline_tags JOIN tags ON tags.id = tag_id WHERE pipeline_id = pipeline_pk_id)"
)
_PIPELINE_VERSION = Table(
    rows="SELECT id, pipeline_id AS pipeline_pk_id, version, definition, NULL AS created_on_version, created_at, "
    "created_at AS updated_at, "
    "(SELECT created_by FROM pipelines JOIN workspaces ON workspaces.id = workspace_id "
    "WHERE pipelines.id = pipeline_id) AS owner_id "
    "FROM pipeline_versions WHERE pipeline_id IN own_pipelines",
    columns={
        "id": "bigint!",
        "pipeline_pk_id": "bigint!",
        "owner_id": "String",
        "version": "String!",
        "definition": "jsonb",
        "created_on_version": "String",
        "created_at": "timestamptz!",
        "updated_at": "timestamptz!",
    },
    relations={
        "pipeline": Relation("pipeline", "pipeline_pk_id", "id"),
        "deployment_pipeline_versions": Relation(
            "deployment_pipeline_version", "id", "pipeline_version_pk_id", many=True
        ),
        "deployment_model_configs": Relation("deployment_model_configs", "id", "pipeline_version_id", many=True),
        "pipeline_publishes": Relation("pipeline_publish", "id", "pipeline_version_id", many=True),
    },
    words=(
        "version",
        "(SELECT name FROM pipelines WHERE pipelines.id = pipeline_pk_id)",
        _TAGS_OF_PIPELINE,
        "(SELECT group_concat(atom) FROM json_tree(definition) WHERE key = 'name')",
    ),
)
_PIPELINE_PUBLISH = Table(  # nothing is published here
    rows="SELECT NULL AS id, NULL AS pipeline_version_id WHERE 0",
    columns={
        "id": "bigint!",
        "pipeline_version_id": "bigint!",
        "status": "String",
        "chart_url": "String",
        "engine_url": "String",
        "pipeline_url": "String",
        "engine_config": "jsonb",
        "user_images": "jsonb",
        "created_on_version": "String",
        "created_by": "String",
        "created_at": "timestamptz!",
        "updated_at": "timestamptz!",
    },
)
_DEPLOYMENT = Table(
    rows="SELECT id, deploy_id, pipeline_id, deployed, coalesce(engine_config, '{}') AS engine_config, "
    "NULL AS limit_status, created_at, created_at AS updated_at FROM deployments WHERE pipeline_id IN own_pipelines",
    columns={
        "id": "bigint!",
        "deploy_id": "String!",
        "pipeline_id": "bigint!",
        "deployed": "Boolean!",
        "engine_config": "jsonb",
        "limit_status": "String",
        "created_at": "timestamptz!",
        "updated_at": "timestamptz!",
    },
    relations={
        "pipeline": Relation("pipeline", "pipeline_id", "id"),
        "deployment_model_configs": Relation("deployment_model_configs", "id", "deployment_id", many=True),
        "deployment_pipeline_versions": Relation("deployment_pipeline_version", "id", "deployment_id", many=True),
    },
)
_DEPLOYMENT_PIPELINE_VERSION = Table(
    rows="SELECT id, id AS deployment_id, pipeline_version_id AS pipeline_version_pk_id, created_at, "
    "created_at AS updated_at FROM deployments WHERE pipeline_id IN own_pipelines",
    columns={
        "id": "bigint!",
        "deployment_id": "bigint!",
        "pipeline_version_pk_id": "bigint!",
        "created_at": "timestamptz!",
        "updated_at": "timestamptz!",
    },
    relations={
        "deployment": Relation("deployment", "deployment_id", "id"),
        "pipeline_version": Relation("pipeline_version", "pipeline_version_pk_id", "id"),
    },
)
_DEPLOYMENT_MODEL_CONFIGS = Table(
    rows="SELECT deployments.id * 1000 + json_each.key AS id, deployments.id AS deployment_id, pipeline_version_id, "
    "(SELECT max(id) FROM model_configs WHERE version_id = json_each.value) AS model_config_id "
    "FROM deployments, json_each(steps) WHERE pipeline_id IN own_pipelines",
    columns={"id": "bigint!", "deployment_id": "bigint!", "model_config_id": "bigint!"},
    relations={
        "deployment": Relation("deployment", "deployment_id", "id"),
        "model_config": Relation("model_config", "model_config_id", "id"),
    },
)
_TAG = Table(  # everybody sees the words; what has them is seen by those who may see it
    rows="SELECT id, tag FROM tags",
    columns={"id": "bigint!", "tag": "String!"},
    relations={
        "model_tags": Relation("model_tag", "id", "tag_id", many=True),
        "pipeline_tags": Relation("pipeline_tag", "id", "tag_pk_id", many=True),
    },
)
_MODEL_TAG = Table(
    rows="SELECT model_tags.id, version_id AS model_id, tag_id FROM model_tags "
    "JOIN model_versions ON model_versions.id = version_id WHERE model_versions.model_id IN own_models",
    columns={"id": "bigint!", "model_id": "bigint!", "tag_id": "bigint!"},
    relations={"model": Relation("model", "model_id", "id"), "tag": Relation("tag", "tag_id", "id")},
)
_PIPELINE_TAG = Table(
    rows="SELECT id, pipeline_id AS pipeline_pk_id, tag_id AS tag_pk_id FROM pipeline_tags "
    "WHERE pipeline_id IN own_pipelines",
    columns={"id": "bigint!", "pipeline_pk_id": "bigint!", "tag_pk_id": "bigint!"},
    relations={
        "pipeline": Relation("pipeline", "pipeline_pk_id", "id"),
        "tag": Relation("tag", "tag_pk_id", "id"),
    },
)
_ASSAY = Table(
    rows="SELECT id, pipeline_id, request ->> 'name' AS name, request ->> 'pipeline_name' AS pipeline_name, active, "
    "CASE WHEN last_run IS NULL THEN 'created' ELSE 'run' END AS status, "
    "request ->> 'warning_threshold' AS warning_threshold, request ->> 'alert_threshold' AS alert_threshold, "
    "created_at, updated_at, last_run, next_run FROM assays WHERE pipeline_id IN own_pipelines",
    columns={
        "id": "bigint!",
        "name": "String!",
        "active": "Boolean!",
        "status": "String!",
        "warning_threshold": "Float",
        "alert_threshold": "Float!",
        "pipeline_id": "bigint!",
        "pipeline_name": "String!",
        "created_at": "timestamptz",
        "updated_at": "timestamptz!",
        "last_run": "timestamptz",
        "next_run": "timestamptz",
    },
    relations={"pipeline": Relation("pipeline", "pipeline_id", "id")},
)
