"""Are all rows answered, whatever their number, their types and their format: each once, in order, and exactly?"""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pytest

from wallaroo_ext._util.json_values import list_of
from wallaroo_ext.conformance.resources.samples import (
    BYTE,
    DOUBLE,
    FLAG,
    INPUT,
    MINUEND,
    OUTPUT,
    SINGLE,
    SUBTRAHEND,
    TEXT,
    WHOLE,
    arrow_file_of,
    distinct_rows,
    edge_rows,
    exact_scores,
    model_file,
    subtracted,
    subtracting_model_file,
    typed_model_file,
    typed_rows,
    typed_scores,
)
from wallaroo_ext.conformance.testing.answer_forms import Answered, media_type_of
from wallaroo_ext.conformance.testing.api_calls import NOT_TAKEN
from wallaroo_ext.conformance.testing.clocks import clock_of_things, clocks_of
from wallaroo_ext.conformance.testing.deploying import deployed, new_pipeline
from wallaroo_ext.conformance.testing.logged_rows import newest_logged, newest_of_topic, pages_of_log
from wallaroo_ext.conformance.testing.row_metadata import check_metadata, check_times, check_whole_rows
from wallaroo_ext.conformance.testing.scoring import (
    ARROW,
    RECORDS,
    Scoring,
    deploy,
    difference,
    records_of,
    shapes_of,
    uploaded,
)
from wallaroo_ext.conformance.testing.waiting import soon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import httpx
    import pyarrow as pa

    from wallaroo_ext.conformance.resources.fixtures import Fixtures
    from wallaroo_ext.conformance.suite import Suite
    from wallaroo_ext.conformance.testing.api_calls import Api

    Columns = Mapping[str, np.ndarray[Any, Any]]
    Scorings = dict[str, Scoring | None]

pytestmark = [pytest.mark.thorough("many rows, and rows in every form"), pytest.mark.separate]

JSON = "application/json"
PREFERS_JSON, PREFERS_ARROW = f"{ARROW};q=0.1, {JSON}", f"{JSON};q=0.1, {ARROW}"
OPERATIONS = ("infer_deployment", "infer_pipeline")
BOTH = pytest.mark.touches(*OPERATIONS)
SIZES = {RECORDS: (1, 5, 9, 33, 101, 257, 501, 1001, 4001), ARROW: (1, 7, 65, 129, 1025, 20_001)}
"""How many rows are sent at a time: around the numbers at which servers are wont to begin another batch or page."""
BATCHES = {7: (3, 0, 1), 65: (0, 64), 129: (64, 64), 1025: (1000, 0, 1, 0), 20_001: (10_000, 10_000)}
"""How many rows are in the record batches of a file with so many rows; the rest are in the last one."""
BAD_ROWS: tuple[Any, ...] = (
    {INPUT: [0.5, 0.5]},
    {INPUT: [0.5, 0.5, 0.5, 0.5, 0.5]},
    {INPUT: [0.5, None, 0.5, 0.5]},
    {INPUT: None},
    {},
    {"other": [0.5, 0.5, 0.5, 0.5]},
)
"""Rows that do not fit the run's model, each of which stands among rows that do."""
RUN_SEED, TWIN_SEED = 29, 77
"""The seeds of the weights of the run's model, and of another one with its fields."""
CLOCK_SECONDS = 30.0
"""How far the clocks of an instance's machines may be apart."""


@pytest.fixture
def weighted(api: Api, separate_workspace: int, scorings: Scorings) -> Scoring:
    """Return a pipeline with a model as the run's."""
    return with_weights(api, separate_workspace, scorings, RUN_SEED)


@pytest.fixture
def typed(api: Api, separate_workspace: int, scorings: Scorings) -> Scoring:
    """Return a pipeline with a model that has inputs and outputs of many types."""
    if "typed" not in scorings:
        scorings["typed"] = tried(api, separate_workspace, typed_model_file(), typed_rows(1))
    scoring = scorings["typed"]
    if scoring is None:
        pytest.skip("This instance does not run a model with inputs of six types.")
    return scoring


@pytest.fixture
def twin(api: Api, separate_workspace: int, scorings: Scorings) -> Scoring:
    """Return a pipeline with a model that has the fields of the run's model, and other weights."""
    return with_weights(api, separate_workspace, scorings, TWIN_SEED)


@pytest.fixture
def subtracting(api: Api, separate_workspace: int, scorings: Scorings) -> Scoring:
    """Return a pipeline with a model whose inputs are of one type and shape."""
    if "subtracting" not in scorings:
        rows = {name: np.ones((1, 2), np.float32) for name in (MINUEND, SUBTRAHEND)}
        scorings["subtracting"] = tried(api, separate_workspace, subtracting_model_file(), rows)
    scoring = scorings["subtracting"]
    if scoring is None:
        pytest.skip("This instance does not run a model with two inputs.")
    return scoring


def with_weights(api: Api, workspace_id: int, scorings: Scorings, seed: int) -> Scoring:
    """Return a pipeline with a model that has the fields of the run's model; make it where it is needed first."""
    name = f"weights of {seed}"
    if name not in scorings:
        model = uploaded(api, api.unused_name("m"), model_file(seed), workspace_id)
        scorings[name] = deploy(api, api.unused_name("p"), workspace_id, model)
    scoring = scorings[name]
    assert scoring is not None, "the model did not come to run"
    return scoring


def tried(api: Api, workspace_id: int, content: bytes, rows: Columns) -> Scoring | None:
    """Return a pipeline with a model; None if the instance does not run the model, or does not take its rows."""
    model = uploaded(api, api.unused_name("m"), content, workspace_id)
    scoring = deploy(api, api.unused_name("p"), workspace_id, model)
    is_taken = scoring is not None and scoring.send(api, OPERATIONS[0], rows).is_success
    return scoring if is_taken else None


@pytest.fixture(params=OPERATIONS)
def operation(request: pytest.FixtureRequest) -> str:
    """Return one kind of inference URL after the other."""
    return request.param


def check(api: Api, scoring: Scoring, answered: Answered, sent: Columns, scores: Columns) -> None:
    """Fail where an answer does not have the rows that were sent, each with its outputs and all else that it says."""
    parts: dict[str, Columns] = {"out": scores} if answered.is_oldest else {"out": scores, "in": sent}
    for part, expected in parts.items():
        if answered.count:
            names = set(answered.parts.get(part, ()))  # JSON has no order of fields, and Arrow's has a test of its own
            assert names == set(expected) or part == "in", f"the fields of `{part}`"
        for name, values in expected.items():
            found = answered.parts.get(part, {}).get(name, [])
            wrong = difference(found, values)
            assert not wrong, f"{part}.{name}: {wrong}"
    check_whole_rows(api, answered, scoring)


class TestNumberOfRows:
    """The sizes are in one test of each format, and the message tells which one failed."""

    @BOTH
    @pytest.mark.parametrize("media_type", SIZES)
    def test_every_row_is_answered_once_and_in_order(
        self, media_type: str, operation: str, api: Api, weighted: Scoring
    ) -> None:
        fields: dict[str, set[str]] = {}
        for count in SIZES[media_type]:
            rows = distinct_rows(count, seed=count)
            more: dict[str, Any] = {"batches": BATCHES.get(count, ())} if media_type == ARROW else {}
            headers = {"Accept": ARROW if media_type == ARROW else JSON}
            answer = weighted.send(api, operation, {INPUT: rows}, media_type=media_type, headers=headers, **more)
            answered = Answered.of(answer)
            assert answered.count == count, f"{answered.count} rows were answered in place of {count}"
            check(api, weighted, answered, {INPUT: rows}, {OUTPUT: exact_scores(rows)})
            found = {part: set(columns) for part, columns in answered.parts.items()}
            fields = fields or found
            assert found == fields, f"{count} rows have other fields than one row"

    @pytest.mark.touches("infer_deployment")
    def test_the_oldest_form_has_all_rows(self, api: Api, weighted: Scoring) -> None:
        for count in (5, 1025):
            rows = distinct_rows(count, seed=count)
            answered = Answered.of(api.send("infer_deployment", {"tensor": rows.tolist()}, path=weighted.path))
            for part, expected in {"out": exact_scores(rows), "in": rows}.items():
                for name, found in answered.parts.get(part, {}).items():
                    wrong = difference(found, expected)
                    assert not wrong, f"of {count} rows, {part}.{name}: {wrong}"
            assert set(answered.parts["out"]) == {OUTPUT}
            check_whole_rows(api, answered, weighted)
        content, charset = json.dumps({"tensor": rows.tolist()}).encode(), {"Content-Type": f"{JSON}; charset=utf-8"}
        answer = api.send("infer_deployment", path=weighted.path, content=content, headers=charset)
        assert Answered.of(answer).count == len(rows), "a charset makes it another form"

    @BOTH
    @pytest.mark.parametrize("media_type", SIZES)
    def test_of_no_rows_there_are_no_outputs(
        self, media_type: str, operation: str, api: Api, weighted: Scoring
    ) -> None:
        answer = weighted.send(api, operation, {INPUT: distinct_rows(0)}, media_type=media_type)
        # Nothing says that a request without rows succeeds.
        assert answer.status_code == 400 or Answered.of(answer).count == 0

    @BOTH
    def test_no_row_is_left_out_or_mended_because_it_is_bad(self, operation: str, api: Api, weighted: Scoring) -> None:
        """A row that does not fit is refused alone, and so it is among others: it has no outputs of its own."""
        rows: list[list[float]] = distinct_rows(5).tolist()
        headers = {"Content-Type": RECORDS, "Accept": JSON}
        for place, bad in zip((4, 2, 0, 3, 2, 4), BAD_ROWS, strict=True):
            records: list[Any] = [{INPUT: row} for row in rows]
            records[place] = bad
            assert weighted.send(api, operation, {INPUT: distinct_rows(5)}).is_success
            answer = api.send(operation, path=weighted.path, content=json.dumps(records).encode(), headers=headers)
            assert not answer.is_success, f"row {place}, which is {bad}, is scored, or left out"

    @BOTH
    def test_rows_in_arrow_that_do_not_fit_are_refused(self, operation: str, api: Api, weighted: Scoring) -> None:
        good = distinct_rows(2)
        assert weighted.send(api, operation, {INPUT: good}, media_type=ARROW).is_success
        narrow, wide, texts = good[:, :2], np.tile(good, 2), good.astype(str).astype(object)
        for bad in ({INPUT: narrow}, {INPUT: wide}, {INPUT: texts}, {"other": good}):
            for accepted in (JSON, ARROW):
                answer = weighted.send(api, operation, bad, media_type=ARROW, headers={"Accept": accepted})
                check_refusal(answer, INPUT, f"rows in Arrow of {sorted(bad)}")

    @BOTH
    @pytest.mark.parametrize("media_type", SIZES)
    def test_equal_rows_are_answered_each(self, media_type: str, operation: str, api: Api, weighted: Scoring) -> None:
        rows = distinct_rows(3)[[0, 0, 1, 0, 2, 2, 1, 0, 0]]
        times: list[int] = []
        for _ in range(3):
            answered = Answered.of(weighted.send(api, operation, {INPUT: rows}, media_type=media_type))
            check(api, weighted, answered, {INPUT: rows}, {OUTPUT: exact_scores(rows)})
            times += answered.times[:1]
            time.sleep(0.01)
        assert not times or len(set(times)) > 1, f"an equal request was not scored again: it has the times {times}"
        assert not times or any(moment % 1000 for moment in times), f"times are in whole seconds: {times}"

    @BOTH
    def test_a_body_in_chunks_is_scored_whole(self, operation: str, api: Api, weighted: Scoring) -> None:
        for count, media_type in ((5, RECORDS), (3000, RECORDS), (70_001, ARROW)):
            rows = distinct_rows(count, seed=count)
            columns = {INPUT: rows}
            content = arrow_file_of(columns, (999,)) if media_type == ARROW else records_of(columns, indent=12)
            params = {"dataset[]": "out", "dataset.separator": "."}
            headers = {"Accept": ARROW}
            answer = weighted.send(
                api,
                operation,
                columns,
                media_type=media_type,
                content=chunks_of(content),
                params=params,
                headers={"Content-Type": media_type, **headers},
            )
            if answer.status_code in NOT_TAKEN:
                pytest.skip(f"What is in front of this instance takes no such body ({answer.status_code}).")
            wrong = difference(Answered.of(answer).parts["out"][OUTPUT], exact_scores(rows))
            assert not wrong, f"of {count} rows in {len(content)} bytes: {wrong}"


def chunks_of(content: bytes, size: int = 50_000) -> Iterator[bytes]:
    """Yield a body in parts, so that it is sent without its length."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


class TestRequests:
    """Rows that are written in another way, which says the same."""

    @BOTH
    def test_fields_may_come_in_any_order(self, operation: str, api: Api, typed: Scoring) -> None:
        rows = typed_rows(3)
        scores = typed_scores(rows)
        backwards = dict(reversed(rows.items()))
        records = [dict(reversed(each.items())) for each in json.loads(records_of(rows))]
        mixed = json.dumps([json.loads(records_of(rows))[0], *records[1:]], ensure_ascii=False).encode()
        for media_type, content in ((RECORDS, mixed), (ARROW, arrow_file_of(backwards))):
            answer = typed.send(api, operation, rows, media_type=media_type, content=content)
            check(api, typed, Answered.of(answer, list(scores)), rows, scores)

    @BOTH
    def test_inputs_of_one_type_are_told_apart_by_their_names(
        self, operation: str, api: Api, subtracting: Scoring
    ) -> None:
        whole = np.arange(6, dtype=np.float32).reshape(3, 2)
        rows = {MINUEND: whole * 2 + 1, SUBTRAHEND: whole * 16}
        scores = subtracted(rows)
        for columns in (rows, dict(reversed(rows.items()))):
            for media_type in (RECORDS, ARROW):
                answer = subtracting.send(api, operation, columns, media_type=media_type)
                check(api, subtracting, Answered.of(answer, list(scores)), rows, scores)

    @BOTH
    def test_the_only_input_may_be_called_tensor(self, operation: str, api: Api, weighted: Scoring) -> None:
        rows = distinct_rows(3, seed=8)
        for media_type in (RECORDS, ARROW):
            answered = Answered.of(weighted.send(api, operation, {"tensor": rows}, media_type=media_type))
            check(api, weighted, answered, {"tensor": rows}, {OUTPUT: exact_scores(rows)})

    @pytest.mark.touches("infer_deployment")
    @pytest.mark.parametrize("accept", [JSON, ARROW, PREFERS_ARROW])
    def test_the_oldest_form_has_a_field_a_column(
        self, accept: str, api: Api, typed: Scoring, subtracting: Scoring
    ) -> None:
        rows = {MINUEND: np.array([[8, 16], [32, 64]], np.float32), SUBTRAHEND: np.array([[1, 2], [4, 8]], np.float32)}
        backwards = dict(reversed(rows.items()))
        of_types = typed_rows(3)
        sent = ((subtracting, rows, subtracted(rows)), (subtracting, backwards, subtracted(rows)))
        for scoring, columns, scores in (*sent, (typed, of_types, typed_scores(of_types))):
            answer = send_oldest(api, scoring, {name: each.tolist() for name, each in columns.items()}, accept)
            assert media_type_of(answer) == (JSON if accept == JSON else ARROW)
            check(api, scoring, Answered.of(answer, list(scores)), columns, scores)

    @BOTH
    def test_numbers_and_types_may_be_written_in_any_way(self, operation: str, api: Api, weighted: Scoring) -> None:
        rows = np.array([[0, 0, 2, 0], [-0.5, 0, 0, 0], [0, 1500, 0, 0], [0, 0, 0, 0.00025]], np.float32)
        content = f"""
            [ {{ "{INPUT}" : [ 0, -0.0, 2, 0e5 ] }} , {{"{INPUT}":[-5E-1,0,0.0,0]}},
            \t{{"\\u0064ense_input": [0, 1.5e+3, 0, 0]}},\r\n{{"{INPUT}": [0,0,0,25e-5]}} ]
        """.encode()
        for media_type in SPELLINGS:
            headers = {"Content-Type": media_type, "Accept": JSON}
            answered = Answered.of(api.send(operation, path=weighted.path, content=content, headers=headers))
            check(api, weighted, answered, {INPUT: rows}, {OUTPUT: exact_scores(rows)})


def send_oldest(api: Api, scoring: Scoring, columns: Mapping[str, Any], accept: str = JSON) -> httpx.Response:
    """Send rows in the oldest form, and return the answer."""
    return api.send("infer_deployment", columns, path=scoring.path, headers={"Accept": accept})


WRONG_VALUES: tuple[tuple[str, list[Any]], ...] = (
    (WHOLE, [1.5, 2]),
    (WHOLE, [2**63, 0]),
    (WHOLE, [1, 2, 3]),
    (BYTE, [256, 0]),
    (BYTE, [-1, 0]),
    (FLAG, ["yes", "no"]),
    (TEXT, [5]),
    (SINGLE, ["1", "2", "3"]),
    (DOUBLE, [0.5]),
    (DOUBLE, [0.5, None]),
)
"""Inputs and the values of a row that do not fit them."""


class TestRowsThatDoNotFit:
    """What cannot be scored as it was sent is refused, and not mended: cut, filled, rounded, wrapped or converted."""

    @BOTH
    def test_values_of_other_types_are_refused(self, operation: str, api: Api, typed: Scoring) -> None:
        good = json.loads(records_of(typed_rows(3)))
        headers = {"Content-Type": RECORDS, "Accept": JSON}
        assert api.send(operation, good, path=typed.path, headers=headers).is_success
        for field, values in WRONG_VALUES:
            records = [good[0], good[1] | {field: values}, good[2]]
            answers = [api.send(operation, records, path=typed.path, headers=headers)]
            if operation == "infer_deployment":
                answers.append(send_oldest(api, typed, {name: [row[name] for row in records] for name in good[0]}))
            for answer in answers:
                check_refusal(answer, field, f"{values} for the input {field}")

    @BOTH
    def test_rows_without_one_of_two_inputs_are_refused(self, operation: str, api: Api, subtracting: Scoring) -> None:
        rows = {MINUEND: np.ones((2, 2), np.float32), SUBTRAHEND: np.ones((2, 2), np.float32)}
        for missing, there in ((MINUEND, SUBTRAHEND), (SUBTRAHEND, MINUEND)):
            for name in (there, "tensor"):
                for media_type in (RECORDS, ARROW):
                    answer = subtracting.send(api, operation, {name: rows[there]}, media_type=media_type)
                    check_refusal(answer, missing if name == there else "", f"rows of {name} without {missing}")
                if operation == "infer_deployment":
                    answer = send_oldest(api, subtracting, {name: rows[there].tolist()})
                    what = f"in the oldest form, {name} without {missing}"
                    check_refusal(answer, missing if name == there else "", what)

    @pytest.mark.touches("infer_deployment")
    def test_the_oldest_form_takes_no_rows_that_do_not_fit(
        self, api: Api, weighted: Scoring, subtracting: Scoring
    ) -> None:
        rows = distinct_rows(3).tolist()
        assert send_oldest(api, weighted, {INPUT: rows}).is_success
        for bad in ([0.5] * 3, [0.5] * 5, [0.5, None, 0.5, 0.5], ["0.5"] * 4, None):
            for wrong in ({INPUT: [rows[0], bad, rows[2]]}, {"tensor": [bad] * 3}):
                answer = send_oldest(api, weighted, wrong)
                assert answer.status_code == 400, f"{wrong} is scored"
        assert send_oldest(api, weighted, {"other": rows}).status_code == 400, "another field is scored"
        pairs = [[1.0, 2.0], [3.0, 4.0]]
        assert send_oldest(api, subtracting, {MINUEND: pairs, SUBTRAHEND: pairs}).is_success
        for first, second in ((pairs, pairs[:1]), (pairs[:1], pairs), (pairs, [])):
            answer = send_oldest(api, subtracting, {MINUEND: first, SUBTRAHEND: second})
            assert answer.status_code == 400, f"{len(first)} and {len(second)} values of two inputs are scored"

    @BOTH
    def test_a_body_that_cannot_be_read_to_its_end_is_refused(
        self, operation: str, api: Api, weighted: Scoring
    ) -> None:
        columns = {INPUT: distinct_rows(3)}
        records, file = records_of(columns), arrow_file_of(columns, (1, 1))
        broken = [(RECORDS, records[:-1]), (RECORDS, records[:-2]), (RECORDS, records.replace(b"}, {", b"} {"))]
        broken += [(RECORDS, records + records), (RECORDS, records + b"]"), (RECORDS, b"")]
        broken += [(ARROW, file[:-12]), (ARROW, file[: len(file) // 2]), (ARROW, file[len(file) // 2 :]), (ARROW, b"")]
        for media_type, content in broken:
            assert content not in {records, file}
            answer = weighted.send(api, operation, columns, media_type=media_type, content=content)
            assert answer.status_code == 400, f"{answer.status_code} for {content[-60:]!r} as {media_type}"


def check_refusal(answer: httpx.Response, field: str, what: str) -> None:
    """Fail where rows with a wrong field are scored, or where the engine's error does not say which field that is.

    Args:
        answer: The answer.
        field: The field; empty where any of several may be named.
        what: What was sent, for a person.
    """
    assert answer.status_code == 400, f"{what}: {answer.status_code} {answer.text[:200]}"
    found: Any = answer.json()
    if isinstance(found, list):
        assert len(list_of(found)) == 1, f"{what}: the error is a list of {len(list_of(found))}"
        [found] = list_of(found)
    assert found.get("code", 400) == 400, f"{what}: the error says {found['code']}"
    if "error" in found:
        assert found.get("status", "Error") == "Error", f"{what}: the status of the error is {found['status']}"
        assert field in found["error"], f"{what}: the error does not say which field is wrong: {found['error'][:200]}"


SPELLINGS = (
    RECORDS,
    "application/json;format=pandas-records",
    "Application/JSON; Format=pandas-records",
    'application/json; charset=utf-8; format="pandas-records"',
)
"""One media type, as RFC 9110 lets one write it."""


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
            check(api, weighted, Answered.of(answer), {INPUT: rows}, {OUTPUT: exact_scores(rows)})

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


class TestValues:
    """Each type at its precision, in rows of any number and any size."""

    @BOTH
    @pytest.mark.parametrize(
        ("media_type", "accept", "count", "text_length"),
        [(RECORDS, JSON, 260, 600), (ARROW, ARROW, 260, 600), (RECORDS, ARROW, 70, 40), (ARROW, JSON, 70, 40)],
    )
    def test_values_keep_their_type_and_their_precision(
        self, media_type: str, accept: str, count: int, text_length: int, operation: str, api: Api, typed: Scoring
    ) -> None:
        rows = typed_rows(count, text_length)
        scores = typed_scores(rows)
        answer = typed.send(api, operation, rows, media_type=media_type, headers={"Accept": accept})
        if answer.status_code in NOT_TAKEN:
            pytest.skip(f"What is in front of this instance takes no such body ({answer.status_code}).")
        check(api, typed, Answered.of(answer, list(scores)), rows, scores)

    @BOTH
    def test_values_at_the_edges_of_their_types_are_kept(self, operation: str, api: Api, typed: Scoring) -> None:
        rows = edge_rows()
        scores = typed_scores(rows)
        other = (ARROW, ARROW) if operation == "infer_pipeline" else (ARROW, JSON)
        for media_type, accept in ((RECORDS, JSON), other):
            answer = typed.send(api, operation, rows, media_type=media_type, headers={"Accept": accept})
            check(api, typed, Answered.of(answer, list(scores)), rows, scores)

    @BOTH
    def test_what_is_no_number_is_none_in_json_either(self, operation: str, api: Api, typed: Scoring) -> None:
        rows = typed_rows(40) | {SINGLE: np.full((40, 3), -1, np.float32)}
        answer = typed.send(api, operation, rows, headers={"Accept": JSON})
        assert not any(name in answer.text for name in ("NaN", "Infinity")), "JSON has no such numbers"
        found = Answered.of(answer, list(typed_scores(rows))).parts["out"]["root"]
        assert not difference(found, typed_scores(rows)["root"])


class TestMetadata:
    @BOTH
    @pytest.mark.parametrize("accept", [JSON, ARROW])
    def test_each_row_says_when_and_by_what_it_was_scored(
        self, accept: str, operation: str, api: Api, weighted: Scoring
    ) -> None:
        for media_type in (RECORDS, ARROW):
            flat, headers = {"dataset.separator": "."}, {"Accept": accept}
            rows = {INPUT: distinct_rows(7)}
            for params in ({}, flat):
                more: dict[str, Any] = {"media_type": media_type, "headers": headers, "params": params}
                check_whole_rows(api, Answered.of(weighted.send(api, operation, rows, **more)), weighted)
        began, started = time.time(), time.perf_counter_ns()
        answer = weighted.send(api, operation, {INPUT: distinct_rows(130)}, headers={"Accept": accept})
        took = time.perf_counter_ns() - started
        answered, clocks = Answered.of(answer), clocks_of(answer, began=began, leeway=CLOCK_SECONDS)
        if answered.is_oldest:
            pytest.skip("The release answers with outputs only.")
        assert len(answered.times) == answered.count
        scored = [milliseconds / 1000 for milliseconds in (min(answered.times), max(answered.times))]
        problem = f"it was scored from {scored[0]} to {scored[1]}, which was not between request and answer: {clocks}"
        assert clocks.have(scored, [clock_of_things(api)]), problem
        check_whole_rows(api, answered, weighted)
        engines = api.call("get_deployment_status", {"name": weighted.deployment})["engines"]
        assert set(answered.parts.get("metadata", {}).get("partition", ())) <= {each["name"] for each in engines}
        longest = max(map(sum, answered.parts.get("metadata", {}).get("elapsed", ())), default=0)
        assert longest <= 2 * took, f"scoring took {longest} ns of the {took} ns to the answer"


class TestLogged:
    @pytest.mark.touches("get_pipeline_logs", "infer_pipeline", if_there=("get_topic_records",))
    @pytest.mark.counts_rows
    def test_values_of_all_types_are_logged_as_they_were_answered(self, api: Api, typed: Scoring) -> None:
        if not api.has("get_pipeline_logs"):
            pytest.skip("The release does not have it.")
        for rows, media_type in ((typed_rows(6, 900), ARROW), (edge_rows(), RECORDS)):
            scores = typed_scores(rows)
            answered = Answered.of(typed.send(api, "infer_pipeline", rows, media_type=media_type), list(scores))
            backwards = [{name: values[::-1] for name, values in columns.items()} for columns in (rows, scores)]
            for accept in (JSON, ARROW):
                check(api, typed, newest_logged(api, typed, answered, accept), *backwards)
            newest = newest_of_topic(api, typed, answered.count) if api.has("get_topic_records") else None
            if newest is not None:
                check(api, typed, newest, rows, scores)


class TestSeveralInTurn:
    @BOTH
    @pytest.mark.parametrize("media_type", SIZES)
    def test_equal_rows_are_scored_by_the_deployment_that_they_are_sent_to(
        self, media_type: str, operation: str, api: Api, weighted: Scoring, twin: Scoring
    ) -> None:
        rows = distinct_rows(3, seed=11)
        for scoring, seed in ((weighted, RUN_SEED), (twin, TWIN_SEED)) * 2:
            answered = Answered.of(scoring.send(api, operation, {INPUT: rows}, media_type=media_type))
            check(api, scoring, answered, {INPUT: rows}, {OUTPUT: exact_scores(rows, seed)})


class TestSeveralAtATime:
    """Requests of several sizes and formats at a time, to one deployment and to two."""

    @pytest.mark.touches(*OPERATIONS, if_there=("get_pipeline_logs",))
    @pytest.mark.counts_rows
    def test_each_request_gets_its_own_rows(self, operation: str, api: Api, weighted: Scoring) -> None:
        sent = [distinct_rows((3, 300, 1, 70)[number % 4], seed=number) for number in range(12)]

        def score(number: int) -> None:
            rows = sent[number]
            media_type = (RECORDS, ARROW)[number // 4 % 2]
            headers = {"Accept": (JSON, ARROW)[number // 2 % 2]}
            answer = weighted.send(api, operation, {INPUT: rows}, media_type=media_type, headers=headers)
            check(api, weighted, Answered.of(answer), {INPUT: rows}, {OUTPUT: exact_scores(rows)})

        at_a_time([(lambda number=number: score(number)) for number in range(len(sent))])
        if not api.has("get_pipeline_logs"):
            return
        expected = np.concatenate(sent).tolist()

        def newest() -> bool:
            found: list[Any] = []
            for page in pages_of_log(api, weighted, headers={"Accept": ARROW}):  # those of each form have their own
                found += Answered.of(page).parts["in"].get(INPUT, [])
                if len(found) >= len(expected):
                    break
            return sorted(found[: len(expected)]) == sorted(expected)

        soon(newest, lambda: f"the newest {len(expected)} rows of the log are not those of requests at a time")

    @BOTH
    def test_each_deployment_scores_its_own_rows(
        self, operation: str, api: Api, weighted: Scoring, typed: Scoring
    ) -> None:
        def score(number: int) -> None:
            if number % 2:
                rows = {INPUT: distinct_rows(50 + number, seed=number)}
                scoring, scores = weighted, {OUTPUT: exact_scores(rows[INPUT])}
            else:
                rows = typed_rows(50 + number)
                scoring, scores = typed, typed_scores(rows)
            answered = Answered.of(scoring.send(api, operation, rows), list(scores))
            check(api, scoring, answered, rows, scores)

        at_a_time([(lambda number=number: score(number)) for number in range(8)])


def at_a_time(actions: Sequence[Callable[[], None]], threads: int = 4) -> None:
    """Run actions in threads, so many at a time, each with the others of its group."""
    barrier = threading.Barrier(threads)

    def act(action: Callable[[], None]) -> None:
        barrier.wait(timeout=60)
        action()

    with ThreadPoolExecutor(threads) as pool:
        for begin in range(0, len(actions), threads):
            for done in [pool.submit(act, action) for action in actions[begin : begin + threads]]:
                done.result()


def in_capitals(name: str) -> str:
    """Return a name of the run in which only what the run put behind its prefix has other letters."""
    prefix, _, last = name.rpartition("-")
    return f"{prefix}-{last.upper()}"


class TestUrls:
    @BOTH
    def test_a_pipeline_without_models_scores_nothing(self, operation: str, api: Api, fixtures: Fixtures) -> None:
        pipeline = new_pipeline(api, fixtures)
        number, deployment = deployed(api, pipeline)
        body, headers = records_of({INPUT: distinct_rows(2)}), {"Content-Type": RECORDS}
        path = {"deployment": deployment, "pipeline": pipeline["name"]}
        answer = api.send(operation, path=path, content=body, headers=headers)
        assert answer.status_code in {400, 503}, f"{answer.status_code} {answer.text[:300]}"
        api.call("undeploy_pipeline", {"deployment_id": number})

    @BOTH
    def test_the_name_of_one_deployment_and_the_id_of_another_are_no_deployment(
        self, operation: str, api: Api, fixtures: Fixtures, weighted: Scoring
    ) -> None:
        assert fixtures.deployment is not None
        other, body = fixtures.deployment, {INPUT: distinct_rows(2)}
        crossed = [{"deployment": f"{weighted.name}-{other.id}", "pipeline": weighted.name}]
        crossed += [{"deployment": f"{other.pipeline}-{weighted.deployment_id}", "pipeline": other.pipeline}]
        if operation == "infer_pipeline":
            crossed += [weighted.path | {"pipeline": other.pipeline}]
            crossed += [{"deployment": other.name, "pipeline": weighted.name}]
            crossed += [weighted.path | {"pipeline": in_capitals(weighted.name)}]
        crossed += [weighted.path | {"deployment": f"{in_capitals(weighted.name)}-{weighted.deployment_id}"}]
        for path in crossed:
            assert weighted.send(api, operation, body).is_success
            answer = api.send(
                operation, path=path, content=records_of(body), headers={"Content-Type": RECORDS, "Accept": JSON}
            )
            assert answer.status_code in {400, 404}, f"{path}: {answer.status_code} {answer.text[:300]}"

    @pytest.mark.touches("get_pipeline_external_url", "infer_pipeline", if_there=("infer_deployment",))
    def test_a_deployment_is_looked_for_by_its_name_before_a_pipeline(self, api: Api, weighted: Scoring) -> None:
        where = {"workspace_id": weighted.workspace_id}
        other = api.unused_name("p")
        made = api.call("create_pipeline", where | {"pipeline_id": other, "definition": {}})
        ids = {"pipeline_id": made["pipeline_pk_id"], "pipeline_version_pk_id": made["pipeline_variant_pk_id"]}
        crossed = api.unused_name("p")
        # A pipeline called as the deployment of another one is, and with a deployment of another name.
        named = api.call("create_pipeline", where | {"pipeline_id": crossed, "definition": {}})
        its = {"pipeline_id": named["pipeline_pk_id"], "pipeline_version_pk_id": named["pipeline_variant_pk_id"]}
        requests = (its | {"deploy_id": api.unused_name("p")}, ids | {"deploy_id": crossed})
        numbers = [api.call("deploy_pipeline", request | {"models": [weighted.model]})["id"] for request in requests]
        deployed = numbers[1]
        try:
            urls = dict.fromkeys((crossed, other), (f"{crossed}-{deployed}", other))
            urls[weighted.name] = weighted.deployment, weighted.name
            for asked, (deployment, pipeline) in urls.items():
                url = api.call("get_pipeline_external_url", where | {"pipeline_name": asked})["url"]
                _, found, behind = f"{url}/".partition(f"/{deployment}/")
                assert found, f"the URL of {asked} is {url}"
                assert behind.strip("/") in {"", pipeline}, f"the URL of {asked} leads to another pipeline: {url}"
        finally:
            for number in numbers:
                api.send("undeploy_pipeline", {"deployment_id": number})
