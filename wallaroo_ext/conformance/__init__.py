"""The contract suite, which checks whether an instance keeps the contract; needs the extra `conformance`.

Its tests are in `contract_tests/instance/` of the repository. `plugin.py` has their options and fixtures, `command.py`
runs them, and `report/` writes the report.
"""
