"""Reads answers in the form of any release."""

from __future__ import annotations

from typing import Any

import numpy as np

from wallaroo_ext.conformance.resources.samples import INPUT, OUTPUT


def outputs(found: list[dict[str, Any]]) -> np.ndarray[Any, Any]:
    """Return the model's numbers in an answer, `[N, 1]`; in the oldest form, one element has those of all rows."""
    if found and "outputs" in found[0]:
        data = found[0]["outputs"][0]
        [numbers] = data.values()
        return np.array(numbers["data"]).reshape(numbers["dim"])
    return np.array([row["out"][OUTPUT] for row in found]).reshape(len(found), 1)


def scores_of(logged: dict[str, Any]) -> list[float]:
    """Return the model's numbers of a logged row."""
    return logged[f"out.{OUTPUT}"] if f"out.{OUTPUT}" in logged else outputs([logged]).ravel().tolist()


def inputs_of(logged: dict[str, Any]) -> list[float]:
    """Return the inputs of a logged row."""
    if f"in.{INPUT}" in logged:
        return logged[f"in.{INPUT}"]
    if "in" in logged:
        return logged["in"].get(INPUT, [])
    original: dict[str, Any] = logged.get("original_data") or {}
    return np.array(original.get(INPUT, [])).ravel().tolist()


def computed_at(result: dict[str, Any]) -> Any:
    """Return when a result was computed: a text, or milliseconds in the oldest form."""
    return result["analyzed_at"] if "analyzed_at" in result else result["created_at"]
