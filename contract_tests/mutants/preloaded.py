"""What takes long to import, for processes that are forked from one that has it."""

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
