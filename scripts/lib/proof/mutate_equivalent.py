"""The changes that no test can notice, with the reasons."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "wallaroo_ext/_util/files/atomic_files.py::: False -> True": "Files reach the disk sooner, and are the same.",
    "wallaroo_ext/assays/figure.py::: 20 -> 21": "A score far above the others is cut a little later.",
    "wallaroo_ext/assays/figure.py::_draw_bins: 0 -> 1 #2": "It is the angle of names on a chart, by one degree.",
    "wallaroo_ext/assays/figure.py::_draw_bins: axes.tick_params(axis='x', length=0) -> pass": (
        "It draws short lines above the names of bins, which say nothing."
    ),
    "wallaroo_ext/batch/dataset.py::: kw_only=True -> (nothing)": (
        "Only infer_dataset makes these options, with names for all of them."
    ),
    "wallaroo_ext/sandbox/engine/model_process.py::start_program: prefix='wallaroo-engine-' -> (nothing)": (
        "It is the name of a directory that is removed before anything is loaded."
    ),
    "wallaroo_ext/sandbox/handlers/pipelines/deployments.py::get_deployment_status: 'engine-lb' -> 'engine-lbX'": (
        "A made-up address is computed from it, and any is as good."
    ),
    "wallaroo_ext/sandbox/handlers/users.py::invite_user: 12 -> 13": (
        "A password that nobody can guess becomes longer by a letter."
    ),
    "wallaroo_ext/sandbox/platform/mutations.py::_added: 0 -> 1": (
        "The id of a row that was just added is never missing; this is for the type checker."
    ),
    "wallaroo_ext/transport/retry/decisions.py::RetryState._prepare: value > left -> value >= left": (
        "Of two equal numbers, either is the smaller one."
    ),
}
"""The reasons, by the name of the change."""
