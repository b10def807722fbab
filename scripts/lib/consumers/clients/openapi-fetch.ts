// A client by openapi-typescript and openapi-fetch.
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { paths } from "./generated/openapi-typescript.js";

const env = process.env as Record<string, string>;

function checked<T>(answer: { data?: T; response: Response }): T {
  if (answer.data === undefined) throw new Error(`${answer.response.url}: ${answer.response.status}`);
  return answer.data;
}

const keycloak = createClient<paths>({ baseUrl: env.WALLAROO_AUTH_URL });
const basic = Buffer.from(`${env.WALLAROO_CLIENT_ID}:${env.WALLAROO_CLIENT_SECRET}`).toString("base64");
const token = checked(
  await keycloak.POST("/auth/realms/master/protocol/openid-connect/token", {
    headers: { Authorization: `Basic ${basic}`, "Content-Type": "application/x-www-form-urlencoded" },
    body: { grant_type: "password", username: env.WALLAROO_USER, password: env.WALLAROO_PASSWORD },
  }),
);

const api = createClient<paths>({
  baseUrl: env.WALLAROO_API_URL,
  headers: { Authorization: `Bearer ${token.access_token}` },
});
const { workspaces } = checked(await api.POST("/v1/api/workspaces/list", { body: {} }));

// The two parts of an upload have media types of their own, which the form takes from Blobs.
const metadata = {
  name: "by-openapi-fetch",
  visibility: "private" as const,
  workspace_id: Number(env.WORKSPACE_ID),
  conversion: { framework: "onnx" },
};
const uploaded = checked(
  await api.POST("/v1/api/models/upload_and_convert", {
    body: { metadata, file: "" },
    bodySerializer: (body) => {
      const form = new FormData();
      form.append("metadata", new Blob([JSON.stringify(body.metadata)], { type: "application/json" }));
      form.append("file", new Blob([readFileSync(env.MODEL_FILE)]), "model.onnx");
      return form;
    },
  }),
);

const rows = checked(
  await api.POST("/v1/api/pipelines/infer/{deployment}/{pipeline}", {
    params: { path: { deployment: env.DEPLOYMENT, pipeline: env.PIPELINE } },
    headers: { "Content-Type": "application/json; format=pandas-records" },
    body: JSON.parse(env.ROW),
  }),
);
if (typeof rows === "string") throw new Error("the rows came as an Arrow file");
const baseline = checked(
  await api.POST("/v1/api/assays/get_baseline", {
    body: { workspace_id: Number(env.WORKSPACE_ID), pipeline_name: env.PIPELINE, limit: 1 },
  }),
);

console.log(
  JSON.stringify({
    workspaces: workspaces.map((each) => each.name),
    model: uploaded.insert_models.returning[0].models[0].id,
    output: (rows[0].out?.malignant as number[])[0],
    time: rows[0].time,
    baseline: baseline[0],
  }),
);
