"""Are generated rows such as the suite's model takes, so that a refusal of them is the instance's fault?"""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from wallaroo_ext._util.arrow.files import from_file
from wallaroo_ext.conformance.resources import samples


@given(st.data())
def test_generated_rows_have_the_numbers_that_the_model_takes(data: st.DataObject) -> None:
    rows: Any = from_file(data.draw(samples.arrow_files())).column(samples.INPUT).to_pylist()
    assert rows
    assert {len(row) for row in rows} == {samples.WIDTH}
    assert np.isfinite(samples.scored(rows)).all()
