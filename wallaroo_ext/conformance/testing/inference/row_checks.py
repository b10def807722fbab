"""Checks scored rows: their values, when and by which model they were scored, and what they failed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from wallaroo_ext.conformance.testing.clocks import LEEWAY_SECONDS
from wallaroo_ext.conformance.testing.inference.scoring import difference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from wallaroo_ext.conformance.testing.answer_forms import Answered
    from wallaroo_ext.conformance.testing.api_calls import Api
    from wallaroo_ext.conformance.testing.inference.scoring import Scoring

    Columns = Mapping[str, np.ndarray[Any, Any]]

_ALWAYS = {"in", "out", "metadata"}
_FAILURES = {"anomaly", "check_failures"}
"""The parts that tell which validations a row failed, by release."""


def check_rows(api: Api, scoring: Scoring, answered: Answered, sent: Columns, scores: Columns) -> None:
    """Fail where an answer does not have the rows that were sent, each with its outputs and all else that it says."""
    parts: dict[str, Columns] = {"out": scores} if answered.is_oldest else {"out": scores, "in": sent}
    for part, expected in parts.items():
        if answered.count:
            names = set(answered.parts.get(part, ()))  # JSON has no order of fields, and Arrow's has a test of its own
            assert names == set(expected) or part == "in", f"the fields of `{part}` are {names}"  # noqa: S101 - pytest's way to fail
        for name, values in expected.items():
            found = answered.parts.get(part, {}).get(name, [])
            wrong = difference(found, values)
            assert not wrong, f"{part}.{name}: {wrong}"  # noqa: S101 - pytest's way to fail
    check_whole_rows(api, answered, scoring)


def check_whole_rows(api: Api, answered: Answered, scoring: Scoring, last: dict[str, str] | None = None) -> None:
    """Fail where rows of which nothing was left out lack a part, or say something wrong beside their values.

    Args:
        api: The operations.
        answered: The rows; those of the oldest form say nothing.
        scoring: The pipeline that scored them, which has no validations.
        last: The model of its last step; the first one by default.
    """
    if answered.is_oldest or not answered.count:
        return
    missing = _ALWAYS - set(answered.parts)
    assert not missing, f"the rows have no {missing}"  # noqa: S101 - pytest's way to fail
    assert _FAILURES & set(answered.parts), "the rows do not say which validations they failed"  # noqa: S101 - pytest's way to fail
    assert len(answered.times) == answered.count, "not every row has its time"  # noqa: S101 - pytest's way to fail
    check_times(api, answered.times)
    model = last or scoring.model
    assert answered.last_models == {(model["name"], model["sha"])}, "another model scored the rows"  # noqa: S101 - pytest's way to fail
    check_metadata(answered, scoring)


def check_times(api: Api, times: Sequence[int]) -> None:
    """Fail where rows that were scored just now have other times than those by the clock of the run's first rows."""
    now = time.time() + (api.rows_ahead or 0)
    for milliseconds in {min(times), max(times)}:
        off = milliseconds / 1000 - now
        assert abs(off) <= LEEWAY_SECONDS, f"the time {milliseconds} is {off:.0f} s off that of the run's other rows"  # noqa: S101 - pytest's way to fail


def check_metadata(answered: Answered, scoring: Scoring) -> None:
    """Fail where the metadata are not those of a pipeline without validations, as far as the release has them."""
    metadata = answered.parts.get("metadata", {})
    for elapsed in metadata.get("elapsed", ()):
        assert len(elapsed) == 2, elapsed  # noqa: S101, PLR2004 - pytest's way to fail; reading and scoring
        assert all(nanoseconds >= 0 for nanoseconds in elapsed), elapsed  # noqa: S101 - pytest's way to fail
    stated = set(metadata.get("pipeline_version", ()))
    assert stated <= {"", scoring.version}, "another version of the pipeline scored the rows"  # noqa: S101 - pytest's way to fail
    assert all(not dropped for dropped in metadata.get("dropped", ()))  # noqa: S101 - pytest's way to fail
    assert set(answered.parts.get("anomaly", {}).get("count", ())) <= {0}  # noqa: S101 - pytest's way to fail
    assert all(not failures for failures in answered.parts.get("check_failures", {}).get("", ()))  # noqa: S101 - pytest's way to fail
    for part in ("metadata", "anomaly"):
        assert all(len(rows) == answered.count for rows in answered.parts.get(part, {}).values()), part  # noqa: S101 - pytest's way to fail
