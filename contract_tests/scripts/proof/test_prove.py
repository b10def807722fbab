"""Does `scripts/prove` go on where it was stopped, and does it say how many mutants of each kind were noticed?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from contract_tests.mutants.catalogue import mutants
from contract_tests.mutants.proving.judging import Verdict
from contract_tests.mutants.proving.proof import Trial
from scripts.lib.proof import kept_results, prove
from scripts.lib.proof.kept_results import KeptResults, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

KILLED = Verdict(lies=3, noticed=True, check="a check", message="", crash="", seconds=1.0)
SURVIVED = Verdict(lies=3, noticed=False, check="", message="", crash="", seconds=1.0)
TRIALS = [Trial(name, 29) for name in list(mutants())[:4]]


def judged(trials: Iterable[Trial], processes: int) -> Iterator[tuple[Trial, Verdict]]:  # noqa: ARG001 - as it is called
    for trial in trials:
        yield trial, SURVIVED if trial == TRIALS[1] else KILLED


def test_a_run_that_was_stopped_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, tried = tmp_path / "kept" / "verdicts.jsonl", list[Trial]()

    def stopped(trials: Iterable[Trial], processes: int) -> Iterator[tuple[Trial, Verdict]]:
        for trial, verdict in judged(trials, processes):
            if len(tried) == 2:
                raise KeyboardInterrupt
            tried.append(trial)
            yield trial, verdict

    monkeypatch.setattr(prove, "verdicts", stopped)
    with pytest.raises(KeyboardInterrupt):
        prove.run_trials(TRIALS, 1, KeptResults(file))
    with file.open("a", encoding="utf-8") as stream:
        stream.write('{"trial": {"mut')  # what it was writing when it was killed
    monkeypatch.setattr(prove, "verdicts", judged)
    for _ in range(2):
        assert prove.run_trials(TRIALS, 1, KeptResults(file)) == list(judged(TRIALS, 1))
    assert "2 of 4 verdicts are kept" in capsys.readouterr().out


def test_verdicts_are_of_the_files_that_they_depend_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_results, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    (tmp_path / "suite").mkdir()
    for name in ("suite/one.py", "suite/page.md", "other.py"):
        (tmp_path / name).write_text("before")
    for arguments in (["init", "-q"], ["add", "suite", "other.py"]):
        kept_results.subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    before = digest(["a"], "suite", ":!*.md")
    assert digest(["b"], "suite", ":!*.md") != before
    for name, changes in (("other.py", False), ("suite/page.md", False), ("suite/one.py", True)):
        (tmp_path / name).write_text("after")
        assert (digest(["a"], "suite", ":!*.md") != before) is changes, name


def test_a_new_file_changes_what_verdicts_are_of_unless_git_ignores_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_results, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    (tmp_path / "suite").mkdir()
    (tmp_path / ".gitignore").write_text("*.pyc\n")
    kept_results.subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    before = digest(["a"], "suite")
    (tmp_path / "suite/test_new.pyc").write_text("ignored")
    assert digest(["a"], "suite") == before
    (tmp_path / "suite/test_new.py").write_text("new")
    assert digest(["a"], "suite") != before


def test_a_sample_takes_as_many_of_a_kind_as_there_are() -> None:
    """Of 55 and of 11, too, which a step of 11 would come to a fifth and one of."""
    for kind in {mutant.kind for mutant in mutants().values()}:
        names = [name for name, mutant in mutants().items() if mutant.kind == kind]
        assert sorted(prove.stratify(names, len(names))) == sorted(names), kind


def test_a_pattern_that_no_name_matches_is_refused() -> None:
    [first, *_] = mutants()
    assert prove.choose([first], 0) == [first]
    with pytest.raises(SystemExit, match=r"^No mutant is named like 'no\.\*': --list prints their names\.$"):
        prove.choose([first, "no.*"], 5)


def test_the_share_of_each_kind_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert prove.print_summary(list(judged(TRIALS, 1)), 1.0, 0.0) == 1, "no reason is known of the survivor"
    printed = capsys.readouterr().out
    kind = mutants()[TRIALS[1].mutant].kind
    of_kind = [trial for trial in TRIALS if mutants()[trial.mutant].kind == kind]
    killed = len(of_kind) - 1
    assert f"{kind}: {killed} of {len(of_kind)} killed ({killed / len(of_kind):.0%})" in printed
    assert "3 of 4 mutants killed (75.0%)" in printed


@pytest.mark.parametrize("crash", ["", "OSError: what was raised"])
def test_false_alarms_are_printed_at_the_end(crash: str, capsys: pytest.CaptureFixture[str]) -> None:
    alarm = Verdict(lies=0, noticed=True, check="a test", message="what was found", crash=crash, seconds=2.0)
    quiet = replace(alarm, noticed=False, crash="")
    healthy = [(Trial("", 29, "a fresh sandbox"), alarm), (Trial("", 30, "a second run"), quiet)]
    assert prove.print_summary([*healthy, *judged(TRIALS[:1], 1)], 1.0, 0.0) == 1
    *_, alarmed, shares, _ = capsys.readouterr().out.splitlines()
    said = crash or "what was found"
    assert alarmed == f"healthy, a fresh sandbox, seed 29: FALSE ALARM by a test: {said} (2 s)"
    assert shares.endswith("1 false alarms in 2 healthy runs.")


def test_what_was_not_tried_is_not_counted(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = Verdict(lies=0, noticed=False, check="", message="", crash="", seconds=2.0)
    assert prove.print_summary([(Trial("", 30, "a second run"), quiet)], 1.0, 0.0) == 0
    assert capsys.readouterr().out.splitlines()[0] == "0 false alarms in 1 healthy runs."
