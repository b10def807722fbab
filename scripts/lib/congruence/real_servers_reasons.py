"""Why a sandbox of a release answers otherwise than real servers did that were recorded."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from scripts.lib.congruence.field_kinds import ANSWER

NO_REASON = "no reason"


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason for differences.

    Attributes:
        operations: The operations.
        paths: The paths of fields, as patterns of `fnmatch`.
        text: The reason.
        how: How they differ, as a pattern.
        releases: The releases; empty for all.
    """

    operations: tuple[str, ...]
    paths: tuple[str, ...]
    text: str
    how: str = "*"
    releases: tuple[str, ...] = ()


_VERSIONS = ("list_models", "get_model_version_by_id", "list_model_versions", "get_model")
_ASSAYS = ("list_assays", "run_interactive_assay", "get_assay_results_between")
_UNKNOWN_OF_USERS = ("firstName", "lastName", "federatedIdentities", "totp", "lastLogin", "realmRoles")
_STARTING = ("engines[].ip", "engines[].pipeline_statuses", "engines[].model_statuses")

REASONS: tuple[Reason, ...] = (
    Reason(
        ("query_users",),
        tuple(f"users.*.{name}" for name in _UNKNOWN_OF_USERS),
        "the sandbox's users have no names, no roles and no accounts elsewhere",
        "recorded only",
    ),
    Reason(
        ("query_users",), ("users.*.email",), "the sandbox's users all have an address", "recorded absent, here string"
    ),
    Reason(
        ("invite_user",),
        ("the status",),
        "the server's licence had no user management, and the sandbox has it",
        "recorded 403, here 200",
    ),
    Reason(
        ("list_models",),
        ("models[].*",),
        "servers of 2022 answered in two forms, and the sandbox has the later one",
        releases=("2022.4",),
    ),
    Reason(
        ("get_deployment_status",),
        ("details", "engines[].details", "engine_lbs[].details", "sidekicks"),
        "servers of 2022 answered in two forms, and the sandbox has that of the documents",
        releases=("2022.4",),
    ),
    Reason(
        ("get_deployment_status",),
        _STARTING,
        "here a deployment was asked for that starts, whose engine has no address yet",
        "here null, *",
    ),
    Reason(
        ("get_deployment_status",),
        ("engines[].pipeline_statuses.pipelines[].version",),
        "recorded on servers of two releases, of which the older one has no version",
        "recorded absent, here string",
        ("2024.2",),
    ),
    Reason(
        ("get_model_by_id", "get_model_config_by_id"),
        ("model_config",),
        "here the model is deployed, which configures it, and the recorded ones were not",
        "here object, recorded null",
    ),
    Reason(
        ("get_model_config_by_id",),
        ("model_config.tensor_fields", "model_config.filter_threshold"),
        "the recorded configurations were inserted",
        "recorded *, here null",
    ),
    Reason(
        _VERSIONS,
        ("*image_path", "*task_id"),
        "the sandbox runs models as they are, without a conversion and its container",
    ),
    Reason(
        _VERSIONS,
        ("*error_summary",),
        "failed conversions were recorded, and successful ones with the text `null`",
        "recorded string, here null",
    ),
    Reason(
        _VERSIONS,
        ("*config.input_schema", "*config.output_schema", "*conversion.framework_config"),
        "the recorded models were uploaded with it, and the sandbox's without",
        "recorded *, here null",
    ),
    Reason(
        _VERSIONS,
        ("*conversion.arch", "*conversion.accel"),
        "versions that an older server made do not have it, and the sandbox's were all made by the release",
        "recorded absent, here string",
    ),
    Reason(_VERSIONS, ("*config.tensor_fields",), "here some configurations were inserted"),
    Reason(
        _ASSAYS,
        ("[].warning_threshold", "[].run_until", "[].window.*"),
        "it is what the request had that made the assay",
    ),
    Reason(
        _ASSAYS,
        ("[].baseline.static.start", "[].baseline.static.end", "[].baseline_summary.start", "[].baseline_summary.end"),
        "the baseline is of some values, or of a window",
    ),
    Reason(
        ("list_assays", "get_next_assay_run_v2"),
        ("*last_run", "*next_run"),
        "it depends on when the assay was run last, and whether it will be",
    ),
    Reason(
        ("create_assay",),
        ("the status",),
        "a server refused for an unknown reason what it took at the next attempt",
        "recorded 500, here 200",
    ),
    Reason(
        ("get_assay_v2", "get_assay_results_v2"),
        (ANSWER,),
        "notebooks printed one element of the list",
        "recorded object, here list",
    ),
    Reason(
        ("get_assay_v2", "get_assay_results_v2"),
        ("scheduling.end", "baseline.Summary.*.start", "baseline.Summary.*.end", "*thresholds.warning"),
        "it is what the request had that made the assay",
    ),
    Reason(("infer (JSON)",), ("[].in.*", "[].out.*"), "it is what the model has"),
    Reason(
        ("infer (JSON)",),
        ("[].metadata.partition",),
        "engines that ran alone in 2023.3 have none",
        "recorded absent, here string",
        ("2023.4",),
    ),
)


def reason_of(release: str, operation: str, path: str, how: str) -> str:
    """Return why a sandbox differs; `NO_REASON` where nobody knows."""
    for each in REASONS:
        is_of_release = not each.releases or release in each.releases
        is_of_path = any(_fits(path, pattern) for pattern in each.paths)
        if is_of_release and is_of_path and operation in each.operations and fnmatchcase(how, each.how):
            return each.text
    return NO_REASON


def _fits(path: str, pattern: str) -> bool:
    """Return whether a path fits a pattern, in which brackets stand for themselves."""
    return fnmatchcase(path.replace("[]", "()"), pattern.replace("[]", "()"))
