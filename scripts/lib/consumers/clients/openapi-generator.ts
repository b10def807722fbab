// A client by openapi-generator for TypeScript with fetch.
import { readFileSync } from "node:fs";
import {
  AssayBaselineRowToJSON,
  AssaysApi,
  AuthenticationApi,
  Configuration,
  InferenceApi,
  ModelsApi,
  WorkspacesApi,
} from "./generated/openapi-generator/index.js";

const env = process.env as Record<string, string>;
const keycloak = new Configuration({
  basePath: env.WALLAROO_AUTH_URL,
  username: env.WALLAROO_CLIENT_ID,
  password: env.WALLAROO_CLIENT_SECRET,
});
const token = await new AuthenticationApi(keycloak).requestToken({
  grantType: "password",
  username: env.WALLAROO_USER,
  password: env.WALLAROO_PASSWORD,
});
const configuration = new Configuration({ basePath: env.WALLAROO_API_URL, accessToken: token.access_token });
const workspaceId = Number(env.WORKSPACE_ID);

const { workspaces } = await new WorkspacesApi(configuration).listWorkspaces({ listWorkspacesRequest: {} });
const uploaded = await new ModelsApi(configuration).uploadAndConvertModel({
  metadata: {
    name: "by-typescript",
    visibility: "private",
    workspace_id: workspaceId,
    conversion: { framework: "onnx" },
  },
  file: new File([readFileSync(env.MODEL_FILE)], "model.onnx"),
});
const [scored] = await new InferenceApi(configuration).inferPipeline({
  deployment: env.DEPLOYMENT,
  pipeline: env.PIPELINE,
  requestBody: JSON.parse(env.ROW),
});
const [row] = await new AssaysApi(configuration).getAssayBaseline({
  getAssayBaselineRequest: { workspace_id: workspaceId, pipeline_name: env.PIPELINE, limit: 1 },
});

console.log(
  JSON.stringify({
    workspaces: workspaces.map((each) => each.name),
    model: uploaded.insert_models.returning[0].models[0].id,
    output: (scored.out?.malignant as number[])[0],
    time: scored.time,
    baseline: AssayBaselineRowToJSON(row),
  }),
);
