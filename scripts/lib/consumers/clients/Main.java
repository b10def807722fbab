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
    private static String told(String name) {
        return System.getenv(name);
    }

    public static void main(String[] arguments) throws Exception {
        ApiClient keycloak = new ApiClient();
        keycloak.setUsername(told("WALLAROO_CLIENT_ID"));
        keycloak.setPassword(told("WALLAROO_CLIENT_SECRET"));
        AuthenticationApi authentication = new AuthenticationApi(keycloak);
        authentication.setCustomBaseUrl(told("WALLAROO_AUTH_URL")); // the path has a server of its own
        String token = authentication
            .requestToken("password", told("WALLAROO_USER"), told("WALLAROO_PASSWORD"), null, null, null, null)
            .getAccessToken();

        ApiClient client = new ApiClient().setBasePath(told("WALLAROO_API_URL"));
        client.setBearerToken(token);
        int workspace = Integer.parseInt(told("WORKSPACE_ID"));

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
            .uploadAndConvertModel(metadata, new File(told("MODEL_FILE")))
            .getInsertModels().getReturning().get(0).getModels().get(0).getId();
        List<Map<String, Object>> rows = JSON.deserialize(
            told("ROW"), new com.google.gson.reflect.TypeToken<List<Map<String, Object>>>() {}.getType());
        InferenceResult scored = new InferenceApi(client)
            .inferPipeline(told("DEPLOYMENT"), told("PIPELINE"), rows, null, null, null).get(0);
        AssayBaselineRow row = new AssaysApi(client).getAssayBaseline(
            new GetAssayBaselineRequest().workspaceId(workspace).pipelineName(told("PIPELINE")).limit(1)).get(0);

        Map<String, Object> found = new HashMap<>();
        found.put("workspaces", workspaces);
        found.put("model", model);
        found.put("output", ((List<?>) scored.getOut().get("malignant")).get(0));
        found.put("time", scored.getTime());
        found.put("baseline", row);
        System.out.println(JSON.serialize(found));
    }
}
