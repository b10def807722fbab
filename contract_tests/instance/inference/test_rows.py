"""Are all rows answered, each once and in order, whatever their number and however they are written?"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

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
    exact_scores,
    subtracted,
    typed_rows,
    typed_scores,
)
from wallaroo_ext.conformance.testing.answer_forms import ARROW, JSON, RECORDS, Answered, media_type_of
from wallaroo_ext.conformance.testing.api_calls import NOT_TAKEN
from wallaroo_ext.conformance.testing.inference.row_checks import check_rows, check_whole_rows
from wallaroo_ext.conformance.testing.inference.scoring import OPERATIONS, Scoring, difference, records_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import httpx

    from wallaroo_ext.conformance.testing.api_calls import Api

pytestmark = [pytest.mark.thorough("many rows, and rows in every form"), pytest.mark.separate]

PREFERS_ARROW = f"{JSON};q=0.1, {ARROW}"
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
SPELLINGS = (
    RECORDS,
    "application/json;format=pandas-records",
    "Application/JSON; Format=pandas-records",
    'application/json; charset=utf-8; format="pandas-records"',
)
"""One media type, as RFC 9110 lets one write it."""


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
            check_rows(api, weighted, answered, {INPUT: rows}, {OUTPUT: exact_scores(rows)})
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
            check_rows(api, weighted, answered, {INPUT: rows}, {OUTPUT: exact_scores(rows)})
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
            check_rows(api, typed, Answered.of(answer, list(scores)), rows, scores)

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
                check_rows(api, subtracting, Answered.of(answer, list(scores)), rows, scores)

    @BOTH
    def test_the_only_input_may_be_called_tensor(self, operation: str, api: Api, weighted: Scoring) -> None:
        rows = distinct_rows(3, seed=8)
        for media_type in (RECORDS, ARROW):
            answered = Answered.of(weighted.send(api, operation, {"tensor": rows}, media_type=media_type))
            check_rows(api, weighted, answered, {"tensor": rows}, {OUTPUT: exact_scores(rows)})

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
            check_rows(api, scoring, Answered.of(answer, list(scores)), columns, scores)

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
            check_rows(api, weighted, answered, {INPUT: rows}, {OUTPUT: exact_scores(rows)})


def send_oldest(api: Api, scoring: Scoring, columns: Mapping[str, Any], accept: str = JSON) -> httpx.Response:
    """Send rows in the oldest form, and return the answer."""
    return api.send("infer_deployment", columns, path=scoring.path, headers={"Accept": accept})


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
