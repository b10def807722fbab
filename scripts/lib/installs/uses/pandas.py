"""Scores a data frame, and reads what was scored as one."""

import sys

import pandas as pd

from wallaroo_ext import connect, deploy_pipeline, infer, infer_dataset, upload_model

name = sys.argv[1]
patients = pd.read_csv("breast-cancer.csv")
rows = patients.drop(columns="malignant")
with connect() as client:
    model = upload_model(client, "breast-cancer.onnx", name=name)
    with deploy_pipeline(client, name, model) as deployment:
        scored = infer(client, deployment, rows, vector=True).to_pandas()
        patients.to_parquet("patients.parquet")
        done = infer_dataset(client, name, "patients.parquet", "scored", columns=list(rows), vector=True)
found = scored["out.malignant"].str[0] > 0.5
assert (found == patients["malignant"].astype(bool)).sum() > 105
assert len(pd.read_parquet("scored")) == done.rows == 114
