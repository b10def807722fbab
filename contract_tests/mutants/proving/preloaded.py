"""Imports modules that take long to load, once for all processes that are forked."""

from importlib import import_module

for name in (
    "onnx",
    "onnxruntime",
    "pyarrow",
    "schemathesis",
    "wallaroo_ext.conformance.plugin",
    "wallaroo_ext.sandbox.server.app",
):
    import_module(name)
