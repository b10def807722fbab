"""Is everything found that recorded exchanges have and the contract does not, or the other way round?"""

from __future__ import annotations

import copy
import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.support import recorded
from wallaroo_ext.conformance.drift import recorded_exchanges
from wallaroo_ext.conformance.drift.changes import DriftError
from wallaroo_ext.conformance.drift.recorded_exchanges import compare_recordings
from wallaroo_ext.conformance.drift.sources import drift_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def recorded_set() -> list[dict[str, Any]]:
    """Return the documents' exchanges, as a set that users record."""
    found: list[dict[str, Any]] = []
    for exchange in recorded.exchanges():
        request, response = recorded.sent_body(exchange), recorded.recorded_answer(exchange)
        path = (
            recorded.SPEC.operations[exchange["operation"]]
            .path.replace("{deployment}", "a-1")
            .replace("{pipeline}", "a")
        )
        entry = {"path": path, "status": recorded.RULES.success(exchange["operation"])}
        entry |= {} if request is recorded.NOTHING else {"request": request}
        found.append(entry | ({} if response is recorded.NOTHING else {"response": response}))
    return found


def written(directory: Path, exchanges: list[Any]) -> Path:
    for number, exchange in enumerate(exchanges):
        (directory / f"{number:03}.json").write_text(json.dumps(exchange), encoding="utf-8")
    return directory


def found_in(directory: Path, *exchanges: Any) -> list[tuple[str, str, str, bool]]:
    drift = compare_recordings(recorded.DOCUMENT, written(directory, list(exchanges)))
    return [(each.operation, each.where, each.kind, each.breaks) for each in drift.changes]


def test_the_documents_recordings_break_nothing(tmp_path: Path) -> None:
    exchanges = recorded_set()
    drift = compare_recordings(recorded.DOCUMENT, written(tmp_path, exchanges))
    assert len(exchanges) > 100
    assert drift.breaking == ()
    # One request was sent with a field that instances ignore; what is named after the model's fields is no difference.
    assert [(change.operation, change.where, change.kind) for change in drift.changes] == [
        ("query_users", "request.workspace_id", "added"),
    ]


PATH = {name: spec.path for name, spec in recorded.SPEC.operations.items()}
WORKSPACE: dict[str, Any] = {
    "id": 1,
    "name": "a",
    "created_at": "2023-05-17T20:51:53.077997+00:00",
    "created_by": "b",
    "archived": False,
    "models": [],
    "pipelines": [],
}


def workspaces(**changes: Any) -> dict[str, Any]:
    changed = {name: value for name, value in (WORKSPACE | changes).items() if value is not ...}
    return {"path": PATH["list_workspaces"], "status": 200, "request": {}, "response": {"workspaces": [changed]}}


INSIDE = "answer 200 $.workspaces[]"
SEEN: list[tuple[str, dict[str, Any], tuple[str, str, bool]]] = [
    ("a field more", workspaces(owner="a"), (f"{INSIDE}.owner", "added", False)),
    ("a required field less", workspaces(id=...), (f"{INSIDE}.id", "removed", True)),
    ("a field less that always came", workspaces(created_by=...), (f"{INSIDE}.created_by", "removed", True)),
    ("another type", workspaces(id="1"), (f"{INSIDE}.id", "changed", True)),
    ("a number for an integer", workspaces(id=1.5), (f"{INSIDE}.id", "changed", True)),
    ("an object for a list", workspaces(models={}), (f"{INSIDE}.models", "changed", True)),
    ("another type in a list", workspaces(models=[1, "2"]), (f"{INSIDE}.models[]", "changed", True)),
    ("null", workspaces(name=None), (f"{INSIDE}.name", "changed", True)),
    ("text of another form", workspaces(created_at="yesterday"), (f"{INSIDE}.created_at", "changed", True)),
    ("another answer", workspaces() | {"response": []}, ("answer 200 $", "changed", True)),
    ("another success", workspaces() | {"status": 201}, ("answer 201", "added", True)),
    ("a redirect", workspaces() | {"status": 302}, ("answer 302", "added", True)),
    ("an error of another status", workspaces() | {"status": 418}, ("answer 418", "added", False)),
    ("an error's text less", workspaces() | {"status": 400, "response": {}}, ("answer 400 $.msg", "removed", True)),
    ("a sent field more", workspaces() | {"request": {"page": 1}}, ("request.page", "added", False)),
    ("a sent field of another type", workspaces() | {"request": {"user_id": 1}}, ("request.user_id", "changed", False)),
]  # fmt: skip


@pytest.mark.parametrize(("exchange", "expected"), [pytest.param(*row[1:], id=row[0]) for row in SEEN])
def test_each_difference_is_found_as_what_it_is(
    tmp_path: Path, exchange: dict[str, Any], expected: tuple[str, str, bool]
) -> None:
    assert found_in(tmp_path, exchange) == [("list_workspaces", *expected)]


def test_what_is_as_the_contract_says_is_none(tmp_path: Path) -> None:
    assert found_in(tmp_path, workspaces(), workspaces() | {"path": PATH["list_workspaces"] + "/?a=b"}) == []


@pytest.mark.parametrize(("name", "status"), [("2XX", 201), ("2xx", 200), ("default", 200), ("default", 418)])
def test_a_status_in_a_range_of_the_contract_is_compared_with_that(tmp_path: Path, name: str, status: int) -> None:
    own = copy.deepcopy(recorded.DOCUMENT)
    path, method = PATH["list_workspaces"], "post"
    responses = own["paths"][path][method]["responses"]
    own["paths"][path][method]["responses"] = {name: responses["200"]}
    exchanges = [workspaces() | {"status": status}, workspaces(id="1") | {"status": status}]
    changes = compare_recordings(own, written(tmp_path, exchanges)).changes
    assert [(each.where, each.kind) for each in changes] == [(f"answer {status} $.workspaces[].id", "changed")]


def test_a_value_that_is_not_listed_is_found_with_it(tmp_path: Path) -> None:
    users = {"users": [{"user_id": "a", "user_type": "GUEST"}]}
    exchange = {"path": PATH["list_workspace_users"], "status": 200, "request": {"workspace_id": 1}, "response": users}
    (change,) = compare_recordings(recorded.DOCUMENT, written(tmp_path, [exchange])).changes
    assert (change.where, change.other, change.breaks) == ("answer 200 $.users[].user_type", "GUEST", False)
    assert change.contract == ["OWNER", "COLLABORATOR"]


def test_a_required_field_that_was_not_sent_is_found(tmp_path: Path) -> None:
    exchange: dict[str, Any] = {"path": PATH["list_models"], "status": 200, "request": {}, "response": {"models": []}}
    assert found_in(tmp_path, exchange) == [("list_models", "request.workspace_id", "removed", False)]


def test_a_request_that_was_refused_says_nothing_of_requests(tmp_path: Path) -> None:
    exchange = {"path": PATH["list_models"], "status": 400, "request": {"a": 1}, "response": {"msg": "no", "code": 400}}
    assert found_in(tmp_path, exchange) == []


def test_a_path_that_the_contract_does_not_have_is_found_once(tmp_path: Path) -> None:
    new = {"path": "/v1/api/models/delete", "status": 200}
    drift = compare_recordings(recorded.DOCUMENT, written(tmp_path, [workspaces(), new, new]))
    (change,) = drift.changes
    assert (change.operation, change.kind, change.breaks) == ("/v1/api/models/delete", "added", False)
    assert (change.count, change.example) == (2, "001.json")


def test_what_is_in_several_files_is_counted_and_has_an_example(tmp_path: Path) -> None:
    exchanges = [workspaces(), workspaces(owner="a"), workspaces(owner="b"), workspaces(name=None)]
    drift = compare_recordings(recorded.DOCUMENT, written(tmp_path, exchanges))
    assert [(each.where, each.count, each.example) for each in drift.changes] == [
        (f"{INSIDE}.owner", 2, "001.json"),
        (f"{INSIDE}.name", 1, "003.json"),
    ]


def test_directories_below_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    written(tmp_path / "a" / "b", [workspaces(owner="a")])
    assert [each.example for each in compare_recordings(recorded.DOCUMENT, tmp_path).changes] == ["a/b/000.json"]


def test_progress_is_reported(tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    drift_of(
        recorded.DOCUMENT,
        recorded=written(tmp_path, [workspaces(), workspaces()]),
        progress=lambda done, all_: calls.append((done, all_)),
    )
    assert calls == [(1, 2), (2, 2)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no JSON"),
        (b"{", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"[]", "`path`"),
        (b'{"status": 200}', "`path`"),
        (b'{"path": "workspaces", "status": 200}', "`path`"),
        (b'{"path": "http://[", "status": 200}', "`path`"),
        (b'{"path": "/v1/api/workspaces/list"}', "`status`"),
        (b'{"path": "/v1/api/workspaces/list", "status": "200"}', "`status`"),
        (b'{"path": "/v1/api/workspaces/list", "status": true}', "`status`"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    written(tmp_path, [workspaces()])
    (tmp_path / "broken.json").write_bytes(content)
    with pytest.raises(DriftError, match=reason) as caught:
        compare_recordings(recorded.DOCUMENT, tmp_path)
    assert str(tmp_path / "broken.json") in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_huge_file_is_named_and_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_exchanges, "LARGEST_FILE", 2**20)
    with (tmp_path / "huge.json").open("wb") as stream:
        stream.truncate(3 * 2**20)
    with pytest.raises(DriftError, match=r"huge\.json has 3 MiB, and a recorded exchange at most 1"):
        compare_recordings(recorded.DOCUMENT, tmp_path)


def nothing(place: Path) -> None:
    assert not place.exists()


def a_file(place: Path) -> None:
    place.write_text("{}", encoding="utf-8")


def an_empty_directory(place: Path) -> None:
    place.mkdir()


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (nothing, "is no directory"),
        (a_file, "is no directory"),
        (an_empty_directory, r"no file in it ends in \.json"),
    ],
)
def test_a_place_without_recordings_is_named(tmp_path: Path, make: Callable[[Path], None], reason: str) -> None:
    make(tmp_path / "recordings")
    with pytest.raises(DriftError, match=reason) as caught:
        compare_recordings(recorded.DOCUMENT, tmp_path / "recordings")
    assert str(tmp_path / "recordings") in str(caught.value)


@pytest.mark.skipif(os.name == "nt" or not hasattr(os, "mkfifo"), reason="pipes are files of Unix: run it there")
def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    written(tmp_path, [workspaces()])
    os.mkfifo(tmp_path / "pipe.json")
    assert compare_recordings(recorded.DOCUMENT, tmp_path).changes == ()
