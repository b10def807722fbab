"""The mutants and edits that the suite does not notice, with the reasons."""

from __future__ import annotations

_OWNER = "Recordings of most releases have an empty text in quotation marks there: nothing says whose it is."
_FEATURES = "Which features an instance has, and what it is called, nothing else tells."
_LATER = "Nothing says when a window is stored after it is over, so that an older answer may be true."
_SAME = "What it tells never changes, so that a stale answer is a true one."
_NO_ERROR = "No document recorded an error."
_LINES = "Models of the run need no conversion, so that there are no lines."
_TIME = "How long something took, nothing else tells."
_HIDDEN = "It is accepted, and shown nowhere."
_OF_ANOTHER = "What it is for, no model of the run needs: a model of ONNX is run as it is."
_UNSAID = "No source says what is answered where it is not the assay's own."
_OWN = "Good requests name the run's own things, with this field, so that none goes without it."

_NOT_YET = "An instance that has not run an assay yet has no results, so that an empty answer may be true."
_ASSAY = "Nothing says which assay a result is of that is computed for a request."
_TIMES = "Nothing says whether a result has the times of a distribution that was sent."
_SLIDING = "The sandbox computes no baseline of a sliding window."

REASONS: dict[str, str] = {
    "list_models.foreign-id.models[].model.owner_id": _OWNER,
    "list_model_versions.foreign-id.[].owner_id": _OWNER,
    "get_model.foreign-id.models[].owner_id": _OWNER,
    "list_features.other-value.name": _FEATURES,
    "list_features.truncated-list.features": _FEATURES,
    "get_assay_results.stale": _LATER,
    "get_assay_results_between.stale": _LATER,
    "get_pipeline_by_name.stale": _SAME,
    "preview_assay_v2.foreign-id.[].id": "It is the id of no stored result, and of nothing else.",
    "get_model_upload_logs.truncated-list.logs": _LINES,
    "get_model_upload_logs.stale": _LINES,
    "get_model_upload_logs.answer-of-another-thing": _LINES,
    "run_interactive_assay_baseline.other-value.elapsed_millis": _TIME,
    "get_assay_results_v2.stale": _LATER,
    "create_assay.forgets.id": _HIDDEN,
    "create_assay.forgets.model_insights_url": _HIDDEN,
    "get_assay_results.field-ignored.pipeline_id": _UNSAID,
    "get_assay_results_v2.field-ignored.workspace_id": _UNSAID,
    "get_topic_partitions.cached.for-a-second": "Nothing says how soon a row is in the log.",
    "list_workspace_users.mixes-answers": "The workspaces of the run have the same members.",
    "get_model_upload_logs.mixes-answers": _LINES,
    "copy_pipeline.forgets.deploy": "No copy that was deployed is recorded, so that an instance may deploy none.",
    "create_pipeline.sent-twice": "An older version of a pipeline is listed nowhere.",
    "get_assay_results.drops-the-last": _LATER,
    "get_assay_results_between.drops-the-last": _LATER,
    "get_assay_results_between.mixes-answers": _LATER,
    "deploy_pipeline.forgets.pipeline_id": "The version of a pipeline says whose it is.",
    "deploy_pipeline.forgets.engine_config": _HIDDEN,
    "deploy_pipeline.forgets.model_configs": _HIDDEN,
    "copy_pipeline.forgets.engine_config": _HIDDEN,
    "get_model_upload_logs.field-ignored.lines": _LINES,
    "get_assay_results.answer-of-another-thing": _NOT_YET,
    "get_assay_results_between.answer-of-another-thing": _NOT_YET,
    "get_assay_results_v2.answer-of-another-thing": _NOT_YET,
    "get_assay_results_v2.foreign-id.[].id": "It is the id of a stored result, and of nothing else.",
    "preview_assay_v2.field-ignored.scheduling.end": "Nothing says whether a preview ends when the assay does.",
    **{
        f"{operation}.field-ignored.{field}": reason
        for operation in ("run_interactive_assay", "run_interactive_assay_baseline")
        for field, reason in (("id", _ASSAY), ("baseline.static.start", _TIMES), ("baseline.static.end", _TIMES))
    },
    **{
        f"summarize_assay_baseline.field-ignored.baseline.sliding_window.window.{field}": _SLIDING
        for field in ("model_name", "start", "interval", "locations")
    },
    **{
        f"{operation}.forgets.metadata.{field}": _OF_ANOTHER
        for operation in ("upload_and_convert_model", "upload_model")
        for field in ("conversion.accel", "conversion.framework_config", "input_schema", "output_schema")
    },
    "create_workspace.accepts-missing-fields": "The name that it fills in is taken, so that it refuses all the same.",
    "field-renamed #/components/schemas/Error code": _NO_ERROR,
    "required-dropped #/components/schemas/Error msg": _NO_ERROR,
    "required-dropped #/components/schemas/ModelReference sha": _OWN,
    "required-dropped #/components/schemas/FixedBaselineRequest end_at": _OWN,
    "always-dropped #/components/schemas/Token expires_in": "No document recorded a token's answer.",
}
"""The reasons, by the name of the mutant or the edit."""
