"""Are all mutants judged, whatever number of them a process may judge?"""

from __future__ import annotations

import pytest

from contract_tests.mutants.proving import proof
from contract_tests.mutants.proving.proof import Trial

LIES = ("wrong-status", "wrong-media-type", "ignores-tokens", "now-and-then-500", "refuses-everything-afterwards")


@pytest.mark.slow
def test_trials_go_on_in_other_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof, "_TRIALS_OF_A_PROCESS", 2)
    names = [f"list_workspaces.{lie}" for lie in LIES]
    found = {trial.mutant: verdict.is_kill for trial, verdict in proof.verdicts([Trial(name, 29) for name in names], 1)}
    assert found == dict.fromkeys(names, True)
