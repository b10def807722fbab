"""What the answers of each release have: the failed validations, the metadata, and the format without `Accept`."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

LAST_MODEL = "last_model"

_METADATA = {
    "2022.4": (LAST_MODEL,),
    "2023.1": (LAST_MODEL,),
    "2023.2": (LAST_MODEL, "pipeline_version", "elapsed"),
}
"""The fields of the metadata, in their order, of the releases that had fewer than later ones."""

_NEWEST_METADATA = (LAST_MODEL, "pipeline_version", "elapsed", "dropped", "partition")
_WITH_RECORDS = "2023"  # from here on, an answer has a record a row
_WITH_ARROW_BY_DEFAULT = "2023.2"
_WITH_ANOMALIES = "2024"


@dataclass(frozen=True, slots=True)
class RowMetadata:
    """How rows were scored.

    Attributes:
        last_models: The name and the SHA-256 of the last step's model, for all rows or one pair a row.
        pipeline_version: The UUID of the pipeline version.
        elapsed: How long reading and scoring took, in nanoseconds.
        partition: The name of the engine's pod.
    """

    last_models: Sequence[tuple[str, str]]
    pipeline_version: str
    elapsed: tuple[int, int]
    partition: str

    def of(self, rows: slice) -> RowMetadata:
        """Return the metadata of some of the rows."""
        return self if len(self.last_models) == 1 else replace(self, last_models=self.last_models[rows])


@dataclass(frozen=True, slots=True)
class AnswerForm:
    """The form of a release's answers.

    Attributes:
        has_records: Whether JSON has a record a row; in the oldest release it has an object for all rows.
        counts_anomalies: Whether failed validations are in `anomaly`; before, they are in `check_failures`.
        metadata: The fields of the metadata, in their order.
        states_version: Whether the metadata have the pipeline version; before, it is empty.
        arrow_by_default: Whether rows in Arrow are answered in Arrow without `Accept`; before, in JSON.
    """

    has_records: bool
    counts_anomalies: bool
    metadata: tuple[str, ...]
    states_version: bool
    arrow_by_default: bool

    @staticmethod
    def of(release: str) -> AnswerForm:
        """Return the form of a release."""
        return AnswerForm(
            has_records=release >= _WITH_RECORDS,
            counts_anomalies=release >= _WITH_ANOMALIES,
            metadata=_METADATA.get(release, _NEWEST_METADATA),
            states_version=release >= _WITH_ANOMALIES,
            arrow_by_default=release >= _WITH_ARROW_BY_DEFAULT,
        )

    def metadata_of(self, metadata: RowMetadata) -> dict[str, Any]:
        """Return the values of the metadata that are the same for all rows, by field in the order of an answer."""
        values: dict[str, Any] = {
            LAST_MODEL: None,
            "pipeline_version": metadata.pipeline_version if self.states_version else "",
            "elapsed": list(metadata.elapsed),
            "dropped": [],
            "partition": metadata.partition,
        }
        return {name: values[name] for name in self.metadata}


def written_models(models: Sequence[tuple[str, str]]) -> list[str]:
    """Return names and digests of models as the metadata have them: JSON in a text."""
    known: dict[tuple[str, str], str] = {}
    for model in models:
        if model not in known:
            name, sha = model
            known[model] = json.dumps({"model_name": name, "model_sha": sha}, separators=(",", ":"))
    return [known[model] for model in models]


@dataclass(frozen=True, slots=True)
class Selection:
    """The requested parts of an answer: the parameters `dataset[]`, `dataset.exclude[]` and `dataset.separator`."""

    included: Sequence[str] = ()
    excluded: Sequence[str] = ()
    separator: str | None = None

    def wants(self, part: str, field: str) -> bool:
        """Return whether a field of a part is in the answer; without parameters, every field is."""
        includes_all = not self.included or "*" in self.included
        return (includes_all or _named(self.included, part, field)) and not _named(self.excluded, part, field)


def _named(names: Sequence[str], part: str, field: str) -> bool:
    return part in names or (field != "" and f"{part}.{field}" in names)
