"""Are changes of the extension made where something can notice them, and can each be switched on in every process?"""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from contract_tests.support.documentation import ROOT
from scripts.lib.proof.mutate import reports
from scripts.lib.proof.mutate import run as mutate
from scripts.lib.proof.mutate.changes import SWITCH, Change, changes_of, switchable_code
from scripts.lib.proof.mutate.environment import make_environments
from scripts.lib.proof.mutate.forks import Forks
from scripts.lib.proof.mutate.killers import FILE, Killers
from scripts.lib.proof.mutate.nearness import TestFiles
from scripts.lib.proof.mutate.run import REASONS

if TYPE_CHECKING:
    from pathlib import Path

PATH = "wallaroo_ext/room/module.py"
LIMITED = """
LIMIT = 3
def is_over(n):
    "Return whether it is over."
    return n > LIMIT
def other():
    return LIMIT
def third():
    pass
"""
TRYING = """
def f():
    for x in a:
        try:
            g(x)
        except (A, B) as error:
            raise C(1) from error
        else:
            continue
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the root of a repository."""
    (tmp_path / PATH).parent.mkdir(parents=True)
    (tmp_path / "wallaroo_ext/__init__.py").touch()
    (tmp_path / "wallaroo_ext/room/__init__.py").touch()
    return tmp_path


def changes_in(root: Path, code: str) -> list[Change]:
    (root / PATH).write_text(code, encoding="utf-8")
    return changes_of(root, [root / PATH])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("a < b", ["a < b -> a <= b", "a < b -> a >= b"]),
        ("a is b", ["a is b -> a is not b"]),
        ("a and b", ["a and b -> a or b"]),
        ("not a", ["not a -> a"]),
        ("a + b", ["a + b -> a - b"]),
        ("1 if a else 2", ["a -> not a", "1 -> 2", "2 -> 3"]),
        ("[x for x in a if x]", ["x -> not x"]),
        ("f(a, key=b)", ["f(a, key=b) -> pass", "key=b -> (nothing)"]),
        ("x = True", ["True -> False"]),
        ("x = 'name'", ["'name' -> 'nameX'"]),
        ("x += 1", ["x += 1 -> x -= 1", "1 -> 2"]),
        ("def f():\n  return a", ["return a -> return None"]),
        ("def f():\n  raise a", ["raise a -> pass"]),
        ("for x in a:\n  break", ["for x in a: -> for x in []:", "break -> continue"]),
        ("try:\n  pass\nexcept E:\n  pass", ["except E: -> except ():"]),
        ("@property\ndef f():\n  pass", ["property -> (nothing)"]),
    ],
)
def test_what_does_something_is_changed(root: Path, code: str, expected: list[str]) -> None:
    assert [f"{change.before} -> {change.after}" for change in changes_in(root, code)] == expected


@pytest.mark.parametrize(
    "code",
    [
        "def f(x: Literal[1] = a) -> Literal[2]:\n  pass",
        "if TYPE_CHECKING:\n  x = 1",
        "Name: TypeAlias = Literal[1]",
        "T = TypeVar('T', bound='x')",
        "def f():\n  'One.'",
        "x = 'a text for people'",
        "x = f'{a:>3} of'",
        "logger.debug('x', 1)",
        "__all__ = ['x']",
        "@cache\ndef f():\n  pass",
        "x = dataclass(slots=a)",
        "x = dataclass(frozen=True, slots=a)",
        "@overload\ndef f(x=1):\n  pass",
        "x = cast('A', b)",
    ],
)
def test_what_nothing_can_notice_stays(root: Path, code: str) -> None:
    assert changes_in(root, code) == []


@pytest.mark.parametrize(
    "code",
    [
        "def f(x):\n  if x > 1:\n    return 'many'\n  return 'few'",
        "async def f(x):\n  async with x as y:\n    yield y + 1",
        "class C:\n  size: int = 1\n  @property\n  def twice(self):\n    return super().x * self.size",
        TRYING,
        "def f(x):\n  match x:\n    case [1, y] if y:\n      return y\n    case _:\n      del x[0]",
    ],
)
def test_with_all_switches_off_the_code_is_what_it_was(root: Path, code: str) -> None:
    changes = changes_in(root, code)
    assert len({change.name for change in changes}) == len(changes) > 1
    assert switchable_code(root, PATH, {change: number for number, change in enumerate(changes)})


def run(root: Path, monkeypatch: pytest.MonkeyPatch, on: str = "") -> tuple[dict[str, Any], set[str]]:
    """Run the module with a change switched on. Returns its names, and what notes the changes that are reached."""
    names = [change.name for change in changes_of(root, [root / PATH])]
    reached: set[str] = set()

    def is_on(number: int) -> bool:
        reached.add(names[number])
        return names[number] == on

    monkeypatch.setattr(builtins, SWITCH, is_on, raising=False)
    found: dict[str, Any] = {}
    numbers = {change: number for number, change in enumerate(changes_of(root, [root / PATH]))}
    exec(switchable_code(root, PATH, numbers), found)  # noqa: S102 - the code of this test
    return found, reached


def test_each_change_is_switched_on_alone(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / PATH).write_text(LIMITED, encoding="utf-8")
    found, _ = run(root, monkeypatch)
    assert (found["is_over"](3), found["is_over"](4)) == (False, True)
    assert found["is_over"].__doc__ == "Return whether it is over."
    found, _ = run(root, monkeypatch, f"{PATH}::is_over: n > LIMIT -> n >= LIMIT")
    assert found["is_over"](3)
    found, _ = run(root, monkeypatch, f"{PATH}::: 3 -> 4")
    assert not found["is_over"](4)


def test_a_change_of_a_constant_is_reached_where_it_is_used(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / PATH).write_text(LIMITED, encoding="utf-8")
    found, reached = run(root, monkeypatch)
    for name, is_user in {"third": False, "other": True}.items():
        reached.clear()
        found[name]()
        assert (f"{PATH}::: 3 -> 4" in reached) == is_user


def test_a_change_keeps_its_name_when_lines_move_and_others_of_its_text_have_numbers(root: Path) -> None:
    before = changes_in(root, "def f():\n  x = 1\n  y = 1")
    after = changes_in(root, "a = b\ndef g(): pass\ndef f():\n  x = 1\n  y = 1")
    assert [change.name for change in before] == [change.name for change in after]
    assert before[1].name == f"{PATH}::f: 1 -> 2 #2"
    assert [change.line for change in after] == [4, 5]


def test_every_program_of_an_environment_has_the_changes(root: Path) -> None:
    changes = changes_in(root, LIMITED)
    numbers = {change: number for number, change in enumerate(changes)}
    number = next(number for change, number in numbers.items() if change.after == "n >= LIMIT")
    (place,) = make_environments(root, root / "environments", numbers, 1)
    command = [place / "bin/python", "-I", "-c", "from wallaroo_ext.room.module import is_over; print(is_over(3))"]
    switches = bytearray(2 * len(numbers))
    for is_on in (False, True):
        switches[2 * number :] = bytes([0, is_on]) + bytes(2 * (len(numbers) - number - 1))
        (place / "switches").write_bytes(switches)
        done = subprocess.run(command, env={}, check=True, capture_output=True, text=True)
        assert done.stdout == f"{is_on}\n"
        assert (place / "switches").read_bytes()[2 * number] == 1


def test_the_nearest_tests_name_the_module_or_lie_where_it_lies(root: Path) -> None:
    for name, text in {
        "extension/room/test_others.py": "",
        "extension/test_far.py": "",
        "sandbox/test_naming.py": "from wallaroo_ext.room.module import is_over",
        "vendor/test_never.py": "from wallaroo_ext.room.module import is_over",
    }.items():
        file = root / "contract_tests" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    nearest = TestFiles(root).nearest(changes_in(root, LIMITED)[0])
    assert nearest == [
        "contract_tests/sandbox/test_naming.py",
        "contract_tests/extension/room/test_others.py",
        "contract_tests/extension/test_far.py",
    ]


def test_the_nearest_tests_speak_of_what_the_changed_function_speaks_of(root: Path) -> None:
    texts = {
        "extension/test_a.py": "",
        "extension/test_others.py": "assert message == 'the limit is low'",
        "extension/test_words.py": "def test_the_threshold(): pass",
        "extension/test_sentences.py": "assert message == 'this takes no parts'",
    }
    for name, text in texts.items():
        file = root / "contract_tests" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    changes = changes_in(
        root,
        "def f(x):\n  return threshold\ndef g(x):\n  if x:\n    raise E(f'{x} takes no parts: give it whole.')",
    )
    nearest = {change.where: TestFiles(root).nearest(change)[0] for change in changes}
    assert nearest == {
        "f": "contract_tests/extension/test_words.py",
        "g": "contract_tests/extension/test_sentences.py",
    }


class Asked:
    """A worker that notes what it is asked, and whose tests all notice a change, or none.

    Args:
        place: Its environment of Python.
    """

    requests: list[dict[str, Any]]
    outcome = "noticed"
    loaded = frozenset[int]()

    def __init__(self, place: Path) -> None:
        _ = place

    def load(self, files: list[str]) -> Asked:
        self.requests.append({"load": files})
        return self

    def ask(self, **request: Any) -> Any:
        self.requests.append(request)
        if "measure" in request:
            return [{"test": f"{request['measure']}::test", "seconds": 0.1, "reached": [0], "passed": True}]
        return {"outcome": self.outcome, "test": request["tests"][0][0]}

    def end(self) -> None:
        pass


@pytest.fixture
def asked(root: Path, monkeypatch: pytest.MonkeyPatch) -> type[Asked]:
    """Return the worker of a repository with a near and a far file of tests, of which the far one noticed a change."""

    class Worker(Asked):
        requests: list[dict[str, Any]] = []  # noqa: RUF012 - of this test only

    for name in ("room/test_module.py", "test_far.py"):
        file = root / "contract_tests/extension" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()

    def digest(*_: object) -> str:
        return "digest"

    def make(*_: object) -> list[Path]:
        return [root]

    monkeypatch.setattr(mutate, "ROOT", root)
    monkeypatch.setattr(mutate, "Worker", Worker)
    monkeypatch.setattr(mutate, "digest", digest)
    monkeypatch.setattr(mutate, "make_environments", make)
    return Worker


def tried(root: Path, code: str = "def f(x):\n  return x") -> dict[str, Any]:
    (change,) = changes_in(root, code)
    trials = mutate.Trials([change], 1, near=True)
    try:
        return trials.run()[change]
    finally:
        trials.end()


def remember(root: Path, test: str) -> None:
    (root / FILE).parent.mkdir(parents=True, exist_ok=True)
    (change,) = changes_in(root, "def f(x):\n  return x")
    Killers(root).remember({change: {"outcome": "noticed", "test": test}}, {change.name})


FAR, NEAR = "contract_tests/extension/test_far.py", "contract_tests/extension/room/test_module.py"


def test_the_test_that_noticed_a_change_is_asked_before_all_others(root: Path, asked: type[Asked]) -> None:
    remember(root, f"{FAR}::test_it")
    assert tried(root) == {"outcome": "noticed", "test": f"{FAR}::test_it"}
    assert asked.requests == [
        {"load": [FAR]},
        {"tests": [(f"{FAR}::test_it", 5.0)], "change": 0, "is_early": False},
    ]


def test_where_it_notices_it_no_more_the_nearest_are_asked(root: Path, asked: type[Asked]) -> None:
    remember(root, f"{FAR}::test_it")
    asked.outcome = "survived"
    assert tried(root)["outcome"] == "survived"
    assert [request["tests"][0][0] for request in asked.requests if "tests" in request] == [
        f"{FAR}::test_it",
        f"{NEAR}::test",
        f"{FAR}::test",
    ]


def test_where_its_file_is_gone_the_nearest_are_asked(root: Path, asked: type[Asked]) -> None:
    remember(root, "contract_tests/extension/test_gone.py::test_it")
    assert tried(root) == {"outcome": "noticed", "test": f"{NEAR}::test"}
    assert asked.requests[0] == {"load": [NEAR]}


@pytest.mark.parametrize(
    ("code", "loaded", "is_early"),
    [("def f(x):\n  return x", [], False), ("def f(x):\n  return x", [0], True), ("x = 1", [], True)],
    ids=["called later", "called on import", "on import"],
)
def test_what_is_reached_while_tests_are_imported_is_tried_by_a_process_that_has_imported_nothing(
    root: Path, asked: type[Asked], code: str, loaded: list[int], *, is_early: bool
) -> None:
    asked.loaded = frozenset(loaded)
    tried(root, code)
    assert [request["is_early"] for request in asked.requests if "tests" in request] == [is_early]


def test_a_value_that_is_computed_on_import_is_shown_to_tests_that_do_not_reach_it_too(
    root: Path, asked: type[Asked], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.outcome = "survived"
    results = [
        {"test": name, "seconds": seconds, "reached": reached, "passed": passed}
        for name, seconds, reached, passed in (
            ("by a program", 0.1, [], True),
            ("here", 0.5, [0], True),
            ("failing", 0.1, [], False),
        )
    ]

    def ask(self: Asked, **request: Any) -> Any:
        self.requests.append(request)
        return results if "measure" in request else {"outcome": "survived", "test": ""}

    monkeypatch.setattr(asked, "ask", ask)
    tried(root, "x = 1")
    assert [[test for test, _ in request["tests"]] for request in asked.requests if "tests" in request] == [
        ["here", "by a program"],
        ["here", "by a program"],
    ]


def test_what_is_remembered_of_other_changes_stays_while_they_are_possible(root: Path) -> None:
    (root / FILE).parent.mkdir(parents=True)
    first, second = changes_in(root, "x = 1\ny = 2")
    outcome = {"outcome": "noticed", "test": f"{PATH}::a"}
    Killers(root).remember(dict.fromkeys([first, second], outcome), {first.name, second.name})
    assert Killers(root).of(first) == Killers(root).of(second) == f"{PATH}::a"
    Killers(root).remember({first: {"outcome": "survived", "test": "a"}}, {first.name, second.name})
    assert (Killers(root).of(first), Killers(root).of(second)) == (None, f"{PATH}::a")
    Killers(root).remember({}, {first.name})
    assert Killers(root).of(second) is None


@pytest.mark.slow
def test_tests_run_in_a_process_that_has_loaded_libraries_only() -> None:
    test = "contract_tests/extension/util/files/test_user_paths.py::test_only_a_home_at_the_beginning_is_replaced"
    forks = Forks()
    forks.wait()
    assert len(forks.pids) == 2
    reading, writing = os.pipe()
    pid = forks.run_anew({test: 1.0}, writing)
    os.close(writing)
    assert len(forks.pids) == 4
    begun, *_, ended = reports.read_reports(reading, pid)
    os.close(reading)
    forks.end()
    assert (begun["begun"], ended) == (test, {"ended": 0})


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([{"begun": "a"}, {"begun": "b"}, {"ended": 0}], "survived"),
        ([{"begun": "a"}, {"begun": "b"}, {"failed": "b"}, {"ended": 1}], "noticed"),
        ([{"begun": "a"}, {"timed_out": True}], "timed out"),
        ([{"begun": "a"}], "noticed"),  # the process is gone
        ([{"ended": 2}], "noticed"),  # a test cannot be imported
        ([{"ended": 5}], "survived"),  # there was no test
    ],
)
def test_what_the_tests_report_says_what_became_of_a_change(lines: list[dict[str, Any]], expected: str) -> None:
    assert reports.outcome_of(lines)["outcome"] == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import os; os.write({pipe}, b'{{\"ended\": 0}}\\n')", [{"ended": 0}]),
        (
            'import os; os.write({pipe}, b\'{{"begun": "a", "own": 0}}\\n\'); input()',
            [{"begun": "a", "own": 0}, {"timed_out": True}],
        ),
        ("import os; os._exit(1)", []),
    ],
)
def test_reports_are_read_until_the_end_or_until_a_test_takes_too_long(
    monkeypatch: pytest.MonkeyPatch, code: str, expected: list[Any]
) -> None:
    monkeypatch.setattr(reports, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(os, "getloadavg", lambda: (0.0, 0.0, 0.0))
    reading, writing = os.pipe()
    command = [sys.executable, "-ISc", code.format(pipe=writing)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[writing]) as process:
        os.close(writing)
        assert reports.read_reports(reading, process.pid) == expected
    os.close(reading)


def outcomes_of(root: Path, *counts: tuple[str, int]) -> dict[Change, dict[str, Any]]:
    code = "\n".join(f"x{number} = {number}" for number in range(sum(count for _, count in counts)))
    found = iter(changes_in(root, code))
    return {next(found): {"outcome": outcome} for outcome, count in counts for _ in range(count)}


@pytest.mark.parametrize(("missed", "code"), [(("survived", 1), 0), (("survived", 2), 1), (("not reached", 2), 1)])
def test_too_few_noticed_changes_are_a_failure(root: Path, missed: tuple[str, int], code: int) -> None:
    assert mutate.report(outcomes_of(root, ("noticed", 7), ("timed out", 2), missed), 100, 1) == code


def test_what_is_not_noticed_is_listed_with_its_line_and_counted_by_room(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mutate.report(outcomes_of(root, ("noticed", 1), ("survived", 1), ("not reached", 1), ("timed out", 1)), 100, 1)
    *lines, last = capsys.readouterr().out.splitlines()
    assert lines == [
        f"survived, line 2: {PATH}::: 1 -> 2",
        f"not reached, line 3: {PATH}::: 2 -> 3",
        "room: 2 of 4 noticed (50.0%), 1 timed out, 1 survived, 1 not reached",
    ]
    assert last.startswith("All: 2 of 4 noticed (50.0%), 1 timed out, 1 survived, 1 not reached; 100 changes")


def test_a_listed_change_does_not_count_unless_it_is_noticed(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = outcomes_of(root, ("noticed", 9), ("survived", 2))
    first, *_, last = outcomes
    monkeypatch.setitem(REASONS, last.name, "It is the same.")
    monkeypatch.setitem(REASONS, first.name, "It is noticed.")
    assert mutate.report(outcomes, 100, 1) == 1
    assert f"It is noticed: take it out of equivalent.json: {first.name}" in capsys.readouterr().out
    monkeypatch.delitem(REASONS, first.name)
    assert mutate.report(outcomes, 100, 1) == 0
    assert "9 of 10 noticed (90.0%), 1 survived, 1 equivalent" in capsys.readouterr().out


def test_what_is_known_of_a_tree_is_kept(root: Path, asked: type[Asked]) -> None:
    outcome = tried(root)
    asked.requests.clear()
    assert tried(root) == outcome
    assert [list(request) for request in asked.requests] == [["load"]], "no test is run again"


@pytest.mark.parametrize("skip", [0, 1])
def test_changes_with_a_text_in_their_names_are_drawn_however_few_they_are(
    skip: int, root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "".join(f"def f{number}(x):\n  return x + {number}\n" for number in range(30))
    everything = changes_in(root, code)
    [last, *_] = sorted(everything, key=lambda change: change.rank(29), reverse=True)
    monkeypatch.setattr(mutate, "changes_of", Mock(return_value=everything))
    monkeypatch.setattr(mutate, "check_reasons", Mock())
    monkeypatch.setattr(sys, "argv", ["mutate", "--list", "--sample", "1", "--skip", str(skip), "--match", last.name])
    if skip:
        with pytest.raises(SystemExit, match=r"^No change is drawn: 1 have "):
            mutate.main()
        return
    assert mutate.main() == 0
    assert capsys.readouterr().out == f"{last.line}: {last.name}\n"


def test_every_listed_change_is_still_one() -> None:
    files = {ROOT / name.partition("::")[0] for name in REASONS}
    names = {change.name for change in changes_of(ROOT, sorted(files))}
    assert REASONS.keys() <= names
