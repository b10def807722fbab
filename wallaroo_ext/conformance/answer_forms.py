"""Reads answers in the form of any release."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from wallaroo_ext.conformance.resources.samples import INPUT, OUTPUT


def listed_model(row: dict[str, Any]) -> dict[str, Any]:
    """Return a model of a list: by itself, beside its versions since 2024, or as its version names it in 2022."""
    if "models" in row:
        return {"id": row["models"]["models_pk_id"], "name": row["models"]["model_id"]}
    return row.get("model", row)


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
    original: dict[str, Any] = logged.get("original_data") or {}
    return np.array(original.get(INPUT, [])).ravel().tolist()


def summarizer_of(result: dict[str, Any]) -> dict[str, Any]:
    """Return how a result was computed."""
    found = result["summarizer"] if "summarizer" in result else result["summarizer_meta"]
    return json.loads(found) if isinstance(found, str) else found


def computed_at(result: dict[str, Any]) -> Any:
    """Return when a result was computed: a text, or milliseconds in the oldest form."""
    return result["analyzed_at"] if "analyzed_at" in result else result["created_at"]
