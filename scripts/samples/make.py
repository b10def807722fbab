"""Makes the demo's model and rows, and writes them beside this file.

The data set is Breast Cancer Wisconsin (Diagnostic), which comes with scikit-learn: 569 rows, each with 30 measurements
of a cell sample and whether the sample was malignant. Four fifths of the rows train a small neural network, which is
written as an ONNX file; the demo scores the other fifth, which the model has not seen.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
SEED = 20221129
HIDDEN = 8


def train(features: np.ndarray, labels: np.ndarray) -> tuple[StandardScaler, MLPClassifier]:
    """Return a scaler and a network with one hidden layer."""
    scaler = StandardScaler().fit(features)
    network = MLPClassifier((HIDDEN,), alpha=0.1, solver="lbfgs", max_iter=500, random_state=SEED)
    return scaler, network.fit(scaler.transform(features), labels)


def to_onnx(scaler: StandardScaler, network: MLPClassifier) -> onnx.ModelProto:
    """Return the scaler and the network as one graph.

    Its input is float32 [N, 30], its output the probability of malignancy as float32 [N, 1].
    """
    hidden, output = network.coefs_
    hidden_bias, output_bias = network.intercepts_
    weights = {
        "mean": scaler.mean_,
        "scale": scaler.scale_,
        "hidden": hidden,
        "hidden_bias": hidden_bias,
        "output": output,
        "output_bias": output_bias,
    }
    nodes = [
        helper.make_node("Sub", ["features", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "scale"], ["scaled"]),
        helper.make_node("Gemm", ["scaled", "hidden", "hidden_bias"], ["sums"]),
        helper.make_node("Relu", ["sums"], ["activations"]),
        helper.make_node("Gemm", ["activations", "output", "output_bias"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["malignant"]),
    ]
    graph = helper.make_graph(
        nodes,
        "breast-cancer",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", len(scaler.mean_)])],
        [helper.make_tensor_value_info("malignant", TensorProto.FLOAT, ["N", 1])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def write_rows(path: Path, names: list[str], features: np.ndarray, labels: np.ndarray) -> None:
    """Write rows with one column per measurement and the label in the last column."""
    header = ",".join([*(name.replace(" ", "_") for name in names), "malignant"])
    lines = (
        ",".join([*(repr(float(value)) for value in row), str(label)])
        for row, label in zip(features, labels, strict=True)
    )
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def main() -> None:
    """Train and write the model, write the other rows, and print the model's accuracy on them."""
    data = load_breast_cancer()
    malignant = 1 - data.target  # the data set counts benign as 1
    train_x, test_x, train_y, test_y = train_test_split(
        data.data, malignant, test_size=0.2, random_state=SEED, stratify=malignant
    )
    scaler, network = train(train_x, train_y)
    (HERE / "breast-cancer.onnx").write_bytes(to_onnx(scaler, network).SerializeToString(deterministic=True))
    write_rows(HERE / "breast-cancer.csv", list(data.feature_names), test_x, test_y)
    print(f"{len(test_x)} rows written, accuracy on them {network.score(scaler.transform(test_x), test_y):.3f}")


if __name__ == "__main__":
    main()
