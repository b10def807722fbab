"""Are there mutants of every kind that an operation can have, and does the table list all of them?"""

from __future__ import annotations

from contract_tests.mutants.catalogue import KINDS, left_out, mutants
from contract_tests.mutants.lies.fields import rules
from contract_tests.mutants.survivors import REASONS
from contract_tests.mutants.table import FILE

AT_LEAST = 200


def test_every_operation_has_mutants() -> None:
    assert len(mutants()) >= AT_LEAST
    assert {mutant.operation for mutant in mutants().values()} == set(rules().operations)


def test_names_are_told_apart() -> None:
    made = [mutant for operation in rules().operations for kind in KINDS for mutant in kind.make(operation)]
    assert len(made) == len(mutants())


def test_what_is_left_out_has_a_reason() -> None:
    assert all(kind.left_out for kind in KINDS if left_out(kind))


def test_reasons_are_of_mutants_that_there_are() -> None:
    assert {name for name in REASONS if "#/" not in name} <= mutants().keys()


def test_the_table_lists_them() -> None:
    text = FILE.read_text(encoding="utf-8")
    for name, mutant in mutants().items():
        assert f"| `{name}` | {mutant.text} |" in text, "run scripts/prove"
