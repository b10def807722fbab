"""Scores rows of numpy and Arrow, and a CSV file into Parquet."""

import sys

import numpy as np
import pyarrow.csv
import pyarrow.parquet

from wallaroo_ext import connect, deploy_pipeline, infer, infer_batches, infer_dataset, pipeline_logs, upload_model

name = sys.argv[1]
table = pyarrow.csv.read_csv("breast-cancer.csv").drop_columns(["malignant"])
with connect() as client:
    model = upload_model(client, "breast-cancer.onnx", name=name)
    with deploy_pipeline(client, name, model) as deployment:
        rows = np.stack([column.to_numpy() for column in table.columns], axis=1).astype("float32")
        scored, by_columns = infer(client, deployment, {"tensor": rows}), infer(client, deployment, table, vector=True)
        assert scored.column("out.malignant").equals(by_columns.column("out.malignant"))
        done = infer_dataset(
            client, name, "breast-cancer.csv", "scored", columns=table.column_names, keys=["malignant"], vector=True
        )
        assert (done.rows, done.rejected) == (114, 0)
        assert pyarrow.parquet.read_table("scored").num_rows == 114
        assert sum(batch.num_rows for batch in infer_batches(client, name, table.to_batches(), vector=True)) == 114
        assert pipeline_logs(client, name, limit=5).num_rows == 5
