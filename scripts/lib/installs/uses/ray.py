"""Loads Ray, and what scores its data sets; no cluster is started."""

import ray.data

from wallaroo_ext.engines.ray import infer_ray_dataset

assert callable(ray.data.read_parquet)
assert callable(infer_ray_dataset)
