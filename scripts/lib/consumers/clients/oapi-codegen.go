// A client by oapi-codegen for Go.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"strconv"

	"example.com/openapi/api"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// The form of an upload: oapi-codegen leaves multipart bodies to the caller.
func form(metadata api.ModelMetadata, file string) (string, *bytes.Buffer) {
	body := &bytes.Buffer{}
	parts := multipart.NewWriter(body)
	header := textproto.MIMEHeader{}
	header.Set("Content-Disposition", `form-data; name="metadata"`)
	header.Set("Content-Type", "application/json")
	must(must(parts.CreatePart(header)).Write(must(json.Marshal(metadata))))
	must(must(parts.CreateFormFile("file", "model.onnx")).Write(must(os.ReadFile(file))))
	if err := parts.Close(); err != nil {
		panic(err)
	}
	return parts.FormDataContentType(), body
}

func main() {
	ctx := context.Background()
	keycloak := must(api.NewClientWithResponses(os.Getenv("WALLAROO_AUTH_URL")))
	user, password := os.Getenv("WALLAROO_USER"), os.Getenv("WALLAROO_PASSWORD")
	asked := api.TokenRequest{GrantType: "password", Username: &user, Password: &password}
	token := must(keycloak.RequestTokenWithFormdataBodyWithResponse(ctx, asked, func(_ context.Context, r *http.Request) error {
		r.SetBasicAuth(os.Getenv("WALLAROO_CLIENT_ID"), os.Getenv("WALLAROO_CLIENT_SECRET"))
		return nil
	})).JSON200.AccessToken
	client := must(api.NewClientWithResponses(os.Getenv("WALLAROO_API_URL"),
		api.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
			r.Header.Set("Authorization", "Bearer "+token)
			return nil
		})))
	workspace := must(strconv.Atoi(os.Getenv("WORKSPACE_ID")))

	names := []string{}
	for _, each := range must(client.ListWorkspacesWithResponse(ctx, api.ListWorkspacesRequest{})).JSON200.Workspaces {
		names = append(names, each.Name)
	}
	metadata := api.ModelMetadata{
		Name: "by-oapi-codegen", Visibility: "private", WorkspaceId: workspace,
		Conversion: api.Conversion{Framework: "onnx"},
	}
	contentType, body := form(metadata, os.Getenv("MODEL_FILE"))
	uploaded := must(client.UploadAndConvertModelWithBodyWithResponse(ctx, contentType, body)).JSON202
	answer := must(client.InferPipelineWithBodyWithResponse(ctx, os.Getenv("DEPLOYMENT"), os.Getenv("PIPELINE"), nil,
		"application/json; format=pandas-records", bytes.NewBufferString(os.Getenv("ROW"))))
	if answer.JSON200 == nil {
		panic(string(answer.Body))
	}
	scored := (*answer.JSON200)[0]
	limit := api.Limit(1)
	request := api.GetAssayBaselineRequest{WorkspaceId: workspace, PipelineName: os.Getenv("PIPELINE"), Limit: &limit}
	row := (*must(client.GetAssayBaselineWithResponse(ctx, request)).JSON200)[0]

	fmt.Println(string(must(json.Marshal(map[string]any{
		"workspaces": names,
		"model":      uploaded.InsertModels.Returning[0].Models[0].Id,
		"output":     (*scored.Out)["malignant"].([]any)[0],
		"time":       *scored.Time,
		"baseline":   row,
	}))))
}
