"""Logs what recorded assays are computed from: inferences of house prices on the days that they cover."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from wallaroo_ext.sandbox.inference.inference_log import InferenceLog, LoggedBatch
from wallaroo_ext.sandbox.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_FIRST_DAYS = (datetime(2022, 1, 1, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC))
_HALF_HOURS = 48 * 4


def log_house_prices(
    directory: Path, pipeline_id: int, models: Mapping[str, str], outputs: Sequence[str] = ("dense_2",)
) -> None:
    """Log a row for each half hour of the days that recorded assays cover.

    Args:
        directory: The data directory of a sandbox that does not run.
        pipeline_id: The pipeline.
        models: The versions of the models that scored the rows, by the model's name.
        outputs: The names of the outputs.
    """
    store = Store(directory)
    log = InferenceLog(store, 100)
    random = np.random.default_rng(0)
    for first in _FIRST_DAYS:
        times = [int((first + timedelta(minutes=30 * number)).timestamp() * 1000) for number in range(_HALF_HOURS)]
        columns: dict[str, Any] = {
            "time": pa.array(times, pa.timestamp("ms")),
            "in.tensor": random.normal(size=(len(times), 17)).tolist(),
        }
        columns |= {f"out.{name}": random.normal(12.9, 0.4, size=(len(times), 1)).tolist() for name in outputs}
        for model, version in models.items():
            log.append(pipeline_id, LoggedBatch(pa.table(columns), model, version, 243))
    log.close()
    store.close()
