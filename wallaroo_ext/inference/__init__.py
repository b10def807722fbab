"""Scoring rows on a deployment: what may be sent, what an answer is read as, and the model's outputs as arrays."""

from wallaroo_ext.inference.infer import HasUrl, InferOptions, Where, infer, infer_steps
from wallaroo_ext.inference.media_types import Wire, arrow_media_type
from wallaroo_ext.inference.outputs import outputs

__all__ = ["HasUrl", "InferOptions", "Where", "Wire", "arrow_media_type", "infer", "infer_steps", "outputs"]
