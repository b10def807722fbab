"""Files of models and rows that ask for more than they should get, or say what readers may read differently."""

from __future__ import annotations

import struct
from importlib import import_module
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

pa: Any = import_module("pyarrow")
"""Its stubs want the types of values, which bad input does not have."""

FLOAT = TensorProto.FLOAT
OLD_COMPRESSION = "ARROW:experimental_compression"


def file_of(table: Any, **options: Any) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def compressed_as_of_old(size: int, *, codec: str = "zstd") -> bytes:
    """Return a file of metadata V4 whose one buffer is compressed, which only the custom metadata of its batch says."""
    content = struct.pack("<q", size) + bytes(pa.compress(bytes(size), codec))
    schema = pa.schema([("tensor", pa.uint8())])
    batch = pa.record_batch([pa.array(np.frombuffer(content, np.uint8))], schema=schema)
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(metadata_version=pa.ipc.MetadataVersion.V4)
    with pa.ipc.new_file(sink, schema, options=options) as writer:
        writer.write_batch(batch, custom_metadata={OLD_COMPRESSION: codec})
    return sink.getvalue().to_pybytes()


def onnx_of(graph: Any, *functions: Any) -> bytes:
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    made: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=list(functions))
    return made.SerializeToString()


def vector(name: str, size: Any = "N") -> Any:
    return helper.make_tensor_value_info(name, FLOAT, [size])


def node(kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> Any:
    return helper.make_node(kind, inputs, outputs, **attributes)


def graph_of(nodes: list[Any], **constants: Any) -> Any:
    """Return a graph from `x` to `y` with constants."""
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    return helper.make_graph(nodes, "bad", [vector("x")], [vector("y")], tensors)


def summed(kind: str, inputs: list[str], size: int) -> bytes:
    """Return a model that makes something large and adds its sum to each row."""
    nodes = [
        node(kind, inputs, ["large"]),
        node("ReduceSum", ["large"], ["sum"], keepdims=0),
        node("Add", ["x", "sum"], ["y"]),
    ]
    return onnx_of(graph_of(nodes, size=np.array([size])))


def endless_loop() -> bytes:
    body = helper.make_graph(
        [node("Identity", ["go"], ["go_on"]), node("Neg", ["value"], ["next"])],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            vector("value"),
        ],
        [helper.make_tensor_value_info("go_on", TensorProto.BOOL, []), vector("next")],
    )
    return onnx_of(graph_of([node("Loop", ["", "true", "x"], ["y"], body=body)], true=np.array(True)))


def external(location: str) -> Any:
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


def varint(number: int, width: int = 1) -> bytes:
    """Return a number of variable length, in so many bytes at the least."""
    groups = [number >> shift & 0x7F for shift in range(0, 70, 7)]
    while len(groups) > width and groups[-1] == 0:
        groups.pop()
    return bytes([group | 0x80 for group in groups[:-1]] + groups[-1:])


def graph_hidden_by(content: bytes, tag: bytes) -> bytes:
    """Return a model, the tag of whose graph is written in another way."""
    parsed = onnx.ModelProto.FromString(content)
    graph = parsed.graph.SerializeToString()
    parsed.ClearField("graph")
    return parsed.SerializeToString() + tag + varint(len(graph)) + graph
