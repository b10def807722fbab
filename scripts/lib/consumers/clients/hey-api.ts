// A client by @hey-api/openapi-ts.
import { readFileSync } from "node:fs";
import { client } from "./generated/hey-api/client.gen.js";
import {
  getAssayBaseline,
  inferPipeline,
  listWorkspaces,
  requestToken,
  uploadAndConvertModel,
} from "./generated/hey-api/sdk.gen.js";

const env = process.env as Record<string, string>;
const throwOnError = true as const;

const { data: token } = await requestToken({
  baseUrl: env.WALLAROO_AUTH_URL,
  auth: `${env.WALLAROO_CLIENT_ID}:${env.WALLAROO_CLIENT_SECRET}`,
  body: { grant_type: "password", username: env.WALLAROO_USER, password: env.WALLAROO_PASSWORD },
  throwOnError,
});
client.setConfig({ baseUrl: env.WALLAROO_API_URL, auth: token.access_token });

const { data: found } = await listWorkspaces({ body: {}, throwOnError });
const metadata = {
  name: "by-hey-api",
  visibility: "private" as const,
  workspace_id: Number(env.WORKSPACE_ID),
  conversion: { framework: "onnx" },
};
const file = new File([readFileSync(env.MODEL_FILE)], "model.onnx");
const { data: uploaded } = await uploadAndConvertModel({
  body: { metadata, file },
  // Without this, the metadata has no media type of its own.
  bodySerializer: () => {
    const form = new FormData();
    form.append("metadata", new Blob([JSON.stringify(metadata)], { type: "application/json" }));
    form.append("file", file);
    return form;
  },
  throwOnError,
});
const { data: rows } = await inferPipeline({
  path: { deployment: env.DEPLOYMENT, pipeline: env.PIPELINE },
  headers: { "Content-Type": "application/json; format=pandas-records" },
  body: JSON.parse(env.ROW),
  throwOnError,
});
if (!Array.isArray(rows)) throw new Error("the rows came as an Arrow file");
const { data: baseline } = await getAssayBaseline({
  body: { workspace_id: Number(env.WORKSPACE_ID), pipeline_name: env.PIPELINE, limit: 1 },
  throwOnError,
});

console.log(
  JSON.stringify({
    workspaces: found.workspaces.map((each) => each.name),
    model: uploaded.insert_models.returning[0].models[0].id,
    output: (rows[0].out?.malignant as number[])[0],
    time: rows[0].time,
    baseline: baseline[0],
  }),
);
