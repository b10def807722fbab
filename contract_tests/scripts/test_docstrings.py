"""Does the docstring of every function begin with a verb, and not with the noun for what it returns?"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from contract_tests.support.documentation import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NO_VERBS = """
    The A An What Whether How Which Where Who Whom Why When Each All Every One No Everything Nothing Something Some
    Several Those That This Its It Is Another
"""
NO_VERBS = frozenset(_NO_VERBS.split())


def described_functions(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the functions of a file with the first words of their docstrings, but for tests and properties."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or node.name.startswith("test"):
            continue
        decorators = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
        docstring = ast.get_docstring(node)
        if docstring and "property" not in decorators and "setter" not in decorators:
            yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}", docstring.split()[0].strip("`,.;:")


@pytest.mark.parametrize("folder", ["wallaroo_ext", "contract_tests", "scripts/lib"])
def test_docstrings_begin_with_a_verb(folder: str) -> None:
    found = [each for file in sorted((ROOT / folder).rglob("*.py")) for each in described_functions(file)]
    assert len(found) > 100
    assert [name for name, first in found if first in NO_VERBS] == []
