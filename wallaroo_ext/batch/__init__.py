"""Scoring any number of rows: record batches, and data sets of files.

Importing it loads no pyarrow.
"""

from wallaroo_ext.batch.batches import infer_batches
from wallaroo_ext.batch.dataset import infer_dataset
from wallaroo_ext.batch.options import DatasetScored, PartSize
from wallaroo_ext.batch.progress import BatchProgress
from wallaroo_ext.batch.retries import BatchRetries
from wallaroo_ext.batch.scoring.rejections import Rejection

__all__ = [
    "BatchProgress",
    "BatchRetries",
    "DatasetScored",
    "PartSize",
    "Rejection",
    "infer_batches",
    "infer_dataset",
]
