"""Reads answers in the form of any release."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import numpy as np

from wallaroo_ext._util.arrow.files import MEDIA_TYPE as ARROW
from wallaroo_ext._util.arrow.files import from_file
from wallaroo_ext._util.json_values import list_of, object_of
from wallaroo_ext.conformance.resources.samples import INPUT, OUTPUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    import httpx

JSON = "application/json"
RECORDS = f"{JSON}; format=pandas-records"
"""The media types of rows, in requests and answers."""
_MOST_BYTES = 1 << 28
"""The largest answer of the tests, in bytes of memory."""


def media_type_of(answer: httpx.Response) -> str:
    """Return the media type of an answer without parameters, in lower case: by RFC 9110 its case says nothing."""
    return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def is_empty(answer: httpx.Response) -> bool:
    """Return whether an answer of JSON says nothing: it has no text, number or boolean."""
    return media_type_of(answer) == JSON and says_nothing(answer.json())


def says_nothing(value: Any) -> bool:
    """Return whether a value of JSON is null, or made of empty lists and objects."""
    inner = [*object_of(value).values(), *list_of(value)]
    return value is None or (isinstance(value, dict | list) and all(map(says_nothing, inner)))


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


def ids_of(listed: list[dict[str, Any]]) -> set[Any]:
    """Return the ids of listed things, of a pipeline below its name."""
    return {each.get("pipeline", each)["id"] for each in listed}


def listed_assays(answer: httpx.Response) -> list[dict[str, Any]]:
    """Return the assays in an answer, which is a list, or one; none where it is a refusal."""
    found: Any = answer.json() if answer.is_success else []
    return [object_of(each) for each in (list_of(found) if isinstance(found, list) else [found])]


def computed_at(result: dict[str, Any]) -> Any:
    """Return when a result was computed: a text, or milliseconds in the oldest form."""
    return result["analyzed_at"] if "analyzed_at" in result else result["created_at"]


@dataclass(frozen=True, slots=True)
class Answered:
    """Scored rows, read from an answer in any form and format.

    Attributes:
        count: The number of rows.
        parts: The rows of each field by part, such as `in` and `out`, and by field.
        times: When each row was scored, in milliseconds; empty in the oldest form.
        is_oldest: Whether the answer has the oldest form, which has outputs and nothing else of a row.
    """

    count: int
    parts: dict[str, dict[str, list[Any]]] = field(repr=False)
    times: list[int] = field(repr=False)
    is_oldest: bool = False

    @property
    def last_models(self) -> set[tuple[str, str]]:
        """The name and the digest of the models that scored the rows; empty where the answer has no metadata."""
        texts: set[str] = set(self.parts.get("metadata", {}).get("last_model", ()))
        return {(model["model_name"], model["model_sha"]) for model in map(json.loads, texts)}

    @property
    def names(self) -> set[str]:
        """The names of the fields, such as `out.dense_1`; a part without fields has its own name."""
        names = {".".join(filter(None, (part, name))) for part, fields in self.parts.items() for name in fields}
        return names | ({"time"} if self.times else set())

    @staticmethod
    def of(answer: httpx.Response, outputs_of_model: Sequence[str] = (OUTPUT,)) -> Answered:
        """Read a success.

        Args:
            answer: The answer.
            outputs_of_model: The model's outputs in their order, which the oldest form does not name.
        """
        assert answer.status_code == HTTPStatus.OK, f"{answer.status_code} {answer.text[:500]}"  # noqa: S101 - pytest's way to fail
        if media_type_of(answer) == ARROW:
            return Answered.of_arrow(answer.content)
        return Answered.of_records(answer.json(), outputs_of_model)

    @staticmethod
    def of_arrow(content: bytes) -> Answered:
        """Read an Arrow file, nested or flat."""
        table = from_file(content, _MOST_BYTES)
        columns: dict[str, list[Any]] = {}
        for name in table.column_names:
            column: Any = table.column(name)
            columns[name] = (column.cast("int64") if name == "time" else column).to_pylist()
        return Answered(table.num_rows, _parts(columns), columns.get("time", []))

    @staticmethod
    def of_records(records: list[dict[str, Any]], outputs_of_model: Sequence[str] = (OUTPUT,)) -> Answered:
        """Read records, nested, flat or in the oldest form."""
        if records and "outputs" in records[0]:
            return _of_oldest(records, outputs_of_model)
        names = list(records[0]) if records else []
        for number, record in enumerate(records):
            assert set(record) == set(names), f"row {number} has other fields than the first one"  # noqa: S101 - pytest's way to fail
        columns = {name: [record[name] for record in records] for name in names}
        return Answered(len(records), _parts(columns), columns.get("time", []))


def _parts(columns: dict[str, list[Any]]) -> dict[str, dict[str, list[Any]]]:
    """Return the columns of nested or flat rows by part and field; a part without fields has one with an empty name."""
    parts: dict[str, dict[str, list[Any]]] = {}
    for name, rows in columns.items():
        part, _, field = name.partition(".")
        if rows and isinstance(rows[0], dict):
            parts[part] = {inner: [row.get(inner) for row in rows] for inner in object_of(rows[0])}
        elif name != "time":
            parts.setdefault(part, {})[field] = rows
    return parts


def _of_oldest(records: list[dict[str, Any]], names: Sequence[str]) -> Answered:
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for record in records:
        for name, output in zip(names, record["outputs"], strict=True):
            [tensor] = output.values()
            columns[name] += np.array(tensor["data"], object).reshape(tensor["dim"]).tolist()
    return Answered(len(columns[names[0]]), {"out": columns}, [], is_oldest=True)
