"""Are generated cases sent to an instance whose certificate has no public authority?"""

from __future__ import annotations

import wallaroo_ext
from wallaroo_ext.conformance.options import SuiteOptions
from wallaroo_ext.conformance.suite import Suite


def test_the_certificates_of_the_environment_are_trusted() -> None:
    with wallaroo_ext.sandbox(arguments=["--tls"]) as instance:
        suite = Suite(SuiteOptions(running=dict(instance.environment), operations=("list_features",)))
        try:
            suite.cases.examples("list_features")
            suite.cases.random("list_features", good=True, cases=2)
        finally:
            suite.close()
    assert suite.run.findings == []
    assert not suite.run.gaps
    assert any(each.operation == "list_features" and each.status == 200 for each in suite.run.exchanges)
