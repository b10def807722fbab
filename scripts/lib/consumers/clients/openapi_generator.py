"""A client by openapi-generator for Python."""

import json
import os

import openapi_client as api

environment = os.environ
keycloak = api.Configuration(
    username=environment["WALLAROO_CLIENT_ID"],
    password=environment["WALLAROO_CLIENT_SECRET"],
    ignore_operation_servers=True,  # the token's path has a server of its own
    host=environment["WALLAROO_AUTH_URL"],
)
token = api.AuthenticationApi(api.ApiClient(keycloak)).request_token(
    grant_type="password", username=environment["WALLAROO_USER"], password=environment["WALLAROO_PASSWORD"]
)
client = api.ApiClient(
    api.Configuration(host=environment["WALLAROO_API_URL"], access_token=token.access_token.get_secret_value())
)
workspace = int(environment["WORKSPACE_ID"])

workspaces = api.WorkspacesApi(client).list_workspaces(api.ListWorkspacesRequest()).workspaces
uploaded = api.ModelsApi(client).upload_and_convert_model(
    metadata=api.ModelMetadata(
        name="by-python",
        visibility=api.Visibility.PRIVATE,
        workspace_id=workspace,
        conversion=api.Conversion(framework="onnx"),
    ),
    file=environment["MODEL_FILE"],
)
[scored] = api.InferenceApi(client).infer_pipeline(
    environment["DEPLOYMENT"],
    environment["PIPELINE"],
    json.loads(environment["ROW"]),
    _content_type="application/json; format=pandas-records",
)
[row] = api.AssaysApi(client).get_assay_baseline(
    api.GetAssayBaselineRequest(workspace_id=workspace, pipeline_name=environment["PIPELINE"], limit=1)
)
found = {
    "workspaces": [each.name for each in workspaces],
    "model": uploaded.insert_models.returning[0].models[0].id,
    "output": scored.out["malignant"][0],
    "time": scored.time,
    "baseline": row.to_dict(),
}
print(json.dumps(found))
