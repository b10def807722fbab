"""Uploading a model and waiting until it is ready."""

from __future__ import annotations

from wallaroo_ext.uploads.sources import ModelSource
from wallaroo_ext.uploads.upload import UploadOptions, upload_model, upload_model_steps

__all__ = ["ModelSource", "UploadOptions", "upload_model", "upload_model_steps"]
