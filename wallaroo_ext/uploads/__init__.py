"""Uploading a model and waiting until it is ready."""

from __future__ import annotations

from wallaroo_ext.uploads.sources import ModelSource
from wallaroo_ext.uploads.upload import upload_model

__all__ = ["ModelSource", "upload_model"]
