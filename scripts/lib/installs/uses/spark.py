"""Loads Spark, and what scores its data frames; no session is started, because that needs Java."""

import pyspark

from wallaroo_ext.engines.spark import infer_dataframe

assert int(pyspark.__version__.partition(".")[0]) >= 4
assert callable(infer_dataframe)
