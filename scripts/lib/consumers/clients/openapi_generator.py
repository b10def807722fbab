"""A client by openapi-generator for Python."""

import json
import os

import openapi_client as api

told = os.environ
keycloak = api.Configuration(
    username=told["WALLAROO_CLIENT_ID"],
    password=told["WALLAROO_CLIENT_SECRET"],
    ignore_operation_servers=True,  # the token's path has a server of its own
    host=told["WALLAROO_AUTH_URL"],
)
token = api.AuthenticationApi(api.ApiClient(keycloak)).request_token(
    grant_type="password", username=told["WALLAROO_USER"], password=told["WALLAROO_PASSWORD"]
)
client = api.ApiClient(
    api.Configuration(host=told["WALLAROO_API_URL"], access_token=token.access_token.get_secret_value())
)
workspace = int(told["WORKSPACE_ID"])

workspaces = api.WorkspacesApi(client).list_workspaces(api.ListWorkspacesRequest()).workspaces
uploaded = api.ModelsApi(client).upload_and_convert_model(
    metadata=api.ModelMetadata(
        name="by-python",
        visibility=api.Visibility.PRIVATE,
        workspace_id=workspace,
        conversion=api.Conversion(framework="onnx"),
    ),
    file=told["MODEL_FILE"],
)
[scored] = api.InferenceApi(client).infer_pipeline(
    told["DEPLOYMENT"],
    told["PIPELINE"],
    json.loads(told["ROW"]),
    _content_type="application/json; format=pandas-records",
)
[row] = api.AssaysApi(client).get_assay_baseline(
    api.GetAssayBaselineRequest(workspace_id=workspace, pipeline_name=told["PIPELINE"], limit=1)
)
found = {
    "workspaces": [each.name for each in workspaces],
    "model": uploaded.insert_models.returning[0].models[0].id,
    "output": scored.out["malignant"][0],
    "time": scored.time,
    "baseline": row.to_dict(),
}
print(json.dumps(found))
