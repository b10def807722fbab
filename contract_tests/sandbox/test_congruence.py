"""Does the sandbox answer as the instances did that were recorded?"""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from contract_tests.support.servers.forks import fork_server
from scripts.lib.congruence import real_servers
from scripts.lib.congruence.answers import REASONS, TABLE, compare_all, page
from scripts.lib.congruence.field_kinds import FieldKinds, differences
from scripts.lib.congruence.real_servers_reasons import NO_REASON, reason_of
from scripts.lib.congruence.real_servers_reasons import REASONS as REASONS_BY_RELEASE
from scripts.lib.evidence import known_operations
from scripts.lib.evidence.recordings import VARIABLE, recordings_directory
from wallaroo_ext import contract

WITHOUT_RECORDINGS = f"There are no recordings of real servers here: name their directory by {VARIABLE}."
ROW = re.compile(r"\| (\S+) \| `(.+?)` \| (\d+) \| (\d+) \| (.*) \| (.*) \|")
KINDS = r"(absent|boolean|list|null|number|object|string|\d{3})( or (boolean|list|null|number|object|string))*"
HOW = rf"recorded only|here only|recorded {KINDS}, here {KINDS}|here {KINDS}, recorded {KINDS}"


@pytest.mark.slow
def test_every_difference_from_a_recording_has_a_reason_and_stands_in_the_table() -> None:
    rows = compare_all(fork_server.start_sandbox)
    assert [row for row in rows if not row.is_explained] == []
    assert TABLE.read_text(encoding="utf-8") == page(rows)
    given = {reason for row in rows for reason in row.reasons}
    assert set(REASONS.values()) <= given, "a reason that explains nothing any more"


@pytest.mark.slow
@pytest.mark.skipif(recordings_directory() is None, reason=WITHOUT_RECORDINGS)
@pytest.mark.parametrize("release", contract.RELEASES)
def test_every_difference_from_a_real_server_of_a_release_has_a_reason(release: str) -> None:
    found = real_servers.compare_release(release, fork_server.start_sandbox)
    assert real_servers.unexplained(found) == []
    written = [line for line in lines_by_release() if line.startswith(f"| {release} |")]
    assert written == [real_servers.row(each) for each in found], "run scripts/congruence"


def lines_by_release() -> list[str]:
    """Return the lines of the table of real servers."""
    return real_servers.TABLE.read_text(encoding="utf-8").splitlines()


def rows_by_release() -> list[Any]:
    """Return the cells of the table of real servers."""
    rows = [ROW.fullmatch(line) for line in lines_by_release() if line.startswith("| 20")]
    assert all(rows)
    return [row.groups() for row in rows if row]


class TestByRelease:
    """What can be said of the table of real servers without their recordings."""

    def test_it_is_of_the_recordings_that_the_contracts_evidence_is_of(self) -> None:
        assert lines_by_release()[-1] == known_operations.TABLE.read_text(encoding="utf-8").splitlines()[-1]

    def test_each_row_is_of_an_operation_that_its_release_has(self) -> None:
        rows = rows_by_release()
        assert {release for release, *_ in rows} == set(contract.RELEASES)
        for release, operation, *_ in rows:
            assert operation in known_operations.operations_of(release) or operation.startswith("infer "), (
                release,
                operation,
            )

    def test_each_difference_has_a_reason_that_is_still_given(self) -> None:
        given = {reason for *_, reasons in rows_by_release() for reason in reasons.split("; ") if reason}
        assert given == {reason.text for reason in REASONS_BY_RELEASE}

    def test_it_shows_paths_and_kinds_and_no_value_of_a_recording(self) -> None:
        for _, operation, _, _, answers, _ in rows_by_release():
            for each in answers.split("; ") if "`" in answers else ():
                assert re.fullmatch(rf"`[^`]+`: ({HOW})", each), (operation, each)


KIND_CASES: list[Any] = [
    ([{"a": 1}], [{"a": 2.5}], []),
    ([{"a": 1}], [{"a": "1"}], [("a", "recorded number, here string"), ("a", "here string, recorded number")]),
    ([{"a": 1}, {"a": None}], [{"a": 1}], [("a", "recorded null, here number")]),
    ([{"a": 1}], [{"a": 1}, {"a": None}], [("a", "here null, recorded number")]),
    ([{"a": 1}, {}], [{"a": 1}], [("a", "recorded absent, here number")]),
    ([{"a": {"b": {"c": 1}}}], [{"a": {}}], [("a.b", "recorded only")]),
    ([{"a": {}}], [{"a": {"b": True}}], [("a.b", "here only")]),
    ([{"a": None}], [{"a": {"b": 1}}], [("a", "recorded null, here object"), ("a", "here object, recorded null")]),
    ([[{"a": 1}, {"a": "x"}]], [[{"a": 1}]], [("[].a", "recorded string, here number")]),
    ([{"out": {"dense": [1]}}], [{"out": {"sparse": [2]}}], []),
    ([[{"out.dense": 1, "time": 1}]], [[{"out.sparse": 2, "time": 3}]], []),
    (
        [{"users": {"x": {"id": "x"}}}],
        [{"users": {"y": None}}],
        [
            ("users.*", "recorded object, here null"),
            ("users.*", "here null, recorded object"),
        ],
    ),
    ([{"m.last": 1}], [{"m": 1}], [("m.last", "recorded only"), ("m", "here only")]),
    ([{"m.last": 1}, {}], [{"m.last": 1}], [("m.last", "recorded absent, here number")]),
    ([{"m": {"a.count": 1}}], [{"m": {}}], [("m.a.count", "recorded only")]),
    ([{"m": {"a": 1, "a.count": {"b": 1}}}], [{"m": {}}], [("m.a", "recorded only"), ("m.a.count", "recorded only")]),
    ([{}], [[]], [("the answer", "recorded object, here list"), ("the answer", "here list, recorded object")]),
]


@pytest.mark.parametrize(("recorded", "here", "found"), KIND_CASES)
def test_kinds_of_fields_are_compared_at_any_depth(recorded: Any, here: Any, found: Any) -> None:
    assert list(differences(FieldKinds(recorded), FieldKinds(here))) == found


def test_an_answer_that_is_no_json_differs_from_one_that_is() -> None:
    compared = real_servers.Comparison("2025.2", "list_models", 200, recorded=[{"models": []}])
    real_servers.note(compared, httpx.Response(200, text="models"))
    assert compared.differences == [
        ("the answer", "recorded object, here string"),
        ("the answer", "here string, recorded object"),
        ("models", "recorded only"),
    ]


def test_a_difference_that_nobody_explained_has_no_reason() -> None:
    assert reason_of("2025.2", "list_models", "models[].model.colour", "recorded only") == NO_REASON
    assert reason_of("2025.2", "list_workspaces", "users.*.email", "recorded absent, here string") == NO_REASON
    assert reason_of("2025.2", "query_users", "users.*.email", "recorded absent, here string") != NO_REASON
