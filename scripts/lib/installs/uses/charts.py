"""Draws the scores of an assay."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from wallaroo_ext import assay_chart

days = [datetime(2026, 11, day, tzinfo=UTC) for day in (1, 2, 3)]
results = pa.table(
    {
        "window_start": days,
        "score": [0.1, 0.2, 0.3],
        "status": ["Ok", "Warning", "Alert"],
        "warning_threshold": [0.15] * 3,
        "alert_threshold": [0.25] * 3,
    }
)
for name in ("drift.png", "drift.svg", "drift.pdf"):
    assay_chart(results).save(name)
    assert Path(name).stat().st_size > 5_000
