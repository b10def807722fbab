"""Runs a sandbox of its own, and deploys, scores and asks there, also from the command line."""

import subprocess
import sys
from pathlib import Path

import pyarrow.csv

import wallaroo_ext
from wallaroo_ext import deploy_pipeline, infer, upload_model

rows = pyarrow.csv.read_csv("breast-cancer.csv").drop_columns(["malignant"])
with wallaroo_ext.sandbox(arguments=["--tls"]) as instance:
    model = upload_model(instance.client, "breast-cancer.onnx", name="tumours")
    with deploy_pipeline(instance.client, "tumours", model):
        assert infer(instance.client, "tumours", rows, vector=True).num_rows == 114
    assert instance.state()["counts"]["inferences"] == 1
    program = Path(sys.executable).with_name("wallaroo-ext")
    done = subprocess.run([program, "open"], capture_output=True, text=True, check=False, env=instance.environment)
    assert "/docs" in done.stdout, done
