"""Does an instance keep the contract? The parts of the contract suite; needs the extra `conformance`.

The questions themselves are pytest's tests, in `contract_tests/instance/` of the repository. `plugin.py` is what they
run with, `command.py` runs them, and `report/` writes what they found.
"""
