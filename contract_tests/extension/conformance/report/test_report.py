"""Does the report of a contract run say all that was found, to people and to programs, and nothing else?"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from dataclasses import asdict, replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from contract_tests.support.conformance import runs
from contract_tests.support.conformance.runs import ATTACK, exchange, finding
from wallaroo_ext.conformance import rules
from wallaroo_ext.conformance.cases import generated
from wallaroo_ext.conformance.coverage import exercises, too_few
from wallaroo_ext.conformance.exchanges import MAX_BODY_BYTES, Body, redact_body
from wallaroo_ext.conformance.report import ReportFiles, write_report
from wallaroo_ext.conformance.report.badge import badge_svg
from wallaroo_ext.conformance.report.body_view import view_body
from wallaroo_ext.conformance.report.failures import causes, failures, meaning, shape
from wallaroo_ext.conformance.report.github import step_summary, workflow_commands
from wallaroo_ext.conformance.report.summary import counts_text, duration, figures, sentence
from wallaroo_ext.conformance.report.terminal import summary
from wallaroo_ext.conformance.report.texts import headline
from wallaroo_ext.conformance.results import INTERRUPTED, Finding, OperationRow, TestOutcome, Verdict, verdict
from wallaroo_ext.conformance.rules import CONTENT_TYPE, STATUS

if TYPE_CHECKING:
    from pathlib import Path

    from wallaroo_ext.conformance.results import Run

FAILED = TestOutcome("test_a.py::test_b", "failed", 0.1, "because")


def _mixed() -> Run:
    """Return a run with a test of each outcome, and findings of tests that passed, failed and were none."""
    made = runs.failing()
    outcomes = [TestOutcome(f"test_a.py::test_{name}", name, 0.1, "assert 1 == 2") for name in ("failed", "error")]
    skipped = TestOutcome("test_a.py::test_skipped", "skipped", 0, "--read-only")
    return replace(
        made, tests=[*made.tests, *outcomes, skipped], findings=[*made.findings, finding(test="test_a.py::c")]
    )


MADE = {
    "failing": runs.failing,
    "conforming": runs.conforming,
    "early": runs.early,
    "hostile": runs.hostile,
    "mixed": _mixed,
    "interrupted": lambda: replace(_mixed(), could_not_run=INTERRUPTED, tests=[], findings=[]),
    "interrupted with failures": lambda: replace(_mixed(), could_not_run=INTERRUPTED),
}
NAMES_OF_HAR = {
    "log": {"version", "creator", "entries"},
    "entry": {"startedDateTime", "time", "request", "response", "cache", "timings"},
    "request": {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"},
    "response": {
        *{"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL"},
        *{"headersSize", "bodySize"},
    },
    "timings": {"send", "wait", "receive"},
}
"""The required names of HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/)."""


class Elements(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(params=MADE)
def made(request: pytest.FixtureRequest) -> Run:
    """Return a run of each kind."""
    return MADE[request.param]()


@pytest.fixture
def written(made: Run, tmp_path: Path) -> ReportFiles:
    """Return the report of the run."""
    return write_report(made, tmp_path / "new" / "directory")


def page_of(run: Run, directory: Path) -> Elements:
    return Elements(write_report(run, directory).page.read_text(encoding="utf-8"))


def report_of(run: Run, directory: Path) -> dict[str, Any]:
    return json.loads(write_report(run, directory).machine.read_text(encoding="utf-8"))


def har_of(run: Run, directory: Path) -> list[dict[str, Any]]:
    return json.loads(write_report(run, directory).har.read_text(encoding="utf-8"))["log"]["entries"]


class TestTheVerdict:
    def test_nothing_wrong_conforms(self) -> None:
        assert verdict(runs.conforming()) is Verdict.CONFORMS

    @pytest.mark.parametrize("found", [{"findings": [finding()]}, {"tests": [FAILED]}])
    def test_one_finding_or_one_failed_test_is_enough(self, found: dict[str, Any]) -> None:
        assert verdict(runs.run(**found)) is Verdict.DOES_NOT_CONFORM

    def test_a_test_that_ends_in_an_error_is_enough(self) -> None:
        assert verdict(runs.run(tests=[replace(FAILED, outcome="error")])) is Verdict.DOES_NOT_CONFORM

    def test_a_skipped_test_changes_nothing(self) -> None:
        assert verdict(runs.run(tests=[replace(FAILED, outcome="skipped")])) is Verdict.CONFORMS

    def test_what_ended_early_could_not_run_whatever_it_found(self) -> None:
        assert verdict(runs.run(could_not_run="no network", findings=[finding()])) is Verdict.COULD_NOT_RUN

    def test_they_are_the_exit_codes(self) -> None:
        codes = {each.text: each.value for each in Verdict}
        assert codes == {"conforms": 0, "does not conform": 1, "could not run": 2}


class TestCounts:
    def test_every_form_of_the_report_has_the_same(self, made: Run, tmp_path: Path) -> None:
        files = write_report(made, tmp_path)
        machine = json.loads(files.machine.read_text(encoding="utf-8"))
        suite = ET.parse(files.junit).getroot()[0]  # noqa: S314 - we wrote it
        shown = Elements(files.page.read_text(encoding="utf-8")).words
        counts = machine["counts"]

        assert counts["tests"] == len(machine["test_outcomes"]) == sum(machine["tests"].values())
        assert counts["tests"] == int(suite.get("tests", "")) == len(suite.findall("testcase"))
        failed = len(list(suite.iter("failure"))) + len(list(suite.iter("error")))
        assert counts["tests_failed"] == failed == int(suite.get("failures", "")) + int(suite.get("errors", ""))
        assert counts["tests_skipped"] == len(list(suite.iter("skipped"))) == int(suite.get("skipped", ""))
        assert counts["tests_failed"] == machine["tests"].get("failed", 0) + machine["tests"].get("error", 0)
        properties = {each.get("name"): each.get("value") for each in suite.iter("property")}
        assert {name: properties[name] for name in counts} == {name: str(count) for name, count in counts.items()}

        assert counts["kinds_of_failure"] == len(machine["failures"])
        assert counts["failures"] == sum(each["count"] for each in machine["failures"])
        assert counts["checks_failed"] == sum(each["failed"] for each in machine["checks"])
        assert (counts["requests"], counts["left_behind"]) == (machine["requests"], len(machine["left_behind"]))
        for figure in (
            f"{counts['kinds_of_failure']:,} kinds of failure",
            f"{counts['checks_failed']:,} of {counts['checks']:,} checks failed",
            f"{counts['tests_failed']:,} of {counts['tests']:,} tests failed",
            f"{counts['requests']:,} requests",
        ):
            assert figure in " ".join(shown.split())

        text = "\n".join(summary(made))
        if counts["requests"]:
            assert re.search(rf"{counts['requests']:,} requests? and {counts['tests']:,} tests?\.", text)
            assert re.search(rf"\b{counts['checks']:,} checks? of", text)
        if verdict(made) is Verdict.DOES_NOT_CONFORM:
            assert re.search(rf"^{counts['kinds_of_failure']:,} kinds? of failure", text, re.MULTILINE)


class TestSuccesses:
    def test_they_are_counted_by_status(self) -> None:
        statuses = [200] * 4 + [202, 404, 500, 0]
        made = runs.run(exchanges=[exchange("get_model", status=status) for status in statuses])
        counted = next(each for each in exercises(made) if each.operation.id == "get_model")
        assert counted.statuses == {0: 1, 200: 4, 202: 1, 404: 1, 500: 1}
        assert (counted.successes, counted.requests, counted.is_enough) == (5, 8, True)

    def test_four_are_too_few_and_what_may_not_be_tried_needs_none(self) -> None:
        few = [each.operation.id for each in too_few(runs.run(exchanges=[exchange("get_model")] * 4))]
        assert "get_model" in few
        assert "deactivate_user" not in few

    def test_requests_of_no_operation_count_for_none(self) -> None:
        made = runs.run(exchanges=[replace(exchange(), operation="")])
        assert sum(each.requests for each in exercises(made)) == 0


class TestGrouping:
    def test_messages_that_differ_in_values_alone_are_one_failure(self) -> None:
        words = ['$[0].id: "a" is not of type "integer"', '$[17].id: {"b": [1]} is not of type "integer"']
        [failure] = failures(runs.run(findings=[finding(message=word) for word in words]))
        assert failure.count == 2
        assert failure.message == words[0]

    @pytest.mark.parametrize(
        "other",
        [
            {"operation": "get_model"},
            {"check": "another"},
            {"rule": replace(runs.rule(), pointer="#/components/schemas/Model/required")},
            {"exchange": exchange(status=202)},
            {"message": '"one" is longer than 3 characters'},
        ],
    )
    def test_what_differs_in_more_is_two(self, other: dict[str, Any]) -> None:
        assert len(failures(runs.run(findings=[finding(), finding(**other)]))) == 2

    def test_missing_fields_of_several_names_are_several(self) -> None:
        assert shape('"id" is a required property', "") != shape('"sha" is a required property', "")

    def test_a_long_value_gives_way_to_what_is_wrong_with_it(self) -> None:
        line = headline(f'$.users: {json.dumps([{"name": "somebody"}] * 30)} is not of type "object"\n')
        assert line.startswith('$.users: [{"name": "somebody"}')
        assert line.endswith('… is not of type "object"')
        assert len(line) < 100

    def test_identifiers_numbers_and_the_runs_names_do_not_count(self) -> None:
        left = f"{runs.PREFIX}a-1 has 3 versions, 0a1b2c3d-0000-4000-8000-0123456789ab is new"
        right = f"{runs.PREFIX}b has 41 versions, ffffffff-0000-4000-8000-0123456789ab is new"
        assert shape(left, runs.PREFIX) == shape(right, runs.PREFIX) == "… has … versions, … is new"

    def test_there_are_three_examples_at_most_of_several_tests_where_there_are_some(self) -> None:
        tests = ["a", "a", "a", "a", "b"]
        [failure] = failures(runs.run(findings=[finding(test=test) for test in tests]))
        assert [example.test for example in failure.examples] == ["a", "b", "a"]
        assert failure.tests == {"a": 4, "b": 1}

    def test_they_are_in_the_contracts_order_and_those_of_no_operation_last(self) -> None:
        found = [finding(operation=name) for name in ("", "undeploy_pipeline", "query_users")]
        ordered = [failure.operation for failure in failures(runs.run(findings=found))]
        assert ordered == ["query_users", "undeploy_pipeline", ""]

    def test_a_failed_test_without_a_finding_is_a_failure(self) -> None:
        [failure] = failures(runs.run(tests=[FAILED]))
        assert (failure.check, failure.message, failure.tests) == ("test", "B: because", {FAILED.test: 1})

    def test_it_says_what_the_test_is_about_and_shows_the_request_that_it_failed_with(self) -> None:
        whole = "no\n\ndef …\nE   AssertionError: no\nE   ?"
        test = TestOutcome("test_a.py::TestB::test_a_model_is_listed[x]", "failed", 0.1, whole, request=1)
        sent = [
            runs.exchange(test=test.test),
            runs.exchange("get_model", test=test.test),
            runs.exchange("undeploy_pipeline", test=test.test),
        ]
        [failure] = failures(runs.run(tests=[test], exchanges=sent))
        assert headline(failure.message) == "A model is listed [x]: no"
        assert test.message in failure.message
        assert (failure.operation, failure.examples[0].exchange) == ("get_model", sent[1])

    def test_a_failed_test_with_a_finding_is_that_finding(self) -> None:
        assert len(failures(runs.run(tests=[FAILED], findings=[finding(test=FAILED.test)]))) == 1

    def test_a_finding_of_a_clean_up_does_not_hide_what_a_test_failed_with(self) -> None:
        test = "test_a.py::test_b"
        sent = [exchange(test=test), exchange("undeploy_pipeline", test=test)]
        late = finding(operation="undeploy_pipeline", exchange=sent[1], test=test)
        made = runs.run(tests=[replace(FAILED, request=0)], exchanges=sent, findings=[late])
        assert [(each.operation, each.check) for each in failures(made)] == [
            ("list_models", "test"),
            ("undeploy_pipeline", late.check),
        ]
        early = replace(late, operation="list_models", exchange=sent[0])
        assert len(failures(replace(made, findings=[early]))) == 1

    def test_an_answer_of_a_wrong_status_is_one_fault_whatever_noticed_it(self) -> None:
        for status in (418, 500, 520):
            sent = [exchange(status=status, test=f"test_a.py::test_{n}") for n in range(3)]
            found = [
                finding(check="not_a_server_error", message="Server error. It said 5.", exchange=sent[0], rule=None),
                finding(check=STATUS, message=f"The contract has no answer of status {status}.", exchange=sent[0]),
                finding(check="negative_data_rejection", message="Accepted.", exchange=sent[1]),
            ]
            failed = TestOutcome(sent[2].test, "failed", 0.1, f"assert {status} == 200", request=2)
            [failure] = failures(runs.run(findings=found, exchanges=sent, tests=[failed]))
            assert (failure.check, failure.count) == (STATUS, 4)

    def test_no_answer_is_one_fault_too(self) -> None:
        lost = exchange(status=0, test=FAILED.test)
        found = finding(check="an_answer_comes", message="No answer came: closed.", exchange=lost, test="test_a.py::c")
        made = runs.run(findings=[found], exchanges=[lost], tests=[replace(FAILED, request=0)])
        assert [(each.check, each.count) for each in failures(made)] == [("an_answer_comes", 2)]

    def test_an_answer_of_a_wrong_type_is_one_fault_whatever_noticed_it(self) -> None:
        page = exchange(answer_headers=(("content-type", "text/html"),))
        found = [
            finding(check=CONTENT_TYPE, message="Undocumented Content-Type. Received: text/html", exchange=page),
            finding(check=CONTENT_TYPE, message="The answer has the media type text/html.", exchange=page),
            finding(message="Response violates schema. It is no JSON.", exchange=page),
        ]
        assert [each.count for each in failures(runs.run(findings=found))] == [3]

    def test_a_broken_rule_is_one_fault_for_both_that_look_for_it(self) -> None:
        theirs = finding(message='Response violates schema. "one" is not of type "integer" Schema: { "type": …')
        assert [each.count for each in failures(runs.run(findings=[theirs, finding()]))] == [2]

    def test_one_cause_in_several_operations_is_said_once(self) -> None:
        found = [finding(operation=name, message=f'$.{name}: "a" is no id') for name in ("get_model", "list_models")]
        [cause] = causes(failures(runs.run(findings=found)))
        assert [failure.operation for failure in cause] == ["list_models", "get_model"]


class TestBodies:
    def test_json_is_in_lines(self) -> None:
        shown = view_body(Body(b'{"a":[1,"\xc3\xbc"]}', 14))
        assert shown.text == '{\n  "a": [\n    1,\n    "ü"\n  ]\n}'
        assert shown.note == "JSON, 14 bytes"

    def test_other_bytes_are_a_hex_dump(self) -> None:
        shown = view_body(Body(b"ARROW1\0\0" + bytes(500), 508))
        first, second, *_ = shown.text.splitlines()
        assert first == "0000  41 52 52 4f 57 31 00 00 00 00 00 00 00 00 00 00  ARROW1··········"
        assert second.startswith("0010  00 00")
        assert shown.note == "binary, 508 bytes, of which the first 256 are shown"

    def test_only_what_can_be_printed_stands_beside_its_bytes(self) -> None:
        shown = view_body(Body(b"\x1f\x20\x7e\x7f\x80\xff" + bytes(10), 16))
        assert shown.text.endswith("  · ~" + 13 * "·")

    def test_what_is_cut_says_so(self) -> None:
        shown = view_body(redact_body(b"[" + b"1," * 20_000, "application/json"))
        assert shown.note == "text, 40,001 bytes, of which the first 16,384 were kept; the beginning is shown"
        assert len(shown.text) == 6000

    def test_a_cut_through_a_character_makes_no_binary_of_a_text(self) -> None:
        content = ("ü" * MAX_BODY_BYTES).encode()
        assert view_body(Body(content[: MAX_BODY_BYTES - 1], len(content))).text == "ü" * 6000

    def test_what_was_not_kept_says_so(self) -> None:
        assert view_body(Body(b"", 3_000_000)).note == "3,000,000 bytes, none of which were kept"
        assert view_body(Body(b"", 0)).note == "no body"

    @pytest.mark.parametrize("content", [b"[" * 100_000, b"1" * 5_000, b"{", b'"\\ud800"', b"NaN"])
    def test_no_body_is_too_odd(self, content: bytes) -> None:
        assert view_body(Body(content[:MAX_BODY_BYTES], len(content))).text


class TestThePage:
    def test_it_says_each_failure_with_all_that_belongs_to_it(self, tmp_path: Path) -> None:
        shown = page_of(runs.failing(), tmp_path).words
        for part in (
            "Does not conform",
            "9 kinds of failure",
            '$.models[3].id: "one" is not of type "integer"',
            "#/components/schemas/Model/properties/id/type",
            "description: The id of the model.",
            "mlops-api-tutorial, “List Models”",
            "recorded",
            "contract_tests/instance/test_properties.py::test_examples[list_models]",
            f"curl -i {runs.URL}/v1/api/models/list",
            '-H "Authorization: Bearer $WALLAROO_TOKEN"',
            '"workspace_id": 1',
            "Bearer [left out]",
            "None came: The connection was closed.",
            "binary, 200,008 bytes, of which the first 256 are shown",
            "assert '3f3f' == '1a1a'",
        ):
            assert part in shown, part

    def test_it_says_what_else_there_is(self, tmp_path: Path) -> None:
        made = runs.failing()
        shown = page_of(made, tmp_path).words
        expected = [made.subject.contract_sha, made.subject.prefix, str(made.subject.seed), *made.subject.options]
        expected += [notice.text for notice in made.notices] + [each.reason for each in made.exclusions]
        expected += [text for each in made.left_behind for text in (str(each.id), str(each.name), each.state)]
        expected += [reason for reasons in made.withheld_because.values() for reason in reasons]
        expected += [row.not_exercised for row in made.operations if row.not_exercised]
        expected += [change.where for change in made.drift.changes] if made.drift else []
        expected += [test.test for test in made.tests]
        assert [text for text in expected if text not in shown] == []

    def test_what_is_found_most_often_comes_first_and_all_of_it_is_there(self, tmp_path: Path) -> None:
        found = [finding(check=f"check_{n}") for n in range(40)] + [finding(check="check_39")] * 5
        shown = page_of(runs.run(findings=found), tmp_path).words
        assert shown.index("check_39") < shown.index("check_0")
        assert "And 25 others, found less often" in shown
        assert [n for n in range(40) if f"check_{n}" not in shown] == []

    def test_its_matrix_has_the_counts(self, tmp_path: Path) -> None:
        made = runs.run(
            passed=Counter({("get_model", "a"): 1200, ("get_model", "b"): 3}), failed=Counter({("get_model", "b"): 2})
        )
        shown = page_of(made, tmp_path).words
        assert "✓ 1,200" in shown
        assert "✗ 2 of 5" in shown

    def test_it_needs_no_other_file(self, written: ReportFiles) -> None:
        page = written.page.read_text(encoding="utf-8")
        elements = Elements(page)
        loading = {"src", "srcset", "action", "formaction", "data", "background", "poster"}
        assert not [(tag, attrs) for tag, attrs in elements.found if loading.intersection(attrs) or tag == "link"]
        targets = [attrs["href"] or "" for tag, attrs in elements.found if tag == "a"]
        places = {attrs.get("id") for _, attrs in elements.found}
        assert targets
        assert [target for target in targets if target[0] != "#" or target[1:] not in places] == []

    def test_nothing_of_an_instance_is_an_element_or_an_attribute_that_acts(self, tmp_path: Path) -> None:
        attacked, harmless = (page_of(run, tmp_path) for run in (runs.hostile(), runs.failing()))
        assert {tag for tag, _ in attacked.found} <= {tag for tag, _ in harmless.found}
        assert Counter(tag for tag, _ in attacked.found)["script"] == 1
        names = {name for _, attrs in attacked.found for name in attrs}
        assert not [name for name in names if name.startswith("on") or name == "style"]

    def test_what_cannot_be_seen_is_written_out(self, tmp_path: Path) -> None:
        page = write_report(runs.hostile(), tmp_path).page.read_text(encoding="utf-8")
        assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\u2028]", page) is None
        assert r"\x00\x1b[31m\x07\r\x7f\u202e\u2028\ud800" in page

    def test_a_traceback_is_shown_and_cut_where_it_is_endless(self, tmp_path: Path) -> None:
        made = runs.run(tests=[replace(FAILED, message="E   first\n" + "E   more\n" * 100_000)])
        files = write_report(made, tmp_path)
        assert "E   first\nE   more\nE   more" in files.page.read_text(encoding="utf-8")
        assert files.page.stat().st_size < 100_000

    def test_it_stays_small_where_the_same_fails_thousands_of_times(self, tmp_path: Path) -> None:
        body = redact_body(json.dumps(list(range(100_000))).encode(), "application/json")
        found = [finding(message=f"$[{n}] is odd", exchange=exchange(answer=body)) for n in range(3000)]
        assert write_report(runs.run(findings=found), tmp_path).page.stat().st_size < 200_000


class TestHar:
    def test_it_has_what_har_requires(self, written: ReportFiles, made: Run) -> None:
        log = json.loads(written.har.read_text(encoding="utf-8"))["log"]
        assert log.keys() >= NAMES_OF_HAR["log"]
        assert (log["version"], log["creator"]["name"]) == ("1.2", "wallaroo-ext")
        assert len(log["entries"]) == len(made.exchanges)
        for entry in log["entries"]:
            assert entry.keys() >= NAMES_OF_HAR["entry"]
            for name in ("request", "response", "timings"):
                assert entry[name].keys() >= NAMES_OF_HAR[name]
            assert entry["response"]["content"].keys() >= {"size", "mimeType"}
            for record in entry["request"]["headers"] + entry["request"]["queryString"] + entry["response"]["headers"]:
                assert record.keys() >= {"name", "value"}
            assert entry["time"] == sum(max(0, spent) for spent in entry["timings"].values())

    def test_an_exchange_is_whole(self, tmp_path: Path) -> None:
        sent = exchange(url=f"{runs.URL}/infer?dataset[]=*&dataset.exclude=a%20b", started=1_790_000_000.25)
        [entry] = har_of(runs.run(exchanges=[sent]), tmp_path)
        assert entry["startedDateTime"] == "2026-09-21T14:13:20.250000+00:00"
        assert entry["time"] == 42
        assert entry["request"]["queryString"] == [
            {"name": "dataset[]", "value": "*"},
            {"name": "dataset.exclude", "value": "a b"},
        ]
        assert entry["request"]["postData"] == {"mimeType": "application/json", "text": '{"workspace_id": 1}'}
        assert (entry["response"]["status"], entry["response"]["statusText"]) == (200, "OK")
        assert json.loads(entry["response"]["content"]["text"])["models"][0]["name"] == "tumours"
        assert entry["comment"].startswith("list_models · contract_tests/instance/")

    def test_bytes_are_base64(self, tmp_path: Path) -> None:
        content = bytes(range(256))
        body = Body(content, 256)
        [entry] = har_of(runs.run(exchanges=[exchange(request=body, answer=body)]), tmp_path)
        assert entry["response"]["content"]["encoding"] == "base64"
        assert base64.b64decode(entry["response"]["content"]["text"]) == content
        assert entry["request"]["postData"]["comment"] == "base64"
        assert base64.b64decode(entry["request"]["postData"]["text"]) == content

    def test_what_is_cut_says_so(self, tmp_path: Path) -> None:
        body = redact_body(bytes(20_000), "application/octet-stream")
        [entry] = har_of(runs.run(exchanges=[exchange(request=body, answer=body)]), tmp_path)
        assert entry["response"]["content"]["size"] == entry["request"]["bodySize"] == 20_000
        assert entry["response"]["content"]["comment"] == "the first 16384 of 20000 bytes"
        assert entry["request"]["postData"]["comment"] == "base64, the first 16384 of 20000 bytes"

    def test_no_answer_has_the_status_0_and_says_why(self, tmp_path: Path) -> None:
        lost = exchange(status=0, answer=runs.NO_BODY, answer_headers=(), error="The connection was closed.")
        [entry] = har_of(runs.run(exchanges=[lost]), tmp_path)
        assert (entry["response"]["status"], entry["response"]["comment"]) == (0, "The connection was closed.")


class TestJUnit:
    def test_it_has_the_tests_and_their_outcomes(self, tmp_path: Path) -> None:
        tests = [
            TestOutcome("contract_tests/instance/test_a.py::TestB::test_c[x::y]", "passed", 1.5),
            TestOutcome("test_a.py::test_d", "failed", 0.25, "E assert 1 == 2\nmore"),
            TestOutcome("test_a.py::test_e", "error", 0, "broke"),
            TestOutcome("test_a.py::test_f", "skipped", 0, "--read-only"),
        ]
        root = ET.parse(write_report(runs.run(tests=tests), tmp_path).junit).getroot()  # noqa: S314 - we wrote it
        assert root.tag == "testsuites"
        [suite] = root
        counts = {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")}
        assert counts == {"tests": "4", "failures": "1", "errors": "1", "skipped": "1"}
        cases = suite.findall("testcase")
        assert cases[0].attrib == {
            "classname": "contract_tests.instance.test_a.TestB",
            "name": "test_c[x::y]",
            "time": "1.500",
        }
        assert [[child.tag for child in case] for case in cases] == [[], ["failure"], ["error"], ["skipped"]]
        assert cases[1][0].attrib == {"message": "E assert 1 == 2 more"}
        assert cases[1][0].text == "E assert 1 == 2\nmore"
        found = {each.get("name"): each.get("value") for each in suite.iter("property")}
        assert (found["instance"], found["seed"]) == ("live", "20231")

    def test_it_fails_where_the_verdict_does(self, written: ReportFiles, made: Run) -> None:
        suite = ET.parse(written.junit).getroot()[0]  # noqa: S314 - we wrote it
        figures = {name: int(suite.get(name, "")) for name in ("tests", "failures", "errors")}
        is_bad = verdict(made) is not Verdict.CONFORMS if made.could_not_run != INTERRUPTED else bool(failures(made))
        assert bool(figures["failures"] + figures["errors"]) == is_bad
        assert figures["tests"] == len(suite.findall("testcase"))

    def test_an_interruption_is_no_failure(self, tmp_path: Path) -> None:
        made = runs.run(could_not_run=INTERRUPTED, exchanges=[exchange()])
        suite = ET.parse(write_report(made, tmp_path).junit).getroot()[0]  # noqa: S314 - we wrote it
        assert [suite.get(name) for name in ("tests", "failures", "errors", "skipped")] == ["1", "0", "0", "1"]
        assert verdict(made) is Verdict.COULD_NOT_RUN

    def test_a_finding_that_no_failed_test_shows_is_a_case(self, tmp_path: Path) -> None:
        made = runs.run(findings=[finding()], tests=[TestOutcome(finding().test, "passed", 1)])
        suite = ET.parse(write_report(made, tmp_path).junit).getroot()[0]  # noqa: S314 - we wrote it
        case = suite.findall("testcase")[1]
        assert (case.get("classname"), case.get("name")) == ("findings.list_models", "response_schema_conformance")
        assert "is not of type" in (case[0].text or "")

    @pytest.mark.parametrize(("count", "times"), [(1, []), (3, ["Found 3 times."])])
    def test_a_case_says_how_often_it_was_found_where_that_is_more_than_once(
        self, tmp_path: Path, count: int, times: list[str]
    ) -> None:
        made = runs.run(findings=[finding()] * count)
        suite = ET.parse(write_report(made, tmp_path).junit).getroot()[0]  # noqa: S314 - we wrote it
        [text] = [case[0].text or "" for case in suite.findall("testcase") if case.find("failure") is not None]
        assert re.findall("Found .* times?[.]", text) == times

    def test_what_xml_cannot_hold_is_written_out(self, tmp_path: Path) -> None:
        root = ET.parse(write_report(runs.hostile(), tmp_path).junit).getroot()  # noqa: S314 - we wrote it
        assert r"\x00\x1b[31m" in (next(root.iter("failure")).text or "")


class TestJson:
    def test_it_says_what_the_page_says(self, tmp_path: Path) -> None:
        made = runs.failing()
        report = report_of(made, tmp_path)
        assert (report["verdict"], report["exit_code"]) == ("does not conform", 1)
        assert report["subject"]["contract_sha"] == made.subject.contract_sha
        assert len(report["failures"]) == 9
        assert len(report["findings"]) == len(made.findings)
        operations = {row["id"]: row for row in report["operations"]}
        assert operations["get_model"]["statuses"] == {"200": 10, "404": 2}
        assert (operations["get_model"]["successes"], operations["copy_pipeline"]["successes"]) == (10, 3)
        assert operations["copy_pipeline"]["enough"] is False
        assert {"operation": "get_model", "check": "x_always", "passed": 11, "failed": 0} in report["checks"]
        assert report["not_exercised"]["deactivate_user"] == "--read-only"
        assert len(report["drift"]["changes"]) == 30
        assert report["left_behind"] == [asdict(each) for each in made.left_behind]
        assert len(report["left_behind"]) == 113
        assert report["withheld_because"] == made.withheld_because
        assert [row["id"] for row in report["operations"] if not row["is_described"]] == ["purge_models"]
        assert report["notices"][0]["where"] == "$.engines[0].status"

    def test_it_has_no_bodies(self, tmp_path: Path) -> None:
        secretive = exchange(answer=Body(b'{"name": "a-word-of-the-answer"}', 32))
        text = write_report(runs.run(findings=[finding(exchange=secretive)]), tmp_path).machine.read_text("utf-8")
        assert "a-word-of-the-answer" not in text

    def test_it_is_json_by_the_letter(self, written: ReportFiles) -> None:
        def refuse(constant: str) -> None:
            raise AssertionError(constant)

        assert json.loads(written.machine.read_text(encoding="utf-8"), parse_constant=refuse)["format"] == 2


class TestWriting:
    def test_it_makes_the_directory_and_replaces_what_is_there(self, tmp_path: Path) -> None:
        write_report(runs.failing(), tmp_path / "a" / "b")
        files = write_report(runs.conforming(), tmp_path / "a" / "b")
        assert "Conforms" in files.page.read_text(encoding="utf-8")
        names = {path.name for path in files.page.parent.iterdir()}
        assert names == {"report.html", "report.har", "junit.xml", "report.json", "badge.svg"}

    def test_a_crash_leaves_the_earlier_report_and_nothing_half(self, tmp_path: Path) -> None:
        files = write_report(runs.conforming(), tmp_path)
        before = files.har.read_bytes()
        broken = runs.run(exchanges=[exchange(), exchange(started=float("nan"))])
        with pytest.raises(ValueError, match="NaN"):
            write_report(broken, tmp_path)
        assert files.har.read_bytes() == before
        assert len(list(tmp_path.iterdir())) == 5

    @pytest.mark.parametrize("name", ["page", "har", "junit", "machine"])
    def test_no_token_is_in_any_file(self, name: str, tmp_path: Path) -> None:
        secret = "not-a-real-token"
        careless = exchange(request_headers=runs.SIGNED)
        made = runs.run(findings=[finding(exchange=careless)])
        assert secret not in getattr(write_report(runs.failing(), tmp_path), name).read_text(encoding="utf-8")
        if name == "machine":  # the curl line has none, even where somebody forgot to take it out of the exchange
            assert secret not in write_report(made, tmp_path).machine.read_text(encoding="utf-8")


class TestTheTerminal:
    def test_it_says_the_verdict_what_is_wrong_and_who_says_so(self) -> None:
        lines = summary(runs.failing())
        assert lines[0].startswith("DOES NOT CONFORM  live https://api.wallaroo.example.com")
        assert '  ✗ $.models[3].id: "one" is not of type "integer"' in lines
        text = "\n".join(lines)
        assert "list_models, get_model, response_schema_conformance, 5 times" in text
        assert "mlops-api-tutorial, “List Models” (recorded)" in text
        assert "30 changes, 10 of which break a client" in text

    def test_a_good_run_is_short(self) -> None:
        assert len(summary(runs.conforming())) == 4

    def test_a_run_that_ended_early_says_why(self) -> None:
        assert "invalid_grant" in summary(runs.early())[1]

    def test_it_names_the_page(self, tmp_path: Path) -> None:
        files = write_report(runs.early(), tmp_path)
        assert summary(runs.early(), files=files)[-1] == f"Report: {files.page}"

    def test_it_has_colours_where_they_are_wanted(self) -> None:
        assert summary(runs.conforming(), colours=True)[0].startswith("\033[1;32mCONFORMS\033[0m")

    def test_nothing_steers_the_terminal(self, made: Run) -> None:
        lines = summary(made)
        assert [line for line in lines if not line.isprintable()] == []

    def test_many_causes_are_counted(self) -> None:
        found = [Finding("get_model", f"check_{number}", ATTACK) for number in range(25)]
        assert "  … and 15 more, in the report" in summary(runs.run(findings=found))

    def test_it_lists_all_that_is_left_behind(self) -> None:
        made = runs.failing()
        lines = summary(made)
        [start] = [number for number, line in enumerate(lines) if line.startswith("Left behind: ")]
        assert lines[start] == "Left behind: 110 models, 1 workspace, 1 assay, 1 deployment."
        listed = "\n".join(lines[start:])
        assert [thing for thing in made.left_behind if str(thing.id) not in listed] == []
        ending = f"  ! deployment 812 ({runs.PREFIX}p-812): it could not be ended: the instance is gone"
        assert ending in summary(made)

    def test_nobody_needs_the_ids_of_a_sandbox_that_has_ended(self) -> None:
        made = runs.failing()
        made.subject = replace(made.subject, instance="sandbox")
        lines = summary(made)
        counts = "Left behind on the sandbox, which has ended: 110 models, 1 workspace, 1 assay, 1 deployment."
        assert counts in lines
        assert [line for line in lines if line.startswith("  ! ")] == []

    def test_its_last_line_names_what_could_not_be_exercised_of_what_it_was_to_look_at(self, tmp_path: Path) -> None:
        made = runs.failing()
        gaps = "deactivate_user, activate_user"
        for row in made.operations:
            if row.id == "invite_user":
                made.operations[made.operations.index(row)] = replace(row, is_asked_for=False)
        made.exchanges = [each for each in made.exchanges if each.operation != "activate_user"]
        made.operations = [row for row in made.operations if row.is_described]
        made.operations.sort(key=lambda row: row.id == "activate_user")
        assert summary(made, files=write_report(made, tmp_path))[-1] == f"Not exercised: 2 operations: {gaps}."
        assert report_of(made, tmp_path)["not_exercised"]["activate_user"] == "No request was sent."
        cases = ET.parse(write_report(made, tmp_path).junit).getroot().iter("testcase")  # noqa: S314 - we wrote it
        skipped = {case.get("name"): case[0].get("message") for case in cases if case.get("classname") == "operations"}
        assert skipped == {"activate_user": "No request was sent.", "deactivate_user": "--read-only"}

    def test_it_names_what_was_not_looked_at(self) -> None:
        text = "Not looked at: purge_models. The contract does not say what it writes (x-writes is missing)."
        assert text in summary(runs.failing())
        many = [OperationRow(f"op{n}", "t", "s", "/p", "No x-writes.", is_described=False) for n in range(13)]
        lines = [line for line in summary(runs.run(operations=many)) if line.startswith("Not looked at")]
        assert len(lines) == 11
        assert lines[-1] == "Not looked at: 3 more operations, each with its reason in the report."


class TestTheSameCounts:
    def test_the_page_the_terminal_junit_and_github_have_the_same_words(self, written: ReportFiles, made: Run) -> None:
        page = " ".join(re.sub(r"<[^>]*>", " ", written.page.read_text(encoding="utf-8")).split())
        suites = ET.parse(written.junit)  # noqa: S314 - it is our own
        properties = {found.attrib["name"]: found.attrib["value"] for found in suites.iter("property")}
        assert properties["sentence"] == sentence(made)
        assert properties["counts"] == counts_text(made)
        assert properties["verdict"] == verdict(made).text
        if made.exchanges or made.tests:
            assert f"Counts: {counts_text(made)}." in summary(made)
        github = re.sub(r"\\(.)", r"\1", step_summary(made))
        assert sentence(made) in github
        for figure in figures(made):
            assert f"{figure.number} {figure.text}" in page
            assert f"| {figure.number} | {figure.text} |" in github


class TestGitHub:
    def test_each_cause_is_an_annotation_and_no_line_is_another_ones(self, made: Run) -> None:
        lines = workflow_commands(made)
        assert all(re.fullmatch(r"::(error|warning) title=[^:,\r\n]*::[^\r\n]*", line) for line in lines)
        assert len(lines) <= 14
        assert any(line.startswith("::error") for line in lines) == (verdict(made) is not Verdict.CONFORMS)

    def test_what_an_instance_says_is_no_command_and_no_markup(self) -> None:
        attack = "100% bad\n::set-env name=A::b\r::error::x | `code` <img src=x> ![x](http://evil.example) @everybody"
        made = replace(runs.failing(), findings=[finding(message=attack, operation="list_models")])
        [line] = workflow_commands(made)[:1]
        assert "100%25 bad" in line
        text = step_summary(made)
        assert not re.search(r"(?<!\\)(<img|\]\()", text)
        assert not re.search(r"(?<!\\)[@`]", text)
        rows = [row for row in text.splitlines() if row.startswith("| list")]
        assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5}

    def test_many_kinds_are_counted(self) -> None:
        many = [finding(message=f"{chr(97 + n)}{chr(97 + n)} is wrong", check=f"check {n}") for n in range(20)]
        lines = [
            line for line in workflow_commands(replace(runs.failing(), findings=many)) if line.startswith("::error")
        ]
        assert len(lines) == 10
        assert "more kinds of failure: see the report." in lines[-1]

    def test_github_shows_all_errors_of_a_run_that_ended_early(self) -> None:
        many = [finding(message=f"{chr(97 + n)}{chr(97 + n)} is wrong", check=f"check {n}") for n in range(20)]
        lines = workflow_commands(replace(runs.early(), findings=many))
        assert len(lines) == 10
        assert lines[0].startswith("::error title=conformance could not be found out::")
        assert "12 more kinds of failure: see the report." in lines[-1]

    def test_a_run_that_found_nothing_out_is_an_error(self) -> None:
        [line, *_] = workflow_commands(runs.early())
        assert line.startswith("::error title=conformance could not be found out::")


def test_each_check_that_is_made_says_what_it_asks() -> None:
    made = {*generated._checks(), rules.STATUS, rules.ALWAYS, rules.ANSWERED, rules.FIXTURES, rules.DRIFT}  # pyright: ignore[reportPrivateUsage]
    assert [check for check in sorted(made) if not meaning(check)] == []


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0424, "42 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1.0 s"),
        (1, "1.0 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min 0 s"),
        (60, "1 min 0 s"),
        (3725.2, "62 min 5 s"),
    ],
)
def test_durations_are_in_the_unit_that_people_would_take(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_the_badge_says_the_verdict(made: Run, written: ReportFiles) -> None:
    root = ET.fromstring(badge_svg(made))  # noqa: S314 - it is our own
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0] == "conformance"
    assert str(texts[1]).startswith(verdict(made).text)
    assert written.badge.read_text(encoding="utf-8") == badge_svg(made)
