"""Uploading models, and finding them and their versions."""

from __future__ import annotations

import hashlib
import shlex
import time
from typing import Any

import pyarrow as pa

from contract_tests.vendor.day.calls import ABSENT, Calls, Day, among, equal, sdk

MODELS = Calls()


def framework(name: str) -> Any:
    """Return a framework of the SDK's."""
    return getattr(sdk().framework.Framework, name)


def upload(day: Day, name: str, file: str) -> Any:
    """Upload a model of ONNX, and return its version once it is ready; the older SDK waits for converted ones only."""
    return wait(day, day.client.upload_model(name, day.files / file, framework=framework("ONNX")))


def wait(day: Day, version: Any) -> Any:
    """Return a version once it is ready, or as it is after a while."""
    for _ in range(50):
        if version.status() == "ready":
            break
        time.sleep(0.1)
        version = day.client.model_version_by_name(version.name(), version.version())
    return version


@MODELS.add("Client.upload_model(name, path, Framework.ONNX)", "uploads a native model", "a version that is ready")
def upload_model(day: Day) -> None:
    day["sums"] = upload(day, "sums", "sum.onnx")
    equal((day["sums"].name(), day["sums"].status()), ("sums", "ready"))


@MODELS.add("ModelVersion.configure(tensor_fields=…)", "configures a model", "these fields, in its configuration")
def configure(day: Day) -> None:
    day["sums"] = day["sums"].configure(tensor_fields=["tensor"])
    equal(day["sums"].config().tensor_fields(), ["tensor"])
    equal(day["sums"].config().runtime(), "onnx")


@MODELS.add("Client.upload_model(name, …) again", "uploads a further version", "the same model, another version")
def upload_version(day: Day) -> None:
    day["doubled"] = upload(day, "sums", "double.onnx")
    equal(day["doubled"].models_pk_id(), day["sums"].models_pk_id())
    equal(day["doubled"].version() == day["sums"].version(), False)


@MODELS.add("ModelVersion.sha()", "digests a model", "the SHA-256 of the file")
def sha(day: Day) -> None:
    equal(day["doubled"].sha(), hashlib.sha256((day.files / "double.onnx").read_bytes()).hexdigest())
    equal(day["doubled"].file_name(), "double.onnx")


@MODELS.add(
    "Client.upload_model(…, Framework.SKLEARN, input_schema=…)",
    "uploads one to be converted",
    "a version that is ready",
)
def upload_and_convert(day: Day) -> None:
    vectors = pa.schema([pa.field("tensor", pa.list_(pa.float32(), 3))])
    totals = pa.schema([pa.field("total", pa.float32())])
    kind = framework("SKLEARN")
    day["converted"] = day.client.upload_model("words", day.files / "words.pkl", kind, vectors, totals)
    equal((day["converted"].name(), day["converted"].status()), ("words", "ready"))


@MODELS.add("Client.upload_model(…, convert_wait=False)", "uploads without waiting", "a version, which is ready later")
def upload_without_waiting(day: Day) -> None:
    file = day.files / "half.onnx"
    day["halves"] = day.client.upload_model("halves", file, framework=framework("ONNX"), convert_wait=False)
    among(day["halves"].status(), ("uploading", "pending_conversion", "converting", "ready"))
    day["halves"] = wait(day, day["halves"])
    equal(day["halves"].status(), "ready")
    day["doubles"] = upload(day, "doubles", "double.onnx")


@MODELS.add("ModelVersion.get_upload_logs()", "reads the log of an upload", "a list of lines", old=ABSENT)
def get_upload_logs(day: Day) -> None:
    equal(isinstance(day["converted"].get_upload_logs(), list), True)


@MODELS.add("Client.list_models()", "lists models", "the names of the four")
def list_models(day: Day) -> None:
    equal(sorted(model.name() for model in day.client.list_models()), ["doubles", "halves", "sums", "words"])


@MODELS.add("Workspace.models()", "lists a workspace's models", "the names of the four")
def workspace_models(day: Day) -> None:
    day["models"] = {model.name(): model for model in day["workspace"].models()}
    equal(sorted(day["models"]), ["doubles", "halves", "sums", "words"])


@MODELS.add("Model.versions()", "lists a model's versions", "the two that were uploaded")
def versions(day: Day) -> None:
    found = {version.version() for version in day["models"]["sums"].versions()}
    equal(found, {day["sums"].version(), day["doubled"].version()})


@MODELS.add("Client.get_model(name)", "finds a model", "a version of it", old=ABSENT)
def get_model(day: Day) -> None:
    among(day.client.get_model("sums").id(), (day["sums"].id(), day["doubled"].id()))  # servers list them in any order


@MODELS.add("Client.get_model(name, version=…)", "finds a version", "that version", old=ABSENT)
def get_model_version(day: Day) -> None:
    equal(day.client.get_model("sums", version=day["sums"].version()).id(), day["sums"].id())


@MODELS.add("Client.model_by_name(name, version)", "finds a version by its names", "its id")
def model_by_name(day: Day) -> None:
    equal(day.client.model_by_name("sums", day["sums"].version()).id(), day["sums"].id())


@MODELS.add("Client.model_version_by_name(name, version)", "finds a version by its names", "its id")
def model_version_by_name(day: Day) -> None:
    equal(day.client.model_version_by_name("sums", day["doubled"].version()).id(), day["doubled"].id())


@MODELS.add("Client.search_models(search_term)", "searches models", "the versions whose name has the word")
def search_models(day: Day) -> None:
    equal({version.id() for version in day.client.search_models("sums")}, {day["sums"].id(), day["doubled"].id()})


@MODELS.add("Client.search_model_versions(search_term)", "searches versions", "the one of that file")
def search_model_versions(day: Day) -> None:
    equal([version.id() for version in day.client.search_model_versions("words.pkl")], [day["converted"].id()])


@MODELS.add(
    "Client.generate_upload_model_api_command(…)", "writes a command of curl", "the workspace's id in it", old=ABSENT
)
def generate_upload_model_api_command(day: Day) -> None:
    url = day.environment["WALLAROO_API_URL"]
    command = day.client.generate_upload_model_api_command(url, "sums", "sum.onnx", framework=framework("ONNX"))
    words = shlex.split(command)
    equal(words[-1], f"{url}/v1/api/models/upload_and_convert")
    among(f'"workspace_id": {day["workspace"].id()}', command)
