"""Does every form of rows give the same values, or the same refusal, for every kind of values?"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract_tests.extension.inference.inputs import taken_page
from contract_tests.extension.inference.inputs.gaps import GAPS, Gap
from contract_tests.extension.inference.inputs.kinds_of_values import FORMS, KINDS, Kind, rows_in
from wallaroo_ext import InvalidDataError
from wallaroo_ext.inference.inputs.rows import rows_to_send, to_table

if TYPE_CHECKING:
    from wallaroo_ext.inference.missing_option import Missing

BY_NAME = {kind.name: kind for kind in KINDS}


def check_form(form: str, values: list[Any], kind: Kind, directory: Path) -> None:
    """Make sure that a form gives what its kind is sent as, or a refusal with the column and a row."""
    rows = rows_in(form, values, kind, directory)
    if rows is None:
        return
    if kind.refused:
        with pytest.raises(InvalidDataError, match=r"'a'.* row \d+") as raised:
            to_table(rows)
        assert "\n" not in str(raised.value), form
        return
    expected = [kind.sent(value) for value in values]
    assert repr_of(to_table(rows).column("a").to_pylist()) == repr_of(expected), form


def repr_of(values: list[Any]) -> list[Any]:
    """Return values in a way that tells apart what Python takes for equal, such as 1, 1.0 and True, or 0.0 and -0.0."""
    return [value if hasattr(value, "year") or hasattr(value, "days") else repr(value) for value in values]


@pytest.mark.parametrize("name", BY_NAME)
@settings(max_examples=4, deadline=None, derandomize=True)
@given(data=st.data())
def test_every_form_gives_the_same(name: str, data: st.DataObject) -> None:
    kind = BY_NAME[name]
    with tempfile.TemporaryDirectory() as directory:
        for values in (kind.examples, data.draw(kind.columns)):
            for form in FORMS:
                check_form(form, values, kind, Path(directory))


@pytest.mark.parametrize("name", [kind.name for kind in KINDS if not kind.refused])
def test_only_numbers_are_in_vectors(name: str, tmp_path: Path) -> None:
    kind = BY_NAME[name]
    for form in FORMS:
        rows = rows_in(form, kind.examples, kind, tmp_path)
        if rows is None:
            continue
        if kind.number:
            [column] = rows_to_send(rows, vector=True).columns
            expected = np.array([[kind.sent(value)] for value in kind.examples]).astype(np.float32)
            np.testing.assert_array_equal(np.array(column.to_pylist(), np.float32), expected, err_msg=form)
        else:
            with pytest.raises(InvalidDataError, match="made of columns of numbers, and 'a'"):
                rows_to_send(rows, vector=True)


@pytest.mark.parametrize("gap", GAPS, ids=lambda gap: gap.name)
@pytest.mark.parametrize("missing", ["reject", "nan"])
def test_every_form_has_the_same_numbers_that_are_missing(gap: Gap, missing: Missing, tmp_path: Path) -> None:
    for form, make in gap.forms.items():
        rows = make(tmp_path)
        if gap.rejected if missing == "reject" else gap.sent is None:
            with pytest.raises(InvalidDataError, match=r"'a' has (no number in row 1|nulls beside)"):
                rows_to_send(rows, ["a"], missing=missing)
        else:
            sent = rows_to_send(rows, ["a"], missing=missing).column("a").to_pylist()
            assert repr(sent) == repr(gap.sent), form


@pytest.mark.parametrize("gap", [gap for gap in GAPS if gap.in_vectors], ids=lambda gap: gap.name)
def test_they_are_the_same_in_vectors(gap: Gap, tmp_path: Path) -> None:
    for form, make in gap.forms.items():
        with pytest.raises(InvalidDataError, match="'a' has no number in row 1"):
            rows_to_send(make(tmp_path), ["a"], vector=True)
        [column] = rows_to_send(make(tmp_path), ["a"], vector=True, missing="nan").columns
        assert repr(column.to_pylist()) == repr([[float(value)] for value in gap.sent or []]), form


def test_the_page_is_what_the_tests_know() -> None:
    """Write it anew: `python -m contract_tests.extension.inference.inputs.taken_page`."""
    assert taken_page.FILE.read_text(encoding="utf-8") == taken_page.page()
