"""Signs in, uploads a model, deploys it and calls operations, which needs no extra; what needs one says which."""

import asyncio
import inspect
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from wallaroo_ext import (
    ConfigurationError,
    aio,
    assay_chart,
    connect,
    deploy_pipeline,
    infer,
    list_models,
    upload_model,
)

name = sys.argv[1]
with connect() as client:
    model = upload_model(client, "breast-cancer.onnx", name=name)
    with deploy_pipeline(client, name, model) as deployment:
        assert deployment.status == "Running"
        assert name in {found.name for found in list_models(client)}
    assert name in {found.name for found in asyncio.run(aio.list_models(client))}
    assert sys.version_info < (3, 12) or inspect.iscoroutinefunction(aio.deploy_pipeline)
    assert find_spec("pyarrow") is None
    for extra, use in {
        "arrow": lambda: infer(client, deployment, {"tensor": [[0.0] * 30]}),
        "charts": lambda: assay_chart([]),
    }.items():
        try:
            use()
        except ConfigurationError as error:
            assert f"wallaroo-ext[{extra}]" in str(error), f"{extra}: {error}"
        else:
            raise AssertionError(extra)
program = Path(sys.executable).with_name("wallaroo-ext")
done = subprocess.run([program, "--help"], capture_output=True, text=True, check=False)
assert (done.returncode, "wallaroo-ext[cli]" in done.stderr) == (2, True), done
