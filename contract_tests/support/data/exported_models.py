"""Models as skl2onnx, onnxmltools and torch export them with their defaults, and rows as people have them.

The operators, the names and the types of the inputs and outputs are those of the exporters; the weights are ours.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
from onnx import TensorProto, helper

if TYPE_CHECKING:
    from pathlib import Path

ML = "ai.onnx.ml"
FLOAT, DOUBLE, INT64, STRING = TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.STRING
FEATURES = 3


@dataclass(frozen=True)
class Exported:
    """A model, and rows for it.

    Attributes:
        model: The model.
        rows: The columns of the rows, with one that is a label or a target.
        shown: Texts that the demo shows of it.
        label: The label, where neither its name nor its values show it.
    """

    model: onnx.ModelProto
    rows: dict[str, Any]
    shown: list[str] = field(default_factory=list[str])
    label: str | None = None

    def save(self, directory: Path) -> Path:
        """Write the model to a file and return its path."""
        path = directory / "model.onnx"
        path.write_bytes(self.model.SerializeToString())
        return path


def _tensor(name: str, kind: int, *shape: int | str | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, list(shape))


def _model(nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: Any = ()) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes, "exported", inputs, outputs, [onnx.numpy_helper.from_array(v, n) for n, v in weights]
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(ML, 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def _features(kind: int = FLOAT, name: str = "X") -> list[Any]:
    return [_tensor(name, kind, None, FEATURES)]


def _linear(source: str, classes: dict[str, Any], count: int, width: int = FEATURES) -> list[Any]:
    """Return a linear classifier as skl2onnx writes a LogisticRegression; each class has a feature of its own."""
    weights = np.zeros((count, width), np.float32)
    for number in range(count):
        weights[number, number % width] = 4
    linear = helper.make_node(
        "LinearClassifier",
        [source],
        ["label", "scores"],
        domain=ML,
        coefficients=weights.ravel().tolist(),
        intercepts=[0.0] * count,
        multi_class=1,
        post_transform="SOFTMAX",
        **classes,
    )
    return [linear, helper.make_node("Normalizer", ["scores"], ["probabilities"], domain=ML, norm="L1")]


def _trees(kind: str, outputs: list[str], source: str = "X", **classes: Any) -> Any:
    """Return one tree of three nodes, which splits by the first feature at 0.5."""
    target = "class" if kind == "TreeEnsembleClassifier" else "target"
    return helper.make_node(
        kind,
        [source],
        outputs,
        domain=ML,
        nodes_treeids=[0, 0, 0],
        nodes_nodeids=[0, 1, 2],
        nodes_featureids=[0, 0, 0],
        nodes_values=[0.5, 0.0, 0.0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
        nodes_truenodeids=[1, 0, 0],
        nodes_falsenodeids=[2, 0, 0],
        nodes_missing_value_tracks_true=[1, 0, 0],
        **{
            f"{target}_treeids": [0, 0],
            f"{target}_nodeids": [1, 2],
            f"{target}_ids": [0, 0],
            f"{target}_weights": [-13.8, 3.0],
        },
        **classes,
    )


def _outputs(label: int = INT64, count: int = 2) -> list[Any]:
    return [_tensor("label", label, None), _tensor("probabilities", FLOAT, None, count)]


ROWS: dict[str, Any] = {"length": [0.0, 1.0, 0.0, 1.0], "width": [1.0, 0.0, 1.0, 0.25], "age": [0.5, 0.25, 0.5, 0.1]}
CLASSES = {"classlabels_ints": [0, 1]}
TREE_CLASSES = {"classlabels_int64s": [0, 1]}


def logistic_regression() -> Exported:
    """Return a LogisticRegression of skl2onnx without ZipMap, and labels of 0 and 1."""
    model = _model(_linear("X", CLASSES, 2), _features(), _outputs())
    return Exported(model, ROWS | {"target": [1, 0, 1, 1]}, ["3 of 4 rows are right", "target", "probabilities"])


def with_zip_map() -> onnx.ModelProto:
    """Return the same with ZipMap, as skl2onnx writes it by default."""
    nodes = _linear("X", CLASSES, 2)
    nodes[0].output[0] = "output_label"
    zipped = helper.make_node("ZipMap", ["probabilities"], ["output_probability"], domain=ML, classlabels_int64s=[0, 1])
    maps = helper.make_map_type_proto(INT64, helper.make_tensor_type_proto(FLOAT, []))
    probability = helper.make_value_info("output_probability", helper.make_sequence_type_proto(maps))
    return _model([*nodes, zipped], _features(), [_tensor("output_label", INT64, None), probability])


def text_classes() -> Exported:
    """Return a classifier whose classes are texts, with three of them."""
    model = _model(
        _linear("X", {"classlabels_strings": ["setosa", "versicolor", "virginica"]}, 3),
        _features(),
        _outputs(STRING, 3),
    )
    species = ["versicolor", "setosa", "versicolor", "virginica"]
    return Exported(model, ROWS | {"species": species}, ["3 of 4 rows are right", "versicolor"])


def random_forest() -> Exported:
    """Return a RandomForestClassifier of skl2onnx; the label is the first column."""
    outputs = ["label", "probabilities"]
    tree = _trees("TreeEnsembleClassifier", outputs, "float_input", post_transform="LOGISTIC", **TREE_CLASSES)
    model = _model([tree], _features(name="float_input"), _outputs())
    return Exported(model, {"class": [0, 1, 0, 1]} | ROWS, ["4 of 4 rows are right", "0.9999989", "e-06"])


def linear_regression() -> Exported:
    """Return a LinearRegression of skl2onnx."""
    node = helper.make_node(
        "LinearRegressor", ["X"], ["variable"], domain=ML, coefficients=[2.0, 0.5, 0.0], intercepts=[1.0]
    )
    model = _model([node], _features(), [_tensor("variable", FLOAT, None, 1)])
    return Exported(model, ROWS | {"price": [1.5, 3.0, 1.5, 2.625]}, ["mean absolute error is 0.125", "3.125"], "price")


def boosted_regression() -> Exported:
    """Return a GradientBoostingRegressor; an XGBRegressor and an LGBMRegressor of onnxmltools have this form, too."""
    node = _trees("TreeEnsembleRegressor", ["variable"], "input", n_targets=1)
    model = _model([node], _features(name="input"), [_tensor("variable", FLOAT, None, 1)])
    return Exported(model, ROWS | {"y": [-13.8, 3.0, -13.8, 3.0]}, ["mean absolute error is 0", "-13.8"])


def xgboost_classifier() -> Exported:
    """Return an XGBClassifier of onnxmltools, which takes missing numbers."""
    node = _trees(
        "TreeEnsembleClassifier", ["label", "probabilities"], "input", post_transform="LOGISTIC", **TREE_CLASSES
    )
    model = _model([node], _features(name="input"), _outputs())
    return Exported(model, ROWS | {"label": [0, 1, 0, 1]}, ["4 of 4 rows are right"])


def lightgbm_classifier() -> Exported:
    """Return an LGBMClassifier of onnxmltools with zipmap=False: the label goes through a cast, the width is fixed."""
    tree = _trees(
        "TreeEnsembleClassifier", ["raw", "probabilities"], "input", post_transform="LOGISTIC", **TREE_CLASSES
    )
    cast = helper.make_node("Cast", ["raw"], ["label"], to=INT64)
    model = _model([tree, cast], [_tensor("input", FLOAT, "N", FEATURES)], _outputs())
    return Exported(model, ROWS | {"survived": [False, True, False, True]}, ["4 of 4 rows are right"])


def pipeline_of_columns() -> Exported:
    """Return a pipeline with a ColumnTransformer of skl2onnx: an input for each column, of texts and numbers."""
    hot = helper.make_node("OneHotEncoder", ["city"], ["hot"], domain=ML, cats_strings=["Berlin", "Paris"], zeros=1)
    flat = helper.make_node("Reshape", ["hot", "shape"], ["cities"])
    years = helper.make_node("Cast", ["rooms"], ["numbers"], to=FLOAT)
    joined = helper.make_node("Concat", ["cities", "numbers", "area"], ["features"], axis=1)
    inputs = [_tensor("city", STRING, None, 1), _tensor("rooms", INT64, None, 1), _tensor("area", FLOAT, None, 1)]
    weights = [("shape", np.array([-1, 2], np.int64))]
    model = _model([hot, flat, years, joined, *_linear("features", CLASSES, 2, 4)], inputs, _outputs(), weights)
    rows = {"area": [0.5, 0.25, 0.5], "rooms": [1, 2, 3], "city": ["Paris", "Berlin", "Paris"], "sold": [1, 0, 0]}
    return Exported(model, rows, ["2 of 3 rows are right"])


def texts() -> Exported:
    """Return a classifier of texts, which come in one column as for a TfidfVectorizer."""
    known = helper.make_node(
        "LabelEncoder", ["text"], ["words"], domain=ML, keys_strings=["good"], values_floats=[1.0], default_float=-1.0
    )
    nodes = [known, *_linear("words", CLASSES, 2, 1)]
    next(each for each in nodes[1].attribute if each.name == "coefficients").floats[:] = [-4.0, 4.0]
    model = _model(nodes, [_tensor("text", STRING, None, 1)], _outputs())
    return Exported(model, {"text": ["good", "bad", "good"], "label": [1, 0, 0]}, ["2 of 3 rows are right"])


def images() -> Exported:
    """Return a classifier of images, as torch exports it: its input has three channels, its output no label."""
    pool = helper.make_node("GlobalAveragePool", ["input"], ["mean"])
    flat = helper.make_node("Flatten", ["mean"], ["output"], axis=1)
    inputs = [_tensor("input", FLOAT, "batch_size", 3, 4, 4)]
    model = _model([pool, flat], inputs, [_tensor("output", FLOAT, "batch_size", 3)])
    pixels = np.zeros((2, 3, 4, 4), np.float32)
    pixels[0, 1] = 1
    return Exported(model, {"input": pixels.tolist()}, ["[0, 1, 0]"])


def double_numbers() -> Exported:
    """Return a model of 64-bit floats, as to_onnx makes it of a data frame: its figures have all their digits."""
    node = helper.make_node("ReduceMean", ["X"], ["variable"], axes=[1], keepdims=1)
    model = _model([node], _features(DOUBLE), [_tensor("variable", DOUBLE, None, 1)])
    return Exported(model, {"a": [0.1, 1.0], "b": [0.2, 1.0], "c": [0.5, 1.0]}, ["0.26666666666666666"])


def outliers() -> Exported:
    """Return an IsolationForest of skl2onnx: its label is a column, and is beside scores."""
    linear = helper.make_node(
        "LinearRegressor", ["X"], ["scores"], domain=ML, coefficients=[1.0, 0.0, 0.0], intercepts=[-0.5]
    )
    sign = helper.make_node("Sign", ["scores"], ["signs"])
    cast = helper.make_node("Cast", ["signs"], ["label"], to=INT64)
    outputs = [_tensor("label", INT64, None, 1), _tensor("scores", FLOAT, None, 1)]
    model = _model([linear, sign, cast], _features(), outputs)
    return Exported(model, ROWS | {"label": [-1, 1, -1, -1]}, ["3 of 4 rows are right"])


def two_vectors() -> Exported:
    """Return a model with two inputs that are vectors of different lengths."""
    joined = helper.make_node("Concat", ["user", "item"], ["both"], axis=1)
    total = helper.make_node("ReduceSum", ["both"], ["score"], keepdims=1, noop_with_empty_axes=0)
    inputs = [_tensor("user", FLOAT, None, 2), _tensor("item", FLOAT, None, 3)]
    total.input.append("axes")
    model = _model([joined, total], inputs, [_tensor("score", FLOAT, None, 1)], [("axes", np.array([1], np.int64))])
    return Exported(model, {"user": [[1.0, 2.0], [3.0, 4.0]], "item": [[0.0, 0.0, 1.0]] * 2}, ["4", "8"])


EXPORTED = {
    made.__name__: made
    for made in (
        logistic_regression,
        text_classes,
        random_forest,
        linear_regression,
        boosted_regression,
        xgboost_classifier,
        lightgbm_classifier,
        pipeline_of_columns,
        texts,
        images,
        double_numbers,
        outliers,
        two_vectors,
    )
}
"""The functions that make them, by name."""
