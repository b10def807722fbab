"""Are rows the same in each format, with the parts and fields that are asked for, and as the contract lays them out?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from wallaroo_ext.conformance.resources.samples import (
    INPUT,
    OUTPUT,
    distinct_rows,
    exact_scores,
    typed_rows,
    typed_scores,
)
from wallaroo_ext.conformance.testing.answer_forms import ARROW, JSON, RECORDS, Answered, media_type_of
from wallaroo_ext.conformance.testing.inference.row_checks import check_metadata, check_rows, check_times
from wallaroo_ext.conformance.testing.inference.scoring import OPERATIONS, Scoring, difference, shapes_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pyarrow as pa

    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

    Columns = Mapping[str, np.ndarray[Any, Any]]

pytestmark = [pytest.mark.thorough("many rows, and rows in every form"), pytest.mark.separate]

PREFERS_JSON, PREFERS_ARROW = f"{ARROW};q=0.1, {JSON}", f"{JSON};q=0.1, {ARROW}"
BOTH = pytest.mark.touches(*OPERATIONS)
SELECTIONS: tuple[tuple[str, list[str], list[str], set[str]], ...] = (
    ("", ["time", "out"], [], {"time", "out"}),
    (".", ["in", "out"], [], {"in", "out"}),
    (".", ["*"], ["metadata", "time", "anomaly", "check_failures"], {"in", "out"}),
    ("", ["*"], ["metadata", "in", "anomaly", "check_failures"], {"time", "out"}),
    ("", [f"out.{OUTPUT}"], [], {"out"}),
)
"""The separator, the parts that are asked for and left out, and those that an answer then has."""
PARTS = {"in", "out", "metadata", "anomaly", "check_failures"}
"""The parts of a row that can be asked for, beside its time."""
FIELDS: tuple[tuple[list[str], list[str]], ...] = (
    (["out.root", "out.sum", "in.text"], []),
    (["*"], ["out.quotient", "in.double", "metadata.last_model"]),
    (["in", "out.product", "time"], ["in.flag", "in.byte"]),
    (["metadata.last_model", "time"], []),
    (["out"], ["out.same_text", "out.root"]),
    (["*", "out.sum"], ["time", "in"]),
    ([], ["out.sum", "metadata", "in.whole"]),
    (["time"], []),
    (["anomaly", "check_failures", "out.sum"], []),
    (["metadata"], []),
    (["metadata", "in.byte"], ["in"]),
)
"""What is asked for and left out, with fields of several parts; none asked for is all.

Single fields of the metadata are asked for in flat rows only: where there is an object of metadata, it is held to have
all that the release's have.
"""


class TestFormats:
    @BOTH
    @pytest.mark.parametrize("media_type", [RECORDS, ARROW])
    @pytest.mark.parametrize(
        "accept",
        [
            None,
            "*/*",
            JSON,
            ARROW,
            f"{ARROW}, {JSON};q=0.5",
            f"{JSON}, {ARROW};q=0.1",
            f"text/html, {JSON}",
            PREFERS_JSON,
            PREFERS_ARROW,
        ],
    )
    def test_the_rows_are_the_same_in_each_format(
        self, accept: str | None, media_type: str, operation: str, api: Api, weighted: Scoring
    ) -> None:
        for count in (3, 130) if accept in {JSON, ARROW} else (3,):
            rows = distinct_rows(count, seed=count)
            # By RFC 9110, the case of a media type says nothing.
            written = accept.upper() if accept and count > 3 else accept
            how: dict[str, Any] = {"without": ["Accept"]} if written is None else {"headers": {"Accept": written}}
            answer = weighted.send(api, operation, {INPUT: rows}, media_type=media_type, **how)
            preferred = {JSON: JSON, ARROW: ARROW, PREFERS_JSON: JSON, PREFERS_ARROW: ARROW}.get(accept or "")
            assert preferred in {None, media_type_of(answer)}
            check_rows(api, weighted, Answered.of(answer), {INPUT: rows}, {OUTPUT: exact_scores(rows)})

    @BOTH
    @pytest.mark.parametrize(("media_type", "accept"), [(RECORDS, JSON), (ARROW, ARROW)])
    def test_the_parts_that_are_asked_for_are_those_of_every_row(
        self, media_type: str, accept: str, operation: str, api: Api, weighted: Scoring
    ) -> None:
        rows = distinct_rows(150, seed=1)
        for separator, included, excluded, expected in SELECTIONS:
            params = {"dataset[]": included, "dataset.exclude[]": excluded}
            params |= {"dataset.separator": separator} if separator else {}
            headers = {"Accept": accept}
            answer = weighted.send(api, operation, {INPUT: rows}, media_type=media_type, params=params, headers=headers)
            answered = Answered.of(answer)
            if answered.is_oldest and accept == JSON:
                pytest.skip("The release answers with outputs only.")
            found = PARTS.intersection(answered.parts) | ({"time"} if answered.times else set[str]())
            assert found == expected, (included, excluded)
            check_parts(api, weighted, answered, rows)

    @BOTH
    @pytest.mark.parametrize("accept", [JSON, ARROW])
    def test_single_fields_are_asked_for_and_left_out(
        self, accept: str, operation: str, api: Api, typed: Scoring
    ) -> None:
        rows = typed_rows(2)
        scores = typed_scores(rows)

        def answered(media_type: str = RECORDS, **params: Any) -> Answered:
            headers = {"Accept": accept}
            answer = typed.send(api, operation, rows, media_type=media_type, params=params, headers=headers)
            return Answered.of(answer, list(scores))

        every = answered()
        if every.is_oldest:
            pytest.skip("The release answers with outputs only.")
        for number, (included, excluded) in enumerate(FIELDS):
            params = {"dataset[]": included, "dataset.exclude[]": excluded}
            params |= {"dataset.separator": "."} if number % 2 else {}
            found = answered((RECORDS, ARROW)[number // 2 % 2], **params)
            assert found.names == chosen(every.names, included, excluded), params
            check_fields(found, {"in": rows, "out": scores})

    @pytest.mark.touches("infer_deployment")
    def test_parts_of_rows_in_the_oldest_form_are_asked_for(self, api: Api, weighted: Scoring) -> None:
        rows = distinct_rows(3)

        def answered(**params: Any) -> Answered:
            answer = api.send("infer_deployment", {"tensor": rows.tolist()}, path=weighted.path, params=params)
            return Answered.of(answer)

        every = answered()
        if every.is_oldest:
            pytest.skip("The release answers with outputs only.")
        for included, excluded in ((["out"], []), (["*"], ["in", "metadata"])):
            found = answered(**{"dataset[]": included, "dataset.exclude[]": excluded, "dataset.separator": "."})
            assert found.names == chosen(every.names, included, excluded), (included, excluded)
            check_fields(found, {"out": {OUTPUT: exact_scores(rows)}})

    @BOTH
    @pytest.mark.parametrize("accept", [JSON, ARROW])
    def test_any_separator_joins_the_names_of_all_parts(
        self, accept: str, operation: str, api: Api, weighted: Scoring
    ) -> None:
        rows = distinct_rows(2)

        def names(separator: str, **more: Any) -> set[str]:
            params = {"dataset.separator": separator, **more}
            answer = weighted.send(api, operation, {INPUT: rows}, params=params, headers={"Accept": accept})
            if media_type_of(answer) == ARROW:
                return set(schema_of(answer.content).names)
            return {name for row in answer.json() for name in row}

        flat = names(".")
        if "outputs" in flat:
            pytest.skip("The release answers with outputs only.")
        assert {f"in.{INPUT}", f"out.{OUTPUT}"} <= flat
        for separator in ("/", "__"):
            assert names(separator) == {name.replace(".", separator, 1) for name in flat}
            assert names(separator, **{"dataset[]": f"out.{OUTPUT}"}) == {f"out{separator}{OUTPUT}"}

    @BOTH
    def test_rows_in_arrow_are_read_as_they_lie_in_memory(self, operation: str, api: Api, weighted: Scoring) -> None:
        """No source says which types of lists are taken: what is taken is read right."""
        rows = distinct_rows(9, seed=3)
        assert weighted.send(api, operation, {INPUT: rows}, media_type=ARROW).is_success
        for layout, content in arrow_layouts(rows).items():
            answer = weighted.send(api, operation, {INPUT: rows}, media_type=ARROW, content=content)
            if answer.is_success:
                wrong = difference(Answered.of(answer).parts["out"][OUTPUT], exact_scores(rows))
                assert not wrong, f"{layout}: {wrong}"

    @BOTH
    def test_arrow_says_which_shape_the_values_of_a_row_have(
        self, operation: str, api: Api, weighted: Scoring, typed: Scoring
    ) -> None:
        for scoring, rows in ((weighted, {INPUT: distinct_rows(3)}), (typed, typed_rows(3))):
            answer = scoring.send(api, operation, rows, headers={"Accept": ARROW})
            shapes = shapes_of(answer.content)
            scores = typed_scores(rows) if scoring is typed else {OUTPUT: exact_scores(rows[INPUT])}
            for part, columns in (("in", rows), ("out", scores)):
                expected = {(part, name): values.shape[1:] for name, values in columns.items()}
                assert expected.items() <= shapes.items()

    @BOTH
    def test_arrows_columns_come_in_the_order_of_the_contract(
        self, operation: str, conformance_suite: Suite, api: Api, weighted: Scoring
    ) -> None:
        columns = conformance_suite.rules.document["components"]["responses"]["Inference"]["content"][ARROW]
        for form, params in (("nested", {}), ("flat", {"dataset.separator": "."})):
            order = [name.partition(".")[0] for name in columns["x-arrow-columns"][form]["columns"]]
            for count in (2, 129):
                answer = weighted.send(
                    api,
                    operation,
                    {INPUT: distinct_rows(count)},
                    params=params,
                    media_type=ARROW,
                    headers={"Accept": ARROW},
                )
                schema = schema_of(answer.content)
                parts = [name.partition(".")[0] for name in schema.names]
                names = [part for part in parts if part in order]
                assert {"time", "in", "out"} <= set(names)
                assert names == sorted(names, key=order.index), f"{form}, {count} rows"
                check_types(schema, columns["x-arrow-columns"][form])


def chosen(names: set[str], included: Sequence[str], excluded: Sequence[str]) -> set[str]:
    """Return those of all fields that are asked for and not left out."""

    def is_named(name: str, by: Sequence[str]) -> bool:
        return bool({name, name.partition(".")[0]}.intersection(by))

    everything = not included or "*" in included
    return {name for name in names if (everything or is_named(name, included)) and not is_named(name, excluded)}


def check_fields(answered: Answered, expected: Mapping[str, Columns]) -> None:
    """Fail where the fields of an answer have other values than those of these parts."""
    for part, columns in expected.items():
        for name, values in answered.parts.get(part, {}).items():
            wrong = difference(values, columns[name])
            assert not wrong, f"{part}.{name}: {wrong}"


def arrow_layouts(rows: np.ndarray[Any, Any]) -> dict[str, bytes]:
    """Return rows as Arrow files of several types and layouts, by what is special about each."""
    import pyarrow as pa

    lists: Any = pa.array(rows.tolist(), pa.list_(pa.float32()))
    others: Any = pa.array(distinct_rows(4, seed=8).tolist(), pa.list_(pa.float32()))
    columns: dict[str, Any] = {
        "lists of a fixed size": lists.cast(pa.list_(pa.float32(), int(rows.shape[1]))),
        "large lists": lists.cast(pa.large_list(pa.float32())),
        "doubles": lists.cast(pa.list_(pa.float64())),
        "behind other rows": pa.concat_arrays([others, lists])[len(others) :],
        "before other rows": pa.concat_arrays([lists, others])[: len(lists)],
    }
    found = {layout: arrow_file_with(column) for layout, column in columns.items()}
    return found | {"compressed": arrow_file_with(lists, compression="lz4")}


def arrow_file_with(column: Any, compression: Literal["lz4"] | None = None) -> bytes:
    """Return an Arrow file with the only input of the run's model."""
    import pyarrow as pa

    table = pa.table({INPUT: column})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def check_parts(api: Api, scoring: Scoring, answered: Answered, rows: np.ndarray[Any, Any]) -> None:
    """Fail where the parts of an answer are not those of the rows that were sent."""
    for part, expected in (("out", {OUTPUT: exact_scores(rows)}), ("in", {INPUT: rows})):
        for name in answered.parts.get(part, ()):
            wrong = difference(answered.parts[part][name], expected[name])
            assert not wrong, f"{part}.{name}: {wrong}"
    assert not answered.times or len(answered.times) == len(rows)
    if answered.times:
        check_times(api, answered.times)
    check_metadata(answered, scoring)


def schema_of(content: bytes) -> pa.Schema:
    """Return the schema of an Arrow file."""
    import pyarrow as pa

    return pa.ipc.open_file(content).schema


def check_types(schema: pa.Schema, form: Mapping[str, Any]) -> None:
    """Fail where columns of an Arrow file, or the fields in them, have other types than the contract's.

    Args:
        schema: The file's schema.
        form: `nested` or `flat` of the contract's `x-arrow-columns`.
    """
    found: dict[str, str] = {}
    columns: Any = schema
    for column in columns:
        found[column.name] = kind_of(column.type)
        inner = column.type if found[column.name] == "struct" else ()
        found |= {f"{column.name}.{field.name}": kind_of(field.type) for field in inner}
    fields: dict[str, dict[str, str]] = {"in": {"*": "list"}, "out": {"*": "list"}} | form.get("fields", {})
    expected = form["columns"] | {f"{part}.{name}": kind for part in fields for name, kind in fields[part].items()}
    for name, kind in found.items():
        wanted = expected.get(name) or expected.get(f"{name.partition('.')[0]}.*", "any")
        assert wanted in {"any", kind}, f"{name} is {kind} in place of {wanted}"


def kind_of(arrow_type: Any) -> str:
    """Return a type of Arrow as the contract writes it: `list` and `struct` without what is in them."""
    import pyarrow as pa

    if pa.types.is_list(arrow_type) or pa.types.is_struct(arrow_type):
        return "list" if pa.types.is_list(arrow_type) else "struct"
    return str(arrow_type)
