"""Does the check of an ONNX file see what other parsers see, or else refuse the file?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from contract_tests.support.data.bad_files import graph_hidden_by, varint
from wallaroo_ext.sandbox.engine.confined import onnx_file
from wallaroo_ext.sandbox.engine.confined.onnx_file import OnnxFile, OnnxFileError, inspect

if TYPE_CHECKING:
    from collections.abc import Iterator

FLOAT = TensorProto.FLOAT
BYTES = 2


def value(name: str) -> Any:
    return helper.make_tensor_value_info(name, FLOAT, ["N"])


def model(*tensors: TensorProto) -> bytes:
    """Return a model with functions, branches, constants, sparse tensors and lists of numbers."""
    inner = helper.make_graph([helper.make_node("Constant", [], ["c"], value_float=1.0)], "inner", [], [value("c")])
    nodes = [
        helper.make_node("If", ["true"], ["b"], then_branch=inner, else_branch=inner),
        helper.make_node("Own", ["b"], ["d"], domain="own", numbers=[1, 2, 300], texts=["a", "é"]),
        helper.make_node("Add", ["x", "w"], ["y"]),
    ]
    constants = [numpy_helper.from_array(np.ones(1, np.float32), "w"), numpy_helper.from_array(np.array(True), "true")]
    graph = helper.make_graph(nodes, "all", [value("x")], [value("y")], [*constants, *tensors])
    ones, places = numpy_helper.from_array(np.ones(1, np.float32), "s"), numpy_helper.from_array(np.array([0]), "i")
    graph.sparse_initializer.append(helper.make_sparse_tensor(ones, places, [7, 3]))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    own = helper.make_function("own", "Own", ["a"], ["b"], [helper.make_node("Neg", ["a"], ["b"])], opsets)
    made: onnx.ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=8, functions=[own])
    return made.SerializeToString()


def part(number: int, content: bytes) -> bytes:
    """Return a field of bytes."""
    return varint(number << 3 | BYTES) + varint(len(content)) + content


def external() -> TensorProto:
    tensor = TensorProto(name="e", data_type=FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="another-users-model")
    return tensor


def graph_with(content: bytes) -> bytes:
    """Return a model whose graph ends with some bytes."""
    parsed = onnx.ModelProto.FromString(model())
    graph = parsed.graph.SerializeToString() + content
    parsed.ClearField("graph")
    return parsed.SerializeToString() + part(7, graph)


def tensor_with(content: bytes) -> bytes:
    """Return a model with a tensor that ends with some bytes."""
    return graph_with(part(5, TensorProto(name="t", data_type=FLOAT, dims=[1]).SerializeToString() + content))


def attribute_with(content: bytes) -> bytes:
    """Return a model with a node that has an attribute of some bytes."""
    return graph_with(part(1, part(4, b"Neg") + part(5, content)))


def test_a_tensor_may_say_that_its_values_are_in_the_file() -> None:
    tensor = TensorProto(name="t", data_type=FLOAT, dims=[1], float_data=[1.0], data_location=TensorProto.DEFAULT)
    assert inspect(model(tensor)).tensors == inspect(model()).tensors + 1


def test_a_whole_model_is_checked() -> None:
    assert inspect(model()) == OnnxFile(nodes=5, dense_values=21, tensors=4)
    with pytest.raises(OnnxFileError, match="tensor 'e' is outside of the file, in 'another-users-model'"):
        inspect(model(external()))


@pytest.mark.parametrize("after", [b"", part(3, b""), part(3, b"\x02"), b"\x18\x02"])
def test_the_dimensions_of_a_sparse_tensor_are_counted_however_they_are_packed(after: bytes) -> None:
    tensor = part(3, varint(1 << 20)) + b"\x18\x03" + after
    expected = 3 << 20 if after in {b"", part(3, b"")} else 6 << 20
    assert inspect(graph_with(part(15, tensor))).dense_values == 21 + expected


AMBIGUOUS = {
    "a tag of 33 bits": graph_hidden_by(model(external()), bytes.fromhex("ba80808010")),
    "a tag of 64 bits": graph_hidden_by(model(external()), bytes.fromhex("ba80808080808080807f")[:9] + b"\x01"),
    "a tag in two bytes": graph_hidden_by(model(external()), bytes.fromhex("ba00")),
    "a tag in five bytes": graph_hidden_by(model(external()), bytes.fromhex("ba80808000")),
    "a length in two bytes": graph_with(varint(2 << 3 | BYTES) + b"\x81\x00x"),
    "a number in two bytes": tensor_with(b"\x70\x81\x00"),
    "a number above 64 bits": tensor_with(b"\x70" + b"\xff" * 9 + b"\x7f"),
    "an enumeration above 32 bits": tensor_with(b"\x70" + varint((1 << 32) + 1)),
    "an enumeration that nobody knows": tensor_with(b"\x70\x02"),
    "two places of data": tensor_with(b"\x70\x01\x70\x00"),
    "two graphs": model() + part(7, b""),
    "two tensors in one": attribute_with(part(5, b"") + part(5, b"")),
    "two graphs in one attribute": attribute_with(part(6, b"") + part(6, b"")),
    "two names": tensor_with(part(8, b"a") + part(8, b"b")),
    "two types": graph_with(part(11, part(2, part(1, b"") + part(4, b"")))),
    "two functions of a name": model() + part(25, part(1, b"F")) + part(25, part(1, b"F")),
    "a part that a model has not": model() + part(99, b"x"),
    "a part that a tensor has not": tensor_with(part(15, b"x")),
    "the part 0": model() + b"\x02\x00",
    "a group": model() + b"\x3b\x3c",
    "the end of a group": model() + b"\x3c",
    "a wire type that is none": model() + b"\x3f",
    "a graph that is a number": model() + b"\x38\x01",
    "a graph of 64 bits": model() + b"\x39" + bytes(8),
    "a place of data in bytes": tensor_with(part(14, b"\x01")),
    "a name that is no UTF-8": tensor_with(part(8, b"\xff")),
    "an operator that is no UTF-8": graph_with(part(1, part(4, b"\xff"))),
    "a length beyond the end": graph_with(varint(2 << 3 | BYTES) + b"\x05x"),
    "something behind the end": model() + b"\x00",
}


@pytest.mark.parametrize("content", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_two_readers_can_read_differently_is_refused(content: bytes) -> None:
    with pytest.raises(OnnxFileError) as refused:
        inspect(content)
    assert "outside of the file" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_more_parts_than_any_model_has_are_refused() -> None:
    value = 13  # what a graph says of its inner values, which are neither nodes nor tensors
    assert inspect(graph_with(part(value, b"") * 90_000)).nodes == 5
    with pytest.raises(OnnxFileError, match="more than 100000"):
        inspect(graph_with(part(value, b"") * 100_001))


def test_messages_nested_without_end_are_refused() -> None:
    content = b""
    for _ in range(200):
        content = part(4, part(1, content))  # a sequence of sequences
    with pytest.raises(OnnxFileError, match="more than 100 levels deep"):
        inspect(graph_with(part(11, part(2, content))))


NAMES = {
    "model": "ModelProto",
    "opset": "OperatorSetIdProto",
    "graph": "GraphProto",
    "node": "NodeProto",
    "attribute": "AttributeProto",
    "tensor": "TensorProto",
    "segment": "TensorProto.Segment",
    "entry": "StringStringEntryProto",
    "sparse-tensor": "SparseTensorProto",
    "type": "TypeProto",
    "tensor-type": "TypeProto.Tensor",
    "shape": "TensorShapeProto",
    "dimension": "TensorShapeProto.Dimension",
    "sequence-type": "TypeProto.Sequence",
    "map-type": "TypeProto.Map",
    "opaque-type": "TypeProto.Opaque",
    "value": "ValueInfoProto",
    "annotation": "TensorAnnotation",
    "training": "TrainingInfoProto",
    "function": "FunctionProto",
    "configuration": "DeviceConfigurationProto",
    "node-configuration": "NodeDeviceConfigurationProto",
    "sharding": "ShardingSpecProto",
    "device-group": "IntIntListEntryProto",
    "sharded-dimension": "ShardedDimProto",
    "simple-sharding": "SimpleShardedDimProto",
}
WIRES = {"float": 5, "double": 1, "string": BYTES, "bytes": BYTES, "message": BYTES}


def test_the_messages_are_those_of_onnx() -> None:
    """The numbers, types and lists of onnx.proto, as the package onnx has it."""
    tables: dict[str, dict[int, Any]] = getattr(onnx_file, "_MESSAGES")  # noqa: B009 - private to the module
    assert tables.keys() == NAMES.keys()
    for name, kinds in tables.items():
        found: Any = onnx
        for step in NAMES[name].split("."):
            found = getattr(found, step)
        fields = {described.number: described for described in found.DESCRIPTOR.fields}
        assert kinds.keys() == fields.keys(), name
        for number, described in fields.items():
            kind = kinds[number]
            kinds_there = {1: "double", 2: "float", 9: "string", 11: "message", 12: "bytes"}
            wire = WIRES.get(kinds_there.get(described.type, ""), 0)
            assert (kind.wire, kind.is_list) == (wire, described.is_repeated), (name, number)
            assert (bool(kind.message), kind.is_text) == (described.type == 11, described.type == 9), (name, number)
            if described.message_type and described.message_type.name not in {"SparseTensor", "Optional"}:
                assert described.message_type.full_name.removeprefix("onnx.") == NAMES[kind.message]


def messages(message: Any) -> Iterator[Any]:
    """Yield a message type of Protocol Buffers and all types within it."""
    yield message
    for described, content in message.ListFields():
        if described.message_type:
            for inner in content if described.is_repeated else [content]:
                yield from messages(inner)


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Generate a model in which bytes are changed, left out or repeated, or numbers are encoded in another way."""
    content = bytearray(model(external()) if draw(st.booleans()) else model())
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(content) - 1))
        match draw(st.sampled_from(["change", "remove", "repeat", "widen", "insert"])):
            case "change":
                content[place] = draw(st.integers(0, 255))
            case "remove":
                del content[place : place + draw(st.integers(1, 8))]
            case "repeat":
                end, target = place + draw(st.integers(1, 40)), draw(st.integers(0, len(content) - 1))
                content[target:target] = content[place:end]
            case "widen":
                content[place : place + 1] = varint(content[place] & 0x7F, draw(st.integers(2, 10)))
            case _:
                content[place:place] = draw(st.binary(min_size=1, max_size=8))
    return bytes(content) or b"\0"


@settings(max_examples=2000, deadline=None)
@given(broken())
def test_what_is_accepted_is_what_another_reader_finds(content: bytes) -> None:
    try:
        found = inspect(content)
    except OnnxFileError:
        return
    try:
        parsed = onnx.ModelProto.FromString(content)
    except DecodeError:
        return  # then onnxruntime does not load it either
    tensors = [message for message in messages(parsed) if isinstance(message, TensorProto)]
    assert found.tensors == len(tensors)
    assert not [tensor for tensor in tensors if tensor.data_location == TensorProto.EXTERNAL]
    assert inspect(parsed.SerializeToString()) == found
