"""What takes long to import, for processes that are forked from one that has it."""

import onnx
import onnxruntime
import pyarrow as pa
import schemathesis
import wallaroo_mlops_client.models

import wallaroo_ext.conformance.plugin
import wallaroo_ext.sandbox.app

__all__ = ["onnx", "onnxruntime", "pa", "schemathesis", "wallaroo_ext", "wallaroo_mlops_client"]
