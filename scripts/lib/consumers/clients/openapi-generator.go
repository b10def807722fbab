// A client by openapi-generator for Go.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	api "example.com/openapi"
)

func must[T any](value T, _ any, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	keycloak := api.NewConfiguration()
	keycloak.OperationServers = nil // the token's path has a server of its own
	keycloak.Servers = api.ServerConfigurations{{URL: os.Getenv("WALLAROO_AUTH_URL")}}
	basic := api.BasicAuth{UserName: os.Getenv("WALLAROO_CLIENT_ID"), Password: os.Getenv("WALLAROO_CLIENT_SECRET")}
	signingIn := context.WithValue(context.Background(), api.ContextBasicAuth, basic)
	token := must(api.NewAPIClient(keycloak).AuthenticationAPI.RequestToken(signingIn).GrantType("password").
		Username(os.Getenv("WALLAROO_USER")).Password(os.Getenv("WALLAROO_PASSWORD")).Execute())

	configuration := api.NewConfiguration()
	configuration.Servers = api.ServerConfigurations{{URL: os.Getenv("WALLAROO_API_URL")}}
	client := api.NewAPIClient(configuration)
	ctx := context.WithValue(context.Background(), api.ContextAccessToken, token.AccessToken)
	number, _ := strconv.Atoi(os.Getenv("WORKSPACE_ID"))
	workspace := int32(number)

	names := []string{}
	listed := must(client.WorkspacesAPI.ListWorkspaces(ctx).ListWorkspacesRequest(api.ListWorkspacesRequest{}).Execute())
	for _, each := range listed.Workspaces {
		names = append(names, each.Name)
	}
	file, err := os.Open(os.Getenv("MODEL_FILE"))
	if err != nil {
		panic(err)
	}
	// It writes no part of JSON, so the upload is the one whose fields stand beside the file.
	uploaded := must(client.ModelsAPI.UploadModel(ctx).File(file).Name("by-go").Visibility("private").
		WorkspaceId(workspace).Execute())
	rows := []map[string]any{}
	if err := json.Unmarshal([]byte(os.Getenv("ROW")), &rows); err != nil {
		panic(err)
	}
	scored := must(client.InferenceAPI.InferPipeline(ctx, os.Getenv("DEPLOYMENT"), os.Getenv("PIPELINE")).
		RequestBody(rows).Execute())[0]
	request := api.GetAssayBaselineRequest{WorkspaceId: workspace, PipelineName: os.Getenv("PIPELINE")}
	request.SetLimit(1)
	row := must(client.AssaysAPI.GetAssayBaseline(ctx).GetAssayBaselineRequest(request).Execute())[0]

	found, err := json.Marshal(map[string]any{
		"workspaces": names,
		"model":      uploaded.InsertModels.Returning[0].Models[0].Id,
		"output":     scored.Out["malignant"].([]any)[0],
		"time":       scored.GetTime(),
		"baseline":   row,
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(found))
}
