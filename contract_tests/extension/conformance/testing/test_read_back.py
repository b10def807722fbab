"""Is it known of each operation that writes by which operations its effect is seen?"""

from __future__ import annotations

from contract_tests.instance.test_writes import READ_BACK
from wallaroo_ext import contract
from wallaroo_ext.conformance.guard.effects import effects_of

EFFECTS = effects_of(contract.load())


def test_no_operation_that_writes_lacks_one() -> None:
    assert READ_BACK.keys() == {operation for operation, effects in EFFECTS.items() if effects.writes}


def test_they_are_seen_by_operations_that_read() -> None:
    reading = {operation for operation, effects in EFFECTS.items() if not effects.writes}
    for seen_by, _ in READ_BACK.values():
        assert set(seen_by) <= reading
        assert seen_by
