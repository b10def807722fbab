"""The mutants and edits that the suite does not notice, with the reasons."""

from __future__ import annotations

_OWNER = "Recordings have an empty text in quotation marks there: nothing says whose it is."
_FEATURES = "Which features an instance has, and what it is called, nothing else tells."
_LATER = "Nothing says when a window is stored after it is over, so that an older answer may be true."
_SAME = "What it tells never changes, so that a stale answer is a true one."
_NO_ERROR = "No document recorded an error."
_LINES = "Models of the run need no conversion, so that there are no lines."
_TIME = "How long something took, nothing else tells."
_WINDOWS = "No window of the run's assay is over while it runs, so that there are no results."
_JSON = "The suite asks for rows of the log in JSON."
_HIDDEN = "It is accepted, and shown nowhere."
_NEEDED = "Where it counts, a request without it is refused."
_OF_ANOTHER = "What it is for, no model of the run needs: a model of ONNX is run as it is."
_UNSAID = "No source says what is answered where it is not the assay's own."
_OWN = "Good requests name the run's own things, with this field, so that none goes without it."

_SLIDING = "The sandbox computes no baseline of a sliding window."

REASONS: dict[str, str] = {
    "list_models.foreign-id.models[].model.owner_id": _OWNER,
    "list_model_versions.foreign-id.[].owner_id": _OWNER,
    "get_model.foreign-id.models[].owner_id": _OWNER,
    "list_features.other-value.name": _FEATURES,
    "list_features.truncated-list.features": _FEATURES,
    "list_features.stale": _SAME,
    "get_model_config_by_id.stale": _SAME,
    "get_pipeline_external_url.stale": _SAME,
    "get_assay_results.stale": _LATER,
    "get_assay_results_between.stale": _LATER,
    "get_model_version_by_id.stale": _SAME,
    "get_pipeline_by_name.stale": _SAME,
    "get_pipeline_version.stale": _SAME,
    "preview_assay_baseline_v2.stale": _SAME,
    "preview_assay_v2.foreign-id.[].id": "It is the id of no stored result, and of nothing else.",
    "get_topic_name.stale": _SAME,
    "get_assay_v2.stale": _SAME,
    "summarize_assay_baseline.stale": _SAME,
    "get_assay_baseline.other-value.[].time": "When a row was scored is known to half a second, and this is nearer.",
    "get_model_upload_logs.truncated-list.logs": _LINES,
    "get_model_upload_logs.stale": _LINES,
    "get_model_upload_logs.answer-of-another-thing": _LINES,
    "run_interactive_assay_baseline.other-value.elapsed_millis": _TIME,
    "get_pipeline_logs.other-numbers.arrow": _JSON,
    "get_assay_results_v2.wrong-type.summaries{}.statistics": _WINDOWS,
    "get_assay_results_v2.missing.summaries{}.aggregated_values": _WINDOWS,
    "get_assay_results_v2.null.summaries{}.statistics": _WINDOWS,
    "get_assay_results_v2.foreign-id.id": _WINDOWS,
    "get_assay_results_v2.other-value.summaries{}.statistics.count": _WINDOWS,
    "get_assay_results_v2.stale": _WINDOWS,
    "get_assay_results_v2.answer-of-another-thing": _WINDOWS,
    "create_assay.forgets.id": _HIDDEN,
    "create_assay.forgets.iopath": _HIDDEN,
    "create_assay.forgets.model_insights_url": _HIDDEN,
    "create_assay.forgets.summarizer.bin_width": _HIDDEN,
    "create_assay.forgets.summarizer.add_outlier_edges": _HIDDEN,
    "create_assay.forgets.summarizer.provided_edges": _NEEDED,
    "create_assay.forgets.baseline.calculated.fixed_window.start": _NEEDED,
    "get_assay_results.cached.for-everybody": _WINDOWS,
    "get_assay_results.field-ignored.pipeline_id": _UNSAID,
    "get_assay_results_v2.field-ignored.workspace_id": _UNSAID,
    "get_topic_partitions.cached.for-a-second": "Nothing says how soon a row is in the log.",
    "get_topic_name.field-ignored.workspace_id": _NEEDED,
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
    "run_interactive_assay_baseline.field-ignored.window.locations": (
        "Nothing says whether a baseline that is compared with itself is of the window's places."
    ),
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
