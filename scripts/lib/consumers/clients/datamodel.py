"""A program with the models of datamodel-code-generator, which makes no client: httpx sends the requests."""

import json
import os
from pathlib import Path

import httpx
import models

environment = os.environ
asked = models.TokenRequest(
    grant_type="password", username=environment["WALLAROO_USER"], password=environment["WALLAROO_PASSWORD"]
)
answer = httpx.post(
    environment["WALLAROO_AUTH_URL"] + "/auth/realms/master/protocol/openid-connect/token",
    auth=(environment["WALLAROO_CLIENT_ID"], environment["WALLAROO_CLIENT_SECRET"]),
    data={"grant_type": asked.grant_type, "username": asked.username, "password": environment["WALLAROO_PASSWORD"]},
)
token = models.Token.model_validate_json(answer.raise_for_status().content).access_token.get_secret_value()
client = httpx.Client(
    base_url=environment["WALLAROO_API_URL"], headers={"Authorization": f"Bearer {token}"}, timeout=60
)
workspace = int(environment["WORKSPACE_ID"])


def send(path, body=None, **options):
    """Send a request of JSON, or what the options say, and return the JSON of the answer."""
    if body is not None:
        options["json"] = body.model_dump(mode="json", exclude_none=True)
    return client.post(path, **options).raise_for_status().json()


workspaces = models.ListWorkspacesResponse.model_validate(
    send("/v1/api/workspaces/list", models.ListWorkspacesRequest())
)
metadata = models.ModelMetadata(
    name="by-datamodel",
    visibility="private",
    workspace_id=workspace,
    conversion=models.Conversion(framework="onnx"),
)
parts = {
    "metadata": (None, metadata.model_dump_json(exclude_none=True), "application/json"),
    "file": ("model.onnx", Path(environment["MODEL_FILE"]).read_bytes(), "application/octet-stream"),
}
uploaded = models.UploadModelResponse.model_validate(send("/v1/api/models/upload_and_convert", files=parts))
[scored] = [
    models.InferenceResult.model_validate(row)
    for row in send(
        f"/v1/api/pipelines/infer/{environment['DEPLOYMENT']}/{environment['PIPELINE']}",
        content=environment["ROW"],
        headers={"Content-Type": "application/json; format=pandas-records"},
    )
]
request = models.GetAssayBaselineRequest(workspace_id=workspace, pipeline_name=environment["PIPELINE"], limit=1)
[row] = [models.AssayBaselineRow.model_validate(row) for row in send("/v1/api/assays/get_baseline", request)]

found = {
    "workspaces": [each.name for each in workspaces.workspaces],
    "model": uploaded.insert_models.returning[0].models[0].id,
    "output": scored.out["malignant"][0],
    "time": scored.time,
    "baseline": row.model_dump(mode="json", by_alias=True, exclude_none=True),
}
print(json.dumps(found))
