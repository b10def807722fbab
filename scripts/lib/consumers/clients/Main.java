// A client by openapi-generator for Java, with its default library.
import java.io.File;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.openapitools.client.ApiClient;
import org.openapitools.client.JSON;
import org.openapitools.client.api.AssaysApi;
import org.openapitools.client.api.AuthenticationApi;
import org.openapitools.client.api.InferenceApi;
import org.openapitools.client.api.ModelsApi;
import org.openapitools.client.api.WorkspacesApi;
import org.openapitools.client.model.AssayBaselineRow;
import org.openapitools.client.model.Conversion;
import org.openapitools.client.model.GetAssayBaselineRequest;
import org.openapitools.client.model.InferenceResult;
import org.openapitools.client.model.ListWorkspacesRequest;
import org.openapitools.client.model.ModelMetadata;
import org.openapitools.client.model.Visibility;
import org.openapitools.client.model.Workspace;

public class Main {
    private static String variable(String name) {
        return System.getenv(name);
    }

    public static void main(String[] arguments) throws Exception {
        ApiClient keycloak = new ApiClient();
        keycloak.setUsername(variable("WALLAROO_CLIENT_ID"));
        keycloak.setPassword(variable("WALLAROO_CLIENT_SECRET"));
        AuthenticationApi authentication = new AuthenticationApi(keycloak);
        authentication.setCustomBaseUrl(variable("WALLAROO_AUTH_URL")); // the path has a server of its own
        String token = authentication
            .requestToken("password", variable("WALLAROO_USER"), variable("WALLAROO_PASSWORD"), null, null, null, null)
            .getAccessToken();

        ApiClient client = new ApiClient().setBasePath(variable("WALLAROO_API_URL"));
        client.setBearerToken(token);
        int workspace = Integer.parseInt(variable("WORKSPACE_ID"));

        List<String> workspaces = new ArrayList<>();
        for (Workspace each : new WorkspacesApi(client).listWorkspaces(new ListWorkspacesRequest()).getWorkspaces()) {
            workspaces.add(each.getName());
        }
        ModelMetadata metadata = new ModelMetadata()
            .name("by-java")
            .visibility(Visibility.PRIVATE)
            .workspaceId(workspace)
            .conversion(new Conversion().framework("onnx"));
        int model = new ModelsApi(client)
            .uploadAndConvertModel(metadata, new File(variable("MODEL_FILE")))
            .getInsertModels().getReturning().get(0).getModels().get(0).getId();
        List<Map<String, Object>> rows = JSON.deserialize(
            variable("ROW"), new com.google.gson.reflect.TypeToken<List<Map<String, Object>>>() {}.getType());
        InferenceResult scored = new InferenceApi(client)
            .inferPipeline(variable("DEPLOYMENT"), variable("PIPELINE"), rows, null, null, null).get(0);
        AssayBaselineRow row = new AssaysApi(client).getAssayBaseline(
            new GetAssayBaselineRequest().workspaceId(workspace).pipelineName(variable("PIPELINE")).limit(1)).get(0);

        Map<String, Object> found = new HashMap<>();
        found.put("workspaces", workspaces);
        found.put("model", model);
        found.put("output", ((List<?>) scored.getOut().get("malignant")).get(0));
        found.put("time", scored.getTime());
        found.put("baseline", row);
        System.out.println(JSON.serialize(found));
    }
}
